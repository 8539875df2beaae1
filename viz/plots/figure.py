"""How every plot looks and where it goes: size, letters, colours, and one way to a file. matplotlib is imported here, late."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from neurograph.errors import DrawingError

from ..colours import FAINT, GREY, INK, NEGATIVE, POSITIVE, TIES
from ..numbers import short
from .words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

SIZE = (12.8, 7.2)
"""Inches; with DPI 100 a projector's 1280×720 pixels."""
DPI = 100
SMALL, TEXT, LARGE = 12, 13, 17
"""Points. Nothing on a plot is smaller than SMALL at SIZE."""

FORMS = ("png", "svg", "pdf")

LINES = (NEGATIVE, POSITIVE, *TIES)
"""Colours of curves, in order."""

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": TEXT,
    "text.usetex": False,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": TEXT,
    "axes.titlelocation": "left",
    "axes.labelsize": TEXT,
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.2,
    "lines.markersize": 6,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "figure.titlesize": LARGE,
    "figure.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.1,
    "figure.constrained_layout.w_pad": 0.1,
    "image.interpolation": "nearest",
    "svg.hashsalt": "neurograph",
}
"""What a user's own matplotlibrc must not change; laid over it while a plot is made or written."""

P = ParamSpec("P")
R = TypeVar("R")


def styled(plot: Callable[P, R]) -> Callable[P, R]:
    """Let a function draw in our style, whatever the user's own settings are; they are as before when it returns.

    Raises
    ------
    DrawingError
        Where there is no matplotlib.
    """

    @functools.wraps(plot)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with _matplotlib().rc_context(STYLE):
            return plot(*args, **kwargs)

    return drawn


def new(title: str, note: str = "", size: tuple[float, float] = SIZE) -> Figure:
    """An empty figure with a title and, at its foot, a note."""
    from .canvas import Canvas

    figure = Canvas(*size, DPI)
    figure.suptitle(plain(title, 90), x=0.012, ha="left")
    if note:
        foot(figure, note)
    return figure


def foot(figure: Figure, note: str) -> None:
    """Write a note at the foot of a figure, in as many lines as it needs."""
    import textwrap

    lines = [line for part in note.splitlines() for line in textwrap.wrap(plain(part, 600), 128)]
    figure.supxlabel("\n".join(lines), x=0.012, ha="left", fontsize=SMALL, color=GREY)


def signed_colours() -> Colormap:
    """Blue over white to orange-red, as diagrams have it: white is 0, grey is not a number."""
    from matplotlib.colors import LinearSegmentedColormap

    from ..colours import _SCALE, NOT_A_NUMBER

    return LinearSegmentedColormap.from_list("signed", _SCALE, N=511).with_extremes(bad=NOT_A_NUMBER)


def amount_colours() -> Colormap:
    """White to dark blue, for numbers that are never below 0; the lightness alone tells them apart."""
    from matplotlib.colors import LinearSegmentedColormap

    from ..colours import NOT_A_NUMBER

    stops = ("#ffffff", "#d3e5f4", "#7fb0dc", NEGATIVE, "#12365c")
    return LinearSegmentedColormap.from_list("amount", stops, N=511).with_extremes(bad=NOT_A_NUMBER)


def bare(axes: Axes) -> None:
    """Leave nothing of the axes but what is drawn in them."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def logarithmic(axes: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic scale with plain numbers at its powers of ten: exponents are too small to read from afar."""
    from matplotlib.ticker import FuncFormatter

    axes.set(**{f"{which}scale": "log"})
    getattr(axes, f"{which}axis").set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def save(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure; the ending says the form: .png, .svg or .pdf. The same plot, made anew, gives the same bytes.

    Raises
    ------
    DrawingError
        If the ending is another, or the file cannot be written.
    """
    target = Path(path)
    form = form_of(target)
    dated = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    making = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with _matplotlib().rc_context(STYLE), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # letters of a name that the font lacks are boxes
            figure.savefig(making, format=form, dpi=DPI, metadata=dated[form])
        making.replace(target)
    except OSError as error:
        raise DrawingError(f"{target}: {error.strerror or error}.") from None
    finally:
        making.unlink(missing_ok=True)
    return target


def form_of(path: Path) -> str:
    """The form a file name asks for.

    Raises
    ------
    DrawingError
        If it is none of ours.

    Examples
    --------
    >>> form_of(Path("curves.PNG"))
    'png'
    """
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        found = f"the ending '.{form}'" if form else "no ending"
        raise DrawingError(f"{path}: {found}; a plot ends in .png, .svg or .pdf.")
    return form


def check_matplotlib() -> None:
    """Raise DrawingError where there is no matplotlib; to fail before anything is computed."""
    _matplotlib()


def only_finite(values: Iterable[float | None]) -> list[float]:
    """Numbers to draw a line through: what is missing or not finite becomes a gap."""
    from math import isfinite, nan

    return [nan if value is None or not isfinite(value) else value for value in values]


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise DrawingError("plots need matplotlib, which is not installed here: pip install matplotlib") from None
    return mpl
