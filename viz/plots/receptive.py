"""How receptive fields grow: what a neuron in the middle of each layer can see of the input."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from neurograph.errors import check_type
from neurograph.graph.address import node_id, write_node
from neurograph.graph.receptive import Box, extents, middle, receptive_field
from neurograph.graph.topology import Topology
from neurograph.shapes import times

from ..colours import GREY, INK
from .figure import SMALL, foot, new, styled
from .words import percent, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROWS = 20
"""Layers shown."""


@styled
def receptive(topology: Topology, *, title: str = "", note: str = "") -> Figure:
    """What a neuron in the middle of each layer can see of the input, layer by layer.

    Parameters
    ----------
    topology : Topology
        Of any size; no neuron is written out, and no weight is needed.
    title, note : str
        What is shown.

    Returns
    -------
    matplotlib.figure.Figure
        Left: the fields on the input, where it has rows and columns. Right: their sizes. A field is the smallest box around
        everything the neuron depends on; strides and dilations may skip positions inside.

    Examples
    --------
    >>> import neurograph as ng
    >>> figure = receptive(ng.lay_out(ng.load("lenet5")))
    >>> [int(bar.get_width()) for bar in figure.axes[-1].patches][:4]  # conv1, pool1, conv2, pool2: 5, 6, 14, 16 of 28 rows
    [5, 6, 14, 16]
    """
    check_type("receptive", topology, Topology)
    layers = [p for p in topology.populations.values() if not p.is_input]
    kept = (
        {round(i * (len(layers) - 1) / (ROWS - 1)) for i in range(ROWS)} if len(layers) > ROWS else range(len(layers))
    )
    shown = [p for i, p in enumerate(layers) if i in kept]
    fields = [(p.name, receptive_field(topology, node_id(p.name, middle(p.shape)))) for p in shown]
    colours = _colours(len(fields))
    figure = new(title or f"{topology.name}: what a neuron in the middle of each layer sees")
    plane = _plane(topology)
    grid = figure.add_gridspec(1, 2 if plane else 1, width_ratios=[1, 1.25] if plane else [1])
    if plane is not None:
        _boxes(figure.add_subplot(grid[0]), topology, plane, fields, colours)
    _bars(figure.add_subplot(grid[-1]), topology, fields, colours)
    names = [p.name for i, p in enumerate(layers) if i not in kept]
    left_out = (
        f"Left out: {', '.join(names[:8])}{f' and {len(names) - 8} more' if len(names) > 8 else ''}." if names else ""
    )
    where = "" if topology.is_hand_drawn else f"The neuron in the middle of {shown[0].name} is {_middle(shown[0])}."
    foot(figure, "\n".join(part for part in (where, left_out, note) if part))
    return figure


def _middle(population: Any) -> str:
    return write_node(node_id(population.name, middle(population.shape)))


def _colours(n: int) -> list[str]:
    """Dark blue to yellow: lightness rises with depth, for every kind of colour vision."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    scale = colormaps["cividis"]
    return [to_hex(scale(0.08 + 0.84 * i / max(n - 1, 1))) for i in range(n)]


def _plane(topology: Topology) -> str | None:
    """The input on which fields are drawn: the first that has rows and columns, or at least positions."""
    for name, population in topology.populations.items():
        if population.is_input and len(population.shape) >= 2:
            return name
    return None


def _boxes(
    axes: Axes, topology: Topology, name: str, fields: list[tuple[str, dict[str, Box]]], colours: list[str]
) -> None:
    """The fields on the input, the largest at the bottom."""
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator

    shape = topology.populations[name].shape
    rows, columns = shape[-2:] if len(shape) == 3 else (1, shape[-1])
    where = "On the input" if name == "input" else f"On the input {plain(name)}"
    axes.set_title(f"{where}, {rows}×{columns}" if len(shape) == 3 else f"{where}, {columns} positions")
    axes.add_patch(Rectangle((0, 0), columns, rows, facecolor="#f4f5f7", edgecolor=GREY))
    for (layer, seen), colour in reversed(list(zip(fields, colours, strict=True))):
        if name in seen:
            spans = seen[name]
            (top, bottom), (left, right) = spans[-2:] if len(shape) == 3 else ((0, 0), spans[-1])
            box = Rectangle((left, top), right - left + 1, bottom - top + 1, facecolor=colour, alpha=0.25, gid=layer)
            axes.add_patch(box)
            outline = Rectangle(
                (left, top), right - left + 1, bottom - top + 1, fill=False, edgecolor=colour, linewidth=2.5
            )
            axes.add_patch(outline)
    axes.set(xlim=(-0.02 * columns, 1.02 * columns), ylim=(1.02 * rows, -0.02 * rows))
    if len(shape) == 3:
        axes.set_aspect("equal")
    else:
        axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.set(xlabel="column" if len(shape) == 3 else "position", ylabel="row" if len(shape) == 3 else "")


def _bars(axes: Axes, topology: Topology, fields: list[tuple[str, dict[str, Box]]], colours: list[str]) -> None:
    """How large the fields are: the longer side where the input has places, else how many inputs are seen."""
    from matplotlib.ticker import MaxNLocator

    inputs = {name: p.shape for name, p in topology.populations.items() if p.is_input}
    has_places = _plane(topology) is not None
    total = max(max(shape[1:]) for shape in inputs.values() if len(shape) > 1) if has_places else _n(inputs)
    axes.set_title("Longer side of the field" if has_places else "Inputs it depends on")
    for number, ((name, seen), colour) in enumerate(zip(fields, colours, strict=True)):
        size = _side(seen) if has_places else sum(prod(extents(box)) for box in seen.values())
        axes.barh(number, size, color=colour, height=0.72, gid=name)
        share = sum(prod(extents(box)) for box in seen.values()) / _n(inputs)
        words = f"{_words(seen)}  ({_share(share)})" if has_places else f"{size:,} of {total:,}"
        axes.annotate(words, (size, number), (6, 0), textcoords="offset points", va="center", fontsize=SMALL, color=INK)
    axes.set_yticks(range(len(fields)), [plain(name, 18) for name, _ in fields])
    axes.set(xlim=(0, total * 1.38), ylim=(len(fields) - 0.4, -0.6))
    axes.set_xlabel("positions; in brackets: share of the whole input" if has_places else "inputs")
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([tick for tick in MaxNLocator(7, integer=True).tick_values(0, total) if 0 <= tick <= total])


def _share(share: float) -> str:
    return "<0.1 %" if share < 0.001 else percent(round(share, 3))


def _n(inputs: dict[str, tuple[int, ...]]) -> int:
    return sum(prod(shape) for shape in inputs.values())


def _side(seen: dict[str, Box]) -> int:
    return max((max(extents(box)[1:], default=1) for box in seen.values() if len(box) > 1), default=0)


def _words(seen: dict[str, Box]) -> str:
    """Size of the field on each input, without channels."""
    sizes = [extents(box)[1:] if len(box) > 1 else extents(box) for box in seen.values()]
    return " + ".join(times(size) for size in sizes) or "nothing"
