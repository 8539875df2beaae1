"""A step of the pipeline left out is told as such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import neurograph as ng
from neurograph.errors import UsageError

SPEC: Any = ng.load("xor")
NO_SPEC: Any = "xor"
TOPOLOGY = ng.lay_out(SPEC)
NO_STORE: Any = {}
LOAD, LAY_OUT = " Read it with ng.load first.", " Lay it out with ng.lay_out first."


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: ng.lay_out(NO_SPEC), "lay_out: found str; expected Spec." + LOAD),
        (lambda: ng.compile(NO_SPEC, NO_STORE), "lay_out: found str; expected Spec." + LOAD),
        (lambda: ng.build(SPEC), "build: found Spec; expected Topology." + LAY_OUT),
        (lambda: ng.initialise(SPEC), "initialise: found Spec; expected Topology or NeuronGraph." + LAY_OUT),
        (lambda: ng.plan(SPEC), "plan: found Spec; expected Topology or NeuronGraph." + LAY_OUT),
        (lambda: ng.verify(NO_SPEC), "verify: found str; expected Topology or NeuronGraph." + LOAD),
        (lambda: ng.compile(TOPOLOGY, NO_STORE), "params: found dict; expected Parameters."),
        (lambda: ng.ReferenceEngine(ng.build(TOPOLOGY), NO_STORE), "params: found dict; expected Parameters."),
    ],
)
def test_a_step_left_out_is_named(act: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        act()
    assert str(caught.value) == message
