"""Where compiled kernels are kept between runs: one file a kernel, in a folder that only its owner may touch.

Cached code is executed when it is loaded. So the folder and each file must belong to this user alone, and a file carries a checksum of
its name and content: what is truncated, damaged or misplaced is deleted and compiled anew. The name of a file is a hash of all
that its code depends on, so there is no index, nothing to update, and any number of processes may write at once.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import platform
import stat
import tempfile
import time
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.serialize import dumps

from neurograph.version import __version__

ROOM = 64 * 2**20
"""Bytes that the folder may hold. A full set of kernels takes a few MB; other versions' and processors' go, oldest first."""

SUFFIX = ".kernel"
BEING_WRITTEN = ".part"
ABANDONED = 3600.0
"""Seconds after which a file that is still being written is taken for that of a process that was killed."""

CHECKSUM = 32
OPTIONS = ("BOUNDSCHECK", "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")
"""Settings of Numba's environment that change the code it makes."""


def say_once(message: str) -> None:
    """One plain line, once a process: on stderr, unless the user's logging says otherwise."""
    if message not in _said:
        _said.add(message)
        logging.getLogger("neurograph").warning(message)


_said: set[str] = set()


# -- the folder -------------------------------------------------------------------------------------------------------
@functools.cache
def cache_folder() -> Path | None:
    """The user's own folder for compiled kernels, or None (and a line that says why) where there cannot be one."""
    folder = _base() / "neurograph" / "kernels"
    problem = _problem_of(folder)
    if problem is None:
        return folder
    _not_kept(folder, problem)
    return None


def _base() -> Path:
    """The folder of all caches: ``XDG_CACHE_HOME`` where it is an absolute path, as its specification says."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    return Path(named) if os.path.isabs(named) else Path(os.path.expanduser("~"), ".cache")


def _problem_of(folder: Path) -> str | None:
    if not folder.is_absolute():
        return "there is no home folder"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        return error.strerror or str(error)
    if stat.S_ISDIR(found.st_mode) and _is_private(found, 0o077):
        return None
    return "it is not a folder of this user alone (mode 0700)"


def _is_private(found: os.stat_result, others: int) -> bool:
    """Whether it is this user's, and closed to `others`; systems without owners and modes keep folders private by themselves."""
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & others)


def _not_kept(where: Path, problem: str) -> None:
    say_once(
        f"{where}: compiled kernels are not kept, so every start compiles them anew: {problem}. "
        f"Set XDG_CACHE_HOME to a folder of your own with room to write."
    )


# -- what code depends on ---------------------------------------------------------------------------------------------
@functools.cache
def source_stamp() -> str:
    """A hash of every kernel's source: compiled code holds its helpers too, so any change makes all of it stale."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:20]


def maker() -> tuple[str, ...]:
    """Versions and settings of everything that has a part in making code; processor and signature are the kernel's own key."""
    settings = (f"{name}={getattr(numba.config, name, None)}" for name in OPTIONS)
    python = (platform.python_implementation(), platform.python_version())
    return (__version__, source_stamp(), numba.__version__, llvmlite.__version__, *python, *settings)


# -- the files --------------------------------------------------------------------------------------------------------
class KernelFiles:
    """The files of one kernel: one for every signature and processor.

    Parameters
    ----------
    folder : Path
    title : str
        The kernel's name, for whoever looks into the folder.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.folder, self.title = folder, title

    def path(self, key: Any) -> Path:
        """The file of a signature on a processor."""
        digest = hashlib.sha256("\0".join([*maker(), self.title, str(key)]).encode()).hexdigest()
        return self.folder / f"{self.title}-{digest[:32]}{SUFFIX}"

    def load(self, key: Any) -> Any:
        """What was saved, or None."""
        path = self.path(key)
        try:
            content = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            say_once(f"{path}: a compiled kernel was not read ({error.strerror}).")
            return None
        if content[:CHECKSUM] != _checksum(path, content[CHECKSUM:]):
            self.discard(key)
            return None
        _touch(path)
        return pickle.loads(content[CHECKSUM:])

    def save(self, key: Any, data: Any) -> None:
        """Keep a compiled kernel; whoever reads meanwhile sees all of it or nothing."""
        path, content = self.path(key), dumps(data)
        try:
            _write(path, _checksum(path, content) + content)
        except OSError as error:
            _not_kept(self.folder, error.strerror or str(error))
        else:
            _tidy(self.folder)

    def discard(self, key: Any) -> None:
        """Delete what was saved, and say so."""
        with contextlib.suppress(OSError):  # where it stays, it is found damaged at every start
            self.path(key).unlink()
        say_once(f"{self.folder}: damaged kernels were deleted and are compiled anew.")

    def flush(self) -> None:
        """Delete all files of this kernel, whatever they were made for."""
        for path in self.folder.glob(f"{self.title}-*{SUFFIX}"):
            path.unlink(missing_ok=True)


def _checksum(path: Path, content: bytes) -> bytes:
    """Of content and name, so that a file under another's name is noticed too."""
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def _read(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _is_private(found, 0o022):
            raise PermissionError(0, "it is not a file that this user alone may write")
        return file.read()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    number, name = tempfile.mkstemp(BEING_WRITTEN, path.stem, path.parent)
    try:
        with open(number, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _touch(path: Path) -> None:
    """Note that a file is in use, at most once an hour; a read-only folder notes nothing."""
    with contextlib.suppress(OSError):
        if time.time() - path.stat().st_mtime > ABANDONED:
            os.utime(path)


@functools.cache
def _tidy(folder: Path) -> None:
    """Once a process: delete what killed processes left, and the files longest unused where the folder holds too much."""
    files = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may tidy up at the same time
            found = path.lstat()
            if path.name.endswith(BEING_WRITTEN) and time.time() - found.st_mtime > ABANDONED:
                path.unlink()
            elif stat.S_ISREG(found.st_mode):
                files.append((found.st_mtime, found.st_size, path))
    kept = 0
    for _, size, path in sorted(files, reverse=True):
        kept += size
        if kept > ROOM:
            with contextlib.suppress(OSError):
                path.unlink()
