"""What an augmentation does to an image: the image as it is, and changed, a row for each option alone and one for all together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.data import Augment
from neurograph.data.augment_options import NOTHING, SHAPES, checked
from neurograph.errors import DrawingError

from .plots.figure import SMALL, bare, new, styled
from .plots.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[Any]

MOST = 24
"""Changed images in a row at most."""


@styled
def augmentations(
    augment: Augment, x: Array, n: int = 9, *, each: bool = True, row: int = 0, title: str = "Augmentation"
) -> Figure:
    """An image, and what an augmentation makes of it in its first n epochs.

    Parameters
    ----------
    augment : Augment
    x : ndarray, shape (channels, rows, columns)
        One image, 0 for background to 1; of 1 channel (drawn as ink) or 3 (red, green, blue).
    n : int
        Changed images in a row.
    each : bool
        A row for each option alone above that for all together.
    row : int
        The sample's number in its data set; images are those that a training sees.
    title : str

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DrawingError
        If x is no such image, n is out of range, or there is no matplotlib.

    Examples
    --------
    >>> import neurograph as ng
    >>> (x, y), _ = ng.data.digits()
    >>> figure = augmentations(ng.data.Augment(rotation=20, noise=0.1), x[3], n=5)
    >>> len(figure.axes), [axes.get_ylabel() for axes in figure.axes[::6]]
    (18, ['rotation −20…20°', 'noise 0.1', 'all together'])
    """
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != 3 or x.shape[0] not in (1, 3):
        raise DrawingError(
            f"augmentations: found an array of shape {x.shape}; expected one image, (1 or 3, rows, columns)."
        )
    if not 1 <= n <= MOST:
        raise DrawingError(f"augmentations: n = {n}; expected 1 to {MOST} images in a row.")
    rows = [("all together", augment)]
    options = [(_said(augment, name), _alone(augment, name)) for name in _asked(augment)]
    if each and len(options) > 1:
        rows = [*options, *rows]
    figure = new(title)
    _closer(figure)
    grid = figure.subplots(len(rows), n + 1, squeeze=False)
    for line, (label, alone) in zip(grid, rows, strict=True):
        _show(line[0], x)
        line[0].set_ylabel(plain(label), rotation=0, ha="right", va="center", fontsize=SMALL)
        for epoch, axes in enumerate(line[1:]):
            _show(axes, alone(x[None], np.array([row]), epoch)[0])
    grid[0, 0].set_title("as it is", fontsize=SMALL, loc="center")
    for epoch, axes in enumerate(grid[0, 1:], start=1):
        axes.set_title(f"epoch {epoch}" if epoch == 1 else str(epoch), fontsize=SMALL, loc="center")
    return figure


def _closer(figure: Figure) -> None:
    """Ten rows of images have no room to lose."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure.set_layout_engine(ConstrainedLayoutEngine(h_pad=0.05, w_pad=0.05, hspace=0.0, wspace=0.0))


def _asked(augment: Augment) -> list[str]:
    """Options that do something, in the order they are declared."""
    return [name for name in (*SHAPES, "noise") if getattr(augment, name) != checked(name, NOTHING[name])]


def _alone(augment: Augment, name: str) -> Augment:
    """The same augmentation with every other option off; the same random numbers."""
    off = {other: NOTHING[other] for other in (*SHAPES, "noise") if other != name}
    return replace(augment, preset=None, **off)


def _said(augment: Augment, name: str) -> str:
    """An option and its range."""
    value, word = getattr(augment, name), name.replace("_", " ")
    if isinstance(value, bool):
        return word
    unit = {"rotation": "°", "shear": "°", "translation": " pixels", "crop": " pixels"}.get(name, "")
    if isinstance(value, tuple):
        least, most = (f"{end:.3g}".replace("-", "−") for end in value)
        return f"{word} {least}…{most}{unit}"
    return f"{word} {value:.3g}{unit}"


def _show(axes: Axes, image: Array) -> None:
    look: dict[str, Any] = {"interpolation": "nearest"}
    if len(image) == 1:
        axes.imshow(image[0], cmap="Greys", vmin=0.0, vmax=1.0, **look)
    else:
        axes.imshow(np.moveaxis(image, 0, 2).clip(0, 1), **look)
    bare(axes)
    axes.set_frame_on(True)
    for spine in axes.spines.values():
        spine.set(visible=True, linewidth=0.6)
