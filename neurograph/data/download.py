"""Downloads the files of a known data set and believes nothing but their published checksums."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from pathlib import Path

from neurograph.data.known import Known, Published
from neurograph.errors import DataError
from neurograph.parameters import write_atomically

TIMEOUT = 20
"""Seconds to wait for a server's next bytes."""


def download(known: Known, folder: Path) -> None:
    """Put a data set's files into `folder`; each appears there whole and verified, or not at all.

    Raises
    ------
    DataError
        If no mirror gives a file as it was published, with what each answered and how to do it by hand.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in known.files:
            if not (folder / file.name).is_file():
                write_atomically(folder / file.name, _fetch(known, file, folder))
    except OSError as error:
        raise DataError(
            f"{error.filename or folder}: {error.strerror or error}. {known.title} could not be kept there; {by_hand(known)}"
        ) from None


def by_hand(known: Known) -> str:
    """What to do without a network."""
    names = ", ".join(file.name for file in known.files)
    them = "them" if len(known.files) > 1 else "it"
    return (
        f"By hand: fetch {names} from {known.mirrors[0]} on any machine, put {them} into one folder, and name it: "
        f"--data FOLDER, or the environment variable {known.variable}. Without a network: --data digits is bundled."
    )


def _fetch(known: Known, file: Published, folder: Path) -> bytes:
    answers = []
    for mirror in known.mirrors:
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
        f"{known.title} is neither in {folder} nor to be downloaded:\n" + "\n".join(answers) + f"\n{by_hand(known)}"
    )


def _get(url: str, most: int) -> bytes:
    """At most so many bytes of a page."""
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
        payload: bytes = answer.read(most)
    return payload
