"""The command line: `main` is the door, one file a command behind it.

A command is a module of this package with a function ``command`` (its parameters are typer arguments and options, its docstring
the help) and a string ``EXAMPLES`` of command lines. It prints to stdout, raises `NeurographError` for the user's mistakes, and
returns None or an exit code.
"""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code (see `neurograph.cli.door`)."""
    from neurograph.cli.door import run

    return run(arguments)
