"""Small random networks for the tests of the compiler, and what a plan must say about them.

The topologies are hand-written products of wirings, odder than any layer kind makes them: weights that mix axes, channels wired
one by one, several projections between two layers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from neurograph.compiler import plan
from neurograph.compiler.plan import Plan, PlanProjection, Step
from neurograph.errors import GraphError
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import HeadSpec, NeuronGraph
from neurograph.graph.topology import Bias, Padding, Population, Projection, Topology
from neurograph.ops.wiring import Blocks, Pairs, Window, Wiring
from neurograph.parameters import ParameterSpec


def graph_edges(graph: NeuronGraph) -> set[Any]:
    """What `plan.edges()` must be: (target, source, reference, kind), and one from "1" per neuron with a bias."""
    kind = graph.nodes(data="kind")
    drawn = {(v, u, data.get("param"), kind[v]) for u, v, data in graph.edges(data=True)}
    return drawn | {(v, "1", bias, kind[v]) for v, bias in graph.nodes(data="bias") if bias is not None}


def assert_says(made: Plan, graph: NeuronGraph) -> None:
    """The plan has exactly the graph's edges, each once."""
    counted = Counter(made.edges())
    assert set(counted) == graph_edges(graph)
    assert set(counted.values()) <= {1}


def step_of(made: Plan, population: Any) -> Step:
    (step,) = (step for step in made.steps if step.population == population)
    return step


def projection_of(made: Plan, population: Any, source: Any) -> PlanProjection:
    (projection,) = (p for p in step_of(made, population).projections if p.source == source)
    return projection


def words(projection: PlanProjection) -> list[str]:
    """Each nest as "6 lanes, 28 tied"."""
    return [", ".join(f"{axis.count} {axis.word}" for axis in nest.axes) for nest in projection.nests]


# -- topologies -------------------------------------------------------------------------------------------------------
@dataclass
class Draft:
    """A topology while it is drawn."""

    draw: Any
    populations: dict[str, Population] = field(default_factory=dict)
    projections: list[Projection] = field(default_factory=list)
    parameters: dict[str, ParameterSpec] = field(default_factory=dict)
    dropouts: dict[str, float] = field(default_factory=dict)

    def finish(self) -> Topology:
        last = list(self.populations)[-1]
        return Topology(
            "drawn",
            self.populations,
            tuple(self.projections),
            self.parameters,
            (HeadSpec(last),),
            ((last,),),
            self.dropouts,
        )


@st.composite
def topologies(draw: Any, layers: int = 3) -> Topology:
    """A chain of layers with now and then a skip, over a map of one or two spatial axes."""
    draft = Draft(draw)
    rank = draw(st.integers(1, 3))
    shape = tuple(draw(st.integers(1, 7)) for _ in range(rank))
    draft.populations["input"] = Population("input", "input", shape)
    for number in range(draw(st.integers(1, layers))):
        source = draw(st.sampled_from(list(draft.populations)[-2:]))
        draw(st.sampled_from([_conv, _conv, _pool, _dense, _untied, _twice, _odd]))(draft, f"layer{number}", source)
    return draft.finish()


def _windows(draft: Draft, extents: tuple[int, ...], padded: bool = False) -> list[Window]:
    draw, windows = draft.draw, []
    for extent in extents:
        kernel, stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
        reach = dilation * (kernel - 1)
        before, after = draw(st.integers(0, reach)), draw(st.integers(0, reach))
        n = (extent + before + after - reach - 1) // stride + 1
        windows.append(Window(max(n, 1), extent, kernel, stride, dilation, before, padded=padded))
    return windows


def _with_weights(windows: list[Window], taps: tuple[int, ...], targets: tuple[int, ...]) -> tuple[Window, ...]:
    return tuple(
        Window(w.n_targets, w.n_sources, w.kernel, w.stride, w.dilation, w.before, tap, target, w.padded)
        for w, tap, target in zip(windows, taps, targets, strict=True)
    )


def _row_major(extents: list[int]) -> tuple[int, ...]:
    return tuple(prod(extents[i + 1 :]) for i in range(len(extents)))


def _add(
    draft: Draft, name: str, kind: str, shape: tuple[int, ...], bias: str = "none", divisor: float | None = None
) -> None:
    made = None
    if bias == "map":
        made = Bias(f"{name}.bias", (1, *[0] * (len(shape) - 1)))
        draft.parameters[f"{name}.bias"] = ParameterSpec(f"{name}.bias", shape[:1], role="bias")
    if bias == "each":
        made = Bias(f"{name}.bias", _row_major(list(shape)))
        draft.parameters[f"{name}.bias"] = ParameterSpec(f"{name}.bias", (prod(shape),), role="bias")
    activation = draft.draw(st.sampled_from(["identity", "relu"]))
    draft.populations[name] = Population(name, kind, shape, activation, made, divisor)


def _bias(draft: Draft) -> str:
    return str(draft.draw(st.sampled_from(["none", "map", "each"])))


def _dropout(draft: Draft) -> str | None:
    if not draft.draw(st.integers(0, 3)):
        name = f"drop{len(draft.dropouts)}"
        draft.dropouts[name] = 0.5
        return name
    return None


def _conv(draft: Draft, name: str, source: str) -> None:
    """A convolution: plain, grouped, or with channels wired one by one; now and then in a frame of constants."""
    draw, (channels, *extents) = draft.draw, draft.populations[source].shape
    padded = draw(st.integers(0, 4)) == 0 and bool(extents)
    windows = _windows(draft, tuple(extents), padded)
    taps = [w.kernel for w in windows]
    filters = draw(st.integers(1, 4))
    wiring: Wiring
    if draw(st.booleans()):
        groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0]))
        per_group = draw(st.integers(1, 3))
        filters, row = groups * per_group, channels // groups * prod(taps)
        wiring = Blocks(groups, per_group, channels // groups, row, prod(taps))
    else:
        row = channels * prod(taps)
        maps = [draw(st.sets(st.integers(0, channels - 1), min_size=1)) for _ in range(filters)]
        wiring = Pairs(
            filters, channels, tuple((f, c, f * row + c * prod(taps)) for f, m in enumerate(maps) for c in sorted(m))
        )
    axes = _with_weights(windows, _row_major(taps), (0,) * len(taps))
    _add(draft, name, "weighted", (filters, *(w.n_targets for w in windows)), _bias(draft))
    draft.parameters[f"{name}.weight"] = ParameterSpec(f"{name}.weight", (filters, row))
    frame = None
    if padded:
        frame = Padding(f"{name}.padding", f"{name}.padding")
        draft.parameters[f"{name}.padding"] = ParameterSpec(f"{name}.padding", role="constant", trainable=False)
    dropout = None if padded else _dropout(draft)
    draft.projections.append(Projection(source, name, (wiring, *axes), f"{name}.weight", 0, dropout, frame))


def _untied(draft: Draft, name: str, source: str) -> None:
    """Locally connected: every neuron has weights of its own."""
    channels, *extents = draft.populations[source].shape
    windows = _windows(draft, tuple(extents))
    taps, outputs = [w.kernel for w in windows], [w.n_targets for w in windows]
    filters, row = draft.draw(st.integers(1, 3)), channels * prod(taps)
    axes = _with_weights(windows, _row_major(taps), tuple(row * step for step in _row_major(outputs)))
    wiring = Blocks(1, filters, channels, row * prod(outputs), prod(taps))
    _add(draft, name, "weighted", (filters, *outputs), _bias(draft))
    draft.parameters[f"{name}.weight"] = ParameterSpec(f"{name}.weight", (filters * prod(outputs), row))
    draft.projections.append(Projection(source, name, (wiring, *axes), f"{name}.weight", 0, _dropout(draft)))


def _pool(draft: Draft, name: str, source: str) -> None:
    channels, *extents = draft.populations[source].shape
    windows = _windows(draft, tuple(extents))
    kind = draft.draw(st.sampled_from(["max", "mean", "l2", "sum"]))
    divisor = draft.draw(st.sampled_from([4.0, None])) if kind == "mean" else None
    _add(draft, name, kind, (channels, *(w.n_targets for w in windows)), divisor=divisor)
    draft.projections.append(Projection(source, name, (Blocks(channels, 1, 1), *windows), dropout=_dropout(draft)))


def _dense(draft: Draft, name: str, source: str) -> None:
    shape = draft.populations[source].shape
    units, steps = draft.draw(st.integers(1, 5)), _row_major(list(shape))
    axes = [Blocks(1, units, shape[0], prod(shape), steps[0])]
    axes += [Blocks(1, 1, extent, 0, step) for extent, step in zip(shape[1:], steps[1:], strict=True)]
    kind = draft.draw(st.sampled_from(["weighted", "rbf"]))
    _add(draft, name, kind, (units,), _bias(draft) if kind == "weighted" else "none")
    draft.parameters[f"{name}.weight"] = ParameterSpec(f"{name}.weight", (units, prod(shape)))
    draft.projections.append(Projection(source, name, tuple(axes), f"{name}.weight", 0, _dropout(draft)))


def _twice(draft: Draft, name: str, source: str) -> None:
    """Channels stacked twice and pooled: two projections between one pair of layers."""
    channels, *extents = draft.populations[source].shape
    windows = _windows(draft, tuple(extents))
    kind = draft.draw(st.sampled_from(["max", "l2"]))
    _add(draft, name, kind, (2 * channels, *(w.n_targets for w in windows)))
    for half in range(2):
        pairs = Pairs(2 * channels, channels, tuple((half * channels + c, c, 0) for c in range(channels)))
        draft.projections.append(Projection(source, name, (pairs, *windows)))


def _odd(draft: Draft, name: str, source: str) -> None:
    """Weights that mix axes and keep to no row."""
    draw, (channels, *extents) = draft.draw, draft.populations[source].shape
    windows = _windows(draft, tuple(extents))
    step = st.integers(0, 3)
    axes = _with_weights(windows, tuple(draw(step) for _ in windows), tuple(draw(step) for _ in windows))
    filters, offset = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    wiring = Blocks(1, filters, channels, draw(step), draw(step))
    highest = offset + sum(int(w.links().weight.max(initial=0)) for w in (wiring, *axes))
    _add(draft, name, "weighted", (filters, *(w.n_targets for w in windows)))
    shape = draw(st.sampled_from([(highest + 1,), (highest + 1, 1), (highest // 2 + 1, 2), (highest // 3 + 1, 3)]))
    draft.parameters[f"{name}.weight"] = ParameterSpec(f"{name}.weight", shape)
    draft.projections.append(Projection(source, name, (wiring, *axes), f"{name}.weight", offset))


@st.composite
def odd_projections(draw: Any) -> tuple[Topology, Projection]:
    """A projection whose weights mix axes, and the topology around it."""
    draft = Draft(draw)
    draft.populations["input"] = Population(
        "input", "input", tuple(draw(st.integers(1, 5)) for _ in range(draw(st.integers(1, 3))))
    )
    _odd(draft, "layer", "input")
    return draft.finish(), draft.projections[0]


# -- edits ------------------------------------------------------------------------------------------------------------
@st.composite
def edited_graphs(draw: Any) -> NeuronGraph:
    """A built graph with some edges deleted or re-tied, some neurons removed, some added by hand."""
    graph = build(draw(topologies()))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    for edit in draw(
        st.lists(st.sampled_from([_delete, _retie, _rewire, _remove, _by_hand, _rebias, _move_to_end]), max_size=5)
    ):
        edit(graph, rng)
    for node in [n for n, kind in graph.nodes(data="kind") if kind in ("max", "mean") and not graph.in_degree(n)]:
        graph.remove_node(node)
    return graph


def _pick(rng: np.random.Generator, things: list[Any]) -> Any:
    return things[rng.integers(len(things))] if things else None


def _delete(graph: NeuronGraph, rng: np.random.Generator) -> None:
    edge = _pick(rng, list(graph.edges))
    if edge is not None:
        graph.remove_edge(*edge)


def _retie(graph: NeuronGraph, rng: np.random.Generator) -> None:
    weighted = [(u, v) for u, v, param in graph.edges(data="param") if param is not None]
    edge, other = _pick(rng, weighted), _pick(rng, weighted)
    if edge is not None:
        graph.edges[edge]["param"] = graph.edges[other]["param"]


def _rewire(graph: NeuronGraph, rng: np.random.Generator) -> None:
    """An edge keeps its weight and comes from elsewhere in the same layer."""
    edge = _pick(rng, list(graph.edges))
    if edge is None:
        return
    source, target = edge
    layer = graph.nodes[source]["layer"]
    others = [n for n, of in graph.nodes(data="layer") if of == layer and not graph.has_edge(n, target) and n != target]
    other = _pick(rng, others)
    if other is not None:
        graph.add_edge(other, target, **graph.edges[edge])
        graph.remove_edge(*edge)


def _rebias(graph: NeuronGraph, rng: np.random.Generator) -> None:
    node = _pick(rng, [n for n, bias in graph.nodes(data="bias") if bias is not None])
    if node is not None:
        graph.nodes[node]["bias"] = _pick(rng, [None, ("own", 0)])
        graph.set_parameter("own")


def _remove(graph: NeuronGraph, rng: np.random.Generator) -> None:
    node = _pick(rng, [n for n, kind in graph.nodes(data="kind") if kind != "input"])
    if node is not None and len(graph) > 3:
        graph.remove_node(node)


def _move_to_end(graph: NeuronGraph, rng: np.random.Generator) -> None:
    """A neuron keeps its place and comes last in insertion, which is the order of ties."""
    node = _pick(rng, list(graph.nodes))
    graph.nodes[node]["order"] = graph._next_order()


def _by_hand(graph: NeuronGraph, rng: np.random.Generator) -> None:
    """A neuron of any kind that reads any neurons, constants included, and is read by a later one."""
    name, kind = f"hand{graph.graph['next_order']}", _pick(rng, ["weighted", "max", "sum", "mean"])
    graph.add_neuron(name, kind=kind, bias="hand.bias" if kind == "weighted" else None)
    readable = [n for n, of in graph.nodes(data="kind") if n != name and (of != "constant" or kind != "max")]
    for source in {_pick(rng, readable) for _ in range(3)}:
        graph.connect(source, name, weight=f"w{rng.integers(3)}" if kind == "weighted" else None)
    reader = _pick(rng, [n for n, output in graph.nodes(data="output") if output is not None])
    if reader is not None:
        weighted = graph.nodes[reader]["kind"] in ("weighted", "rbf")
        constant = any(graph.nodes[n]["kind"] == "constant" for n in graph.pred[reader])
        if not (constant and graph.nodes[reader]["kind"] == "max"):
            graph.connect(name, reader, weight="late" if weighted else None)


def planned(graph: NeuronGraph, until: str = "pad") -> Plan | None:
    """The plan, or None where the edits made the graph cyclic."""
    try:
        return plan(graph, until)
    except GraphError as error:
        if "cycle" in str(error):
            return None
        raise
