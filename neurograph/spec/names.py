"""What is wrong with a spec before any layer is laid out: its parts, and the names in it."""

from __future__ import annotations

from collections.abc import Iterator

from neurograph.errors import Fault
from neurograph.ops.base import RESERVED_NAMES
from neurograph.spec.model import Spec

NO_NETWORK = "no network: add [[layer]] tables, or [[neuron]] and [[edge]] tables for one drawn by hand."
NO_INPUT = "no input: say its shape, such as input = [1, 28, 28] (channels, rows, columns)."


def faults_of_parts(spec: Spec, unread: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Layers and neurons in one file, neither of them, or one without what belongs to it."""
    where = spec.origin.where
    if spec.layers and spec.neurons:
        yield Fault(where("neuron", 0), "layers and neurons in one file; a network has one or the other.")
    elif not spec.layers and not spec.neurons and not unread & {"layer", "neuron"}:
        yield Fault(where(), NO_NETWORK)
    elif spec.layers and not spec.input and "input" not in unread:
        yield Fault(where(), NO_INPUT)
    elif spec.neurons and spec.input:
        yield Fault(where("input"), 'a hand-drawn network has no input key; its inputs are neurons of kind = "input".')
    if spec.layers and not spec.neurons:
        for key, tables in (("edge", spec.edges), ("parameter", spec.parameters)):
            if tables:
                yield Fault(where(key, 0), f"[[{key}]] belongs to a network of [[neuron]]s; this one has layers.")


def faults_of_names(spec: Spec, unread: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Names that are reserved or given twice; and what `faults_of_parts` finds."""
    yield from faults_of_parts(spec, unread)
    seen = dict.fromkeys(spec.inputs, "an input")
    earlier: set[str] = set()
    for number, name in enumerate(spec.input_names):
        if name == "loss":
            yield Fault(
                spec.origin.where("input", number, "name"), "input 'loss': the name is reserved; choose another."
            )
        elif name in earlier:
            yield Fault(
                spec.origin.where("input", number, "name"),
                f"input '{name}' is declared twice; every input needs a name of its own.",
            )
        earlier.add(name)
    for number, layer in enumerate(spec.layers):
        where, title = spec.origin.where("layer", number, "name"), f"{layer.kind} '{layer.name}'"
        if layer.name in RESERVED_NAMES:
            yield Fault(where, f"{title}: the names {' and '.join(RESERVED_NAMES)} are reserved; choose another.")
        elif layer.name in seen:
            yield Fault(
                where, f"{title}: the name is taken by {seen[layer.name]}; every layer needs a name of its own."
            )
        seen.setdefault(layer.name, f"layer {number + 1} ({layer.kind})")
