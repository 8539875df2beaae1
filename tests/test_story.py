"""The story of a pass: the lectures' numbers to every printed digit, frames that agree with the cards, pages, keys, files."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from fractions import Fraction
from hashlib import sha256
from html.parser import HTMLParser
from math import isclose
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import neurograph as ng
from neurograph.errors import LossError, UsageError
from neurograph.graph.address import write_node
from neurograph.inspector.frames import CHAPTERS, Frame, Story
from neurograph.inspector.story import ALL
from tests.strategies import Case, cases
from tests.test_inspector import inspect, inspect_case

MAZUR_TITLES = [
    "What goes in: i1, i2",
    "Forward: h1, h2",
    "Forward: o1, o2",
    "The loss",
    "δ: o1, o2",
    "δ: h1, h2",
    "What each use asks for: the weights into o1, o2",
    "What each use asks for: the weights into h1, h2",
    "The sums: the weights into o1, o2",
    "The sums: the weights into h1, h2",
    "The update: the weights into o1, o2",
    "The update: the weights into h1, h2",
    "After the step",
]


def mazur(by: str = "layer") -> Story:
    return inspect("mazur").story(by, ng.SGD(0.5))


def numbers_of(story: Story, chapter: str) -> dict[str, dict[str, Any]]:
    """The tables of one chapter as they come in JSON: first column → column head → cell."""
    found: dict[str, dict[str, Any]] = {}
    for frame in story.as_json()["frames"]:
        if frame["chapter"] == chapter:
            for table in frame["tables"]:
                for row in table["rows"]:
                    found.setdefault(row[0], {}).update(zip(table["heads"], row, strict=True))
    return found


# -- the lectures' numbers --------------------------------------------------------------------------------------------
def test_mazur_has_every_printed_digit() -> None:
    text = mazur().text(digits=9)
    for printed in (
        *("0.3775", "0.3925", "0.593269992", "0.596884378", "1.10590597", "1.2249214", "0.75136507", "0.772928465"),
        *("0.274811083", "0.0235600256", "0.298371109", "0.138498562", "-0.0380982365", "0.0821670406"),
        *("0.149780716", "0.199561432", "0.249751144", "0.299502287"),
        *("0.35891648", "0.408666186", "0.51130127", "0.561370121", "0.291027774"),
    ):
        assert re.search(rf"(?<![\d.]){re.escape(printed)}(?!\d)", text), printed


def test_mazur_is_told_in_the_textbooks_order() -> None:
    assert [frame.title for frame in mazur()] == MAZUR_TITLES
    assert str(mazur()[9].words).startswith("Each weight here is used once")


def test_story_of_four_reads_as_on_the_page() -> None:
    story = inspect("four").fractions().story()
    assert squeezed(story.screen(7)) == squeezed(FOUR_DELTA)
    assert squeezed(story.screen(11)) == squeezed(FOUR_SUMS)


def squeezed(text: str) -> str:
    """Without the blanks that only align columns."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


FOUR_DELTA = """\
8/12  input → [conv] → pool → outputs → E

δ: conv

  δ = f′(z) · Σ δ(target)·∂z(target)/∂a
    neuron         z     δ
    conv[0,3,1]  255    1/5
    conv[0,3,3]  255  -1/40
    conv[0,3,5]  255  -1/10
    … and 33 more, 0 all of them
    conv[0,3,1]: δ = 1/5, the whole δ of pool[0,1,0]

  A max pool hands its δ to the neuron that won its window; the others had no say in the result
  and get nothing. The δ of 33 of the 36 is exactly 0: nothing the loss could ask of them."""

FOUR_SUMS = """\
12/12  input → [conv] → pool → outputs → E

The sums: the weights into conv

  ∂E/∂w = Σ over its uses of δ(target)·a
    weight                uses    Σ
    conv.weight[0,0,0,0]  25         0
    conv.weight[0,0,0,1]  30     357/8
    conv.weight[0,0,0,2]  25         0
    conv.weight[0,0,1,0]  30    -255/8
    conv.weight[0,0,1,1]  36     357/8
    conv.weight[0,0,1,2]  30     357/8
    conv.weight[0,0,2,0]  25         0
    conv.weight[0,0,2,1]  30     -51/8
    conv.weight[0,0,2,2]  25         0
    conv.weight[0,0,0,1]: Σ = 51 + (-51/8) = 357/8

  Each shared weight adds up what all its uses ask for, up to 36 of them: the sum is its gradient,
  and all copies will move by it together."""


# -- on any network there is ------------------------------------------------------------------------------------------
def check_story(story: Story, inspector: ng.Inspector) -> None:
    """Frames in order, numbers as in the trace and on the cards."""
    order = [CHAPTERS.index(frame.chapter) for frame in story]
    assert order == sorted(order)
    assert all(0 <= frame.where < len(story.strip) and frame.words for frame in story)
    for neuron, row in numbers_of(story, "delta").items():
        card = inspector.neuron(neuron) if "w" not in row and "product" not in row else None
        if card is not None:
            assert row["δ"] == pytest.approx(card.delta, nan_ok=True)
    for weight, row in numbers_of(story, "sums").items():
        card_of_weight = inspector.weight(weight)
        assert row["uses"] == str(card_of_weight.n_copies)
        assert row["Σ"] is None or isclose(row["Σ"], card_of_weight.sum, rel_tol=1e-12, abs_tol=1e-300)


@settings(max_examples=60)
@given(cases(edited=True))
def test_every_drawn_network_has_a_story(case: Case) -> None:
    inspector = inspect_case(case)
    for by in ("layer", "neuron"):
        story = inspector.story(by, ng.SGD(0.1))
        check_story(story, inspector)
        json.dumps(story.as_json(), allow_nan=False)
        assert len(story.text()) > 100


@settings(max_examples=25)
@given(cases())
def test_update_is_what_a_training_step_does(case: Case) -> None:
    inspector = inspect_case(case)
    if inspector.trace.loss is None:
        return
    params = inspector.asked.engine.params
    before = {name: params[name].copy() for name in params}
    story = inspector.story(optimizer=ng.SGD(0.25))
    assert all(np.array_equal(params[name], before[name], equal_nan=True) for name in params)
    values = {name: params[name].copy() for name in inspector.trace.gradient if params.trainable[name]}
    ng.SGD(0.25).step(values, {name: inspector.trace.gradient[name] for name in values})
    for weight, row in numbers_of(story, "update").items():
        if weight != "E":
            name, index = inspector.trace.reference(weight)
            assert row["after"] == values[name].reshape(-1)[index]


def test_optimizer_keeps_its_state_and_a_second_momentum_step_is_no_plain_one() -> None:
    optimizer = ng.SGD(0.5, momentum=0.9)
    inspector = inspect("mazur")
    assert "nothing to add on a first step" in inspector.story(optimizer=optimizer).text()
    assert optimizer.state() == {}
    inspector.asked.engine.train_step([[0.05, 0.10]], [[0.01, 0.99]], optimizer)
    later = inspector.story(optimizer=optimizer)
    assert "the step of SGD(learning_rate=0.5, momentum=0.9)" in later.text()


def test_without_an_optimizer_it_ends_with_the_sums() -> None:
    assert [frame.chapter for frame in inspect("mazur").story()][-1] == "sums"


def test_without_a_target_there_is_no_story() -> None:
    engine = inspect("mazur").asked.engine
    with pytest.raises(
        LossError,
        match=r"^story: this pass had neither a target nor an upstream gradient, so there is no way back to tell\.",
    ):
        ng.Inspector(engine, [[0.05, 0.1]]).story()
    with pytest.raises(UsageError, match=r"^story: no way 'layers'; did you mean 'layer'\? \(known: layer, neuron\)$"):
        inspect("mazur").story("layers")


def test_numbers_that_are_none_are_told_like_others() -> None:
    engine = inspect("mazur").asked.engine
    for by in ("layer", "neuron"):
        story = ng.Inspector(engine, [[float("nan"), 0.1]], [[0.01, 0.99]]).story(by, ng.SGD(0.5))
        assert "h1: a = sigmoid(nan) = nan" in story.text()
        assert "the loss is no number any more" in story[-1].words
        json.dumps(story.as_json(), allow_nan=False)


def test_every_parameter_of_an_edited_layer_has_its_harvest() -> None:
    topology = ng.lay_out(ng.load("four"))
    graph, params = ng.build(topology), ng.initialise(topology, seed=0)
    graph.set_parameter("own", 3.0)
    source = next(iter(graph.pred["conv", 0, 3, 1]))
    graph.edges[source, ("conv", 0, 3, 1)]["param"] = ("own", 0)
    engine = ng.ReferenceEngine(graph, ng.Parameters({**params, "own": 3.0}))
    inspector = ng.Inspector(engine, inspect("four").asked.x, upstream=inspect("four").asked.upstream)
    assert "own" in numbers_of(inspector.story(), "sums")


def test_fractions_of_a_story_are_exact() -> None:
    story = inspect("four").fractions().story(optimizer=ng.SGD(1e-05))
    after = {row[0]: row[-1] for frame in story if frame.chapter == "update" for row in frame.tables[0].rows}
    assert after["conv.weight[0,0,0,1]"] == Fraction(-1) - Fraction(1, 100000) * Fraction(357, 8)


def test_batch_of_several_samples_is_averaged_and_said() -> None:
    loaded = ng.load("xor")
    topology = ng.lay_out(loaded)
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    x = [sample.input for sample in loaded.samples]
    inspector = ng.Inspector(engine, x, [[3], [1], [1], [0]], sample=1)
    story = inspector.story()
    assert "This is sample 1 of a batch of 4" in story[0].words
    sums = next(frame for frame in story if frame.chapter == "sums")
    assert sums.equation.endswith(",  divided by the 4 samples")
    rows = {row[0]: row for row in sums.tables[0].rows}
    assert inspector.weight("out.bias[0]").sum == -6
    assert rows["out.bias[0]"][2:] == (inspector.weight("out.bias[0]").sum, inspector.weight("out.bias[0]").gradient)


# -- large networks ---------------------------------------------------------------------------------------------------
def test_large_network_neuron_by_neuron_says_what_it_leaves_out() -> None:
    layers = [{"kind": "conv", "filters": 3, "kernel": 3, "activation": "relu"}, {"kind": "dense", "units": 4}]
    from tests.written import drawn_engine

    engine = drawn_engine(ng.ReferenceEngine, [1, 8, 8], layers, {"kind": "mse"})
    x = np.random.default_rng(0).normal(size=(1, 1, 8, 8))
    story = ng.Inspector(engine, x, np.ones((1, 4))).story("neuron")
    told = {frame.title.removeprefix("Forward: ") for frame in story if frame.chapter == "forward"}
    assert len(told) + story.n_left_out == 3 * 36 + 4 > ALL
    assert f"Of the 112 neurons that compute, {len(told)} are told" in story[0].words
    trace = engine.backprop(x, np.ones((1, 4)))
    top = np.unravel_index(np.argmax(trace.a["conv1"][0]), (3, 6, 6))
    assert write_node(("conv1", *map(int, top))) in told


# -- the page ---------------------------------------------------------------------------------------------------------
class Page(HTMLParser):
    """What stands in a page: ids, tags with their attributes, and the text of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, str] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("style", "script"):
            self.inline[self._inside] = self.inline.get(self._inside, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def test_page_is_self_contained_and_keeps_its_own_policy() -> None:
    page = Page(mazur().page(9, "about <this>"))
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    for what in ("style", "script"):
        digest = b64encode(sha256(page.inline[what].encode()).digest()).decode()
        assert f"{what}-src 'sha256-{digest}'" in str(policy)
    for _, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "src", "href")}
    frames = [a for tag, a in page.tags if tag == "article"]
    assert [a["id"] for a in frames] == [f"frame-{n}" for n in range(1, 14)]
    assert sum(1 for _, a in page.tags if a.get("aria-current") == "step") == len(frames)
    assert any(a.get("aria-live") == "polite" for _, a in page.tags)
    assert "about &lt;this&gt;" in mazur().page(9, "about <this>")


def test_names_from_a_spec_cannot_break_the_page() -> None:
    graph = ng.NeuronGraph()
    graph.add_input("<script>alert(1)</script>")
    graph.add_neuron("h")
    graph.connect("<script>alert(1)</script>", "h", weight="</script>", value=2.0)
    graph.set_outputs(["h"], loss="mse")
    engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    page = ng.Inspector(engine, [[3.0]], [[1.0]]).story(optimizer=ng.SGD(0.1)).page()
    assert page.count("<script>") == page.count("</script>") == 1


def test_frame_without_tables_is_whole() -> None:
    frame = Frame("forward", "Forward: h", "a = x", "Nothing to do.", (("h: a = ", 2 / 3),))
    assert frame.sheet(3)[:4] == ["Forward: h", "", "  a = x", "    h: a = 0.667"]
