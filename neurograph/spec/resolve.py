"""Resolve a spec's layers: who reads whom, every shape, every parameter, every head; and every fault at once.

`load` asks for the faults, `lay_out` for the result; neither enumerates a neuron.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import prod

from neurograph.errors import Fault, LayerError, suggest
from neurograph.ops.base import LARGEST, Laid, LayerSpec, WeightedLayer
from neurograph.ops.losses import Loss
from neurograph.ops.view import View, view_of
from neurograph.ops.windows import WindowMisfit
from neurograph.parameters import ParameterSpec
from neurograph.shapes import times
from neurograph.spec.heads import faults_of_softmax, match_losses
from neurograph.spec.model import MOST_FAULTS, Spec, Unreadable
from neurograph.spec.names import faults_of_names
from neurograph.spec.sharing import share
from neurograph.spec.wording import first_of

MOST_NEURONS = 10**11

_KEYS = {"reads": "from", "lists": "from", "groups": "groups"}
"""Which option a message speaks of, where it does not begin with the option's name."""


@dataclass
class Resolved:
    """The layers of a spec laid out, in order, and what is wrong with them.

    Attributes
    ----------
    laid : dict of str to Laid
    parameters : dict of str to ParameterSpec
    heads : list of str
        Layers that nobody reads.
    losses : dict of str to Loss
        By head.
    faults : list of Fault
    borrowed : dict of str to str
        Layers under `weights_from`, and whose weights they use.
    """

    laid: dict[str, Laid] = field(default_factory=dict)
    parameters: dict[str, ParameterSpec] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    losses: dict[str, Loss] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    borrowed: dict[str, str] = field(default_factory=dict)


def resolve(spec: Spec, unread: frozenset[str] = frozenset()) -> Resolved:
    """Lay out every layer of a spec over the ones it reads, collecting faults instead of raising.

    Parameters
    ----------
    spec : Spec
    unread : frozenset of str
        Keys of the file of which something could not be read; what depends on them is left alone.
    """
    result = Resolved()
    result.faults += islice(faults_of_names(spec, unread), MOST_FAULTS)
    result.faults += _faults_of_inputs(spec)
    views: dict[str, View | None] = {name: view_of(name, shape) for name, shape in spec.inputs.items()}
    if not views:
        views["input"] = None
    read: set[str] = set()
    for number, layer in enumerate(spec.layers):
        if len(result.faults) >= MOST_FAULTS:
            return result
        laid = None
        try:
            sources = _sources(spec, number, "input" in unread)
            read.update(sources)
            inputs = _inputs(layer, sources, views, spec, "input" in unread)
            laid = None if inputs is None or isinstance(layer, Unreadable) else _lay(layer, inputs, result, unread)
        except LayerError as error:
            where = spec.origin.where("layer", number, _option(str(error), layer))
            hint = _channels_first(spec) if isinstance(error, WindowMisfit) else ""
            result.faults.append(Fault(where, f"{layer.kind} '{layer.name}': {error}{hint}"))
        views[layer.name] = laid.view if laid else None
        if laid:
            result.laid[layer.name] = laid
    result.heads = [layer.name for layer in spec.layers if layer.name not in read]
    if "layer" not in unread and not result.faults:
        result.faults += _faults_of_unread_inputs(spec, read)
    result.losses, faults = match_losses(spec, result.heads, result.laid, unread)
    result.faults += [*faults_of_softmax(spec, result.heads, result.laid), *faults]
    return result


def _faults_of_inputs(spec: Spec) -> Iterator[Fault]:
    for number, (name, shape) in enumerate(spec.inputs.items()):
        if prod(shape) > MOST_NEURONS:
            what = (
                f"input '{name}': {times(shape)} = {prod(shape):,} values; an input may have at most {MOST_NEURONS:,}."
            )
            yield Fault(spec.origin.where("input", number, "shape"), what)


def _faults_of_unread_inputs(spec: Spec, read: set[str]) -> Iterator[Fault]:
    for number, name in enumerate(spec.input_names):
        if name not in read and spec.layers:
            yield Fault(
                spec.origin.where("input", number),
                f"input '{name}': no layer reads it; name it in a from, or remove it.",
            )


def _channels_first(spec: Spec) -> str:
    """A hint where an input looks like an image with its channels last."""
    for shape in spec.inputs.values():
        if len(shape) == 3 and shape[2] in (1, 3) and min(shape[:2]) > shape[2]:
            first = [shape[2], *shape[:2]]
            return f" Channels come first: an image of {times(shape[:2])} is {first}; this input is {list(shape)}."
    return ""


def _option(message: str, layer: LayerSpec) -> str:
    """The key that a message is about: messages about an option begin with its name."""
    first = message.split(maxsplit=1)[0]
    return _KEYS.get(first, first)


def _sources(spec: Spec, number: int, input_is_unread: bool) -> list[str]:
    """Names a layer reads: as given, or the layer before, or the input."""
    layer = spec.layers[number]
    if layer.sources is not None:
        sources = list(layer.sources)
    elif number > 0:
        sources = [spec.layers[number - 1].name]
    elif len(spec.inputs) < 2 or input_is_unread:
        sources = [*spec.inputs, "input"][:1]
    else:
        raise LayerError(f"the network has several inputs ({first_of(spec.inputs)}); say which with from.")
    if layer.takes == "one" and len(sources) > 1:
        raise LayerError(f"reads {len(sources)} layers; {layer.kind} reads one. Put a concat or an add before it.")
    if len(set(sources)) < len(sources):
        raise LayerError("lists a source twice; a second edge between a pair of neurons is not kept.")
    return sources


def _inputs(
    layer: LayerSpec, sources: list[str], views: Mapping[str, View | None], spec: Spec, input_is_unread: bool
) -> tuple[View, ...] | None:
    """Views of the sources; None where one of them could not be laid out."""
    for name in sources:
        if name not in views and not input_is_unread:
            if name == layer.name:
                raise LayerError(f"reads itself; a layer reads only layers before it (known: {first_of(views)})")
            later = name in {other.name for other in spec.layers}
            hint = "; it is declared later, and a layer reads only layers before it" if later else suggest(name, views)
            raise LayerError(f"reads '{name}', which is not there{hint} (known: {first_of(views)})")
    inputs = [views.get(name) for name in sources]
    return tuple(view for view in inputs if view is not None) if None not in inputs else None


def _lay(layer: LayerSpec, inputs: tuple[View, ...], result: Resolved, unread: frozenset[str]) -> Laid:
    laid = layer.lay(inputs)
    size = prod(laid.view.shape)
    if laid.kind is not None and size > MOST_NEURONS:
        raise LayerError(f"{times(laid.view.shape)} = {size:,} neurons; a layer may have at most {MOST_NEURONS:,}.")
    for spec in laid.parameters:
        if prod(spec.shape) > LARGEST:
            raise LayerError(f"its {spec.role} has the shape {times(spec.shape)}: more slots than fit in 2⁶³.")
    _refuse_parallel_edges(laid)
    if isinstance(layer, WeightedLayer) and layer.weights_from is not None:
        laid = share(layer, laid, result.parameters, result.borrowed, unread)
        result.borrowed[layer.name] = layer.weights_from
    result.parameters.update({spec.name: spec for spec in laid.parameters})
    return laid


def _refuse_parallel_edges(laid: Laid) -> None:
    sources = _populations(laid)
    if len(set(sources)) < len(sources):
        double = next(name for name in sources if sources.count(name) > 1)
        raise LayerError(f"reads '{double}' twice; a second edge between a pair of neurons is not kept. Read it once.")


def _populations(laid: Laid) -> list[str]:
    return [part.population for part in laid.view.parts] if laid.kind is None else [wire.source for wire in laid.wires]
