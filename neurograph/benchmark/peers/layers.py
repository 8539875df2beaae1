"""A spec as the list of layers that tensor frameworks know: convolutions, max pools, dense layers and sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurograph.errors import UsageError
from neurograph.graph.lay_out import lay_out
from neurograph.ops.base import LayerSpec
from neurograph.spec import Spec

Pair = tuple[int, int]
ACTIVATIONS = ("identity", "relu")
LOSSES = ("cross_entropy", "mse")


class Untaught(UsageError):
    """A network that a peer is not taught here."""


@dataclass(frozen=True)
class Layer:
    """One layer: what it reads, by number (−1: the input), and its options with nothing left to defaults."""

    name: str
    kind: str
    """``conv``, ``maxpool``, ``dense`` or ``add``."""

    sources: tuple[int, ...]
    shape: tuple[int, ...]
    """Of its output: channels, rows, columns; or units."""

    activation: str = "identity"
    size: Pair = (1, 1)
    """Kernel or window."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1


@dataclass(frozen=True)
class Layers:
    """A network as layers, the last of which is its only head."""

    input: tuple[int, ...]
    layers: tuple[Layer, ...]
    loss: str


def layers_of(spec: Spec) -> Layers:
    """The layers of a spec; dropout is left out, as at inference.

    Raises
    ------
    Untaught
        If the spec uses what the peers are not taught here.

    Examples
    --------
    >>> from neurograph.spec import load
    >>> [layer.kind for layer in layers_of(load("lenet5")).layers]
    ['conv', 'maxpool', 'conv', 'maxpool', 'dense', 'dense', 'dense']
    """
    populations = lay_out(spec).populations
    (shape,) = spec.inputs.values()
    numbers = {"input": -1}
    shapes = {-1: shape}
    made: list[Layer] = []
    last = -1
    for layer in spec.layers:
        sources = tuple(numbers[name] for name in layer.sources) if layer.sources else (last,)
        if layer.kind in ("dropout", "flatten"):
            last = numbers[layer.name] = sources[0]
            continue
        last = numbers[layer.name] = len(made)
        shapes[last] = populations[layer.name].shape
        made.append(Layer(layer.name, sources=sources, shape=shapes[last], **_options(layer, shapes[sources[0]])))
    loss = spec.losses[0].kind if spec.losses else "none"
    if loss not in LOSSES:
        raise Untaught(f"{spec.name}: peers are not taught loss '{loss}' (known: {', '.join(LOSSES)}).")
    return Layers(shape, tuple(made), loss)


def _options(layer: LayerSpec, source: tuple[int, ...]) -> dict[str, Any]:
    given = layer.model_dump()
    activation = given.get("activation", "identity")
    if activation not in ACTIVATIONS:
        raise Untaught(f"{layer.name}: peers are not taught '{activation}' (known: {', '.join(ACTIVATIONS)}).")
    found: dict[str, Any] = {"kind": layer.kind, "activation": activation}
    if layer.kind in ("dense", "add"):
        return found
    padding = pair(given.get("padding", 0))
    if layer.kind == "maxpool":
        window = pair(given["window"])
        return {**found, "size": window, "stride": pair(given["stride"] or window), "padding": padding}
    if layer.kind in ("conv", "depthwise"):
        groups = source[0] if layer.kind == "depthwise" else given["groups"]
        dilation = pair(given.get("dilation", 1))
        found |= {"kind": "conv", "size": pair(given["kernel"]), "stride": pair(given["stride"])}
        return {**found, "padding": padding, "dilation": dilation, "groups": groups}
    raise Untaught(f"{layer.name}: peers are not taught kind '{layer.kind}'.")


def pair(value: Any) -> Pair:
    """One number or two.

    Examples
    --------
    >>> pair(3), pair([1, 2])
    ((3, 3), (1, 2))
    """
    if isinstance(value, int):
        return value, value
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(n, int) for n in value):
        return value[0], value[1]
    raise Untaught(f"peers are not taught {value!r} for a size; expected one number or two.")
