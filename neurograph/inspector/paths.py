"""∂a(to)/∂a(from) as a sum over paths: how many there are, how many carry something, and the largest.

The chain rule, written out, is a sum over all paths from one neuron to another of the product of the local derivatives along the
path. Nobody enumerates them: numbers, sums and the k largest all follow from one pass over the edges in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Any, NamedTuple

from neurograph.errors import GraphTooLarge, UsageError
from neurograph.graph.address import Node, write_node
from neurograph.inspector.formulas import total
from neurograph.inspector.paths_between import Between, Link, between
from neurograph.trace import Trace

if TYPE_CHECKING:
    from neurograph.inspector.sheets import Sheet

Ranked = list[tuple[float, int, int]]
"""The largest paths to one node: product, number of the link into the node, rank among the paths to that link's source."""


class Step(NamedTuple):
    """One edge of a path: `factor` = ∂a(target)/∂a(source) = f′(z)·∂z/∂a, both of the target."""

    source: Node
    target: Node
    dz_da: float
    slope: float
    factor: float


@dataclass(frozen=True)
class Path:
    """One path and what it adds to the derivative: the product of its steps' factors."""

    steps: tuple[Step, ...]
    product: float

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The neurons on the way, both ends included."""
        return (self.steps[0].source, *(step.target for step in self.steps))

    def __str__(self) -> str:
        return " → ".join(map(write_node, self.nodes))


@dataclass(frozen=True)
class PathsCard:
    """A derivative as a sum over paths, in one sample.

    Attributes
    ----------
    source, target : Node
        Where the paths start and end.
    n_paths : int
        All of them.
    n_won : int
        Those that lose no maximum on their way.
    n_open : int
        Those whose factors are all other than 0: they alone carry anything.
    sum, sum_abs : float
        Of the products, and of their absolute values. `sum` is ∂a(target)/∂a(source).
    largest : tuple of Path
        By the product's absolute value; of equals the one that comes first in fan-in order.
    softmax : bool
        Whether every path's last step is the softmax of an output layer.
    n_back : int
        Where no path leads there: how many lead back, from `target` to `source`.
    """

    source: Node
    target: Node
    sample: int
    n_paths: int
    n_won: int
    n_open: int
    sum: float
    sum_abs: float
    largest: tuple[Path, ...]
    softmax: bool = False
    n_back: int = 0

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """The card as text."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.paths_sheet import paths_sheet

        return paths_sheet(self, digits)

    def as_json(self) -> dict[str, Any]:
        """The card as plain data, neurons as written."""
        from neurograph.inspector.cards import plain

        found: dict[str, Any] = plain(
            {
                "from": write_node(self.source),
                "to": write_node(self.target),
                "sample": self.sample,
                "n_paths": self.n_paths,
                "n_won": self.n_won,
                "n_open": self.n_open,
                "sum": self.sum,
                "sum_abs": self.sum_abs,
                "largest": [
                    {
                        "nodes": [write_node(node) for node in path.nodes],
                        "factors": [step.factor for step in path.steps],
                        "product": path.product,
                    }
                    for path in self.largest
                ],
            }
        )
        return found

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def __str__(self) -> str:
        return self.text()


def paths_card(trace: Trace, sample: int, target: Node, source: Node, k: int = 5) -> PathsCard:
    """∂a(target)/∂a(source) in one sample, as a sum over paths.

    Parameters
    ----------
    target, source : node id or str
        Any two neurons; where no path leads from `source` to `target` the numbers are 0.
    k : int
        How many of the largest paths to show.

    Raises
    ------
    UnknownName
        If a neuron does not exist.
    UsageError
        If they are the same, or k is less than 1.
    GraphTooLarge
        If too many edges lie in between.

    Notes
    -----
    Time is O(k · edges in between), however many paths there are.
    """
    if k < 1:
        raise UsageError(f"paths: k = {k}; ask for at least 1 path.")
    found = between(trace, sample, source, target)
    total_sum, total_abs = _sums(found)
    n_paths = _count(found, lambda link: True)
    return PathsCard(
        source=found.nodes[0],
        target=found.nodes[-1],
        sample=sample,
        n_paths=n_paths,
        n_won=_count(found, lambda link: not link.lost),
        n_open=_count(found, lambda link: link.factor != 0),
        sum=total_sum,
        sum_abs=total_abs,
        largest=_largest(found, k),
        softmax=found.softmax,
        n_back=0 if n_paths else _count_back(trace, sample, target, source),
    )


def _count_back(trace: Trace, sample: int, target: Node, source: Node) -> int:
    """How many paths lead the other way; only asked where none leads this way."""
    try:
        return _count(between(trace, sample, target, source), lambda link: True)
    except GraphTooLarge:  # it was not asked for, so it is left untold
        return 0


def _count(found: Between, passes: Callable[[Link], bool]) -> int:
    """How many paths use only edges that pass; exact, however many."""
    numbers = [1]
    for links in found.links[1:]:
        numbers.append(sum(numbers[link.source] for link in links if passes(link)))
    return numbers[-1]


def _sums(found: Between) -> tuple[float, float]:
    """The sum over all paths of their products, and of the products' absolute values."""
    sums, sizes = [1.0], [1.0]
    for links in found.links[1:]:
        carrying = [link for link in links if link.factor]
        sums.append(total(sums[link.source] * link.factor for link in carrying))
        sizes.append(total(sizes[link.source] * abs(link.factor) for link in carrying))
    return sums[-1], sizes[-1]


def _largest(found: Between, k: int) -> tuple[Path, ...]:
    """The k open paths with the largest absolute products.

    The k largest to a neuron go through the k largest to each neuron it reads, since a factor changes no order among absolute
    values: so k of every neuron are enough, and the answer is exact.
    """
    ranked: list[Ranked] = [[(1.0, 0, 0)]]
    for links in found.links[1:]:
        candidates = (
            (product * link.factor, number, rank)
            for number, link in enumerate(links)
            if link.factor
            for rank, (product, _, _) in enumerate(ranked[link.source])
        )
        ranked.append(nlargest(k, candidates, key=_size))
    return tuple(_path(found, ranked, rank) for rank in range(len(ranked[-1])))


def _size(candidate: tuple[float, int, int]) -> float:
    return abs(candidate[0])


def _path(found: Between, ranked: list[Ranked], rank: int) -> Path:
    """Walk one ranked path back to where it starts."""
    product, steps, node = ranked[-1][rank][0], [], len(found.nodes) - 1
    while node > 0:
        _, number, rank = ranked[node][rank]
        link = found.links[node][number]
        steps.append(Step(found.nodes[link.source], found.nodes[node], link.dz_da, link.slope, link.factor))
        node = link.source
    return Path(tuple(reversed(steps)), product)
