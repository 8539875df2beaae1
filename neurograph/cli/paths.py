"""`neurograph paths`: how one neuron depends on another, as a sum over the paths between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from neurograph.cli.explain import DATA, DIGITS, FORMAT, RUN, Format
from neurograph.cli.options import JsonOption, SpecArgument

EXAMPLES = """
neurograph paths four "input[0,2,1]" "outputs[0]"
neurograph paths mazur i1 o1 --digits 9
neurograph paths lenet5 "input[0,14,14]" "fc3[3]" -k 10
neurograph paths digits "conv1[0,3,3]" "out[7]" --sample 7 --run runs/digits
neurograph paths four "input[0,2,1]" "outputs[0]" --format html > paths.html
"""

FROM = typer.Argument(metavar="FROM", help="The neuron where paths start: mostly an input, such as input[0,2,1].")
TO = typer.Argument(metavar="TO", help="The neuron where they end: mostly an output, such as fc3[3].")
MOST = typer.Option("-k", "--largest", help="How many of the largest paths to show.", min=1)
SAMPLE = typer.Option(help="Which sample, counted from 0.", min=0)


def command(
    spec: SpecArgument,
    source: Annotated[str, FROM],
    target: Annotated[str, TO],
    k: Annotated[int, MOST] = 5,
    sample: Annotated[int | None, SAMPLE] = None,
    digits: Annotated[int, DIGITS] = 6,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    form: Annotated[Format, FORMAT] = Format.text,
    as_json: JsonOption = False,
) -> None:
    """Show ∂TO/∂FROM as what the chain rule makes it: a sum over all paths of the product of what stands on their edges.

    How many paths there are (exactly), how many of them carry anything (pooling lets only winners through, a closed ReLU nothing),
    the largest ones, and their share.
    """
    from neurograph.cli.examined import examine
    from neurograph.cli.working import working
    from neurograph.graph.lay_out import lay_out
    from neurograph.graph.layout import layout_of
    from neurograph.inspector.html import as_page
    from neurograph.inspector.latex import as_latex
    from neurograph.spec import load

    layout = layout_of(lay_out(load(spec)))
    for name in (source, target):
        layout.place(name)  # a wrong name is told before anything runs
    with working(f"{spec}, the paths from {source} to {target}", as_json or form is Format.json):
        found = examine(spec, sample, run, data)
        assert found.inspector is not None
        card = found.inspector.paths(target, source, k)
    about = f"{found.spec.name}, {found.note}, {found.weights}"
    if as_json or form is Format.json:
        note = {"network": found.spec.name, "data": found.note, "weights": found.weights}
        print(json.dumps(note | card.as_json(), indent=2, allow_nan=False))
    elif form is Format.text:
        print(f"{about}\n\n{card.text(digits)}")
    else:
        print((as_page if form is Format.html else as_latex)(card.sheet(digits), about))
