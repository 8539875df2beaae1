"""`neurograph explain`: where a neuron's z, a and δ come from, and where the update of a shared weight comes from."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import UnknownName, UsageError, suggest
from neurograph.graph.address import parse_address, write_node

if TYPE_CHECKING:
    from neurograph.cli.compare import Comparison
    from neurograph.cli.examined import Examined
    from neurograph.graph.topology import Topology
    from neurograph.inspector import Inspector, LayerCard, LossCard, NeuronCard, WeightCard
    from neurograph.training.optimizers import Optimizer

    Card = NeuronCard | WeightCard | LayerCard | LossCard | Comparison

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
neurograph explain mazur w5 --learning-rate 0.5
neurograph explain mazur w5 --optimizer adam --set train.clip_norm=0.1
neurograph explain digits "conv1[5,2,7]" --compare
neurograph explain lenet5 "conv2[3,5,5]" --input image.npy --target 4
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
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: the spec's samples, else the run's data, else the spec's."
)
DIGITS = typer.Option(help="Significant digits.", min=1, max=17)
FORMAT = typer.Option(
    "--format", help="text; latex: to paste into a document; html: a whole page; json: for machines.", show_default=True
)
FRACTIONS = typer.Option(
    "--fractions", help="Exact fractions, 1/10 for 0.1; for networks without sigmoids, softmax and the like."
)
ROWS = typer.Option(help="Rows of a table before it is shortened to the largest.", min=1)


INPUT = typer.Option(
    "--input", metavar="FILE", help="A sample of your own: .npy, .npz, or numbers as text, such as CSV."
)
TARGET = typer.Option(help="With --input: what the output should be, a class such as 3, or numbers such as 0.1,0.9.")
COMPARE = typer.Option(
    "--compare",
    help="The textbook engine, the compiled program and a finite difference side by side; of a neuron or a weight.",
)
OPTIMIZER = typer.Option(
    help="Whose step a weight's card shows: gd, sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw. "
    "Default: as the spec's [train] says."
)
RATE = typer.Option(help="Its learning rate. Default: as the spec's [train] says.")
MOMENTUM = typer.Option(help="Its momentum. Default: as the spec's [train] says.")
SET = typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the spec's [train], such as train.l2=0.1.")


def command(
    spec: SpecArgument,
    what: Annotated[str | None, WHAT] = None,
    sample: Annotated[int | None, SAMPLE] = None,
    file: Annotated[Path | None, INPUT] = None,
    target: Annotated[str | None, TARGET] = None,
    digits: Annotated[int, DIGITS] = 6,
    rows: Annotated[int, ROWS] = 12,
    run: Annotated[Path | None, RUN] = None,
    data: Annotated[str | None, DATA] = None,
    form: Annotated[Format, FORMAT] = Format.text,
    fractions: Annotated[bool, FRACTIONS] = False,
    comparing: Annotated[bool, COMPARE] = False,
    optimizer: Annotated[str | None, OPTIMIZER] = None,
    learning_rate: Annotated[float | None, RATE] = None,
    momentum: Annotated[float | None, MOMENTUM] = None,
    assign: Annotated[list[str] | None, SET] = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a neuron, a weight, a layer or the loss, with the actual numbers of one pass.

    A neuron: the terms of z, its activation, the terms of δ = ∂loss/∂z, and what it sees. A weight: every use of it, their sum, and the
    step that is made of it. A group: its map, and the kernel that its neurons share. The loss: what every output adds.
    """
    from neurograph.cli.examined import examine
    from neurograph.cli.working import working
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load

    _check_together(file, target, sample, data, fractions and comparing)
    topology = lay_out(load(spec))
    if what is None:
        raise UsageError(_askable(topology, spec))
    subject = subject_of(topology, what)
    with working(f"{spec}, a pass forward and back for {what}", as_json or form is Format.json):
        found = examine(spec, sample, run, data, whole_batch=subject is Subject.weight, file=file, target=target)
        assert found.inspector is not None
        if comparing:
            card: Card = _compared(found, subject, what)
        else:
            step = (
                _optimizer(found, run, optimizer, learning_rate, momentum, assign or [])
                if subject is Subject.weight
                else None
            )
            card = _card(found.inspector.fractions() if fractions else found.inspector, subject, what, step)
    if as_json or form is Format.json:
        about = {"network": found.spec.name, "data": found.note, "weights": found.weights}
        print(json.dumps(about | card.as_json(), indent=2, allow_nan=False))
        return
    print(_set(found, spec, card, form, digits, rows))


def _check_together(file: Path | None, target: str | None, sample: int | None, data: str | None, both: bool) -> None:
    """Options that exclude each other, said before anything runs."""
    if file is not None and (sample is not None or data is not None):
        raise UsageError(f"--input {file}: is the sample; leave out --sample and --data.")
    if target is not None and file is None:
        raise UsageError(f"--target {target}: goes with --input; other samples carry their own.")
    if both:
        raise UsageError("--compare: engines compute in floating point; leave out --fractions.")


def _compared(found: Examined, subject: Subject, what: str) -> Comparison:
    from neurograph.cli.compare import compare

    if subject not in (Subject.neuron, Subject.weight):
        raise UsageError(
            f"--compare {what}: compares one neuron or one weight, such as conv1[0,3,4] or conv1.weight[0,0,2,1]."
        )
    return compare(found, what, subject is Subject.weight)


def _optimizer(
    found: Examined,
    run: Path | None,
    name: str | None,
    learning_rate: float | None,
    momentum: float | None,
    assignments: list[str],
) -> Optimizer:
    """The optimiser of the options, else of the run with what it remembers, else of the spec."""
    from neurograph.training import load_run
    from neurograph.training.optimizers import OPTIMIZERS
    from neurograph.training.settings import Settings

    if name is not None and name not in OPTIMIZERS:
        raise UsageError(f"--optimizer {name}: unknown{suggest(name, OPTIMIZERS)} (known: {', '.join(OPTIMIZERS)})")
    if run is not None and assignments:
        raise UsageError(
            f"--set {assignments[0]}: a run's optimiser is as it was trained with; leave out --run or --set."
        )
    past = None if run is None else load_run(run)
    settings = Settings.of(found.spec, assignments) if past is None else Settings.from_dict(past.arguments["settings"])
    changed = name not in (None, settings.optimizer)
    given = {"learning_rate": learning_rate, "momentum": momentum}
    given = {key: value for key, value in given.items() if value is not None}
    made = settings.optimizer_with(name or settings.optimizer, given)
    made.train_on(
        max((epoch.samples for epoch in past.history.epochs), default=1) if past is not None else _batch(found)
    )
    if past is not None and not changed:
        made.load_state(past.checkpoint.optimizer)
    return made


def _batch(found: Examined) -> int:
    """Samples on the card, which stand for the training samples where no run says how many there were."""
    assert found.inspector is not None
    return found.inspector.trace.batch


def _card(inspector: Inspector, subject: Subject, what: str, optimizer: Optimizer | None) -> Card:
    match subject:
        case Subject.neuron:
            return inspector.neuron(what)
        case Subject.weight:
            return inspector.weight(what, optimizer)
        case Subject.layer:
            return inspector.layer(what)
    return inspector.loss()


def _set(found: Examined, spec: str, card: Card, form: Format, digits: int, rows: int) -> str:
    """The card with what stands around it, as text, LaTeX or HTML."""
    from neurograph.inspector.html import as_page
    from neurograph.inspector.latex import as_latex

    about = f"{found.spec.name}, {found.note}, {found.weights}"
    if form is Format.text:
        return "\n".join([about, "", card.text(digits, rows), *_more(spec, card)])
    sheet = card.sheet(digits, rows)
    return as_page(sheet, about) if form is Format.html else as_latex(sheet, about)


def subject_of(topology: Topology, what: str) -> Subject:
    """What the text names.

    Raises
    ------
    UnknownName
        If nothing in this network is called so.
    """
    from neurograph.inspector.layers import names_a_layer

    base = what if what in topology.populations else re.split(r"[\[({]", what, maxsplit=1)[0].strip()
    if base != what.strip() and parse_address(what) is None:
        raise UnknownName(_misspelt(topology, base, what))
    if base in topology.populations:
        shapes = {name: population.shape for name, population in topology.populations.items()}
        return Subject.layer if names_a_layer(shapes, what) else Subject.neuron
    paddings = {p.padding.layer for p in topology.projections if p.padding is not None}
    if base in paddings and "[" in what:
        return Subject.neuron
    if base in topology.parameters:
        return Subject.weight
    if what == "loss":
        return Subject.loss
    known = [*topology.populations, *topology.parameters]
    raise UnknownName(
        f"{topology.name}: no neuron or weight '{what}'{suggest(base, [*known, 'loss'])} (layers and parameters: {_first(known)})"
    )


def _askable(topology: Topology, spec: str) -> str:
    """What can be asked of a network, with a neuron and a weight of it as examples."""
    neurons = [(name, population.shape) for name, population in topology.populations.items() if not population.is_input]
    weights = [(name, parameter.shape) for name, parameter in topology.parameters.items()]
    tries = [
        f'neurograph explain {shlex.quote(spec)} "{_example(name, shape)}"'
        for name, shape in [*neurons[:1], *weights[:1]]
    ]
    return (
        f"neurograph explain: WHAT of {topology.name}? A neuron, a weight, a layer, or the loss. "
        f"Layers: {_first(topology.populations)}. Weights: {_first(topology.parameters)}. Try:\n  " + "\n  ".join(tries)
    )


def _example(name: str, shape: tuple[int, ...]) -> str:
    """The middle one, as it is written."""
    return write_node((name, *(n // 2 for n in shape))) if shape else name


def _first(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:24]) + (", …" if len(known) > 24 else "")


def _misspelt(topology: Topology, base: str, what: str) -> str:
    """What to say of a name with an index that cannot be read."""
    if base in topology.populations:
        shape, kind = topology.populations[base].shape, "neuron"
    elif base in topology.parameters:
        shape, kind = topology.parameters[base].shape, "weight"
    else:
        known = [*topology.populations, *topology.parameters]
        return f"{topology.name}: no neuron or weight '{what}'{suggest(base, known)} (layers and parameters: {', '.join(known[:24])})"
    example = _example(base, shape)
    return f"{topology.name}: '{what}' cannot be read. A {kind} is written with its index in square brackets, such as {example}."


def _more(spec: str, card: Card) -> list[str]:
    """What else there is to ask."""
    from neurograph.inspector import NeuronCard

    if not isinstance(card, NeuronCard):
        return []
    weights = [term.weight for term in card.terms if term.weight is not None]
    if not weights:
        return []
    largest = max(card.terms, key=lambda term: abs(term.product) if term.weight is not None else -1.0)
    return ["", f'One of its weights: neurograph explain {shlex.quote(spec)} "{largest.weight}"']
