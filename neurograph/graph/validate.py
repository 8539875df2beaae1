"""What a neuron graph must obey before it can run: every broken rule, said so that one knows what to do.

Graphs may be edited with any NetworkX call, so nothing is taken for granted here: not the attributes, not their types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from itertools import chain, islice
from math import isfinite, prod
from numbers import Integral
from typing import Any

import networkx as nx

from neurograph.errors import LossError, suggest
from neurograph.graph.address import Node, write_node
from neurograph.graph.heads import HeadSpec
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.ops.words import ACTIVATIONS, NEURON_KINDS, WEIGHTED_KINDS

SHOWN = 8
"""How many breaches of one rule are listed before the rest is only counted."""


def broken_rules(graph: NeuronGraph) -> Iterator[str]:
    """A message for every rule that the graph breaks; nothing for a graph that can run.

    Notes
    -----
    One walk over nodes and edges per rule. Where the attributes themselves are damaged, the rules that would have to read them
    are not asked.
    """
    if graph.is_partial:
        yield (
            "the graph is one neuron with its fan-in and fan-out, to read, not to run. Write the whole network out "
            "(build without around), or compile its topology."
        )
        return
    damaged = [*_some(_nodes(graph)), *_some(_edges(graph)), *_some(_places(graph))]
    yield from damaged
    if not damaged:
        yield from _some(chain(_references_of_neurons(graph), _references_of_edges(graph)))
        yield from _some(_fan_ins(graph))
        yield from _cycle(graph)
        yield from _of_the_whole(graph)


def check_planned(graph: NeuronGraph) -> None:
    """Raise GraphError with every broken rule, for a graph that has been planned.

    A plan proves the rules about edges (`neurograph.compiler.tabulate`), which are nearly all the work: only those about neurons,
    inputs and outputs are asked. Where one of them is broken, all rules are, so that the message is the whole one.
    """
    rules = (_nodes, _places, _references_of_neurons, _lonely, _of_the_whole)
    if any(True for rule in rules for _ in rule(graph)):
        graph.validate()


def _of_the_whole(graph: NeuronGraph) -> Iterator[str]:
    """Rules about inputs, outputs and losses; they read attributes that are in order."""
    yield from _inputs(graph)
    yield from _some(_outputs(graph))
    yield from _some(_softmaxes(graph))
    yield from _losses(graph)


def _some(messages: Iterable[str]) -> Iterator[str]:
    messages = iter(messages)
    yield from islice(messages, SHOWN)
    hidden = sum(1 for _ in messages)
    if hidden:
        yield f"… and {hidden:,} more of the same."


# -- attributes -------------------------------------------------------------------------------------------------------
def _nodes(graph: NeuronGraph) -> Iterator[str]:
    for node, data in graph.nodes(data=True):
        kind, activation = data.get("kind"), data.get("activation", "identity")
        if kind is None:
            yield f"{write_node(node)}: no kind; it was added by a NetworkX call. Use add_input or add_neuron."
            continue
        if kind not in NEURON_KINDS:
            yield f"{write_node(node)}: unknown kind {kind!r}{suggest(str(kind), NEURON_KINDS)} (known: {', '.join(NEURON_KINDS)})"
            continue
        if activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            yield f"{write_node(node)}: unknown activation {activation!r}{suggest(str(activation), ACTIVATIONS)} (known: {known})"
        elif activation != "identity" and kind in ("input", "constant"):
            yield f"{write_node(node)}: activation {activation} on a neuron of kind {kind}; its value is given. Remove the activation."
        yield from _bias(node, kind, data.get("bias"))
        yield from _divisor(node, kind, data.get("divisor"))
        if kind == "constant" and not _is_reference(data.get("param")):
            yield f"{write_node(node)}: a constant without a value: param is {data.get('param')!r}; it is a pair (parameter, index)."


def _bias(node: Node, kind: str, bias: Any) -> Iterator[str]:
    if bias is None:
        return
    if kind != "weighted":
        yield f"{write_node(node)}: bias {bias!r} on a neuron of kind {kind}; only weighted neurons have one. Set bias to None."
    elif not _is_reference(bias):
        yield f"{write_node(node)}: bias is {bias!r}; it is a pair (parameter, index), or None."


def _divisor(node: Node, kind: str, divisor: Any) -> Iterator[str]:
    if divisor is None or kind != "mean":
        return
    if not isinstance(divisor, int | float) or not isfinite(divisor) or divisor == 0:
        yield f"{write_node(node)}: divisor {divisor!r}; a mean divides by a number other than 0 (None: by its number of in-edges)."


def _edges(graph: NeuronGraph) -> Iterator[str]:
    for source, target, data in graph.edges(data=True):
        param, port = data.get("param"), data.get("port", 0)
        if param is not None and not _is_reference(param):
            yield f"{_arrow(source, target)}: param is {param!r}; it is a pair (parameter, index), or None."
        if not _is_whole(port):
            yield f"{_arrow(source, target)}: port is {port!r}; it is an integer, 0 unless the inputs play different roles."
        dropout = data.get("dropout")
        if dropout is not None and dropout not in graph.dropouts:
            known = ", ".join(graph.dropouts) or "none"
            yield (
                f"{_arrow(source, target)}: unknown dropout {dropout!r}{suggest(str(dropout), graph.dropouts)} "
                f"(known: {known}). Declare its probability to keep in graph.graph['dropouts']."
            )
        elif dropout is not None and graph.nodes[source].get("kind") == "constant":
            yield f"{_arrow(source, target)}: a constant behind dropout {dropout!r}; masks lie over neurons. Set dropout to None."
    for name, keep in graph.dropouts.items():
        if not isinstance(keep, int | float) or not 0 < keep <= 1:
            yield f"dropout {name!r}: keep is {keep!r}; a probability to keep lies above 0 and at most at 1."


def _places(graph: NeuronGraph) -> Iterator[str]:
    shapes: Mapping[Hashable, tuple[int, ...]] = graph.graph.get("shapes", {})
    orders: dict[Any, Node] = {}
    places: dict[Any, Node] = {}
    for node, data in graph.nodes(data=True):
        order, layer, index = data.get("order"), data.get("layer"), data.get("index")
        if data.get("kind") is None:
            continue
        if not _is_whole(order):
            yield f"{write_node(node)}: order is {order!r}; it is the neuron's insertion number. Use add_input or add_neuron."
        elif orders.setdefault(order, node) is not node:
            yield f"{write_node(node)}: order {order} is also that of {write_node(orders[order])}; give every neuron a number of its own."
        if layer is None or data["kind"] == "constant":
            continue
        if layer not in shapes:
            yield f"{write_node(node)}: layer {layer!r} has no shape; declare it in graph.graph['shapes'] (known: {_list(shapes)})."
        elif not _fits(index, shapes[layer]):
            yield f"{write_node(node)}: index {index!r} lies outside layer {layer!r} of shape {shapes[layer]}."
        elif places.setdefault((layer, tuple(index)), node) is not node:
            yield f"{write_node(node)}: its place is also that of {write_node(places[layer, tuple(index)])}; two neurons cannot share one."


# -- references -------------------------------------------------------------------------------------------------------
def _references_of_neurons(graph: NeuronGraph) -> Iterator[str]:
    sizes = _sizes(graph)
    for node, data in graph.nodes(data=True):
        for what in ("bias", "param"):
            reference = data.get(what)
            if reference is not None and not 0 <= reference[1] < sizes.get(reference[0], 0):
                yield f"{write_node(node)}: {what} {_fault(reference, sizes)}"


def _references_of_edges(graph: NeuronGraph) -> Iterator[str]:
    sizes = _sizes(graph)
    fixed = {name: ~spec.used.reshape(-1) for name, spec in graph.parameters.items() if spec.used is not None}
    for source, target, reference in graph.edges(data="param"):
        if reference is None:
            continue
        name, index = reference
        if not 0 <= index < sizes.get(name, 0):
            yield f"{_arrow(source, target)}: weight {_fault(reference, sizes)}"
        elif name in fixed and fixed[name][index]:
            yield (
                f"{_arrow(source, target)}: weight {name}[{index}] is a slot that nobody uses, fixed at 0; "
                f"give the edge a slot in use, or a parameter of its own."
            )


def _sizes(graph: NeuronGraph) -> dict[str, int]:
    return {name: prod(spec.shape) for name, spec in graph.parameters.items()}


def _fault(reference: tuple[str, int], sizes: Mapping[str, int]) -> str:
    name, index = reference
    if name in sizes:
        return f"{name}[{index}] is out of range: {name} has the slots 0…{sizes[name] - 1}."
    return (
        f"'{name}' is not a parameter of the graph{suggest(name, sizes)} (known: {_list(sizes)}). "
        f"Declare it with set_parameter."
    )


def _is_reference(value: Any) -> bool:
    if not isinstance(value, tuple) or len(value) != 2:
        return False
    name, index = value
    return isinstance(name, str) and not isinstance(index, bool) and _is_whole(index)


def _is_whole(value: Any) -> bool:
    """Whether a value is an integer, NumPy's among them; Python's own are found at once."""
    return type(value) is int or isinstance(value, Integral)


# -- wiring -----------------------------------------------------------------------------------------------------------
def _fan_ins(graph: NeuronGraph) -> Iterator[str]:
    nodes = graph.nodes
    for source, target, param in graph.edges(data="param"):
        kind = nodes[target]["kind"]
        if kind in ("input", "constant"):
            yield f"{_arrow(source, target)}: an edge into {_a(kind)}, whose value is given. Remove the edge."
        elif param is None and kind in WEIGHTED_KINDS:
            yield f"{_arrow(source, target)}: no weight, but a {kind} neuron needs one on every in-edge. Name the weight, or make it a sum neuron."
        elif param is not None and kind not in WEIGHTED_KINDS:
            yield f"{_arrow(source, target)}: weight {param[0]}[{param[1]}] on an edge into a {kind} neuron, which has none. Set param to None."
    yield from _lonely(graph)


def _lonely(graph: NeuronGraph) -> Iterator[str]:
    """Pools without in-edges."""
    for node, data in graph.nodes(data=True):
        if data["kind"] in ("max", "mean") and not graph._pred[node]:
            if data["kind"] == "max":
                yield f"{write_node(node)}: a max neuron without in-edges has no maximum. Connect it, or remove it."
            elif data["kind"] == "mean" and data.get("divisor") is None:
                yield f"{write_node(node)}: a mean neuron without in-edges divides by 0. Connect it, give a divisor, or remove it."


def _cycle(graph: NeuronGraph) -> Iterator[str]:
    if nx.is_directed_acyclic_graph(graph):
        return
    around = [source for source, *_ in nx.find_cycle(graph)]
    shown = [write_node(node) for node in around[:12]] + (["…"] if len(around) > 12 else [])
    yield f"cycle: {' → '.join([*shown, write_node(around[0])])}. A network has none; remove one of these edges."


def _inputs(graph: NeuronGraph) -> Iterator[str]:
    if not any(kind == "input" for _, kind in graph.nodes(data="kind")):
        yield "no input: the network has nothing to read. Add one with add_input."


# -- outputs ----------------------------------------------------------------------------------------------------------
def _outputs(graph: NeuronGraph) -> Iterator[str]:
    taken: Counter[tuple[int, int]] = Counter()
    for node, output in graph.nodes(data="output"):
        if output is None:
            continue
        where = write_node(node)
        if not isinstance(output, tuple) or len(output) != 2 or not all(isinstance(i, Integral) for i in output):
            yield f"{where}: output is {output!r}; it is a pair (head, position), or None. Name the outputs with set_outputs."
            continue
        taken[output] += 1
        if not 0 <= output[0] < len(graph.heads):
            known = f"numbered 0…{len(graph.heads) - 1}" if graph.heads else "none"
            yield f"{where}: output of head {output[0]}; the network's heads are {known}. Name the outputs with set_outputs."
        elif taken[output] > 1:
            yield f"{where}: output {output[1]} of its head is taken by another neuron. Name the outputs with set_outputs."
        kind = graph.nodes[node]["kind"]
        if kind in ("input", "constant"):
            yield f"{where}: an output that is {_a(kind)}; an output is a neuron that computes. Put a sum neuron behind it."
        elif (
            graph.in_degree(node) == 0 and graph.nodes[node].get("layer") is None
        ):  # a padded map may see nothing at its rim
            yield f"{where}: an output without in-edges says the same whatever the input. Connect it, or take it out of set_outputs."
    for number, head in enumerate(graph.heads):
        positions = sorted(position for found, position in taken if found == number)
        if not positions:
            name = f"head {head.name!r}" if head.name is not None else "the network's head"
            yield f"{name} has no neuron left in the graph. Name the outputs with set_outputs."
        elif head.name is None and positions != list(range(len(positions))):
            missing = sorted(set(range(positions[-1])) - set(positions))
            yield f"output {missing[0]} was removed from the graph; the outputs are numbered without gaps. Name those that are left with set_outputs."


def _softmaxes(graph: NeuronGraph) -> Iterator[str]:
    for node, data in graph.nodes(data=True):
        if data.get("activation") == "softmax":
            if data.get("output") is None:
                yield f"{write_node(node)}: softmax on a neuron that is no output; softmax spans the outputs of a head. Take another activation."
            elif graph.out_degree(node):
                reader = write_node(next(iter(graph.succ[node])))
                yield f"{write_node(node)}: a softmax output that {reader} reads; nobody may read it. Remove the edge, or take another activation."


def _losses(graph: NeuronGraph) -> Iterator[str]:
    words: list[dict[tuple[str, str], Node]] = [{} for _ in graph.heads]
    for node, data in graph.nodes(data=True):
        output = data.get("output")
        if isinstance(output, tuple) and len(output) == 2 and output[0] in range(len(words)):
            words[output[0]].setdefault((data["kind"], data.get("activation", "identity")), node)
    for head, found in zip(graph.heads, words, strict=True):
        activations = sorted({activation for _, activation in found})
        if "softmax" in activations and len(activations) > 1:
            yield (
                f"{_head_name(head.name)}: outputs with activations {', '.join(activations)}; a softmax spans all outputs "
                f"of its head. Give all softmax, or none."
            )
        if head.loss is not None and found:
            yield from _classes(graph, head)
        for (kind, activation), node in found.items():
            if head.loss is not None:
                try:
                    head.loss.check(write_node(node) if head.name is None else str(head.name), kind, activation)
                except LossError as error:
                    yield str(error)


def _classes(graph: NeuronGraph, head: HeadSpec) -> Iterator[str]:
    shape = graph.graph.get("shapes", {}).get(head.name)
    n_units = len(graph.outputs(graph.heads.index(head))) if shape is None else shape[0]
    try:
        assert head.loss is not None
        head.loss.check_classes("outputs" if head.name is None else str(head.name), n_units)
    except LossError as error:
        yield str(error)


# -- words ------------------------------------------------------------------------------------------------------------
def _head_name(name: Hashable | None) -> str:
    return "the outputs" if name is None else f"head '{name}'"


def _arrow(source: Node, target: Node) -> str:
    return f"{write_node(source)} → {write_node(target)}"


def _a(kind: str) -> str:
    return "an input" if kind == "input" else "a constant"


def _list(names: Iterable[Any]) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else "none"


def _fits(index: Any, shape: tuple[int, ...]) -> bool:
    return (
        isinstance(index, tuple | list)
        and len(index) == len(shape)
        and all(_is_whole(i) and 0 <= i < extent for i, extent in zip(index, shape, strict=True))
    )
