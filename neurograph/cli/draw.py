"""`neurograph draw`: a network as a picture: layers, maps, neurons, one neuron's surroundings, a filter's uses, matrices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.options import SpecArgument
from neurograph.errors import DrawingError, UsageError

if TYPE_CHECKING:
    from neurograph.cli.examined import Examined
    from neurograph.inspector import Inspector
    from neurograph.viz import Drawn, Wish

EXAMPLES = """
neurograph draw four -o four.svg
neurograph draw four --around "conv[0,3,1]" --overlay delta -o stroke.png
neurograph draw lenet5 -o lenet5.svg
neurograph draw lenet5 --view neurons -o lenet5.png
neurograph draw lenet5-1998 --view maps --layer c3 -o table.svg
neurograph draw lenet5 --around "conv2[3,5,5]" --depth 3 -o sees.svg
neurograph draw digits --around "conv2[3,4,4]" --run runs/digits --sample 7 -o neuron.pdf
neurograph draw four --group "conv[0]" -o filter.svg
neurograph draw four --view toeplitz --layer conv --overlay gradient -o matrix.svg
neurograph draw mazur --overlay difference -o mazur.dot
"""

QUICK = 1_000_000
"""Edges up to which a network without samples is shown with random numbers rather than with none."""
BOTH = 500_000
"""Edges up to which the textbook engine, too, runs a sample while somebody waits."""

OUT = typer.Option("--out", "-o", metavar="FILE", help="Ending in .svg, .png, .pdf or .dot. Default: SPEC.svg here.")
VIEW = typer.Option(
    help="layers, maps, neurons, pipeline, around, group, windows (stride and padding), tied (dense, untied and tied side by "
    "side), or toeplitz (the weight matrix). Default: what suits the network and the other options."
)
AROUND = typer.Option(metavar="NEURON", help="One neuron, such as conv1[0,3,4]: lit up, or in the middle.")
GROUP = typer.Option(metavar="GROUP", help="A filter and all who share it, such as conv1[0], or a hand-named weight.")
LAYER = typer.Option(metavar="LAYER", help="One layer, for the views maps, windows, tied and toeplitz.")
DEPTH = typer.Option(help="With --around: how many steps back and on.", min=1)
FOLD = typer.Option(help="Draw repeated blocks of layers once, where there are many layers.")
SAMPLE = typer.Option(help="Whose numbers are shown, counted from 0.", min=0)
OVERLAY = typer.Option(
    "--overlay",
    "--values",
    help="What colours show: a, z or delta of neurons; weight or gradient of edges; the difference between both engines; or none.",
)
RUN = typer.Option(
    metavar="DIR", help="Take the weights from this run folder. Default: as the spec gives them, else untrained."
)
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: the spec's samples, else the run's data, else the spec's."
)
JSON = typer.Option("--json", help="Print what was written, as JSON.")


def command(
    spec: SpecArgument,
    out: Annotated[Path | None, OUT] = None,
    view: Annotated[str | None, VIEW] = None,
    around: Annotated[str | None, AROUND] = None,
    group: Annotated[str | None, GROUP] = None,
    layer: Annotated[str | None, LAYER] = None,
    depth: Annotated[int, DEPTH] = 1,
    fold: Annotated[bool, FOLD] = True,
    overlay: Annotated[str, OVERLAY] = "a",
    sample: Annotated[int, SAMPLE] = 0,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    as_json: Annotated[bool, JSON] = False,
) -> None:
    """Draw a network.

    Drawn by Graphviz where it is installed (the program dot, or the Python package pygraphviz); without it, as SVG by neurograph.
    """
    from neurograph.cli.working import working
    from neurograph.spec import load
    from neurograph.viz import Wish, check, draw

    target = out if out is not None else Path(f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', load(spec).name)}.svg")
    check(target, view, overlay)
    wish = Wish(view, around, group, layer, depth, fold)
    with working(f"{spec}, its numbers and their picture", as_json):
        found = _examined(spec, wish, sample, overlay, run, data)
        inspector, other = _both(found) if overlay == "difference" else (found.inspector, None)
        try:
            drawn = draw(
                found.topology,
                target,
                view=view,
                around=around,
                group=group,
                layer=layer,
                depth=depth,
                folded=fold,
                overlay=overlay,
                inspector=inspector,
                other=other,
                labels=found.labels,
                note=", ".join(part for part in (found.note, found.weights) if part),
            )
        except OSError as error:
            raise DrawingError(f"{target}: {error.strerror or error}.") from None
    _tell(drawn, target, f"{_what(drawn.view, wish)} {found.spec.name}", as_json)


def _examined(spec: str, wish: Wish, sample: int, overlay: str, run: Path | None, data: str | None) -> Examined:
    """The network, and a pass through it where the picture shows numbers."""
    from neurograph.cli.examined import Examined, examine
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load
    from neurograph.viz import needs_numbers

    loaded = load(spec)
    topology = lay_out(loaded)
    if not needs_numbers(topology, wish, overlay):
        return Examined(loaded, topology, None, "", "")
    if overlay == "difference" and topology.n_edges > BOTH:
        raise UsageError(
            f"{loaded.name}: --overlay difference runs the textbook engine as well, which takes {topology.n_edges:,} edges one by "
            f"one; it is shown up to {BOTH:,}. Use neurograph verify, or another overlay."
        )
    return examine(spec, sample, run, data, any_input=run is not None or topology.n_edges <= QUICK)


def _both(found: Examined) -> tuple[Inspector | None, Inspector | None]:
    """The same pass by the textbook engine, and by the compiled program in float32, as it trains."""
    from neurograph.compiler import compile
    from neurograph.graph.build import build
    from neurograph.inspector import Inspector
    from neurograph.reference import ReferenceEngine

    if found.inspector is None or found.params is None:
        return None, None
    asked = found.inspector.asked
    upstream = asked.upstream if found.inspector.has_delta else None
    engines = (
        ReferenceEngine(build(found.topology), found.params),
        compile(found.topology, found.params, dtype="float32"),
    )
    textbook, compiled = (Inspector(engine, asked.x, asked.target, upstream=upstream) for engine in engines)
    return textbook, compiled


def _what(view: str, wish: Wish) -> str:
    """What was drawn, in words."""
    words = {
        "around": f"the surroundings of {wish.around or 'one neuron'} in",
        "group": f"the uses of {wish.group or 'one filter'} in",
        "windows": f"the windows of {wish.layer or 'one layer'} in",
        "tied": f"three ways to connect {wish.layer or 'one layer'} of",
        "toeplitz": f"the weight matrix of {wish.layer or 'one layer'} in",
    }
    return words.get(view, f"the {view} of")


def _tell(drawn: Drawn, target: Path, what: str, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps({"path": str(drawn.path), "view": drawn.view, "by": drawn.by}))
        return
    if drawn.path != target:
        print(f"No Graphviz here to make a {target.suffix} (install graphviz, or pygraphviz); wrote SVG instead.")
    print(f"{drawn.path}: {what}, drawn by {drawn.by}")
