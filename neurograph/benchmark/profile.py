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
PHASES = ("forward", "backward")
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


def costs(plan: Plan, batch: int, machine: Machine | None, measured: Measured | None = None) -> list[Cost]:
    """The cost of every step, forward and backward, for batches of that size.

    Examples
    --------
    >>> import neurograph as ng
    >>> found = costs(ng.plan(ng.lay_out(ng.load("xor"))), 4, None)
    >>> [(cost.step, cost.phase, cost.flop, cost.bytes) for cost in found[:2]]
    [('hidden', 'forward', 10, 20), ('hidden', 'backward', 8, 24)]
    """
    return [_cost(plan, step, phase, batch, machine, measured) for step in plan.steps for phase in PHASES]


def as_dicts(found: list[Cost]) -> list[dict[str, Any]]:
    """Costs in plain numbers."""
    return [asdict(cost) for cost in found]


def _cost(plan: Plan, step: Step, phase: str, batch: int, machine: Machine | None, measured: Measured | None) -> Cost:
    operations = n_flop(step) if phase == "forward" else flop.backward(plan, step)
    moved = round(_bytes(plan, step, phase, batch))
    predicted = None if machine is None else max(operations / machine.core_flops, moved / machine.bandwidth)
    seconds = None if measured is None else measured.get((step.population, phase), 0.0)
    peak = None
    if machine is not None and seconds and flop.is_weighted(step):
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
def table(found: list[Cost], batch: int, machine: Machine | None, rest: Measured | None = None) -> str:
    """The costs on a screen: a line a step, forward on the left and backward on the right."""
    timed = any(cost.seconds is not None for cost in found)
    width = max([4, *(len(cost.step) for cost in found)])
    heads = ["FLOP", "bytes", "predicted", *(["measured", "of peak"] if timed else [])]
    block = "".join(f"{head:>11}" for head in heads)
    steps = list(dict.fromkeys(cost.step for cost in found))
    sums = [_sum(found, phase, machine) for phase in PHASES]
    lines = [
        _where(batch, machine),
        f"  {'':<{width}}{'forward'.center(len(block))}  {'backward'.center(len(block))}".rstrip(),
        f"  {'step':<{width}}{block}  {block}",
    ]
    for name in steps:
        pair = [cost for cost in found if cost.step == name]
        lines.append(f"  {name:<{width}}" + "  ".join(_cells(cost, timed) for cost in pair))
    lines.append(f"  {'all':<{width}}" + "  ".join(_cells(cost, timed) for cost in sums))
    lines += [f"  {name}: {duration(seconds)}" for (name, _), seconds in (rest or {}).items()]
    return "\n".join(line.rstrip() for line in lines)


def _where(batch: int, machine: Machine | None) -> str:
    of = f"cost of a sample, in batches of {batch}"
    if machine is None:
        return f"{of}; nothing is compiled here, so no time is predicted"
    peak, bandwidth = machine.core_flops / 1e9, machine.bandwidth / 1e9
    return f"{of}, on one core ({machine.cpu}; measured: {peak:.0f} GFLOP/s, {bandwidth:.0f} GB/s)"


def _sum(found: list[Cost], phase: str, machine: Machine | None) -> Cost:
    mine = [cost for cost in found if cost.phase == phase]
    operations = sum(cost.flop for cost in mine)
    seconds = [cost.seconds for cost in mine if cost.seconds is not None]
    took = sum(seconds) if seconds else None
    peak = operations / took / machine.core_flops if machine is not None and took else None
    predicted = None if machine is None else sum(cost.predicted or 0.0 for cost in mine)
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
    ('-', '0', '0.234 µs', '15 µs', '12.3 ms', '2 s')
    """
    if seconds is None:
        return "-"
    if seconds == 0:
        return "0"
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
