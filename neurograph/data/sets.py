"""Data sets by name, as the command line and specs speak of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neurograph.data.digits import digits
from neurograph.data.mnist import mnist, read_folder
from neurograph.data.prepare import prepare
from neurograph.errors import DataError, suggest

NAMES = ("digits", "mnist")
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples of one origin."""

    name: str
    x: Array
    y: Array
    xt: Array
    yt: Array

    def prepared(self, shape: tuple[int, ...], **options: Any) -> Dataset:
        """Samples brought to a network's input (see `prepare`)."""
        return replace(self, x=prepare(self.x, shape, **options), xt=prepare(self.xt, shape, **options))


def load_data(name: str) -> Dataset:
    """A data set by name (``digits``, ``mnist``), or from a folder of IDX files named as MNIST's.

    Raises
    ------
    DataError
        If there is no such data set, or it is damaged.
    """
    if name == "digits":
        train, test = digits()
    elif name == "mnist":
        train, test = mnist()
    elif Path(name).expanduser().exists():
        train, test = read_folder(name)
    else:
        raise DataError(
            f"no data set '{name}'{suggest(name, NAMES)} (known: {', '.join(NAMES)}, or the path of a folder of IDX files)."
        )
    return Dataset(name, *train, *test)
