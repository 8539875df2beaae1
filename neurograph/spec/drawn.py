"""What can be wrong with a network drawn neuron by neuron in a spec."""

from __future__ import annotations

from collections.abc import Iterator

from neurograph.errors import Fault, LossError, suggest
from neurograph.ops.words import WEIGHTED_KINDS
from neurograph.spec.model import Spec


def faults_of_drawing(spec: Spec) -> Iterator[Fault]:
    """Every fault of the hand-drawn part of a spec, in file order."""
    yield from _faults_of_neurons(spec)
    yield from _faults_of_edges(spec)
    yield from _faults_of_parameters(spec)
    yield from _faults_of_loss(spec)
    yield from _faults_of_cycles(spec)


def _faults_of_neurons(spec: Spec) -> Iterator[Fault]:
    seen: set[str] = set()
    for number, neuron in enumerate(spec.neurons):
        where = spec.origin.where("neuron", number)
        if neuron.id in seen:
            yield Fault(where, f"neuron '{neuron.id}' is declared twice; every neuron needs an id of its own.")
        seen.add(neuron.id)
        if neuron.bias is not None and neuron.kind != "weighted":
            yield Fault(
                where, f"neuron '{neuron.id}': a {neuron.kind} neuron has no bias; only weighted neurons have one."
            )
        if neuron.kind == "input" and (neuron.output or neuron.activation != "identity"):
            yield Fault(where, f"neuron '{neuron.id}': an input is neither an output nor activated.")
        if neuron.activation == "softmax" and not neuron.output:
            yield Fault(where, f"neuron '{neuron.id}': softmax is for outputs only.")


def _faults_of_edges(spec: Spec) -> Iterator[Fault]:
    kinds = {neuron.id: neuron.kind for neuron in spec.neurons}
    seen: set[tuple[str, str]] = set()
    for number, edge in enumerate(spec.edges):
        where, text = spec.origin.where("edge", number), f"edge {edge.source} → {edge.target}"
        for end in (edge.source, edge.target):
            if end not in kinds:
                yield Fault(where, f"{text}: no neuron '{end}'{suggest(end, kinds)} (known: {', '.join(kinds)})")
        if (edge.source, edge.target) in seen:
            yield Fault(where, f"{text}: the two are connected already; a second edge between a pair is not kept.")
        seen.add((edge.source, edge.target))
        kind = kinds.get(edge.target)
        if kind == "input":
            yield Fault(where, f"{text}: an input has no in-edges.")
        elif kind in WEIGHTED_KINDS and edge.weight is None:
            yield Fault(where, f'{text}: an edge into a {kind} neuron needs a weight; name it with weight = "w1".')
        elif kind is not None and kind not in WEIGHTED_KINDS and edge.weight is not None:
            yield Fault(where, f"{text}: an edge into a {kind} neuron carries no weight; leave weight out.")


def _faults_of_parameters(spec: Spec) -> Iterator[Fault]:
    used = {edge.weight for edge in spec.edges} | {neuron.bias for neuron in spec.neurons}
    known = sorted(name for name in used if name)
    seen: set[str] = set()
    for number, parameter in enumerate(spec.parameters):
        where = spec.origin.where("parameter", number)
        if parameter.name not in used:
            near = suggest(parameter.name, known)
            yield Fault(
                where, f"parameter '{parameter.name}': no edge or neuron uses it{near} (known: {', '.join(known)})"
            )
        if parameter.name in seen:
            yield Fault(where, f"parameter '{parameter.name}' is declared twice.")
        seen.add(parameter.name)
    values: dict[str, float] = {}
    for number, edge in enumerate(spec.edges):
        if (
            edge.value is not None
            and edge.weight is not None
            and values.setdefault(edge.weight, edge.value) != edge.value
        ):
            where = spec.origin.where("edge", number)
            yield Fault(
                where,
                f"edge {edge.source} → {edge.target}: weight '{edge.weight}' is shared and has the value {values[edge.weight]} already.",
            )


def _faults_of_loss(spec: Spec) -> Iterator[Fault]:
    from neurograph.graph.losses import Loss

    outputs = [neuron for neuron in spec.neurons if neuron.output]
    for number, declared in enumerate(spec.losses):
        where = spec.origin.where("loss", number)
        if number or declared.of is not None:
            yield Fault(
                where, "a hand-drawn network has one head, all its outputs together; give one [loss] without of."
            )
        elif not outputs:
            yield Fault(where, "a loss needs outputs; mark them with output = true.")
        for neuron in outputs:
            try:
                Loss(declared.kind).check(neuron.id, neuron.kind, neuron.activation)
            except LossError as error:
                yield Fault(where, str(error))


def _faults_of_cycles(spec: Spec) -> Iterator[Fault]:
    targets: dict[str, list[str]] = {neuron.id: [] for neuron in spec.neurons}
    for edge in spec.edges:
        targets.get(edge.source, []).append(edge.target)
    unseen = dict.fromkeys(targets)
    while unseen:
        cycle = _cycle_from(next(iter(unseen)), targets, unseen)
        if cycle:
            yield Fault(
                spec.origin.where("edge"),
                f"the edges run in a circle: {' → '.join(cycle)}. A feed-forward network has no cycles.",
            )
            return


def _cycle_from(start: str, targets: dict[str, list[str]], unseen: dict[str, None]) -> list[str]:
    """Depth-first walk without recursion; the first cycle met, closed, or an empty list."""
    unseen.pop(start)
    path = {start: iter(targets[start])}
    while path:
        node = next(reversed(path))
        following = next(path[node], None)
        if following is None:
            del path[node]
        elif following in path:
            walked = list(path)
            return [*walked[walked.index(following) :], following]
        elif following in unseen:
            unseen.pop(following)
            path[following] = iter(targets[following])
    return []
