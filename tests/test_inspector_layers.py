"""Cards of layers, groups and the loss: the loss adds up on any network, a group's card holds its own kernel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import LossError, UnknownName
from neurograph.inspector import Inspector
from neurograph.inspector.html import as_page
from neurograph.inspector.latex import as_latex
from neurograph.verification import draws
from tests.editing import edit
from tests.strategies import Case, cases
from tests.test_inspector import close, inspect

GROUP = """\
conv[0]: a group of 36 neurons, 6×6, relu

       least   mean           largest  exactly 0
    z  -510    -170           255      12
    a     0      21.25        255      33
    δ    -0.1     0.00208333    0.2    33

  a
       0    1  2    3  4    5
    0  0    0  0    0  0    0
    1  0    0  0    0  0    0
    2  0    0  0    0  0    0
    3  0  255  0  255  0  255
    4  0    0  0    0  0    0
    5  0    0  0    0  0    0
  δ
       0    1  2    3     4    5
    0  0  0    0   0      0   0
    1  0  0    0   0      0   0
    2  0  0    0   0      0   0
    3  0  0.2  0  -0.025  0  -0.1
    4  0  0    0   0      0   0
    5  0  0    0   0      0   0

  conv.weight[0]: 9 weights, 1×3×3, the same for every neuron of the group
  w
        0   1   2
    0  -1  -1  -1
    1   1   1   1
    2  -1  -1  -1
  ∂loss/∂w
         0        1       2
    0    0      44.625   0
    1  -31.875  44.625  44.625
    2    0      -6.375   0"""
LOSS = """\
loss = 0.298371

  loss = ½ Σ (a − t)²
    output    z        a         t   adds        δ
    o1      1.10591  0.751365  0.01  0.274811   0.138499
    o2      1.22492  0.772928  0.99  0.02356   -0.0380982

  loss = 0.298371"""


@given(cases(edited=True))
@settings(max_examples=40)
def test_the_loss_of_a_drawn_network_adds_up(case: Case) -> None:
    graph = ng.build(ng.lay_out(case.spec))
    if case.edits:
        graph = edit(graph, case.edits)
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(graph, draws.float_parameters(graph, random))
    x, targets = draws.inputs(engine.layout, random, case.batch), draws.targets(engine.layout, random, case.batch)
    if targets is None:
        upstream = draws.upstream(engine.layout, random, case.batch)
        with pytest.raises(LossError):
            Inspector(engine, x, upstream=upstream).loss()
        return
    cards = [Inspector(engine, x, targets, sample=n, reduction="sum").loss() for n in range(case.batch)]
    expected = engine.backprop(x, targets, reduction="sum").loss
    assert expected is not None
    size = sum(abs(owed.addend) for card in cards for _, _, _, outputs in card.heads for owed in outputs)
    assert close(sum(card.value for card in cards), expected, size)
    assert cards[0].batch_loss == expected
    json.dumps(cards[0].as_json(), allow_nan=False)
    assert "loss = " in str(cards[0])


@given(cases(edited=True))
@settings(max_examples=20)
def test_every_layer_and_group_of_a_drawn_network_has_a_card(case: Case) -> None:
    graph = ng.build(ng.lay_out(case.spec))
    if case.edits:
        graph = edit(graph, case.edits)
    random = np.random.default_rng(case.seed)
    engine = ng.ReferenceEngine(graph, draws.float_parameters(graph, random))
    inspector = Inspector(engine, draws.inputs(engine.layout, random, case.batch))
    for name, shape in engine.layout.shapes.items():
        if not shape:
            continue
        card = inspector.layer(str(name))
        assert np.array_equal(card.a, inspector.trace.a[name][0], equal_nan=True)
        assert card.delta is None
        for k in range(shape[0] if len(shape) > 1 else 0):
            if np.isnan(card.z[k]).all():
                continue  # a group that an edit removed
            group = inspector.layer(f"{name}[{k}]")
            assert np.array_equal(group.z, card.z[k], equal_nan=True)
            for kernel in group.kernels:
                assert np.array_equal(kernel.w, inspector.trace.weights[kernel.name.rpartition("[")[0]][k])
                assert kernel.gradient is None
            json.dumps(group.as_json(), allow_nan=False)
            assert str(group).startswith(f"{name}[{k}]: a group of ")
        assert as_page(card.sheet()).endswith("</html>")
        assert as_latex(card.sheet()).isascii()


def test_cards_read_as_on_the_page() -> None:
    assert str(inspect("four").layer("conv[0]")) == GROUP
    assert str(inspect("mazur").loss()) == LOSS


def test_a_group_holds_its_own_kernel_gradient_and_bias() -> None:
    topology = ng.lay_out(ng.load("digits"))
    params = ng.initialise(topology, seed=0)
    params["conv1.bias"] = np.arange(16.0)
    (x, y), _ = ng.data.digits()
    inspector = Inspector(ng.ReferenceEngine(ng.build(topology), params), x[:2], y[:2])
    card = inspector.layer("conv1[5]")
    (kernel,) = card.kernels
    assert (kernel.name, card.bias) == ("conv1.weight[5]", 5.0)
    assert np.array_equal(kernel.w, params["conv1.weight"][5])
    assert kernel.gradient is not None
    assert kernel.gradient[0, 1, 1] == inspector.weight("conv1.weight[5,0,1,1]").gradient
    assert inspector.layer("pool[1]").kernels == ()


def test_names_are_checked() -> None:
    inspector = inspect("four")
    for wrong, message in {
        "conv[3]": "no group conv[3]: 'conv' of shape 1×6×6 has groups conv[0…0].",
        "conv[0,1,1]": "'conv[0,1,1]' is one neuron, no layer or group.",
        "conv[0,1]": "no neuron conv[0,1]: 'conv' has neurons conv[0…0,0…5,0…5].",
        "cnv": "no neuron cnv; did you mean 'conv'? (layers: input, conv, pool, outputs)",
    }.items():
        with pytest.raises(UnknownName) as caught:
            inspector.layer(wrong)
        assert str(caught.value) == message


def test_command_explains_bias_group_layer_and_loss(capsys: pytest.CaptureFixture[str]) -> None:
    for spec, what, first in (
        ("mazur", "b1", "b1 = 0.35: one bias on 2 neurons, fixed (not trained)"),
        ("four", "conv[0]", "conv[0]: a group of 36 neurons, 6×6, relu"),
        ("four", "outputs", "outputs: a layer of 2 neurons"),
        ("four", "input", "input: a layer of 36 input neurons, 1×6×6"),
        ("mazur", "loss", "loss = 0.298371"),
    ):
        assert main(["explain", spec, what]) == 0
        assert capsys.readouterr().out.splitlines()[2] == first
        assert main(["explain", spec, what, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["network"] == spec
