"""`neurograph draw`: a network as a picture: its layers, its neurons, or one neuron's surroundings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.options import SpecArgument
from neurograph.errors import DrawingError

if TYPE_CHECKING:
    from neurograph.cli.examined import Examined

EXAMPLES = """
neurograph draw four -o four.svg
neurograph draw four --around "conv[0,3,1]" -o stroke.png
neurograph draw lenet5 -o lenet5.svg
neurograph draw lenet5 --view around --around "conv2[3,5,5]" -o neuron.svg
neurograph draw digits --around "conv2[3,4,4]" --run runs/digits --sample 7 -o neuron.pdf
neurograph draw mazur --values delta -o mazur.dot
"""

QUICK = 1_000_000
"""Edges up to which a network without samples is shown with random numbers rather than with none."""

OUT = typer.Option("--out", "-o", metavar="FILE", help="Ending in .svg, .png, .pdf or .dot. Default: SPEC.svg here.")
VIEW = typer.Option(
    help="layers, neurons, or around. Default: neurons for small networks, else layers (around, if a neuron is named)."
)
AROUND = typer.Option(metavar="NEURON", help="One neuron, such as conv1[0,3,4]: lit up, or in the middle.")
SAMPLE = typer.Option(help="Whose numbers are shown, counted from 0.", min=0)
VALUES = typer.Option(help="What colours the neurons: a, z, delta, or none for the bare structure.")
RUN = typer.Option(
    metavar="DIR", help="Take the weights from this run folder. Default: as the spec gives them, else untrained."
)
DATA = typer.Option(help="digits, mnist, or a folder of IDX files. Default: the spec's samples, else its data set.")


def command(
    spec: SpecArgument,
    out: Annotated[Path | None, OUT] = None,
    view: Annotated[str | None, VIEW] = None,
    around: Annotated[str | None, AROUND] = None,
    sample: Annotated[int, SAMPLE] = 0,
    values: Annotated[str, VALUES] = "a",
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
) -> None:
    """Draw a network.

    Drawn by Graphviz where it is installed (the program dot, or the Python package pygraphviz); without it, as SVG by neurograph.
    """
    from neurograph.spec import load
    from neurograph.viz import check, draw

    target = out if out is not None else Path(f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', load(spec).name)}.svg")
    check(target, view, values)
    found = _examined(spec, view, around, sample, values, run, data)
    try:
        drawn = draw(
            found.topology,
            target,
            view=view,
            around=around,
            inspector=found.inspector,
            values=values,
            labels=found.labels,
            note=", ".join(part for part in (found.note, found.weights) if part),
        )
    except OSError as error:
        raise DrawingError(f"{target}: {error.strerror or error}.") from None
    if drawn.path != target:
        print(f"No Graphviz here to make a {target.suffix} (install graphviz, or pygraphviz); wrote SVG instead.")
    what = {"around": f"the surroundings of {around or 'one neuron'} in"}.get(drawn.view, f"the {drawn.view} of")
    print(f"{drawn.path}: {what} {found.spec.name}, drawn by {drawn.by}")


def _examined(
    spec: str, view: str | None, around: str | None, sample: int, values: str, run: Path | None, data: str | None
) -> Examined:
    """The network, and a pass through it where the picture shows numbers."""
    from neurograph.cli.examined import Examined, examine
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load
    from neurograph.viz import needs_numbers

    loaded = load(spec)
    topology = lay_out(loaded)
    if not needs_numbers(topology, view, around, values):
        return Examined(loaded, topology, None, "", "")
    return examine(spec, sample, run, data, any_input=run is not None or topology.n_edges <= QUICK)
