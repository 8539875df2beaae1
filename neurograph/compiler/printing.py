"""A plan as text: one aligned line a step, and under it one line a projection that says what is shared and why.

The words are those of the compiler: *lanes* are other weights over the same sources, *tied* the same weights elsewhere (the
weight-tying group), *parallel* other weights elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.compiler.counting import n_edges, n_flop, n_neurons, n_parameters, n_weights
from neurograph.compiler.plan import ONE, Nest, Plan, PlanProjection, Step
from neurograph.compiler.reasons import why_not_fused, why_not_routed, why_not_shared

SHOWN_NESTS = 2
"""Nests written out for each projection; of the others only the number is given."""


def write_plan(plan: Plan) -> str:
    """The plan on a screen.

    Examples
    --------
    >>> import neurograph as ng
    >>> print(ng.plan(ng.lay_out(ng.load("xor"))))  # doctest: +ELLIPSIS
    plan xor...
    """
    rows: list[tuple[str, ...]] = [("step", "op", "neurons", "edges", "weights", "FLOP", "nests")]
    notes: list[list[str]] = [[]]
    for step in plan.steps:
        rows.append(_row(plan, step))
        said = [line for projection in step.projections for line in _notes(plan, step, projection)]
        notes.append([*said, *_fusion_notes(plan, step), *_route_notes(plan, step)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_headline(plan)]
    for row, below in zip(rows, notes, strict=True):
        cells = [
            cell.rjust(w) if 2 <= i <= 5 else cell.ljust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
        lines += [f"      {note}" for note in below]
    return "\n".join(lines)


def _headline(plan: Plan) -> str:
    edges = sum(_edges(plan, step) for step in plan.steps)
    nests = sum(len(projection.nests) for step in plan.steps for projection in step.projections)
    return f"plan {plan.name}: {len(plan.steps)} steps, {nests} nests, {edges:,} edges, {n_parameters(plan):,} weights and biases"


def _row(plan: Plan, step: Step) -> tuple[str, ...]:
    nests = sum(len(projection.nests) for projection in step.projections)
    rows = sum(projection.table.n_neurons for projection in step.projections if projection.table)
    op = step.op if step.activation == "identity" else f"{step.op} {step.activation}"
    shape = "×".join(map(str, plan.population(step.population).shape))
    return (
        f"{step.population} {shape}",
        op,
        f"{n_neurons(plan, step):,}",
        f"{_edges(plan, step):,}",
        f"{n_weights(step):,}",
        _flop_text(n_flop(step)),
        str(nests) + (f" + {rows:,} alone" if rows else ""),
    )


def _edges(plan: Plan, step: Step) -> int:
    return sum(n_edges(plan, projection) for projection in step.projections if projection.source != ONE)


def _flop_text(n: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return str(n)


# -- notes ------------------------------------------------------------------------------------------------------------
def _notes(plan: Plan, step: Step, projection: PlanProjection) -> list[str]:
    source = "bias" if projection.source == ONE else f"from {projection.source}"
    if projection.others:
        source = "from " + " and ".join(
            str(name) for name in (projection.source, *(name for name, _ in projection.others))
        )
    through = f" through {projection.dropout}" if projection.dropout else ""
    framed = f" in a frame of {projection.halo}" if projection.halo else ""
    said = [_nest_text(nest) for nest in _largest(projection.nests)]
    if len(projection.nests) > SHOWN_NESTS:
        said.append(f"and {len(projection.nests) - SHOWN_NESTS} more")
    reasons = why_not_shared(plan, step, projection)
    if not said:
        said, reasons = reasons[:1], reasons[1:]
    first = f"{source}{through}{framed}: {'; '.join([*said, *_halo_notes(plan, projection)])}"
    return [first, *(f"    {reason}" for reason in reasons)]


def _largest(nests: Sequence[Nest]) -> list[Nest]:
    return sorted(nests, key=lambda nest: -nest.n_neurons)[:SHOWN_NESTS]


def _nest_text(nest: Nest) -> str:
    """A nest in words, innermost axis first.

    Examples
    --------
    >>> from neurograph.compiler.plan import Axis, Numbers, Taps
    >>> taps = Taps(Numbers([[0, 0], [0, 1]]), Numbers([0, 1]))
    >>> _nest_text(Nest(taps, (0, 0), (0, 0), 0, (Axis(0, 6, 1, (0, 0), 2), Axis(1, 28, 1, (0, 1), 0))))
    '6 lanes × 28 tied × 2 taps'
    """
    axes = [
        f"{axis.count} {axis.word if nest.weight is not None or axis.word != 'tied' else 'alike'}" for axis in nest.axes
    ]
    taps = len(nest.taps.source)
    return " × ".join([*axes, f"{taps} tap{'s' if taps > 1 else ''}"])


def _halo_notes(plan: Plan, projection: PlanProjection) -> list[str]:
    halo = projection.n_edges - n_edges(plan, projection)
    if not halo:
        return []
    return [f"borders share through a zero halo ({100 * halo / projection.n_edges:.2g} % of the taps)"]


def _fusion_notes(plan: Plan, step: Step) -> list[str]:
    """What the pass `fuse` moved into a step, and why its map is stored where it is."""
    if step.fusion is None:
        return []
    moved = [word for word in ("bias", "activation", "loss") if getattr(step.fusion, word)]
    if step.activation == "identity" and "activation" in moved:
        moved.remove("activation")
    notes = [f"fused: {', '.join(moved)}"] if moved else []
    if step.fusion.pool is not None:
        notes.append(f"followed at once by {step.fusion.pool}, which alone reads it")
    left = why_not_fused(plan, step)
    readers = [reader.population for reader in plan.steps if _reads(reader, step.population)]
    if len(readers) > 1 and not any(line.startswith("not fused with") for line in left):
        left.append(f"stored: {', '.join(map(str, readers))} read it")
    return [*notes, *left]


def _reads(reader: Step, population: object) -> bool:
    return any(population in (p.source, *(name for name, _ in p.others)) for p in reader.projections)


def _route_notes(plan: Plan, step: Step) -> list[str]:
    """Which way the pass `route` sends δ back through a maximum."""
    if step.route is not None and step.route.assigns:
        return ["backward: δ goes to winners only" + (", past their ReLU" if step.route.gates else "")]
    return why_not_routed(plan, step)
