"""The picture of an augmentation: a row for each option alone, the images a training sees, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="plots need matplotlib")

from neurograph.viz.augment_plot import augmentations

import neurograph as ng
from neurograph.data import Augment
from neurograph.errors import DrawingError

X = ng.data.digits()[0][0][3]


def images(figure: Any) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


def test_every_option_has_a_row_and_images_are_those_of_the_training() -> None:
    augment = Augment(preset="digits", noise=0.1, flip_horizontal=True, seed=4)
    figure = augmentations(augment, X, n=3, row=17)
    labels = [axes.get_ylabel() for axes in figure.axes[::4]]
    assert labels == [
        "rotation −10…10°", "translation −1.5…1.5 pixels", "rescale 0.909…1.1", "stretch 0.943…1.06", "shear −8…8°",
        "flip horizontal", "noise 0.1", "all together",
    ]  # fmt: skip
    shown = images(figure)
    for k in range(3):
        np.testing.assert_array_equal(shown[-3 + k], augment(X[None], np.array([17]), k)[0, 0])
        np.testing.assert_array_equal(shown[4 * k], X[0])
        alone = Augment(rotation=10, seed=4)(X[None], np.array([17]), k)[0, 0]
        np.testing.assert_array_equal(shown[1 + k], alone)


def test_one_option_is_one_row_and_colours_stay() -> None:
    colours = np.random.default_rng(0).random((3, 8, 8), dtype=np.float32)
    shown = images(augmentations(Augment(crop=1), colours, n=2))
    assert [image.shape for image in shown] == [(8, 8, 3)] * 3
    assert len(augmentations(Augment(preset="lecture"), X, n=2, each=False).axes) == 3


@pytest.mark.parametrize(("x", "n"), [(np.zeros((8, 8)), 3), (np.zeros((2, 8, 8)), 3), (X, 0), (X, 25)])
def test_what_cannot_be_shown_is_refused(x: np.ndarray, n: int) -> None:
    with pytest.raises(DrawingError, match="augmentations: "):
        augmentations(Augment(rotation=5), x, n)
