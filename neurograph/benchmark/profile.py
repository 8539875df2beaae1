"""What each step of a plan costs: operations, bytes, the time that the machine's limits allow, and (if asked) the time it takes.

Times are of one core and per sample. *Predicted* is the roofline: the longer of the operations at the measured peak and of the bytes
at the measured bandwidth, every number read and written once; weights are shared by the samples of a batch. What stays in the caches
may be faster than its bytes, and work that is skipped faster than its operations.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from neurograph.benchmark import flop
from neurograph.benchmark.peak import Machine
from neurograph.compiler.counting import n_flop, n_neurons, n_weights
from neurograph.compiler.plan import ONE, Plan, Step

WORD = 4
"""Bytes of a number."""
RESOLUTION = 3e-8
"""Seconds a sample below which a share of the peak says more about the clock than about the step."""
PHASES = ("forward", "backward")
REST: Hashable = None
OTHERS = {
    "forward": "inputs and outputs",
    "backward": "loss, and clearing what is added to",
    "call": "updating weights, reading the batch, calls",
}
"""What belongs to no step (see `neurograph.compiler.timing`)."""
Measured = Mapping[tuple[Hashable, str], float]
"""(population, phase) → seconds a sample; what belongs to no step has a name of its own."""


@dataclass(frozen=True)
class Cost:
    """One step in one phase, per sample.

    Attributes
    ----------
    predicted, seconds : float, optional
        Seconds; None where the machine could not be measured, or nobody asked.
    """

    step: str
    phase: str
    flop: int
    bytes: int
    predicted: float | None = None
    seconds: float | None = None
    peak: float | None = None


@dataclass(frozen=True)
class Profile:
    """The costs of a plan; `str` is a table.

    Attributes
    ----------
    rest : tuple of (str, float)
        What belongs to no step, in words, and seconds a sample.
    """

    costs: tuple[Cost, ...]
    batch: int
    machine: Machine | None
    rest: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        return _table(self)

    def as_dict(self) -> dict[str, Any]:
        """In plain numbers."""
        machine = None if self.machine is None else asdict(self.machine)
        costs = [asdict(cost) for cost in self.costs]
        return {"batch": self.batch, "machine": machine, "costs": costs, "rest": dict(self.rest)}


def profile(plan: Plan, batch: int, machine: Machine | None, measured: Measured | None = None) -> Profile:
    """The cost of every step, forward and backward, for batches of that size.

    Examples
    --------
    >>> import neurograph as ng
    >>> found = profile(ng.plan(ng.lay_out(ng.load("xor"))), 4, None).costs
    >>> [(cost.step, cost.phase, cost.flop, cost.bytes) for cost in found[:2]]
    [('hidden', 'forward', 10, 20), ('hidden', 'backward', 8, 24)]
    """
    costs = tuple(_cost(plan, step, phase, batch, machine, measured) for step in plan.steps for phase in PHASES)
    rest = tuple(
        (word, measured[REST, phase]) for phase, word in OTHERS.items() if measured and (REST, phase) in measured
    )
    return Profile(costs, batch, machine, rest)


def _cost(plan: Plan, step: Step, phase: str, batch: int, machine: Machine | None, measured: Measured | None) -> Cost:
    operations = n_flop(step) if phase == "forward" else flop.backward(plan, step)
    moved = round(_bytes(plan, step, phase, batch))
    predicted = None if machine is None else max(operations / machine.core_flops, moved / machine.bandwidth)
    seconds = None if measured is None else measured.get((step.population, phase), 0.0)
    peak = None
    if machine is not None and seconds is not None and seconds > RESOLUTION and flop.is_weighted(step):
        peak = operations / seconds / machine.core_flops
    return Cost(str(step.population), phase, operations, moved, predicted, seconds, peak)


def _bytes(plan: Plan, step: Step, phase: str, batch: int) -> float:
    """Bytes that a sample moves: what is read and written, and its share of the weights."""
    names = {p.source for p in step.projections if p.source != ONE}
    names |= {name for p in step.projections for name, _ in p.others}
    inputs = {population.name for population in plan.inputs}
    sources = sum(plan.population(name).size for name in names)
    targets, weights = n_neurons(plan, step), n_weights(step)
    if phase == "forward":
        return WORD * (sources + targets + weights / batch)
    owed = sum(plan.population(name).size for name in names - inputs)
    return WORD * (sources + owed + targets + 2 * weights / batch)


# -- as text ----------------------------------------------------------------------------------------------------------
def _table(made: Profile) -> str:
    """A line a step, forward on the left and backward on the right."""
    timed = any(cost.seconds is not None for cost in made.costs)
    width = max([4, *(len(cost.step) for cost in made.costs)])
    heads = ["FLOP", "bytes", "predicted", *(["measured", "of peak"] if timed else [])]
    block = "".join(f"{head:>11}" for head in heads)
    sums = [_sum(made, phase) for phase in PHASES]
    lines = [
        _where(made.batch, made.machine),
        f"  {'':<{width}}  {' forward '.center(len(block) - 2, '-')}  {' backward '.center(len(block) - 2, '-')}",
        f"  {'step':<{width}}{block}{block}",
    ]
    pairs = [made.costs[i : i + len(PHASES)] for i in range(0, len(made.costs), len(PHASES))]
    lines += [f"  {pair[0].step:<{width}}" + "".join(_cells(cost, timed) for cost in pair) for pair in pairs]
    lines.append(f"  {'all':<{width}}" + "".join(_cells(cost, timed) for cost in sums))
    if made.rest:
        whole = sum(cost.seconds or 0.0 for cost in sums) + sum(seconds for _, seconds in made.rest)
        lines += [f"  {word}: {duration(seconds)}" for word, seconds in made.rest]
        lines.append(f"  in all {duration(whole)} a sample: {1 / whole:,.0f} samples a second on one core")
    return "\n".join(line.rstrip() for line in lines)


def _where(batch: int, machine: Machine | None) -> str:
    of = f"cost of a sample, in batches of {batch}"
    if machine is None:
        return f"{of}; nothing is compiled here, so no time is predicted"
    peak, bandwidth = machine.core_flops / 1e9, machine.bandwidth / 1e9
    return f"{of}, on one core ({machine.cpu}; measured: {peak:.0f} GFLOP/s, {bandwidth:.0f} GB/s)"


def _sum(made: Profile, phase: str) -> Cost:
    mine = [cost for cost in made.costs if cost.phase == phase]
    operations = sum(cost.flop for cost in mine)
    seconds = [cost.seconds for cost in mine if cost.seconds is not None]
    took = sum(seconds) if seconds else None
    peak = operations / took / made.machine.core_flops if made.machine is not None and took else None
    predicted = None if made.machine is None else sum(cost.predicted or 0.0 for cost in mine)
    return Cost("all", phase, operations, sum(cost.bytes for cost in mine), predicted, took, peak)


def _cells(cost: Cost, timed: bool) -> str:
    cells = [units(cost.flop), units(cost.bytes), duration(cost.predicted)]
    if timed:
        cells += [duration(cost.seconds), "-" if cost.peak is None else f"{100 * cost.peak:.0f} %"]
    return "".join(f"{cell:>11}" for cell in cells)


def units(n: float) -> str:
    """A number with k, M or G.

    Examples
    --------
    >>> units(0), units(999), units(240_000), units(1.85e9)
    ('0', '999', '240 k', '1.85 G')
    """
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:.0f}"


def duration(seconds: float | None) -> str:
    """Seconds in a fitting unit.

    Examples
    --------
    >>> duration(None), duration(0.0), duration(2.34e-7), duration(1.5e-5), duration(0.0123), duration(2.0)
    ('-', '0', '234 ns', '15 µs', '12.3 ms', '2 s')
    """
    if seconds is None:
        return "-"
    if seconds == 0:
        return "0"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
