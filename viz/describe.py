"""A layer in words: kind, kernel, stride, padding, activation."""

from __future__ import annotations

from neurograph.graph.topology import Population, Projection, Topology
from neurograph.ops.wiring import Blocks, Window
from neurograph.ops.words import POOL_KINDS
from neurograph.shapes import times

_ACTIVATIONS = {
    "relu": "ReLU",
    "leaky_relu": "leaky ReLU",
    "scaled_tanh": "1.7159·tanh(2z/3)",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
}
_KINDS = {"maxpool": "max pool", "avgpool": "average pool", "l2pool": "L2 pool", "globalpool": "global pool"}
_NEURONS = {
    "weighted": "weighted sum",
    "max": "maximum",
    "mean": "mean",
    "l2": "L2 norm",
    "sum": "sum",
    "rbf": "distance to weights",
    "input": "input",
}


def operation(topology: Topology, population: Population) -> str:
    """What a layer computes, without its activation: ``conv 5×5, stride 2, padding 2``."""
    if population.is_input:
        return "input"
    word = _KINDS.get(population.layer_kind, population.layer_kind) or _NEURONS.get(population.kind, population.kind)
    into = topology.into(population.name)
    windows = _windows(into)
    if not windows:
        return f"{word}, {_groups(into)}" if _groups(into) else word
    parts = [f"{word} {times([axis.kernel for axis in windows])}"]
    if population.layer_kind == "globalpool":
        return word
    stride, before = [axis.stride for axis in windows], [axis.before for axis in windows]
    usual = (population.kind in POOL_KINDS or population.layer_kind == "subsample") and stride == [
        axis.kernel for axis in windows
    ]
    parts += [f"stride {_once(stride)}"] if set(stride) != {1} and not usual else []
    parts += [f"padding {_once(before)}"] if any(before) else []
    parts += (
        [f"dilation {_once([axis.dilation for axis in windows])}"] if any(axis.dilation > 1 for axis in windows) else []
    )
    parts += [_groups(into)] if _groups(into) and population.layer_kind == "conv" else []
    return ", ".join(parts)


def activation(word: str) -> str:
    """An activation as people write it; empty for the identity."""
    return "" if word == "identity" else _ACTIVATIONS.get(word, word)


def neuron_kind(kind: str) -> str:
    """A neuron kind in words."""
    return _NEURONS.get(kind, kind)


def _windows(into: tuple[Projection, ...]) -> list[Window]:
    return [axis for axis in into[0].axes if isinstance(axis, Window)] if into else []


def _groups(into: tuple[Projection, ...]) -> str:
    first = into[0].axes[0] if into and into[0].axes else None
    return f"{first.groups} groups" if isinstance(first, Blocks) and 1 < first.groups < first.n_targets else ""


def _once(numbers: list[int]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else times(numbers)
