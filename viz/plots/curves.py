"""Training curves: loss and accuracy over the epochs of one run or several, the best epoch, an early stop, the learning rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import isfinite
from typing import TYPE_CHECKING, Any

from neurograph.errors import DrawingError, UsageError

from ..colours import GREY, INK
from .figure import LINES, logarithmic, new, only_finite, styled
from .words import percent, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from neurograph.training import Epoch, History, Run

STEEP = 30
"""A loss that falls by more than this factor is drawn on a logarithmic scale."""
FEW = 40
"""Epochs up to which each is a dot."""


@dataclass(frozen=True)
class Curve:
    """One training to draw."""

    label: str
    epochs: Sequence[Epoch]
    best: Epoch
    stopped_early: bool
    watched: str = "validation"
    """What the samples are called that were not learned from: "validation" or "test"."""

    @property
    def is_validated(self) -> bool:
        return any(epoch.validation_loss is not None for epoch in self.epochs)

    def row(self, key: str) -> list[float]:
        """One number an epoch, NaN where there is none."""
        return only_finite(getattr(epoch, key) for epoch in self.epochs)


@styled
def curves(*runs: Run | History, labels: Sequence[str] = (), title: str = "") -> Figure:
    """Loss and accuracy over the epochs, of one training or of several together.

    Parameters
    ----------
    *runs : Run or History
        What `ng.load_run` and `ng.fit` return.
    labels : sequence of str, optional
        One for each; default: the names of the run folders.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        The best epoch (see `Epoch.watched`) is a star; where training stopped because nothing got better, its end is marked.
        A learning rate that changed has a panel of its own.

    Raises
    ------
    DrawingError
        If there is nothing to draw, or matplotlib is missing.
    UsageError
        If there is not one label for each training.

    Examples
    --------
    >>> from neurograph.training import Epoch, History
    >>> history = History([Epoch(1, 10, 0.9, validation_loss=0.8), Epoch(2, 20, 0.5, validation_loss=0.7)])
    >>> figure = curves(history, title="two epochs")
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines[:2]]
    [[0.9, 0.5], [0.8, 0.7]]
    """
    told = _told(runs, labels)
    panels = [_loss]
    if any(isfinite(value) for curve in told for key in ACCURACIES for value in curve.row(key)):
        panels.append(_accuracy)
    has_rate = any(len(set(curve.row("learning_rate"))) > 1 for curve in told)
    figure = new(title or (f"Training: {told[0].label}" if len(told) == 1 and told[0].label else "Training"))
    rows = figure.add_gridspec(2 if has_rate else 1, len(panels), height_ratios=[3, 1] if has_rate else [1])
    colours = list(zip(told, cycle(LINES), strict=False))
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(rows[0, number])
        panel(axes, colours)
        _dress(axes, told)
    if has_rate:
        _rate(figure.add_subplot(rows[1, :]), colours)
    handles = _key(told)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 4))
    return figure


LOSSES = ("loss", "validation_loss")
ACCURACIES = ("accuracy", "validation_accuracy")


def _loss(axes: Axes, curves: list[tuple[Curve, str]]) -> None:
    axes.set_title("Loss (mean per sample)")
    _lines(axes, curves, LOSSES, float)
    seen = [value for line in axes.lines for value in _y(line) if isfinite(value)]
    if seen and min(seen) > 0 and max(seen) / min(seen) > STEEP:
        logarithmic(axes, "y")
    elif seen:
        axes.set_ylim(bottom=min(0.0, *seen))


def _accuracy(axes: Axes, curves: list[tuple[Curve, str]]) -> None:
    axes.set_title("Accuracy (right labels, %)")
    _lines(axes, curves, ACCURACIES, lambda share: 100 * share)


def _lines(axes: Axes, curves: list[tuple[Curve, str]], keys: tuple[str, str], shown: Callable[[float], float]) -> None:
    """The training curve and the validation curve of every run, and its best epoch."""
    for curve, colour in curves:
        x = [epoch.epoch for epoch in curve.epochs]
        for key in keys:
            y = [shown(value) for value in curve.row(key)]
            if any(map(isfinite, y)):
                look = _look(curve, key == keys[1], colour, len(curves) == 1)
                axes.plot(x, y, marker="o" if len(x) <= FEW else "", gid=key, **look)
        told = [getattr(curve.best, key) for key in reversed(keys) if getattr(curve.best, key) is not None]
        ink = INK if len(curves) == 1 else colour
        if told and isfinite(told[0]):
            marked: dict[str, Any] = {
                "marker": "*",
                "markersize": 19,
                "markeredgecolor": "white",
                "zorder": 5,
                "linestyle": "",
            }
            axes.plot([curve.best.epoch], [shown(told[0])], color=ink, gid="best", **marked)
        if curve.stopped_early:
            axes.axvline(curve.epochs[-1].epoch, color=ink, linestyle=(0, (1, 1.5)), linewidth=2, gid="stop")


def _look(curve: Curve, is_held_out: bool, colour: str, is_alone: bool) -> dict[str, Any]:
    """Alone, training and validation differ in colour; beside others in the way the line is drawn."""
    solid = is_held_out or not curve.is_validated
    if is_alone:
        return {"color": LINES[1] if is_held_out else LINES[0], "linestyle": "-" if solid else "--"}
    return {"color": colour, "linestyle": "-" if solid else "--", "linewidth": 2.4 if solid else 1.5, "markersize": 5}


def _rate(axes: Axes, curves: list[tuple[Curve, str]]) -> None:
    """The learning rate as steps, each as long as its epoch."""
    axes.set_title("Learning rate (at the end of each epoch)")
    for number, (curve, colour) in enumerate(curves):
        x = [epoch.epoch for epoch in curve.epochs]
        ink = INK if len(curves) == 1 else colour
        width = 2 + 2 * (len(curves) - 1 - number)  # equal ones are seen behind each other
        axes.step(x, curve.row("learning_rate"), where="mid", color=ink, linewidth=width, gid="learning_rate")
    told = [curve.row("learning_rate") for curve, _ in curves]
    rates = [value for row in told for value in row if value > 0]
    falls_by_steps = all(2 * len(set(row)) <= len(row) for row in told)  # in logarithms, a cosine is all last epoch
    if falls_by_steps and rates and max(rates) / min(rates) > STEEP:
        logarithmic(axes, "y")
    else:
        axes.set_ylim(bottom=0)
    _dress(axes, [curve for curve, _ in curves])


def _dress(axes: Axes, told: list[Curve]) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.grid(axis="y")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=9, min_n_ticks=1))
    last = max(curve.epochs[-1].epoch for curve in told)
    first = min(curve.epochs[0].epoch for curve in told)
    margin = 0.5 if last == first else 0.03 * (last - first)
    axes.set_xlim(first - margin, last + margin)


def _key(told: list[Curve]) -> list[Any]:
    """What the lines and marks mean."""
    from matplotlib.lines import Line2D

    star: dict[str, Any] = {"marker": "*", "markersize": 16, "linestyle": "", "color": INK, "markeredgecolor": "white"}
    stop: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "linewidth": 2, "color": INK}
    if len(told) == 1:
        (curve,) = told
        looks = [("training", _look(curve, False, "", True))]
        if curve.is_validated:
            looks.append((curve.watched, _look(curve, True, "", True)))
        handles = [Line2D([], [], label=label, **look) for label, look in looks]
        handles.append(Line2D([], [], label=f"best: {_score(curve)}", **star))
        if curve.stopped_early:
            handles.append(Line2D([], [], label=f"stopped early: epoch {curve.epochs[-1].epoch}", **stop))
        return handles
    handles = [
        Line2D([], [], color=colour, linewidth=3, label=f"{curve.label}: {_score(curve)}")
        for curve, colour in zip(told, cycle(LINES), strict=False)
    ]
    watched = sorted({curve.watched for curve in told if curve.is_validated})
    if watched:
        handles += [Line2D([], [], color=GREY, label=" or ".join(watched))]
        handles += [Line2D([], [], color=GREY, linestyle="--", linewidth=1.5, label="training")]
    handles.append(Line2D([], [], label="best epoch", **star))
    if any(curve.stopped_early for curve in told):
        handles.append(Line2D([], [], label="stopped early", **stop))
    return handles


def _score(curve: Curve) -> str:
    """What the best epoch reached, in words."""
    best = curve.best
    for share in (best.validation_accuracy, best.accuracy):
        if share is not None:
            return f"{percent(share)} (epoch {best.epoch})"
    loss = best.loss if best.validation_loss is None else best.validation_loss
    return f"loss {loss:.4g} (epoch {best.epoch})"


def _told(runs: Sequence[Run | History], labels: Sequence[str]) -> list[Curve]:
    if labels and len(labels) != len(runs):
        raise UsageError(f"curves: {len(labels)} labels for {len(runs)} trainings; give one for each, or none.")
    if not runs:
        raise DrawingError("curves: nothing to draw; give a run or a history.")
    told = []
    for number, run in enumerate(runs):
        history = run.history if hasattr(run, "history") else run
        folder = getattr(run, "folder", None)
        name = labels[number] if labels else folder.name or str(folder) if folder else f"run {number + 1}"
        if not history.epochs:
            raise DrawingError(f"{folder or name}: no epoch is finished yet, so there is no curve. Train on: --resume.")
        label = "" if len(runs) == 1 and not labels and folder is None else plain(name, 40)
        told.append(Curve(label, history.epochs, history.best, _stopped_early(run, history), _watched(run)))
    return told


def _watched(run: Run | History) -> str:
    """A run without validation samples of its own was judged by the test samples; a history does not tell."""
    settings = getattr(run, "arguments", {}).get("settings")
    is_test = settings is not None and not settings.get("prepare", {}).get("validation")
    return "test" if is_test else "validation"


def _stopped_early(run: Run | History, history: History) -> bool:
    """Whether training ended because nothing got better for as many epochs as its patience allows."""
    settings = getattr(run, "arguments", {}).get("settings", {})
    is_short = history.epochs[-1].epoch < settings.get("epochs", 0)
    return is_short and history.is_exhausted(settings.get("patience"))


def _y(line: Any) -> list[float]:
    return [float(value) for value in line.get_ydata()]
