"""`neurograph untie`: give every neuron of a tied group weights of its own, and see how the copies drift apart."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import UsageError

EXAMPLES = """
neurograph untie four "conv[0]" --steps 10
neurograph untie four "conv.weight[0,0,1,1]" --set train.learning_rate=1e-4
neurograph untie digits "conv1[2]" --run runs/digits --sample 7
neurograph untie four "conv[0]" --format html > drift.html
neurograph untie four "conv[0]" --steps 100 --json
"""


class Format(StrEnum):
    """What the comparison is set in."""

    text = "text"
    html = "html"
    json = "json"


WHAT = typer.Argument(
    metavar="WHAT",
    help="A group conv1[0], a layer conv1, or one shared weight conv1.weight[0,0,2,1] (then each of its edges gets a copy).",
)
STEPS = typer.Option(help="Steps of training on the same batch.", min=1)
SAMPLE = typer.Option(
    help="Which sample, counted from 0. Of a spec with samples of its own: default all of them.", min=0
)
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
ROWS = typer.Option(help="Rows of a table before it is shortened.", min=2)
FORMAT = typer.Option("--format", help="text; html: a page with the copies' paths as a picture; json: every copy.")


def command(
    spec: SpecArgument,
    what: Annotated[str, WHAT],
    steps: Annotated[int, STEPS] = 10,
    sample: Annotated[int | None, SAMPLE] = None,
    own: Annotated[Path | None, INPUT] = None,
    target: Annotated[str | None, TARGET] = None,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    assignments: Annotated[list[str] | None, SET] = None,
    digits: Annotated[int, DIGITS] = 6,
    rows: Annotated[int, ROWS] = 12,
    form: Annotated[Format, FORMAT] = Format.text,
    as_json: JsonOption = False,
) -> None:
    """Train a network twice on one batch, as it is and with one group untied: the copies' own updates, and how they drift apart.

    Both trainings are the textbook engine's, with the optimiser of the spec's [train]; the networks start equal.
    """
    from neurograph.cli.examined import examine
    from neurograph.cli.working import working
    from neurograph.training.settings import Settings

    if sample is not None and own is not None:
        raise UsageError("--sample and --input: give one of them.")
    with working(
        f"{spec}, {steps:,} step{'s' * (steps != 1)} with {what} tied and untied", as_json or form is Format.json
    ):
        found = examine(spec, sample, run, data, whole_batch=True, file=own, target=target)
        assert found.inspector is not None
        optimizer = Settings.of(found.spec, assignments or []).make_optimizer()
        optimizer.train_on(found.inspector.trace.batch)
        drift = found.inspector.untie(what, optimizer, steps)
    about = f"{found.spec.name}, {found.note}, {found.weights}"
    if as_json or form is Format.json:
        print(
            json.dumps(
                {"network": found.spec.name, "about": about, **drift.as_json()},
                indent=2,
                allow_nan=False,
                ensure_ascii=False,
            )
        )
    elif form is Format.html:
        print(drift.page(digits, rows, about))
    else:
        print(f"{about}\n\n{drift.text(digits, rows)}")
