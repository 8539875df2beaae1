"""Downloads MNIST's four files and believes nothing but their published checksums."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from neurograph.errors import DataError
from neurograph.parameters import write_atomically

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
TIMEOUT = 20
"""Seconds to wait for a server's next bytes."""


class Published(NamedTuple):
    """A file as it was published: its size and SHA-256, compressed."""

    name: str
    size: int
    sha256: str


FILES = (
    Published(
        "train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    Published("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    Published(
        "t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    Published("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)


def download_mnist(folder: Path, mirrors: tuple[str, ...] = MIRRORS, files: tuple[Published, ...] = FILES) -> None:
    """Put MNIST's files into `folder`; each appears there whole and verified, or not at all.

    Raises
    ------
    DataError
        If no mirror gives a file as it was published, with what each answered and how to do it by hand.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            if not (folder / file.name).is_file():
                write_atomically(folder / file.name, _fetch(file, mirrors, folder))
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {error.strerror or error}. MNIST could not be kept there; {_by_hand(mirrors)}"
        ) from None


def _fetch(file: Published, mirrors: tuple[str, ...], folder: Path) -> bytes:
    answers = []
    for mirror in mirrors:
        try:
            payload = _get(mirror + file.name, file.size + 1)
        except (OSError, ValueError) as error:
            answers.append(f"  {mirror}{file.name}: {getattr(error, 'reason', None) or error}")
            continue
        if hashlib.sha256(payload).hexdigest() == file.sha256:
            return payload
        answers.append(
            f"  {mirror}{file.name}: {len(payload):,} bytes that are not the published ones (SHA-256 differs)"
        )
    raise DataError(
        f"MNIST is neither in {folder} nor to be downloaded:\n" + "\n".join(answers) + f"\n{_by_hand(mirrors)}"
    )


def _get(url: str, most: int) -> bytes:
    """At most so many bytes of a page."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        payload: bytes = answer.read(most)
    return payload


def _by_hand(mirrors: tuple[str, ...]) -> str:
    names = ", ".join(file.name for file in FILES)
    return (
        f"By hand: fetch {names} from {mirrors[0]} on any machine, put them into one folder, and name it: "
        f"--data FOLDER, or the environment variable NEUROGRAPH_MNIST. Without a network: --data digits is bundled."
    )
