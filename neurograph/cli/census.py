"""`neurograph census`: what many samples show of a network: dead and saturated units, winners of pooling, edges without a δ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.explain import DATA, DIGITS, FORMAT, RUN, Format
from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import DataError

if TYPE_CHECKING:
    from neurograph.cli.examined import Given
    from neurograph.engine import Engine
    from neurograph.graph.layout import Layout
    from neurograph.graph.topology import Topology
    from neurograph.inspector.census import Census
    from neurograph.parameters import Parameters
    from neurograph.spec import Spec

EXAMPLES = """
neurograph census lenet5
neurograph census digits --run runs/digits --samples 200
neurograph census mlp --threshold 0.001
neurograph census lenet5 --window "pool1[0,7,7]"
neurograph census lenet5 --format html > census.html
neurograph census four --json
"""

TEXTBOOK_WORK = 200_000
"""Edges × samples up to which the textbook engine has answered before the compiler has started."""

SAMPLES = typer.Option(help="At most so many samples.", min=1)
WINDOW = typer.Option(metavar="NEURON", help="Only who won one pooling window, such as pool1[0,7,7].")
THRESHOLD = typer.Option(help="A unit counts as saturated where |f′(z)| is below this.", min=0.0)
ROWS = typer.Option(help="Rows of a table before it is shortened.", min=1)


def command(
    spec: SpecArgument,
    run: Annotated[Path | None, RUN] = None,
    samples: Annotated[int, SAMPLES] = 1000,
    data: Annotated[str | None, DATA] = None,
    window: Annotated[str | None, WINDOW] = None,
    threshold: Annotated[float, THRESHOLD] = 0.01,
    digits: Annotated[int, DIGITS] = 6,
    rows: Annotated[int, ROWS] = 12,
    form: Annotated[Format, FORMAT] = Format.text,
    as_json: JsonOption = False,
) -> None:
    """Count over many samples what a network's units do.

    Dead units and why they are silent; saturated units; which input won each pooling window and how often; edges that never carried
    a δ. Untrained weights show what training starts from, a run folder what it has made of them.
    """
    from neurograph.cli.examined import weights_of
    from neurograph.cli.working import working
    from neurograph.graph.lay_out import lay_out
    from neurograph.inspector.census_take import take_census
    from neurograph.spec import load

    loaded = load(spec)
    topology = lay_out(loaded)
    with working(f"{loaded.name}, a pass forward and back for every sample", as_json or form is Format.json):
        given = many_samples(loaded, topology, data, samples, run)
        params, whose = weights_of(spec, loaded, topology, run)
        engine = quickest(topology, params, samples)
        census = take_census(engine, given.x, given.target, upstream=given.upstream, threshold=threshold)
    if as_json or form is Format.json:
        about = {"network": loaded.name, "data": given.note, "weights": whose}
        print(json.dumps(about | _as_json(census, window), indent=2, allow_nan=False))
        return
    print(_set(census, window, f"{loaded.name}, {given.note}, {whose}", form, digits, rows))


def _as_json(census: Census, window: str | None) -> dict[str, object]:
    from neurograph.graph.address import write_node

    if window is None:
        return census.as_json()
    winners = [{**w._asdict(), "source": write_node(w.source)} for w in census.window(window)]
    return {"n_samples": census.n_samples, "neuron": window, "winners": winners}


def _set(census: Census, window: str | None, about: str, form: Format, digits: int, rows: int) -> str:
    from neurograph.inspector.census_sheet import window_sheet
    from neurograph.inspector.html import as_page
    from neurograph.inspector.latex import as_latex
    from neurograph.inspector.text import as_text

    sheet = census.sheet(digits, rows) if window is None else window_sheet(census, window, rows)
    if form is Format.text:
        return f"{about}\n\n{as_text(sheet)}"
    return as_page(sheet, about) if form is Format.html else as_latex(sheet, about)


def quickest(topology: Topology, params: Parameters, n_samples: int) -> Engine:
    """The engine that is done first: the textbook's for little work, else the compiled program."""
    from neurograph.cli.examined import EXACT_PARAMETERS, engine_for
    from neurograph.compiler import compile

    if topology.n_edges * n_samples <= TEXTBOOK_WORK:
        found: Engine = engine_for(topology, params)
        return found
    return compile(topology, params, dtype="float64" if topology.n_parameters <= EXACT_PARAMETERS else "float32")


def many_samples(spec: Spec, topology: Topology, data: str | None, n: int, run: Path | None = None) -> Given:
    """The first samples of a data set, or all that the spec carries.

    Raises
    ------
    DataError
        If there are none: random numbers would show nothing.
    """
    from neurograph.cli.examined import Given, data_set_of, find_batch, samples_for_looking, suits
    from neurograph.graph.layout import layout_of

    layout = layout_of(topology)
    if data is None and spec.samples:
        own = find_batch(spec, layout, None, None, True, False)
        assert own is not None
        return own
    if (name := data_set_of(spec, data, run)) is not None:
        found = samples_for_looking(spec, layout, name, run).limited(n)
        return Given(found.x, f"{found.n:,} training samples of {name}", found.y if suits(layout, found.y) else None)
    return _digits(spec, layout, n, run)


def _digits(spec: Spec, layout: Layout, n: int, run: Path | None) -> Given:
    """The bundled digits brought to the network's input."""
    from neurograph.cli.examined import Given, preparation, suits, was_resized
    from neurograph.cli.stand_in import bundled_digits, fits_digits

    prepare, normaliser = preparation(spec, run)
    if not fits_digits(layout, prepare):
        raise DataError(
            f"{spec.name}: nothing to count: the spec has neither samples nor a data set, and the bundled digits do not fit its "
            "input. Add [[sample]] or [data], or name a data set: --data digits|mnist|FOLDER|FILE.npz."
        )
    found, has_target = bundled_digits(spec, layout, prepare, normaliser)
    found = found.limited(n)
    note = f"{found.n:,} bundled digits{was_resized(spec, layout, 'digits', run)}"
    return Given(found.x, note, found.y if has_target and suits(layout, found.y) else None)
