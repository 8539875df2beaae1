"""Resolve a spec's layers: who reads whom, every shape, every parameter; and every fault at once.

`load` asks for the faults, `lay_out` for the result; neither enumerates a neuron.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod

from neurograph.errors import Fault, LayerError, suggest
from neurograph.ops.base import LARGEST, Laid, LayerSpec, WeightedLayer
from neurograph.ops.view import View, view_of
from neurograph.parameters import ParameterSpec
from neurograph.shapes import times
from neurograph.spec.model import Spec

MOST_NEURONS = 10**11


@dataclass
class Resolved:
    """The layers of a spec laid out, in order, and what is wrong with them."""

    laid: dict[str, Laid] = field(default_factory=dict)
    parameters: dict[str, ParameterSpec] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def resolve(spec: Spec) -> Resolved:
    """Lay out every layer of a spec over the ones it reads, collecting faults instead of raising."""
    result = Resolved()
    views: dict[str, View | None] = {name: view_of(name, shape) for name, shape in spec.inputs.items()}
    read: set[str] = set()
    for number, layer in enumerate(spec.layers):
        where = spec.origin.where("layer", number)
        try:
            sources = _sources(spec, number)
            read.update(sources)
            inputs = [views[name] for name in _known(sources, views, spec)]
            laid = None if any(view is None for view in inputs) else _lay(layer, inputs, result)
        except LayerError as error:
            result.faults.append(Fault(where, f"{layer.kind} '{layer.name}': {error}"))
            laid = None
        views[layer.name] = laid.view if laid else None
        if laid:
            result.laid[layer.name] = laid
    result.heads = [layer.name for layer in spec.layers if layer.name not in read]
    result.faults += _faults_of_heads(spec, result)
    return result


def _sources(spec: Spec, number: int) -> list[str]:
    """Names a layer reads: as given, or the layer before, or the input."""
    layer = spec.layers[number]
    if layer.sources is not None:
        sources = list(layer.sources)
    elif number > 0:
        sources = [spec.layers[number - 1].name]
    elif len(spec.inputs) == 1:
        sources = list(spec.inputs)
    else:
        raise LayerError(f"the network has several inputs ({', '.join(spec.inputs)}); say which with from.")
    if layer.takes == "one" and len(sources) > 1:
        raise LayerError(f"reads {len(sources)} layers; {layer.kind} reads one. Put a concat or an add before it.")
    if len(set(sources)) < len(sources):
        raise LayerError("lists a source twice; a second edge between a pair of neurons is not kept.")
    return sources


def _known(sources: list[str], views: Mapping[str, View | None], spec: Spec) -> list[str]:
    for name in sources:
        if name not in views:
            later = name in {layer.name for layer in spec.layers}
            hint = "; it is declared later, and a layer reads only layers before it" if later else suggest(name, views)
            raise LayerError(f"reads '{name}', which is not there{hint} (known: {', '.join(views)})")
    return sources


def _lay(layer: LayerSpec, inputs: list[View | None], result: Resolved) -> Laid:
    laid = layer.lay(tuple(view for view in inputs if view is not None))
    size = prod(laid.view.shape)
    if laid.kind is not None and size > MOST_NEURONS:
        raise LayerError(f"{times(laid.view.shape)} = {size:,} neurons; a layer may have at most {MOST_NEURONS:,}.")
    for spec in laid.parameters:
        if prod(spec.shape) > LARGEST:
            raise LayerError(f"its {spec.role} has the shape {times(spec.shape)}: more slots than fit in 2⁶³.")
    _refuse_parallel_edges(laid)
    owner = layer.weights_from if isinstance(layer, WeightedLayer) else None
    if owner is not None:
        laid = _share(layer, owner, laid, result)
    result.parameters.update({spec.name: spec for spec in laid.parameters})
    return laid


def _refuse_parallel_edges(laid: Laid) -> None:
    sources = (
        [part.population for part in laid.view.parts] if laid.kind is None else [wire.source for wire in laid.wires]
    )
    double = next((name for name in sources if sources.count(name) > 1), None)
    if double is not None:
        raise LayerError(f"reads '{double}' twice; a second edge between a pair of neurons is not kept. Read it once.")


def _share(layer: LayerSpec, owner: str, laid: Laid, result: Resolved) -> Laid:
    """Drop what the owner declares, after checking that the shapes are equal."""
    if f"{owner}.weight" not in result.parameters:
        known = [name.removesuffix(".weight") for name in result.parameters if name.endswith(".weight")]
        raise LayerError(
            f"weights_from '{owner}', which has no weights of its own before it{suggest(owner, known)} (known: {', '.join(known)})"
        )
    kept = []
    for spec in laid.parameters:
        if not spec.name.startswith(f"{owner}."):
            kept.append(spec)
            continue
        original = result.parameters.get(spec.name)
        if original is None:
            laid = replace(laid, bias=None)
        elif original.shape != spec.shape:
            raise LayerError(
                f"weights_from '{owner}': its {spec.role} has the shape {times(original.shape)}, this layer needs {times(spec.shape)}."
            )
    return replace(laid, parameters=tuple(kept))


def _faults_of_heads(spec: Spec, result: Resolved) -> Iterator[Fault]:
    for number, layer in enumerate(spec.layers):
        where = spec.origin.where("layer", number)
        laid = result.laid.get(layer.name)
        if laid is None:
            continue
        is_head = layer.name in result.heads
        if is_head and laid.kind is None:
            yield Fault(
                where,
                f"{layer.kind} '{layer.name}': it makes no neurons and nobody reads it; a head needs neurons. Remove it.",
            )
        if not is_head and laid.activation == "softmax":
            yield Fault(
                where, f"{layer.kind} '{layer.name}': softmax is for heads only, and another layer reads this one."
            )
