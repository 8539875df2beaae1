"""Data files of all forms: nineteen of twenty are IDX, which cost least; the others archives of arrays and CIFAR-10."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from fuzzing.cifar_folders import CifarFolders
from fuzzing.idx_files import IdxFiles
from fuzzing.npz_files import NpzFiles


class DataFiles:
    """One of the three, by chance."""

    def __init__(self, folder: Path) -> None:
        self.forms: dict[str, Any] = {"IDX": IdxFiles(folder), ".npz": NpzFiles(folder), "CIFAR": CifarFolders(folder)}

    def make(self, random: Random) -> tuple[str, Any]:
        """The form, and a file of it."""
        chance = random.random()
        form = "IDX" if chance < 0.95 else ".npz" if chance < 0.99 else "CIFAR"
        return form, self.forms[form].make(random)

    def run(self, made: tuple[str, Any]) -> str:
        """Read it."""
        form, content = made
        return f"{form} {self.forms[form].run(content)}"

    def shown(self, made: tuple[str, Any]) -> str:
        """The file as Python."""
        form, content = made
        return f"{form}: {self.forms[form].shown(content)}"
