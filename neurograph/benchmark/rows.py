"""The table of speeds: which network, mode and batch, and the ratio to PyTorch eager that each is to reach."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from neurograph.benchmark import networks
from neurograph.benchmark.networks import Network
from neurograph.errors import UsageError, suggest


@dataclass(frozen=True)
class Row:
    """A line of the table; its key is group-mode-batch."""

    group: str
    mode: str
    batch: int
    target: float | None = None

    @property
    def key(self) -> str:
        return f"{self.group}-{self.mode}-{self.batch}"


ROWS = (
    Row("lenet5", "train", 64, 6),
    Row("lenet5", "train", 256, 6),
    Row("lenet5", "train", 1, 30),
    Row("lenet5", "infer", 64, 4.5),
    Row("lenet5", "infer", 256),
    Row("lenet5", "infer", 1, 15),
    Row("mlp", "train", 64, 2.5),
    Row("mlp", "train", 256, 1.5),
    Row("mlp", "train", 1, 20),
    Row("mlp", "infer", 64),
    Row("mlp", "infer", 256),
    Row("mlp", "infer", 1, 4),
    Row("odd", "train", 64, 6),
    Row("odd", "train", 256),
    Row("odd", "train", 1, 25),
    Row("odd", "infer", 64),
    Row("odd", "infer", 256),
    Row("odd", "infer", 1),
    Row("edited", "train", 64, 1.5),
    Row("edited", "infer", 64),
)
"""Rows of networks that every peer can say, or stand in for. The other groups have functions of their own."""

AHEAD = {"mlp": ("jax", "numpy")}
"""Groups in which PyTorch is not the fastest peer, and who else must not be faster than we are."""

GROUPS = {
    "lenet5": "LeNet-5 as bundled",
    "mlp": "784-128-10",
    "odd": "a network that nobody tuned for: odd sizes, dilation, groups, a skip",
    "edited": "LeNet-5 with 5 % of its edges deleted at random",
    "sparse": "a random sparse graph (--edges)",
    "convolution": "3×3×256→256 at 28×28, one thread",
    "drawn": "odd networks drawn at random (--odd)",
    "start": "process start to first training step, first ever and warm",
    "memory": "peak memory of training LeNet-5 on 60,000 images",
    "build": "building and compiling LeNet-5's graph",
    "textbook": "the textbook engine, one sample of LeNet-5",
    "counts": "counting and compiling AlexNet and VGG-19",
    "forward": "their forward pass at batch 1 (--large)",
    "batch": "scaling with the batch",
    "width": "scaling with width",
    "depth": "scaling with depth",
    "edge": "the cost of one more edge",
}
"""Every group of results, in the order in which they are shown."""

QUICK = (
    "lenet5-train-64",
    "lenet5-train-1",
    "lenet5-infer-64",
    "mlp-train-64",
    "odd-train-64",
    "start",
    "build",
    "textbook",
)
"""What `--quick` measures."""


@dataclass(frozen=True)
class Selection:
    """Words that choose rows: a group, or a key or the beginning of one."""

    words: tuple[str, ...]

    def rows(self, group: str) -> list[Row]:
        """The chosen rows of a group."""
        return [row for row in ROWS if row.group == group and any(_begins(row.key, word) for word in self.words)]

    def has(self, group: str) -> bool:
        """Whether a group is chosen, or any of its rows."""
        return group in self.words or bool(self.rows(group))


def selection(words: Iterable[str] | None, quick: bool = False, also: Iterable[str] = ()) -> Selection:
    """What to measure: the rows asked for, or all but the longest (`also` adds groups to either).

    Raises
    ------
    UsageError
        If there is no such row, or none is named.

    Examples
    --------
    >>> [row.key for row in selection(["lenet5-train"]).rows("lenet5")]
    ['lenet5-train-64', 'lenet5-train-256', 'lenet5-train-1']
    >>> selection(["textbok"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    neurograph.errors.UsageError: bench: no row 'textbok'; did you mean 'textbook'? (known: lenet5, ...
    """
    if words is None:
        return Selection((*(QUICK if quick else (group for group in GROUPS if group != "forward")), *also))
    asked = tuple(word for word in words if word)
    keys = [row.key for row in ROWS]
    if not asked:
        raise UsageError(f"bench: --rows names nothing; leave it out for all rows (known: {', '.join(GROUPS)})")
    for word in asked:
        if word not in GROUPS and not any(_begins(key, word) for key in keys):
            raise UsageError(
                f"bench: no row '{word}'{suggest(word, [*GROUPS, *keys])} (known: {', '.join(GROUPS)}; "
                f"and one row of a group, such as {keys[0]})"
            )
    return Selection((*asked, *also))


def _begins(key: str, word: str) -> bool:
    return re.match(re.escape(word) + r"(-|$)", key) is not None


def network(group: str) -> Network:
    """The network of a group of rows."""
    if group == "mlp":
        return networks.said(networks.MLP)
    if group == "odd":
        return networks.said(networks.ODD)
    if group == "edited":
        return networks.edited(0.05)
    return networks.bundled(group)
