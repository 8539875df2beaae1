"""What a layer sees of the layers before it: a shape, and the populations that it is pieced together from.

Flattening, concatenation and dropout make no neurons; they only change how a later layer sees the populations behind them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from neurograph.errors import LayerError
from neurograph.ops.wiring import Blocks, Pairs, Wiring

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """One population inside a view.

    Parameters
    ----------
    population : str
    shape : tuple of int
        The population's own shape.
    offset : int
        Where it begins along the view's first axis.
    dropout : str, optional
        The dropout layer it is seen through.
    """

    population: str
    shape: Shape
    offset: int = 0
    dropout: str | None = None


@dataclass(frozen=True)
class View:
    """A shape and its parts, in order along the first axis.

    A flattened view has one axis; its parts keep their own shapes and follow one another row-major.
    """

    shape: Shape
    parts: tuple[Part, ...]

    @property
    def is_flattened(self) -> bool:
        """True where the parts' own shapes have more axes than the view."""
        return any(len(part.shape) != len(self.shape) for part in self.parts)

    @property
    def size(self) -> int:
        return prod(self.shape)

    def flattened(self) -> View:
        """The same neurons along one axis, row-major."""
        inner = prod(self.shape[1:])
        return View((self.size,), tuple(replace(part, offset=part.offset * inner) for part in self.parts))


def view_of(population: str, shape: Shape) -> View:
    """The plain view of one population."""
    return View(shape, (Part(population, shape),))


def check_axes(view: View, kind: str) -> None:
    """Raise LayerError unless the view has channels and at least one spatial axis."""
    if len(view.shape) < 2:
        what = f"its input has one axis ({view.shape[0]} values)" if view.shape else "its input is a single neuron"
        raise LayerError(f"{what}; {kind} needs channels and positions. Use dense, or read a layer before the flatten.")


def check_unflattened(view: View, kind: str) -> None:
    """Raise LayerError where an elementwise layer would read a flattened map."""
    if view.is_flattened:
        raise LayerError(
            f"{kind} reads a flattened map. Put the {kind} before the flatten, or drop the flatten: dense reads any shape."
        )


def along_channels(view: View, wiring: Wiring) -> list[tuple[Part, Wiring, int]]:
    """Split a wiring of the view's first axis into one (part, wiring, weight offset) for each part."""
    if len(view.parts) == 1:
        return [(view.parts[0], wiring, 0)]
    if isinstance(wiring, Blocks) and wiring.groups == 1:
        return [
            (
                part,
                Blocks(1, wiring.targets, part.shape[0], wiring.target_weight, wiring.source_weight),
                part.offset * wiring.source_weight,
            )
            for part in view.parts
        ]
    return [(part, _cut(wiring, part), 0) for part in view.parts]


MOST_CUT = 10**6
"""Most wires of a wiring that is cut into the parts of a concatenation, which has no closed form."""


def _cut(wiring: Wiring, part: Part) -> Pairs:
    if wiring.count > MOST_CUT:
        raise LayerError(
            f"reads a concatenation channel by channel, with {wiring.count:,} pairs of channels (at most {MOST_CUT:,}). "
            f"Put it before the concat."
        )
    links = wiring.links()
    keep = (links.source >= part.offset) & (links.source < part.offset + part.shape[0])
    columns = zip(
        links.target[keep].tolist(),
        (links.source[keep] - part.offset).tolist(),
        links.weight[keep].tolist(),
        strict=True,
    )
    n_targets = int(links.target.max()) + 1 if len(links) else 0
    return Pairs(n_targets, part.shape[0], tuple(columns))
