"""The wiring of a topology as it is: one closed form an axis. The page writes its edges out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurograph.graph.topology import Bias, Population, Projection, Topology
from neurograph.ops.wiring import Blocks, Pairs, Window, Wiring

from .packing import pack_integers


def wired(topology: Topology, slots: Mapping[str, int]) -> dict[str, Any]:
    """Layers and projections.

    Parameters
    ----------
    slots : mapping of str to int
        Parameter → the first of its places among all weights in a row.
    """
    numbers = {name: number for number, name in enumerate(topology.populations)}
    return {
        "layers": [_layer(population, slots) for population in topology.populations.values()],
        "projections": [_projection(projection, numbers, slots) for projection in topology.projections],
    }


def _layer(population: Population, slots: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": population.name,
        "word": population.layer_kind,
        "kind": population.kind,
        "shape": list(population.shape),
        "activation": population.activation,
        "bias": _bias(population.bias, slots),
        "divisor": population.divisor,
    }


def _bias(bias: Bias | None, slots: Mapping[str, int]) -> dict[str, Any] | None:
    return None if bias is None else {"slot": slots[bias.name], "steps": list(bias.steps)}


def _projection(projection: Projection, numbers: Mapping[str, int], slots: Mapping[str, int]) -> dict[str, Any]:
    weight = projection.weight
    padding = projection.padding
    return {
        "source": numbers[projection.source],
        "target": numbers[projection.target],
        "axes": [_axis(axis) for axis in projection.axes],
        "slot": None if weight is None else slots[weight] + projection.weight_offset,
        "dropout": projection.dropout,
        "padding": None if padding is None else {"name": padding.layer, "slot": slots[padding.parameter]},
    }


def _axis(axis: Wiring) -> dict[str, Any]:
    match axis:
        case Blocks():
            numbers = [axis.groups, axis.targets, axis.sources, axis.target_weight, axis.source_weight]
            return {"blocks": numbers}
        case Window():
            numbers = [axis.n_targets, axis.n_sources, axis.kernel, axis.stride, axis.dilation, axis.before]
            return {"window": [*numbers, axis.tap_weight, axis.target_weight, int(axis.padded)]}
        case Pairs():
            return {"pairs": pack_integers(np.array(axis.wires, dtype=np.int64))}
