"""What can be wrong with a network drawn neuron by neuron in a spec."""

from __future__ import annotations

from collections.abc import Iterator

from neurograph.errors import Fault, LossError, suggest
from neurograph.ops.words import WEIGHTED_KINDS
from neurograph.spec.heads import fault_of, made
from neurograph.spec.model import EdgeSpec, NeuronSpec, Spec
from neurograph.spec.wording import first_of


def faults_of_drawing(spec: Spec, unread: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Every fault of the hand-drawn part of a spec.

    Parameters
    ----------
    spec : Spec
    unread : frozenset of str
        Keys of the file of which something could not be read; what depends on them is not checked.
    """
    yield from _faults_of_neurons(spec)
    yield from _faults_of_edges(spec, unread)
    if not unread & {"neuron", "edge"}:
        yield from _faults_of_parts(spec)
        yield from _faults_of_parameters(spec)
        yield from _faults_of_cycles(spec)
        yield from _faults_of_loss(spec)


def _faults_of_neurons(spec: Spec) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, neuron in enumerate(spec.neurons):
        where, title = spec.origin.where("neuron", number), f"neuron '{neuron.id}'"
        if neuron.id in seen:
            yield Fault(where, f"{title} is declared twice; every neuron needs an id of its own.")
        seen.add(neuron.id)
        if neuron.bias is not None and neuron.kind != "weighted":
            yield Fault(where, f"{title}: a neuron of kind {neuron.kind} has no bias; only weighted neurons have one.")
        if neuron.divisor is not None and neuron.kind != "mean":
            yield Fault(where, f"{title}: a neuron of kind {neuron.kind} has no divisor; only mean neurons have one.")
        if neuron.kind == "input" and (neuron.output or neuron.activation != "identity"):
            yield Fault(where, f"{title}: an input is neither an output nor activated; put a sum neuron behind it.")
        if neuron.activation == "softmax" and not neuron.output:
            yield Fault(where, f"{title}: softmax is for outputs only; mark it with output = true, or take another.")


def _faults_of_edges(spec: Spec, unread: frozenset[str]) -> Iterator[Fault]:
    kinds = {neuron.id: neuron.kind for neuron in spec.neurons}
    seen: set[tuple[str, str]] = set()
    for number, edge in enumerate(spec.edges):
        where, text = spec.origin.where("edge", number), f"edge {edge.source} → {edge.target}"
        for key, end in (("from", edge.source), ("to", edge.target)):
            if end not in kinds and "neuron" not in unread:
                at = spec.origin.where("edge", number, key)
                yield Fault(at, f"{text}: no neuron '{end}'{suggest(end, kinds)} (known: {first_of(kinds)})")
        if (edge.source, edge.target) in seen:
            yield Fault(where, f"{text}: the two are connected already; a second edge between a pair is not kept.")
        seen.add((edge.source, edge.target))
        if "neuron" not in unread:
            yield from (Fault(where, f"{text}: {what}") for what in _wrong_weight(edge, kinds.get(edge.target)))


def _wrong_weight(edge: EdgeSpec, kind: str | None) -> Iterator[str]:
    """What is wrong with the weight of an edge into a neuron of this kind."""
    if kind == "input":
        yield "an input has no in-edges; its value is given."
    elif edge.weight is None and kind in WEIGHTED_KINDS:
        yield f'an edge into a {kind} neuron needs a weight; name it with weight = "w1".'
    elif edge.weight is not None and kind is not None and kind not in WEIGHTED_KINDS:
        yield f"an edge into a {kind} neuron carries no weight; leave weight out."
    elif edge.weight is None and edge.value is not None:
        yield "a value without a weight; leave value out, or name the weight too."


def _faults_of_parts(spec: Spec) -> Iterator[Fault]:
    """What a network needs as a whole: inputs, outputs, and neurons that see something."""
    where = spec.origin.where("neuron", 0)
    if not any(neuron.kind == "input" for neuron in spec.neurons):
        yield Fault(where, 'no neuron is an input; give at least one kind = "input".')
    if not any(neuron.output for neuron in spec.neurons):
        yield Fault(where, "no neuron is an output; mark at least one with output = true.")
    reached = {edge.target for edge in spec.edges}
    for number, neuron in enumerate(spec.neurons):
        if neuron.kind != "input" and neuron.id not in reached:
            yield Fault(
                spec.origin.where("neuron", number),
                f"neuron '{neuron.id}': no edge leads to it; add one, or remove it.",
            )


def _faults_of_parameters(spec: Spec) -> Iterator[Fault]:
    weights = {edge.weight for edge in spec.edges if edge.weight is not None}
    biases = {neuron.bias: number for number, neuron in enumerate(spec.neurons) if neuron.bias is not None}
    for name in sorted(weights & biases.keys()):
        where = spec.origin.where("neuron", biases[name], "bias")
        yield Fault(where, f"'{name}' is a weight and a bias; a parameter is one of them. Choose two names.")
    known = sorted(weights | biases.keys())
    seen: set[str] = set()
    for number, parameter in enumerate(spec.parameters):
        where, title = spec.origin.where("parameter", number, "name"), f"parameter '{parameter.name}'"
        if parameter.name not in known:
            yield Fault(
                where, f"{title}: no edge or neuron uses it{suggest(parameter.name, known)} (known: {first_of(known)})"
            )
        if parameter.name in seen:
            yield Fault(where, f"{title} is declared twice; declare it once.")
        seen.add(parameter.name)
    yield from _faults_of_values(spec)


def _faults_of_values(spec: Spec) -> Iterator[Fault]:
    """Shared weights that are given two values."""
    values: dict[str, float] = {}
    for number, edge in enumerate(spec.edges):
        if edge.value is None or edge.weight is None:
            continue
        if values.setdefault(edge.weight, edge.value) != edge.value:
            what = f"weight '{edge.weight}' is shared and has the value {values[edge.weight]} already; a weight has one value."
            yield Fault(spec.origin.where("edge", number, "value"), f"edge {edge.source} → {edge.target}: {what}")
    for number, parameter in enumerate(spec.parameters):
        before = values.get(parameter.name, parameter.value)
        if parameter.value is not None and before != parameter.value:
            what = f"an edge gives it the value {before} already; a weight has one value."
            yield Fault(spec.origin.where("parameter", number, "value"), f"parameter '{parameter.name}': {what}")


def _faults_of_loss(spec: Spec) -> Iterator[Fault]:
    outputs = [neuron for neuron in spec.neurons if neuron.output]
    for number, declared in enumerate(spec.losses):
        if number or declared.of is not None:
            what = "a hand-drawn network has one head, all its outputs together; give one [loss] without of."
            yield Fault(spec.origin.where("loss", number, "of"), f"[loss]: {what}")
        where = spec.origin.where("loss", number, "kind")
        try:
            loss = made(declared, None)
            loss.check_classes("outputs", len(outputs))
        except LossError as error:
            yield fault_of(spec, number, error)
            continue
        for neuron in outputs if not number else ():
            try:
                loss.check(neuron.id, neuron.kind, neuron.activation)
            except LossError as error:
                yield Fault(where, str(error))
    yield from _faults_of_softmax(spec, outputs)


def _faults_of_softmax(spec: Spec, outputs: list[NeuronSpec]) -> Iterator[Fault]:
    activations = {neuron.activation for neuron in outputs}
    if "softmax" in activations and len(activations) > 1:
        others = ", ".join(sorted(activations - {"softmax"}))
        where = spec.origin.where("neuron", spec.neurons.index(outputs[0]))
        yield Fault(
            where,
            f"outputs with activations softmax and {others}; a softmax spans all outputs. Give all softmax, or none.",
        )
    softmaxes = {neuron.id for neuron in outputs if neuron.activation == "softmax"}
    for number, edge in enumerate(spec.edges):
        if edge.source in softmaxes:
            what = "softmax is for heads only, and this edge reads one."
            yield Fault(spec.origin.where("edge", number), f"edge {edge.source} → {edge.target}: {what}")


def _faults_of_cycles(spec: Spec) -> Iterator[Fault]:
    cycle = _cycle({(edge.source, edge.target): number for number, edge in enumerate(spec.edges)})
    if cycle:
        last = next(n for n, edge in enumerate(spec.edges) if (edge.source, edge.target) == (cycle[-2], cycle[-1]))
        what = f"the edges run in a circle: {' → '.join(cycle)}. A feedforward network has none; remove one of them."
        yield Fault(spec.origin.where("edge", last), what)


def _cycle(edges: dict[tuple[str, str], int]) -> list[str]:
    """A closed walk along edges, or an empty list: what is left after removing neurons without in-edges, walked backwards."""
    reads: dict[str, set[str]] = {}
    for source, target in edges:
        reads.setdefault(target, set()).add(source)
        reads.setdefault(source, set())
    read_by: dict[str, list[str]] = {node: [] for node in reads}
    for source, target in edges:
        read_by[source].append(target)
    free = [node for node, sources in reads.items() if not sources]
    while free:
        node = free.pop()
        for target in read_by[node]:
            reads[target].discard(node)
            if not reads[target]:
                free.append(target)
        del reads[node]
    if not reads:
        return []
    walk = [next(iter(reads))]
    while walk[-1] not in walk[:-1]:
        walk.append(min(reads[walk[-1]]))
    return walk[walk.index(walk[-1]) :][::-1]
