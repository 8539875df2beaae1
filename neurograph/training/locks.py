"""One process at a time trains in a run folder: a lock file that says who, and that nobody has to clear away after a crash."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from types import TracebackType

from neurograph.errors import RunError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows, where nobody can remove a file that is open
    flock = None  # type: ignore[assignment]

NAME = ".lock"
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""What a file system answers that has no locks."""


class Lock:
    """Held while it is entered, by one process; the system lets go of it when that process ends, however it ends.

    Parameters
    ----------
    folder : Path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Lock(Path(folder)):
    ...     with Lock(Path(folder)):
    ...         pass
    Traceback (most recent call last):
    neurograph.errors.RunError: ...: another training is going on here: this process. ...
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / NAME
        self._file: int | None = None

    def __enter__(self) -> Lock:
        try:
            while self._file is None:
                self._file = self._open()
        except RunError:
            raise
        except OSError as error:
            raise RunError(f"{self.folder}: nothing can be written here: {error.strerror or error}.") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):  # a file that stays says a process that is no more, and is taken over
                if flock is not None:
                    self.path.unlink()  # while it is held, so that nobody's else is removed
            os.close(self._file)
            if flock is None:
                self.path.unlink(missing_ok=True)
            self._file = None

    def _open(self) -> int | None:
        """The lock's file, held and with our name in it; None if its former holder removed it meanwhile."""
        if flock is None:
            with contextlib.suppress(FileNotFoundError):
                self._remove()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._hold(file)
            if not self._is_there(file):
                os.close(file)
                return None
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()} {socket.gethostname()}\n".encode())
        except BaseException:
            os.close(file)
            raise
        return file

    def _hold(self, file: int) -> None:
        pid, host = self._owner()
        if flock is not None:
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise self._refusal(pid, host) from None
                if pid and host == socket.gethostname() and pid != os.getpid() and _is_alive(pid):
                    raise self._refusal(pid, host, is_sure=False) from None
        if pid and host != socket.gethostname():  # locks do not reach every other machine
            raise self._refusal(pid, host, is_sure=False)

    def _remove(self) -> None:
        pid, host = self._owner()
        try:
            self.path.unlink()
        except PermissionError:
            raise self._refusal(pid, host) from None

    def _is_there(self, file: int) -> bool:
        try:
            return os.path.samestat(os.fstat(file), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _owner(self) -> tuple[int, str]:
        try:
            pid, _, host = self.path.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
        except OSError:
            return 0, ""
        return (int(pid), host) if pid.isdecimal() and len(pid) < 20 and host else (0, "")

    def _refusal(self, pid: int, host: str, is_sure: bool = True) -> RunError:
        """Nobody is asked to remove anything where the system itself says that the lock is held."""
        who = "a process that has not said its name" if not pid else f"process {pid} on {host}"
        if (pid, host) == (os.getpid(), socket.gethostname()):
            who = "this process"
        unless = "" if is_sure else f"; if it trains no more, which cannot be seen from here, remove {self.path}"
        return RunError(f"{self.folder}: another training is going on here: {who}. Wait for it, or stop it{unless}.")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
