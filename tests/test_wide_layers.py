"""Layers with more weights than caches hold are read row by row; a single sample says the same as a batch."""

from __future__ import annotations

import numpy as np
import pytest

import neurograph as ng


@pytest.mark.parametrize(("inputs", "units"), [(3501, 301), (130, 8233)])
def test_a_wide_layer_of_one_sample_is_its_sums(inputs: int, units: int) -> None:
    layers = f'[[layer]]\nname = "d"\nkind = "dense"\nunits = {units}\nactivation = "relu"\n'
    topology = ng.lay_out(ng.load(f'name = "t"\ninput = [{inputs}]\n{layers}'))
    rng = np.random.default_rng(0)
    w, b, x = rng.normal(size=(units, inputs)), rng.normal(size=units), rng.normal(size=(2, inputs))
    program = ng.compile(topology, ng.Parameters({"d.weight": w, "d.bias": b}), dtype="float64", innermost="channels")
    want = np.maximum(x @ w.T + b, 0)
    np.testing.assert_allclose(program.forward(x[:1]), want[:1], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(program.forward(x), want, rtol=1e-9, atol=1e-11)
