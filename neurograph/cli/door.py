"""From a command line to an exit code: finds the command, runs it, and turns every error into one plain message.

Exit codes: 0 done, 1 a fault of the program, 2 a mistake of the user, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Any

from neurograph import __version__
from neurograph.cli.commands import COMMANDS, overview
from neurograph.errors import NeurographError, UsageError, suggest

SCREEN = 40
"""Lines of an error message at most."""

NO_ROOM = "failed to map segment"
"""What the system's loader says where there is no memory for a library."""


def run(arguments: list[str] | None = None) -> int:
    """Run a command line (default: the process's) and return its exit code; a traceback is shown only when asked for.

    Examples
    --------
    >>> run(["--version"])  # doctest: +ELLIPSIS
    neurograph ...
    0
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _write_every_letter()
    with_traceback = arguments[:1] == ["--traceback"]
    try:
        code = _dispatch(arguments[1:] if with_traceback else arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if with_traceback and isinstance(error, Exception):
            raise
        message, code = describe(error)
        _tell(message)
        return code


def _tell(message: str) -> None:
    """The message, where somebody still reads; `2>&1 | head` may have gone, a disk may be full."""
    for silence, stream, text in (
        (_silence_stdout, sys.stdout, ""),
        (_silence_stderr, sys.stderr, _one_screen(message)),
    ):
        try:
            print(text, end="\n" if text else "", file=stream, flush=True)
        except OSError:
            silence()


def describe(error: BaseException) -> tuple[str, int]:
    """The message and exit code for an error."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted.", 130
    if isinstance(error, NeurographError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError) or (isinstance(error, ImportError) and NO_ROOM in str(error)):
        return "Not enough memory. Try a smaller batch (--batch-size), or fewer samples (--limit).", 2
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}.", 2
    fault = f"neurograph: a fault of the program, not yours: {type(error).__name__}: {error}"
    return f"{fault}\nPlease report it, with the output of the same command after `neurograph --traceback`.", 1


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(overview())
        return 0
    if any("\0" in argument for argument in arguments):  # which no shell can write, but a program can
        raise UsageError("neurograph: an argument holds a null character; none may.")
    name = arguments[0]
    if name == "--version":
        print(f"neurograph {__version__}")
        return 0
    if name.startswith("-"):
        raise UsageError(f"neurograph: no such option '{name}' before a command.\n\n{overview()}")
    if name not in COMMANDS:
        raise UsageError(f"neurograph: no command '{name}'{suggest(name, COMMANDS)}\n\n{overview()}")
    return _call(name, arguments[1:])


def _call(name: str, arguments: list[str]) -> int:
    """Import a command's module and let typer read its arguments."""
    import typer

    module = import_module(COMMANDS[name].module)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    settings = {"help_option_names": ["--help", "-h"], "max_content_width": 110}
    epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in module.EXAMPLES.strip().splitlines())
    app.command(name, epilog=epilog, context_settings=settings)(module.command)
    try:
        result: Any = typer.main.get_command(app)(arguments, prog_name=f"neurograph {name}", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except Exception as error:
        if not hasattr(error, "format_message"):  # how typer's own complaints are told apart, in all its versions
            raise
        raise UsageError(_usage_message(name, error)) from None
    if result == 130:
        raise KeyboardInterrupt
    return int(result or 0)


def _usage_message(name: str, error: Any) -> str:
    """Typer's complaint, with a suggestion, the usage line and where to read more."""
    option = error.option_name if hasattr(error, "possibilities") else None
    known = (
        [text for parameter in error.ctx.command.params for text in parameter.opts]
        if getattr(error, "ctx", None)
        else []
    )
    if option is not None:
        what = f"no such option '{option}'{suggest(option, [text for text in known if text.startswith('-')])}"
    else:
        what = " ".join(error.format_message().split())
        what = what.replace(" Value error, ", " ")  # some versions name the exception
    usage = f"\n{error.ctx.get_usage()}" if getattr(error, "ctx", None) else ""
    return f"neurograph {name}: {what}{usage}\nTry 'neurograph {name} --help'."


def _one_screen(message: str) -> str:
    lines = message.splitlines()
    if len(lines) <= SCREEN:
        return message
    return "\n".join([*lines[: SCREEN - 1], f"… and {len(lines) - SCREEN + 1} more lines."])


def _write_every_letter() -> None:
    """Where the output's encoding has no δ or × (ASCII, Windows code pages), write an escape instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Whoever read our output has gone: let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _silence_stderr() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
