"""`neurograph explain`: where a neuron's z, a and δ come from, and where the update of a shared weight comes from."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import UnknownName, suggest

if TYPE_CHECKING:
    from neurograph.cli.examined import Examined
    from neurograph.graph.topology import Topology
    from neurograph.inspector import Inspector, LayerCard, LossCard, NeuronCard, WeightCard

    Card = NeuronCard | WeightCard | LayerCard | LossCard

EXAMPLES = """
neurograph explain four "conv[0,3,1]"
neurograph explain four "conv.weight[0,0,1,1]"
neurograph explain mazur h1 --digits 9
neurograph explain four "conv[0]"
neurograph explain mazur loss
neurograph explain digits "pool[3,1,1]" --sample 7 --run runs/digits
neurograph explain lenet5 "conv1.weight[0,0,2,1]" --json
neurograph explain four "pool[0,1,0]" --format html > pool.html
neurograph explain four "conv[0,3,1]" --format latex
neurograph explain four "conv.weight[0,0,1,1]" --fractions
"""


class Subject(StrEnum):
    """What can be asked about."""

    neuron = "neuron"
    weight = "weight"
    layer = "layer"
    loss = "loss"


class Format(StrEnum):
    """What a card is set in."""

    text = "text"
    latex = "latex"
    html = "html"
    json = "json"


WHAT = typer.Argument(
    metavar="WHAT",
    help="A neuron conv1[0,3,4] or h1, a weight conv1.weight[0,0,2,1], a bias conv1.bias[0], "
    "a group conv1[0], a layer conv1, or the loss.",
)
SAMPLE = typer.Option(
    help="Which sample, counted from 0. A weight of a spec with samples of its own: default all of them.", min=0
)
RUN = typer.Option(
    metavar="DIR", help="Take the weights from this run folder. Default: as the spec gives them, else untrained."
)
DATA = typer.Option(help="digits, mnist, or a folder of IDX files. Default: the spec's samples, else its data set.")
DIGITS = typer.Option(help="Significant digits.", min=1, max=17)
FORMAT = typer.Option(
    "--format", help="text; latex: to paste into a document; html: a whole page; json: for machines.", show_default=True
)
FRACTIONS = typer.Option(
    "--fractions", help="Exact fractions, 1/10 for 0.1; for networks without sigmoids, softmax and the like."
)
ROWS = typer.Option(help="Rows of a table before it is shortened to the largest.", min=1)


def command(
    spec: SpecArgument,
    what: Annotated[str, WHAT],
    sample: Annotated[int | None, SAMPLE] = None,
    digits: Annotated[int, DIGITS] = 6,
    rows: Annotated[int, ROWS] = 12,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    form: Annotated[Format, FORMAT] = Format.text,
    fractions: Annotated[bool, FRACTIONS] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a neuron, a weight, a layer or the loss, with the actual numbers of one pass.

    A neuron: the terms of z, its activation, and the terms of δ = ∂loss/∂z. A weight: every use of it, and their sum. A group: its
    map, and the kernel that its neurons share. The loss: what every output adds.
    """
    from neurograph.cli.examined import examine
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load

    subject = subject_of(lay_out(load(spec)), what)
    found = examine(spec, sample, run, data, whole_batch=subject is Subject.weight)
    assert found.inspector is not None
    inspector = found.inspector.fractions() if fractions else found.inspector
    card = _card(inspector, subject, what)
    if as_json or form is Format.json:
        about = {"network": found.spec.name, "data": found.note, "weights": found.weights}
        print(json.dumps(about | card.as_json(), indent=2, allow_nan=False))
        return
    print(_set(found, spec, card, form, digits, rows))


def _card(inspector: Inspector, subject: Subject, what: str) -> Card:
    match subject:
        case Subject.neuron:
            return inspector.neuron(what)
        case Subject.weight:
            return inspector.weight(what)
        case Subject.layer:
            return inspector.layer(what)
    return inspector.loss()


def _set(found: Examined, spec: str, card: Card, form: Format, digits: int, rows: int) -> str:
    """The card with what stands around it, as text, LaTeX or HTML."""
    from neurograph.inspector.html import as_page
    from neurograph.inspector.latex import as_latex
    from neurograph.inspector.sheets import Prose

    about = f"{found.spec.name}, {found.note}, {found.weights}"
    if form is Format.text:
        return "\n".join([about, "", card.text(digits, rows), *_more(found, spec, card)])
    sheet = card.sheet(digits, rows)
    sees = _field(found, card)
    sheet += ["", Prose(tuple(sees))] if sees else []
    return as_page(sheet, about) if form is Format.html else as_latex(sheet, about)


def subject_of(topology: Topology, what: str) -> Subject:
    """What the text names.

    Raises
    ------
    UnknownName
        If nothing in this network is called so.
    """
    from neurograph.inspector.layers import names_a_layer

    base = what.split("[", maxsplit=1)[0].strip()
    if base in topology.populations:
        shapes = {name: population.shape for name, population in topology.populations.items()}
        return Subject.layer if names_a_layer(shapes, what) else Subject.neuron
    if base in topology.parameters:
        return Subject.weight
    if what == "loss":
        return Subject.loss
    known = [*topology.populations, *topology.parameters]
    shown = ", ".join(known[:24]) + (", …" if len(known) > 24 else "")
    raise UnknownName(
        f"{topology.name}: no neuron or weight '{what}'{suggest(base, known)} (layers and parameters: {shown})"
    )


def _more(found: Examined, spec: str, card: Card) -> list[str]:
    """What else there is to ask."""
    import shlex

    from neurograph.inspector import NeuronCard

    if not isinstance(card, NeuronCard):
        return []
    lines = [*_field(found, card)]
    weights = [term.weight for term in card.terms if term.weight is not None]
    if weights:
        largest = max(card.terms, key=lambda term: abs(term.product) if term.weight is not None else -1.0)
        lines.append(f'One of its weights: neurograph explain {shlex.quote(spec)} "{largest.weight}"')
    return ["", *lines] if lines else []


def _field(found: Examined, card: Card) -> list[str]:
    """The part of the input a neuron sees, where the input has rows and columns."""
    from neurograph.graph.receptive import receptive_field
    from neurograph.inspector import NeuronCard

    if not isinstance(card, NeuronCard) or card.kind == "input":
        return []
    lines = []
    for name, box in receptive_field(found.topology, card.node).items():
        if len(box) == 3:
            (y0, y1), (x0, x1) = box[1:]
            lines.append(f"It sees rows {y0}…{y1}, columns {x0}…{x1} of {name}.")
    return lines
