"""Taking a census: the data streams through the engine in batches, counters stay, traces go."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Batch, Engine, read_batch
from neurograph.errors import BatchError
from neurograph.graph.address import Node, write_node
from neurograph.inspector.census import Census, LayerCensus, WindowCensus, Winner
from neurograph.inspector.census_dead import dead_units
from neurograph.inspector.census_tally import Tally, Windows, windows_of
from neurograph.inspector.census_wiring import Wiring
from neurograph.trace import Trace

Array = NDArray[Any]
Ends = tuple[float, float]

THRESHOLD = 0.01
"""|f′(z)| below this counts as saturated: a sigmoid above 0.99 or below 0.01, a tanh beyond ±0.995."""
MOST_SAMPLES, MOST_NUMBERS = 64, 4_000_000
"""A batch has at most so many samples, and so many neurons × samples (some 100 MB of trace)."""


def take_census(
    engine: Engine,
    x: Batch,
    target: Batch | None = None,
    *,
    upstream: Batch | None = None,
    inputs: Ends | None = None,
    threshold: float = THRESHOLD,
) -> Census:
    """Count over all samples.

    Parameters
    ----------
    engine : Engine
    x : array_like, shape (samples, *input shape), or a mapping by input name
    target, upstream : array_like, optional
        As `backprop` takes them; without both nothing is said of δ.
    inputs : (float, float), optional
        The range of the inputs, for the largest possible sums; default: what the samples show.
    threshold : float
        A unit is saturated in a sample where |f′(z)| is below it.

    Raises
    ------
    BatchError
        If x or target do not fit.

    Notes
    -----
    Memory is that of one batch's trace, however many samples there are.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h", activation="relu", bias="b"); graph.connect("x", "h", weight="w", value=2.0)
    >>> graph.set_parameter("b", value=-5.0); graph.set_outputs(["h"], loss="mse")
    >>> found = take_census(ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)), [[0.0], [0.5], [1.0]], [[1], [1], [1]])
    >>> found.dead[0].reason
    'its bias, -5, outweighs the largest possible sum, 2'
    """
    has_delta = target is not None or upstream is not None
    tallies: dict[Hashable, Tally] = {}
    ranges: dict[Hashable, Ends] = {}
    wiring: Wiring | None = None
    n = 0
    for given in _batches(engine, x, target, upstream):
        trace = engine.backprop(given[0], given[1], upstream=given[2], reduction="sum")
        if wiring is None:
            wiring = Wiring(trace.network, trace.layout, trace.weights)
            tallies = _tallies(wiring)
        _count(trace, tallies, threshold)
        _widen(ranges, trace)
        n += trace.batch
    assert wiring is not None
    if inputs is not None:
        ranges = dict.fromkeys(ranges, (float(inputs[0]), float(inputs[1])))
    dead, known = dead_units(wiring, tallies, ranges, n)
    layers = {name: _layer(wiring, tally, dead.get(name, ())) for name, tally in tallies.items()}
    return Census(engine.layout, n, layers, ranges, threshold, has_delta, known)


# -- streaming --------------------------------------------------------------------------------------------------------
def _batches(
    engine: Engine, x: Batch, target: Batch | None, upstream: Batch | None
) -> Iterator[tuple[Batch, Batch | None, Batch | None]]:
    """Slices of the data; an upstream gradient of 0 where nothing else is given."""
    n = _length("x", x)
    for what, other in (("target", target), ("upstream", upstream)):
        if other is not None and _length(what, other) != n:
            raise BatchError(f"census: {what} has {_length(what, other)} samples; x has {n}.")
    width = sum(int(np.prod(shape, dtype=np.int64)) for shape in engine.layout.shapes.values())
    size = max(1, min(MOST_SAMPLES, MOST_NUMBERS // max(width, 1)))
    for first in range(0, n, size):
        part = slice(first, first + size)
        y, g = (None if batch is None else _cut(batch, part) for batch in (target, upstream))
        if y is None and g is None:
            g = {head.name: np.zeros((len(range(n)[part]), *head.shape)) for head in engine.layout.heads}
        yield read_batch(_cut(x, part), engine.layout.inputs), y, g


def _length(what: str, batch: Batch) -> int:
    lengths = {np.shape(part)[:1] for part in (batch.values() if isinstance(batch, Mapping) else [batch])}
    if len(lengths) != 1 or lengths in ({()}, {(0,)}):
        raise BatchError(f"census: {what} has no samples, or arrays of different lengths; give (samples, …).")
    return int(lengths.pop()[0])


def _cut(batch: Batch, part: slice) -> Batch:
    if isinstance(batch, Mapping):
        return {name: np.asarray(array)[part] for name, array in batch.items()}
    return np.asarray(batch)[part]


def _tallies(wiring: Wiring) -> dict[Hashable, Tally]:
    found = {}
    for name in wiring.layout.shapes:
        members = wiring.members(name)
        found[name] = Tally(name, members, windows_of(wiring, name, members))
    return found


def _count(trace: Trace, tallies: Mapping[Hashable, Tally], threshold: float) -> None:
    reads = any(tally.windows is not None for tally in tallies.values())
    rows = [np.asarray(trace.a[name]).reshape(trace.batch, -1) for name in trace.layout.shapes] if reads else []
    row = np.concatenate(rows, axis=1) if rows else np.zeros((trace.batch, 0))
    for tally in tallies.values():
        tally.add(trace, row, threshold)


def _widen(ranges: dict[Hashable, Ends], trace: Trace) -> None:
    """Let the range of every input hold what this batch shows."""
    for port in trace.layout.inputs:
        for name in [port.name] if port.members is None else [place[0] for place in port.members]:
            values = np.asarray(trace.a[name])
            low, high = ranges.get(name, (np.inf, -np.inf))
            ranges[name] = (
                float(np.fmin.reduce(values, None, initial=low)),
                float(np.fmax.reduce(values, None, initial=high)),
            )


# -- summing up -------------------------------------------------------------------------------------------------------
def _layer(wiring: Wiring, tally: Tally, dead: Any) -> LayerCensus:
    shape, members = wiring.layout.shapes[tally.name], tally.members
    n_in = wiring.n_in(tally.name)
    idle = n_in[(tally.carried == 0) & (members.kind != "max") & members.there].sum()
    if tally.windows is not None:
        idle += ((tally.windows.paid == 0) & (tally.windows.columns >= 0)).sum()
    rectified = (members.activation == "relu") & members.there
    return LayerCensus(
        name=tally.name,
        n_units=int(members.there.sum()),
        n_edges=int(n_in.sum()),
        fired=tally.fired.reshape(shape),
        carried=tally.carried.reshape(shape),
        flat=tally.flat.reshape(shape),
        largest_z=tally.largest_z.reshape(shape),
        n_rectified=int(rectified.sum()),
        dead=tuple(dead),
        dead_groups=_dead_groups(tally.name, rectified.reshape(shape), tally.fired.reshape(shape)),
        n_saturating=int(np.isin(members.activation, ["sigmoid", "tanh", "scaled_tanh"]).sum()),
        n_idle=int(idle),
        windows=None if tally.windows is None else _window_census(wiring, tally.name, tally.windows),
    )


def _dead_groups(name: Hashable, rectified: Array, fired: Array) -> tuple[str, ...]:
    """Maps of which not one unit fired."""
    if rectified.ndim < 2:
        return ()
    groups = range(len(rectified))
    return tuple(write_node((name, i)) for i in groups if rectified[i].any() and not (fired[i][rectified[i]] > 0).any())


def _window_census(wiring: Wiring, name: Hashable, found: Windows) -> WindowCensus:
    read = np.unique(found.columns[found.columns >= 0])
    won = np.unique(found.columns[(found.wins > 0) & (found.columns >= 0)])
    names = {int(column): wiring.node(int(column)) for column in read}
    first = wiring.offset[name]
    windows: dict[Node, tuple[Winner, ...]] = {}
    for target, row in enumerate(found.columns):
        winners = zip(row.tolist(), found.wins[target].tolist(), found.paid[target].tolist(), strict=True)
        node = wiring.node(first + int(found.targets[target]))
        windows[node] = tuple(Winner(names[column], w, p) for column, w, p in winners if column >= 0)
    ties = int(found.tied.sum()), int(found.blank.sum())
    return WindowCensus(windows, _positions(wiring, found), *ties, len(read), len(read) - len(won))


def _positions(wiring: Wiring, found: Windows) -> dict[tuple[int, ...], tuple[int, int]] | None:
    """Wins by the place within the window, where all full windows look alike."""
    full = (found.columns >= 0).all(axis=1)
    columns = found.columns[full]
    starts = {name: start for name, start in wiring.offset.items() if len(columns) and start <= columns.min()}
    if not starts:
        return None
    name = list(starts)[-1]
    shape = wiring.layout.shapes[name]
    if len(shape) < 2 or columns.max() >= starts[name] + int(np.prod(shape, dtype=np.int64)):
        return None
    index = np.stack(np.unravel_index(columns - starts[name], shape), axis=-1)
    offsets = index - index[:, :1]
    if (offsets != offsets[:1]).any() or offsets[..., 0].any():
        return None
    wins, paid = found.wins[full].sum(axis=0), found.paid[full].sum(axis=0)
    places = [tuple(int(i) for i in offset[1:]) for offset in offsets[0]]
    return {place: (int(w), int(p)) for place, w, p in zip(places, wins, paid, strict=True)}
