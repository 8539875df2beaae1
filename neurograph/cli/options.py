"""Arguments and options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

SpecArgument = Annotated[
    str, typer.Argument(metavar="SPEC", help="A bundled network (see `neurograph list`) or the path of a spec.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of everything random.", min=0)]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
