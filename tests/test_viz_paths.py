"""Paths of optimisers over a landscape: one panel each, over the same heights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neurograph.errors import DrawingError

pytest.importorskip("matplotlib")

from neurograph.viz.paths_plot import descents

from neurograph.viz import plots


def bowl(a, b):  # type: ignore[no-untyped-def]
    return a**2 + 4 * b**2


def test_every_path_is_drawn_in_a_panel_of_its_own(tmp_path: Path) -> None:
    paths = {name: np.array([[1.0, 1.0], [0.5, number / 8], [0.0, 0.0]]) for number, name in enumerate("abcd")}
    figure = descents(bowl, paths, around=(-2, 2, -1, 3), title="Four ways", note="As they went.")
    assert [axes.get_title(loc="left") for axes in figure.axes] == list("abcd")
    for axes, path in zip(figure.axes, paths.values(), strict=True):
        line, start, end = (line.get_xydata().tolist() for line in axes.lines)
        assert (line, start, end) == (path.tolist(), path[:1].tolist(), path[-1:].tolist())
        assert (axes.get_xlim(), axes.get_ylim()) == ((-2, 2), (-1, 3))
    assert plots.save(figure, tmp_path / "paths.svg").stat().st_size < 200_000


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ({}, "descents: there is no path to draw; give at least one."),
        ({"a": [1.0, 2.0]}, "descents: the path 'a' has the shape (2,); pairs of finite weights are expected."),
        (
            {"a": [[1.0, float("nan")]]},
            "descents: the path 'a' has the shape (1, 2); pairs of finite weights are expected.",
        ),
    ],
)
def test_what_is_no_path_is_refused(paths, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DrawingError) as caught:
        descents(bowl, paths, around=(-1, 1, -1, 1))
    assert str(caught.value) == message
