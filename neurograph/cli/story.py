"""`neurograph story`: one pass of backpropagation and its update, told frame by frame."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import UsageError

if TYPE_CHECKING:
    from neurograph.inspector.frames import Story

EXAMPLES = """
neurograph story mazur --digits 9
neurograph story four --by neuron
neurograph story mazur -o mazur.html
neurograph story four --fractions --all
neurograph story lenet5 --run runs/lenet5 --sample 7 -o seven.html
neurograph story xor --sample 1 --set train.learning_rate=0.5
neurograph story digits --json > story.json
"""


class By(StrEnum):
    """What a frame is about."""

    layer = "layer"
    neuron = "neuron"


class Format(StrEnum):
    """What a story is set in."""

    text = "text"
    html = "html"
    json = "json"


SUFFIXES = {".html": Format.html, ".htm": Format.html, ".json": Format.json, ".txt": Format.text}

BY = typer.Option(help="layer by layer, or neuron by neuron (of a large network: the neurons that say most).")
SAMPLE = typer.Option(help="Which sample, counted from 0.", min=0)
INPUT = typer.Option(
    "--input", metavar="FILE", help="A sample of your own: .npy, .npz, or numbers as text, such as CSV."
)
TARGET = typer.Option(help="With --input: what the output should be, a class such as 3, or numbers such as 0.1,0.9.")
RUN = typer.Option(
    metavar="DIR", help="Take the weights from this run folder. Default: as the spec gives them, else untrained."
)
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: the spec's samples, else the run's data, else the spec's."
)
SET = typer.Option("--set", metavar="KEY=VALUE", help="Change the spec's [train], such as train.learning_rate=0.05.")
DIGITS = typer.Option(help="Significant digits.", min=1, max=17)
FRACTIONS = typer.Option(
    "--fractions", help="Exact fractions, 1/10 for 0.1; for networks without sigmoids, softmax and the like."
)
ALL = typer.Option("--all", help="Print all frames at once, also in a terminal.")
OUT = typer.Option("--out", "-o", metavar="FILE", help="Write to a file ending in .html, .json or .txt.")
FORMAT = typer.Option("--format", help="text, html (a page to step through), json. Default: as the file's name says.")


def command(
    spec: SpecArgument,
    by: Annotated[By, BY] = By.layer,
    sample: Annotated[int | None, SAMPLE] = None,
    own: Annotated[Path | None, INPUT] = None,
    target: Annotated[str | None, TARGET] = None,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    assignments: Annotated[list[str] | None, SET] = None,
    digits: Annotated[int, DIGITS] = 6,
    fractions: Annotated[bool, FRACTIONS] = False,
    every: Annotated[bool, ALL] = False,
    out: Annotated[Path | None, OUT] = None,
    form: Annotated[Format | None, FORMAT] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell one pass step by step: forward, loss, δ, what each use of a weight asks for, the sums, the update.

    In a terminal: n or → for the next frame, p or ← for the one before, a number and Enter to jump, q to leave. Into a file
    or a pipe all frames are written at once. The update is one step of the spec's [train].
    """
    if sample is not None and own is not None:
        raise UsageError("--sample and --input: give one of them.")
    chosen = _format(out, Format.json if as_json else form)
    story, about = _told(spec, by, sample, own, target, run, data, assignments or [], fractions)
    if out is not None:
        out.write_text(_set(story, chosen, digits, about) + "\n", encoding="utf-8")
        print(f"{out}: {story.name}, {by.value} by {by.value}, {len(story)} frames")
    elif chosen is Format.text and not every and sys.stdin.isatty() and sys.stdout.isatty():
        from neurograph.cli.stepping import step_through

        step_through(story, digits, about)
    else:
        print(_set(story, chosen, digits, about))


def _told(
    spec: str,
    by: By,
    sample: int | None,
    own: Path | None,
    target: str | None,
    run: Path | None,
    data: str | None,
    assignments: list[str],
    fractions: bool,
) -> tuple[Story, str]:
    """The story, and what stands above it."""
    from neurograph.cli.examined import examine
    from neurograph.training.settings import Settings

    found = examine(spec, sample, run, data, file=own, target=target)
    assert found.inspector is not None
    optimizer = Settings.of(found.spec, assignments).make_optimizer()
    optimizer.train_on(found.inspector.trace.batch)
    inspector = found.inspector.fractions() if fractions else found.inspector
    story = inspector.story(by=by.value, optimizer=optimizer)
    return story, f"{found.spec.name}, {found.note}, {found.weights}"


def _format(out: Path | None, form: Format | None) -> Format:
    if form is not None or out is None:
        return form or Format.text
    if out.suffix not in SUFFIXES:
        raise UsageError(
            f"--out {out}: no format '{out.suffix}'; use a name ending in {', '.join(SUFFIXES)}, or --format."
        )
    return SUFFIXES[out.suffix]


def _set(story: Story, form: Format, digits: int, about: str) -> str:
    if form is Format.json:
        return json.dumps(
            {"network": story.name, "about": about, **story.as_json()}, indent=2, allow_nan=False, ensure_ascii=False
        )
    return story.page(digits, about) if form is Format.html else f"{about}\n\n{story.text(digits)}"
