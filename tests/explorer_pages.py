"""Explorer pages in a browser: opened from a file, every request refused and every error kept; and the page's engine alone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neurograph.viz.explorer.network import describe
from neurograph.viz.explorer.sample import Sample
from neurograph.viz.explorer.script import program

import neurograph as ng
from neurograph.graph.layout import layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.viz import Page, explore, paper_for

DESKTOP, PHONE = (1280, 720), (390, 844)
ENGINE = ("unpack", "wiring", "activations", "network", "losses", "engine", "numbers", "model", "cards")
CLOSE = 1e-9
"""What two float64 engines may differ by, relative to the larger of 1 and the number."""


def chromium() -> Iterator[Any]:
    """A browser for the session."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("no kernel runs in a page: the run with the JIT has tested it")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright; it is in the extra dev")
    program_path = shutil.which("chromium") or shutil.which("chromium-browser")
    if program_path is None:
        pytest.skip("no chromium; install it with the system's packages")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=program_path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


# -- a visit to a page ------------------------------------------------------------------------------------------------
@dataclass
class Visit:
    """An open page, and what must stay empty."""

    page: Any
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def state(self, what: str, layer: str) -> Any:
        """z, a or delta of a layer, as the page has it now."""
        found = self.page.evaluate(
            """([what, name]) => {
              const { net, state } = explorer.model;
              return Array.from(net.layers.find((layer) => layer.name === name).at, (i) => state[what][i]);
            }""",
            [what, layer],
        )
        return np.array(found)

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    def chip(self, symbol: str) -> float:
        """z, a or δ on the open card, with all its digits."""
        place = "zaδ".index(symbol)
        return float(self.page.locator(".chip dd").nth(place).get_attribute("data-value"))

    def click_neuron(self, layer: str, index: int) -> None:
        """Click the cell of a neuron on its plane."""
        x, y = self.page.evaluate(
            """([name, index]) => {
              const { stage, model } = explorer;
              const i = model.net.layers.find((layer) => layer.name === name).at[index];
              stage.reveal(i);
              const block = stage.blocks[stage.home[i]];
              block.grid.element.scrollIntoView({ block: "center", inline: "center" });
              const [x, y] = block.grid.centre(stage.seat[i]);
              const box = block.grid.canvas.getBoundingClientRect();
              return [box.left + x, box.top + y];
            }""",
            [layer, index],
        )
        self.page.mouse.click(x, y)

    def frames(self) -> None:
        """Wait until the browser has painted."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def clean(self) -> None:
        """No error, no request."""
        assert self.errors == []
        assert self.requests == []


def visit(browser: Any, folder: Path, html: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Visit:
    """Open a page from a file. Every other request is noted and refused."""
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=size == PHONE, color_scheme=scheme
    )
    opened = Visit(context.new_page())
    address = file.as_uri()

    def judge(route: Any) -> None:
        if route.request.url.split("#")[0] == address:
            route.continue_()
        else:
            opened.requests.append(route.request.url)
            route.abort()

    context.route("**/*", judge)
    opened.page.on(
        "console", lambda said: opened.errors.append(said.text) if said.type in ("error", "warning") else None
    )
    opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.page.goto(address)
    opened.page.locator("#card h2").wait_for()
    return opened


def visits(browser: Any, folder: Path) -> Iterator[Any]:
    """What opens pages of bundled networks; each must have been clean in the end."""
    opened: list[Visit] = []

    def go(name: str, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Visit:
        opened.append(visit(browser, folder, page_of(name).html, size, scheme))
        return opened[-1]

    yield go
    for one in opened:
        one.clean()
        one.page.context.close()


# -- pages of bundled networks ----------------------------------------------------------------------------------------
@cache
def page_of(name: str) -> Page:
    """The page of a bundled network with untrained weights (those of the spec, where it has them)."""
    topology = ng.lay_out(ng.load(name))
    layout = layout_of(topology)
    paper = paper_for(layout, {"digits": "digits"}.get(name), {})
    return explore(topology, ng.initialise(topology, seed=0), samples_of(name), about="for a test", paper=paper)


@cache
def samples_of(name: str) -> list[Sample]:
    """Two samples of a bundled network."""
    spec = ng.load(name)
    layout = layout_of(ng.lay_out(spec))
    if spec.samples:
        kept = [Sample([s.input], _batch(s.target), _batch(s.upstream), s.label or "") for s in spec.samples]
        return [_shaped(sample, layout) for sample in kept]
    random = np.random.default_rng(0)
    return [
        Sample({port.name: random.random((1, *port.shape)) for port in layout.inputs}, np.array([k]), label=f"{k}")
        for k in range(2)
    ]


def _batch(value: Any) -> Any:
    return None if value is None else [value]


def _shaped(sample: Sample, layout: Any) -> Sample:
    def like(value: Any, port: Any) -> Any:
        return None if value is None else np.array(value, dtype=float).reshape(1, *port.shape)

    head = layout.heads[0]
    return Sample(
        like(sample.x, layout.inputs[0]), like(sample.target, head), like(sample.upstream, head), sample.label
    )


def trace_of(name: str, number: int = 0, weights: dict[str, Any] | None = None) -> Any:
    """The textbook engine's pass over one of these samples, with some weights changed."""
    graph = _graph(name)
    params = ng.initialise(graph, seed=0)
    params.update(weights or {})
    sample = samples_of(name)[number]
    return ng.ReferenceEngine(graph, params).backprop(sample.x, sample.target, upstream=sample.upstream)


@cache
def _graph(name: str) -> NeuronGraph:
    return ng.build(ng.lay_out(ng.load(name)))


def agrees(visited: Visit, trace: Any) -> None:
    """Every z, a and δ of the page equals the trace's."""
    for layer, z in trace.z.items():
        for what, expected in (("z", z), ("a", trace.a[layer]), ("delta", trace.delta[layer])):
            close(visited.state(what, layer), np.asarray(expected[0]).reshape(-1), f"{what} of {layer}")


def close(found: Any, expected: Any, about: str) -> None:
    """Equal but for rounding."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    assert found.shape == expected.shape, about
    wrong = np.abs(found - expected) > CLOSE * np.maximum(1, np.abs(expected))
    assert not wrong.any(), f"{about}: {found[wrong][:3]} instead of {expected[wrong][:3]}"


# -- the engine alone -------------------------------------------------------------------------------------------------
RUN = """(text) => {
  const { Model } = $model;
  const { net, state } = new Model(JSON.parse(text));
  const numbers = (row) => Array.from(row, (value) => (Number.isFinite(value) ? value : String(value)));
  const byLayer = (row) => net.layers.map((layer) => Array.from(layer.at, (i) => (i < 0 ? null : numbers([row[i]])[0])));
  const gradient = net.parameters.map((p) => numbers(state.gradient.subarray(p.slot, p.slot + p.size)));
  return { z: byLayer(state.z), a: byLayer(state.a), delta: byLayer(state.delta), gradient, loss: state.loss };
}"""

CARDS = """(text) => {
  const model = new $model.Model(JSON.parse(text));
  const cards = Array.from({ length: model.net.n }, (_, i) => $cards.neuronCard(model, i));
  return Object.fromEntries(cards.map((card) => [card.name, card]));
}"""


class Engine:
    """The page's engine, without a page around it."""

    def __init__(self, browser: Any) -> None:
        self.page = browser.new_page()
        self.page.evaluate(
            f"{program(ENGINE)}\nglobalThis.$model = $model;\nglobalThis.$activations = $activations;\nglobalThis.$cards = $cards;"
        )

    def run(self, network: Topology | NeuronGraph, weights: Any, sample: Sample) -> Any:
        """What it makes of one sample."""
        return self.page.evaluate(RUN, _written(network, weights, sample))

    def cards(self, network: Topology | NeuronGraph, weights: Any, sample: Sample) -> Any:
        """The cards of all neurons by name."""
        return self.page.evaluate(CARDS, _written(network, weights, sample))


def _written(network: Topology | NeuronGraph, weights: Any, sample: Sample) -> str:
    layout = layout_of(network)
    return json.dumps({**describe(network, layout, weights, {}), "samples": [sample.packed(layout)]})
