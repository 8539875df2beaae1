"""`neurograph what-if`: change one number of a pass, and see exactly what becomes another number."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import UsageError

EXAMPLES = """
neurograph what-if four "x[0,2,3]=0"
neurograph what-if four "conv.weight[0,0,1,1]=0"
neurograph what-if mazur w5=0.45 i1=0.1
neurograph what-if four "conv[0,3,1]=0"
neurograph what-if digits "x[0,3,3]=1" --run runs/digits --sample 7
neurograph what-if four "x[0,2,3]=0" --format html > change.html
neurograph what-if mazur w5=0.45 --json
"""


class Format(StrEnum):
    """What the comparison is set in."""

    text = "text"
    latex = "latex"
    html = "html"
    json = "json"


CHANGES = typer.Argument(
    metavar="CHANGE...",
    help="An input x[0,2,3]=5 or i1=0.1, a weight conv1.weight[0,0,2,1]=0.5 (all its uses), or an activation pool1[0,1,0]=3.",
)
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
DIGITS = typer.Option(help="Significant digits.", min=1, max=17)
ROWS = typer.Option(help="Rows of a layer's table before it is shortened to the largest changes.", min=1)
FORMAT = typer.Option("--format", help="text; latex: to paste into a document; html: a whole page; json: every neuron.")


def command(
    spec: SpecArgument,
    changes: Annotated[list[str], CHANGES],
    sample: Annotated[int | None, SAMPLE] = None,
    own: Annotated[Path | None, INPUT] = None,
    target: Annotated[str | None, TARGET] = None,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    digits: Annotated[int, DIGITS] = 6,
    rows: Annotated[int, ROWS] = 8,
    form: Annotated[Format, FORMAT] = Format.text,
    as_json: JsonOption = False,
) -> None:
    """Change an input, a weight or an activation, and list exactly the neurons whose z, a or δ become another number.

    Both passes are whole passes of one engine, compared to the last bit. A changed weight changes all its uses. A changed
    activation is held at its value: nothing flows back through it.
    """
    from neurograph.cli.examined import examine
    from neurograph.cli.working import working
    from neurograph.inspector.html import as_page
    from neurograph.inspector.latex import as_latex

    if sample is not None and own is not None:
        raise UsageError("--sample and --input: give one of them.")
    with working(f"{spec}, a pass as it is and one with the change", as_json or form is Format.json):
        found = examine(spec, sample, run, data, file=own, target=target)
        assert found.inspector is not None
        change = found.inspector.what_if(changes)
    about = f"{found.spec.name}, {found.note}, {found.weights}"
    if as_json or form is Format.json:
        print(
            json.dumps(
                {"network": found.spec.name, "about": about, **change.as_json()},
                indent=2,
                allow_nan=False,
                ensure_ascii=False,
            )
        )
    elif form is Format.text:
        print(f"{about}\n\n{change.text(digits, rows)}")
    else:
        sheet = change.sheet(digits, rows)
        print(as_page(sheet, about) if form is Format.html else as_latex(sheet, about))
