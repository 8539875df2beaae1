"""Explorer pages of networks unlike the bundled ones: several inputs and heads, no loss, more maps than are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.graph.layout import layout_of
from neurograph.viz import Sample, explore
from tests.explorer_pages import PHONE, Visit, agrees, visit

BRANCHES = """
name = "branches"
input = [{ name = "left", shape = [2, 6] }, { name = "right", shape = [3] }]
layer = [
    { name = "c", kind = "conv", from = ["left"], filters = 2, kernel = 3, activation = "gelu" },
    { name = "flat", kind = "flatten", from = ["c"] },
    { name = "d", kind = "dense", from = ["right"], units = 4, activation = "tanh" },
    { name = "both", kind = "concat", from = ["flat", "d"] },
    { name = "drop", kind = "dropout", rate = 0.5 },
    { name = "sort", kind = "dense", from = ["drop"], units = 3, activation = "softmax" },
    { name = "size", kind = "dense", from = ["drop"], units = 1 },
]
loss = [{ kind = "cross_entropy", of = "sort" }, { kind = "mse", of = "size", weight = 0.5 }]
"""
WIDE = """
name = "wide"
input = [{ name = "map", shape = [1, 4, 4] }, { name = "long", shape = [2100] }]
layer = [
    { name = "c", kind = "conv", from = ["map"], filters = 70, kernel = 3 },
    { name = "sum", kind = "dense", from = ["long"], units = 1, activation = "relu" },
]
"""


def opened(
    browser: Any, folder: Path, text: str, targets: Any, size: tuple[int, int] = (1280, 720)
) -> tuple[Visit, Any]:
    """The page of a spec with random weights and inputs, and the textbook's trace of the same."""
    topology = ng.lay_out(ng.load(text))
    params = ng.initialise(topology, seed=3)
    random = np.random.default_rng(3)
    x = {port.name: random.normal(size=(1, *port.shape)) for port in layout_of(topology).inputs}
    page = visit(browser, folder, explore(topology, params, [Sample(x, targets)]).html, size)
    upstream = None if targets is not None else {p.name: np.zeros((1, *p.shape)) for p in layout_of(topology).heads}
    trace = ng.ReferenceEngine(ng.build(topology), params).backprop(x, targets, upstream=upstream)
    return page, trace


def test_several_inputs_and_heads(browser: Any, tmp_path: Path) -> None:
    targets = {"sort": np.array([[0.0, 1.0, 0.0]]), "size": np.array([[0.3]])}
    page, trace = opened(browser, tmp_path, BRANCHES, targets, PHONE)
    agrees(page, trace)
    assert not page.page.locator("#targetField").is_visible()
    page.page.select_option("#by", "neuron")
    n = page.page.evaluate("() => explorer.frames.length")
    for _ in range(n - 1):
        page.page.keyboard.press("n")
    assert page.text("#frame .count") == f"{n} of {n}"
    page.clean()
    page.page.context.close()


def test_what_is_not_drawn_is_said_and_computed_all_the_same(browser: Any, tmp_path: Path) -> None:
    page, trace = opened(browser, tmp_path, WIDE, None)
    close_forward(page, trace)
    assert set(page.page.locator(".more").all_inner_texts()) == {
        "… and 6 more maps, computed but not drawn",
        "… and 100 more neurons, computed but not drawn",
    }
    for layer, index, name in (("long", 2050, "long[2050]"), ("c", 279, "c[69,1,1]")):
        page.page.evaluate(
            "([name, k]) => explorer.go.neuron(explorer.model.net.layers.find((one) => one.name === name).at[k])",
            [layer, index],
        )
        assert page.text("#card h2") == name
    page.page.select_option("#by", "neuron")
    assert "Of the 281 neurons that compute, some are told" in page.text("#frame .prose")
    last = page.page.locator("#steps option").last.inner_text()
    assert "Forward: " in last  # no loss, so no way back
    page.clean()
    page.page.context.close()


def close_forward(page: Visit, trace: Any) -> None:
    for layer, a in trace.a.items():
        assert page.state("a", layer) == pytest.approx(
            np.asarray(a[0]).reshape(-1), abs=1e-6
        )  # so many weights are kept in float32


def test_bars_of_probabilities_are_drawn_where_there_is_room(browser: Any, tmp_path: Path) -> None:
    layers = '[{ name = "out", kind = "dense", units = 3 }]\nloss = [{ kind = "cross_entropy" }]'
    page, _ = opened(browser, tmp_path, f'name = "bars"\ninput = [3]\nlayer = {layers}\n', np.eye(3)[:1])
    bars = page.page.evaluate(
        """() => [12, 30].map((cell) => {
          const { grid } = explorer.stage.blocks.find((block) => block.head);
          const context = grid.canvas.getContext("2d");
          let bars = 0;
          context.fillRect = function (x, y, width, height) { bars += height === 4; };
          grid.cell = cell;
          explorer.stage.paint();
          return bars;
        })"""
    )
    assert bars == [0, 6]  # a bar and its background for each of three classes, or text alone
    page.clean()
    page.page.context.close()
