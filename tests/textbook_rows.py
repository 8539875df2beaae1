"""The lectures' worked examples as rows, and the engines that must reproduce them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from written import toml

import neurograph as ng

ROWS: dict[str, dict[str, Any]] = {
    row["id"]: row
    for row in json.loads((Path(__file__).parent / "data" / "textbook_examples.json").read_text(encoding="utf-8"))
}
FACTS = {"s0.mnist", "s1.cifar10", "s1.imagenet_errors", "s4.imagenet"}
"""Rows that only state facts (so does s0.image4, whose picture the others use)."""

REGULARISERS = {"s2.l1_l2"}
"""Rows about penalties, which `test_optimizers` has."""

Array = np.ndarray[Any, Any]


def reference(topology: ng.Topology, params: ng.Parameters) -> Any:
    return ng.ReferenceEngine(ng.build(topology), params)


def compiled_from_graph(topology: ng.Topology, params: ng.Parameters) -> Any:
    return ng.compile(ng.build(topology), params, dtype="float64")


def compiled_from_topology(topology: ng.Topology, params: ng.Parameters) -> Any:
    return ng.compile(topology, params, dtype="float64")


ENGINES = [
    pytest.param(reference, id="reference"),
    pytest.param(compiled_from_graph, id="compiled"),
    pytest.param(compiled_from_topology, id="compiled-from-topology"),
]
Maker = Callable[[ng.Topology, ng.Parameters], Any]


def of_kind(*kinds: str) -> list[Any]:
    """The rows of some kinds, as cases named by their id."""
    return [pytest.param(row, id=name) for name, row in ROWS.items() if row["kind"] in kinds]


def topology_of(input_shape: Iterable[int], layers: list[dict[str, Any]], loss: Any = None) -> ng.Topology:
    return ng.lay_out(ng.load(toml(list(input_shape), layers, loss)))


def network(
    make: Maker, input_shape: Iterable[int], layers: list[dict[str, Any]], loss: Any = None, **values: Any
) -> Any:
    """An engine over a written spec, with the given weights: ``conv="conv.weight"`` and so on, by parameter name."""
    topology = topology_of(input_shape, layers, loss)
    params = ng.initialise(topology)
    for name, value in values.items():
        params[name.replace("__", ".")] = np.asarray(value, dtype=float).reshape(params[name.replace("__", ".")].shape)
    return make(topology, params)


def conv_of(row: dict[str, Any], make: Maker, **changed: Any) -> Any:
    """The convolution of a row, with its filters and biases."""
    row = {**row, **changed}
    filters = np.array(row["filters"], dtype=float)
    layer = {
        "kind": "conv",
        "name": "conv",
        "filters": len(filters),
        "kernel": list(filters.shape[2:]),
        "stride": row.get("stride", 1),
        "padding": row.get("padding", 0),
        "activation": row.get("activation", "identity"),
    }
    shape = np.array(row["input"]).shape
    return network(make, shape, [layer], conv__weight=filters, conv__bias=row.get("bias", [0] * len(filters)))


def pool_of(row: dict[str, Any], make: Maker) -> Any:
    """The pool of a row."""
    kind = {"max": "maxpool", "avg": "avgpool", "l2": "l2pool"}[row["pool"]]
    layer = {"kind": kind, "name": "pool", "window": row["window"], "stride": row["stride"]}
    return network(make, np.array(row["input"]).shape, [layer])


def assert_same(found: Any, expected: Any) -> None:
    """Equal where whole numbers are expected, to the printed digits elsewhere."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    if np.all(expected == np.round(expected)):
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
