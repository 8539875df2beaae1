"""Data sets by name or path, as the command line and specs speak of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from neurograph.data.cifar import is_cifar, read_cifar
from neurograph.data.digits import digits
from neurograph.data.folders import fetched, folder_of, read_folder
from neurograph.data.known import CIFAR_10, KNOWN
from neurograph.data.mnist import read_family
from neurograph.data.prepare import prepare
from neurograph.errors import DataError, suggest

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples of one origin.

    Attributes
    ----------
    name : str
    x, xt : ndarray, shape (n, channels, rows, columns), or (n, features)
        Pixels as bytes 0…255, as most files have them, or floating-point numbers; `prepared` makes floats of bytes.
    y, yt : ndarray, shape (n,), or (n, values)
        Classes, or numbers to predict.
    """

    name: str
    x: Array
    y: Array
    xt: Array
    yt: Array

    def prepared(self, shape: tuple[int, ...], **options: Any) -> Dataset:
        """Samples brought to a network's input (see `prepare`)."""
        return replace(self, x=prepare(self.x, shape, **options), xt=prepare(self.xt, shape, **options))

    def limited(self, n: int | None) -> Dataset:
        """The first `n` training samples; the test samples stay."""
        return self if n is None else replace(self, x=self.x[:n], y=self.y[:n])


def load_data(name: str) -> Dataset:
    """A data set by name (`neurograph list --data` shows them), a folder of IDX or CIFAR-10 files, or an .npz file.

    Raises
    ------
    DataError
        If there is no such data set, or it is damaged.
    """
    train, test = _read(name)
    return Dataset(name, *train, *test)


def _read(name: str) -> Any:
    if name == "digits":
        return digits()
    if name == CIFAR_10.name:
        return _cifar()
    if name in KNOWN:
        return read_family(KNOWN[name])
    path = Path(name).expanduser()
    if path.suffix == ".npz":
        from neurograph.data.npz import read_npz

        return read_npz(path)
    if path.is_file():
        raise DataError(
            f"{path}: a file; expected an .npz file, or a folder that holds IDX files or CIFAR-10's binary files."
        )
    if path.is_dir():
        return read_cifar(path) if is_cifar(path) else read_folder(path)
    raise DataError(
        f"no data set '{name}'{suggest(name, KNOWN)} (known: {', '.join(KNOWN)}, or the path of an .npz file or of a folder of "
        f"IDX or CIFAR-10 files)."
    )


def _cifar() -> Any:
    folder, who = folder_of(CIFAR_10)
    try:
        return read_cifar(folder if who != "cache" else fetched(CIFAR_10))
    except DataError as error:
        hint = "" if who == "cache" else f" (The environment variable {who} names this folder.)"
        raise DataError(f"{error}{hint}") from None


def prepare_options(table: Mapping[str, Any]) -> dict[str, Any]:
    """Those keys of a [data] table that `prepare` takes."""
    return {key: table[key] for key in ("pad", "resize", "low", "high") if table.get(key) is not None}
