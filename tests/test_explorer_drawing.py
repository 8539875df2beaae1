"""A drawing becomes what the data set's images are: size, place, pen, and what [data] asks for; and trained networks recognise it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neurograph.viz.explorer.drawing import Paper
from neurograph.viz.explorer.script import program

import neurograph as ng
from neurograph.data.normalise import Normaliser
from neurograph.data.prepare import prepare
from neurograph.graph.layout import layout_of
from neurograph.viz import Sample, explore, paper_for
from tests.explorer_pages import visit

MNIST = Paper(28, 28, 20.0, "mass", 2.4)

# Ten digits as a hand draws them: strokes of points in shares of the pad.
DIGITS: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.5, 0.15), (0.35, 0.25), (0.28, 0.5), (0.35, 0.75), (0.5, 0.85), (0.65, 0.75), (0.72, 0.5), (0.65, 0.25), (0.5, 0.15)]],
    1: [[(0.5, 0.15), (0.5, 0.85)]],
    2: [[(0.3, 0.3), (0.38, 0.18), (0.55, 0.15), (0.68, 0.25), (0.66, 0.4), (0.5, 0.6), (0.3, 0.83), (0.72, 0.83)]],
    3: [[(0.32, 0.2), (0.5, 0.14), (0.66, 0.24), (0.62, 0.4), (0.46, 0.48), (0.64, 0.56), (0.68, 0.72), (0.52, 0.85), (0.3, 0.8)]],
    4: [[(0.38, 0.15), (0.28, 0.55), (0.72, 0.55)], [(0.62, 0.3), (0.6, 0.88)]],
    5: [[(0.68, 0.15), (0.38, 0.16), (0.35, 0.45), (0.55, 0.42), (0.68, 0.55), (0.64, 0.76), (0.48, 0.85), (0.3, 0.8)]],
    6: [[(0.6, 0.13), (0.42, 0.3), (0.32, 0.55), (0.36, 0.78), (0.52, 0.86), (0.66, 0.74), (0.62, 0.58), (0.48, 0.54), (0.35, 0.66)]],
    7: [[(0.28, 0.17), (0.7, 0.17), (0.56, 0.45), (0.46, 0.85)]],
    8: [[(0.62, 0.25), (0.5, 0.15), (0.38, 0.24), (0.42, 0.4), (0.58, 0.56),
          (0.64, 0.72), (0.5, 0.85), (0.36, 0.72), (0.42, 0.56), (0.58, 0.4), (0.62, 0.25)]],
    9: [[(0.64, 0.3), (0.52, 0.16), (0.38, 0.24), (0.38, 0.42), (0.52, 0.48), (0.64, 0.34), (0.62, 0.6), (0.54, 0.86)]],
}  # fmt: skip


@pytest.fixture(scope="module")
def ink(browser: Any) -> Any:
    """inkImage and prepared, in a page of their own."""
    page = browser.new_page()
    page.evaluate(f"{program(('unpack', 'ink'))}\nglobalThis.$ink = $ink;")

    def run(function: str, *arguments: Any) -> Any:
        return np.array(
            page.evaluate("([name, given]) => Array.from($ink[name](...given))", [function, list(arguments)]), float
        )

    return run


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_ink_has_mnists_size_and_place(ink: Any, digit: int, scale: float) -> None:
    strokes = [[[0.05 + scale * x, 0.02 + scale * y] for x, y in stroke] for stroke in DIGITS[digit]]
    image = ink("inkImage", strokes, MNIST.described()).reshape(28, 28)
    rows, columns = np.nonzero(image > 0.02)
    side = max(rows.max() - rows.min(), columns.max() - columns.min()) + 1
    assert 20 <= side <= 22
    y, x = (np.arange(28) + 0.5) @ image.sum(1), (np.arange(28) + 0.5) @ image.sum(0)
    assert (x / image.sum(), y / image.sum()) == pytest.approx((14, 14), abs=0.25)
    grey = (image > 0.05) & (image < 0.95)
    assert grey.sum() > 10
    assert image.max() > 0.95


def test_ink_does_not_depend_on_where_and_how_large_one_draws(ink: Any) -> None:
    drawn = [
        ink("inkImage", [[[a + s * x, b + s * y] for x, y in stroke] for stroke in DIGITS[5]], MNIST.described())
        for s, a, b in ((1.0, 0.0, 0.0), (0.4, 0.5, 0.1))
    ]
    assert np.abs(drawn[0] - drawn[1]).max() < 0.06


def test_nothing_drawn_is_empty_and_a_dot_is_a_dot(ink: Any) -> None:
    assert not ink("inkImage", [], MNIST.described()).any()
    dot = ink("inkImage", [[[0.9, 0.1]]], MNIST.described())
    assert 2 < dot.sum() < 8


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pad": (2, 2), "low": -0.1, "high": 1.175},
        {"resize": (16, 16), "low": -1.0, "high": 1.0},
        {"pad": (1, 3), "resize": (40, 20)},
    ],
)
def test_what_data_asks_for_is_done_as_in_python(ink: Any, options: dict[str, Any]) -> None:
    image = np.random.default_rng(0).random(28 * 28)
    expected = prepare(image.reshape(1, 1, 28, 28), **options).reshape(-1)
    paper = replace(MNIST, **options)
    assert ink("prepared", image.tolist(), paper.described()) == pytest.approx(expected, abs=1e-12)


def test_what_was_learned_from_the_training_samples_is_applied(ink: Any) -> None:
    layout = layout_of(ng.lay_out(ng.load("lenet5")))
    x = np.random.default_rng(0).random((9, 1, 28, 28))
    normaliser = Normaliser.of(x, "pixel")
    expected = x[:1].copy()
    normaliser.apply(expected)
    paper = paper_for(layout, "mnist", {}, normaliser.as_dict())
    assert paper
    assert ink("prepared", x[0].reshape(-1).tolist(), paper.described()) == pytest.approx(
        expected.reshape(-1), abs=1e-9
    )


# -- recognised by trained networks -----------------------------------------------------------------------------------
def recognised(
    browser: Any, folder: Path, name: str, params: Any, data: str, prepared: dict[str, Any]
) -> dict[int, Any]:
    """What a network says to each of the ten digits."""
    topology = ng.lay_out(ng.load(name))
    layout = layout_of(topology)
    paper = paper_for(layout, data, prepared)
    blank = Sample(np.zeros((1, *layout.inputs[0].shape)))
    page = visit(browser, folder, explore(topology, params, [blank], paper=paper).html)
    page.page.click("#draw")
    said = {}
    for digit, strokes in DIGITS.items():
        page.page.click("#clear")
        box = page.page.locator("#ink").bounding_box()
        for stroke in strokes:
            for k, (x, y) in enumerate(stroke):
                page.page.mouse.move(
                    box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if k == 0 else 4
                )
                if k == 0:
                    page.page.mouse.down()
            page.page.mouse.up()
        page.frames()
        said[digit] = int(page.text("#verdict strong"))
    page.clean()
    page.page.context.close()
    return said


@pytest.mark.slow
def test_digits_network_recognises_drawn_digits(browser: Any, tmp_path: Path) -> None:
    topology = ng.lay_out(ng.load("digits"))
    program = ng.compile(topology, ng.initialise(topology, seed=0), threads=1)
    (x, y), _ = ng.data.digits()
    ng.fit(program, x, y, epochs=30, batch_size=16, optimizer=ng.SGD(0.04, momentum=0.9), seed=0, schedule="linear")
    said = recognised(browser, tmp_path, "digits", program.params, "digits", {})
    assert sum(digit == label for digit, label in said.items()) >= 8, said


@pytest.mark.slow
def test_lenet5_recognises_drawn_digits(browser: Any, tmp_path: Path, mnist: Path) -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    program = ng.compile(topology, ng.initialise(topology, seed=0), threads=1)
    (x, y), _ = ng.data.mnist(mnist)
    ng.fit(
        program, prepare(x), y, epochs=2, batch_size=64, optimizer=ng.SGD(0.05, momentum=0.9), seed=0, schedule="linear"
    )
    said = recognised(browser, tmp_path, "lenet5", program.params, "mnist", {})
    assert said == {digit: digit for digit in range(10)}
