"""The first half of a story: what goes in, what every neuron makes of it, and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurograph.errors import LossError
from neurograph.graph.address import node_id, write_node
from neurograph.inspector.cards import NeuronCard
from neurograph.inspector.formulas import FORMULAS, total
from neurograph.inspector.frames import Frame, Line, Table, added, factor, joined
from neurograph.inspector.loss import LossCard
from neurograph.inspector.stages import Floats, Part, largest_of, number_of, others, top_of
from neurograph.inspector.table import largest

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

ROWS = 8
TERMS = 6
WIDEST = 16
"""Columns of a map that is still shown as a grid."""
FEW = 4
"""Stages of up to so many neurons are worked out neuron by neuron."""

SAYS = {
    "weighted": "Each neuron multiplies every number it sees by the weight of that connection, adds the products"
    " and its bias, and passes the sum through f.",
    "max": "Each neuron passes on the largest number of its window and remembers who won: δ will go back to the winner.",
    "mean": "Each neuron passes on the mean of its window.",
    "l2": "Each neuron passes on the length of its window, taken as a vector.",
    "sum": "Each neuron adds up what it reads; there is nothing to learn here.",
    "rbf": "Each neuron measures how far what it sees lies from its own weights: a squared distance, 0 for a perfect match.",
    "constant": "These numbers are fixed.",
}


def input_frame(inspector: Inspector, part: Part, where: int, said: str) -> Frame:
    """What the network is given."""
    a = part.values("a")
    n = len(part)
    lines: tuple[Line, ...] = ()
    if n > ROWS:
        zeros = int(np.count_nonzero(a == 0))
        lines = ((f"{n:,} numbers from ", float(a.min()), " to ", float(a.max()), f"; {zeros:,} of them are 0"),)
    tables = _grids(part, a)
    if not tables:
        rows, rest = _neuron_rows(inspector, part, a, ("a",))
        tables = (Table("the input", ("input", "a"), rows, rest=rest),)
    batch = inspector.trace.batch
    words = "An input neuron computes nothing: its activation is the number it is given."
    if batch > 1:
        words += f" This is sample {inspector.sample} of a batch of {batch}; sums and update are over the whole batch."
    words += f" {said}" if said else ""
    return Frame("input", f"What goes in: {part.stage.name}", "a = x", words, lines, tables, where)


def forward_frame(inspector: Inspector, part: Part, where: int) -> Frame:
    """All neurons of a stage: the most active as a table, and one worked out (all, where they are few)."""
    z, a = part.values("z"), part.values("a")
    rows, rest = _neuron_rows(inspector, part, a, ("z", "a"))
    worked = range(len(part)) if len(part) <= FEW else [top_of(a)]
    cards = [inspector.neuron(part.neuron(number).node) for number in worked]
    lines = tuple(line for card in cards for line in worked_forward(card))
    table = Table("the neurons", ("neuron", "z", "a"), rows, rest=rest)
    words = _forward_words(cards[0]) + _silent(cards[0].activation, z)
    return Frame("forward", f"Forward: {part.stage.name}", _forward_equation(cards), words, lines, (table,), where)


def forward_neuron(inspector: Inspector, card: NeuronCard, where: int) -> Frame:
    """One neuron: the terms of z, and f."""
    weighted = any(term.w is not None for term in card.terms)
    shown, rest = largest(card.terms, lambda term: term.product, ROWS)
    heads = ("source", "a", "w", "product", "weight") if weighted else ("source", "a", "adds")
    rows: list[Line] = []
    for term in shown:
        start: Line = (write_node(term.source), term.a)
        rows.append((*start, term.w, term.product, term.weight or "") if weighted else (*start, term.product))
    note = (f"… and {len(rest):,} smaller",) if rest else ()
    table = Table("the terms of z", heads, tuple(rows), rest=note)
    words = _forward_words(card).replace("Each neuron", "This neuron")
    if card.activation == "relu" and card.z <= 0:
        words += " Its z is not above 0, so it is silent here."
    title = f"Forward: {card.name}"
    return Frame("forward", title, _forward_equation([card]), words, tuple(worked_forward(card)), (table,), where)


def loss_frame(inspector: Inspector, where: int) -> Frame:
    """What every output adds to the loss; of an upstream gradient, that it stands in the loss's place."""
    try:
        card = _loss_card(inspector)
    except LossError:
        words = "No target was given, but what the loss would say: how it changes with each output. δ starts from these numbers."
        title = "In place of a loss"
        return Frame("loss", title, "g = ∂loss/∂a of the outputs is given", words, (), _given(inspector), where)
    tables, lines = [], []
    for head, _, weight, outputs in card.heads:
        shown, rest = largest(outputs, lambda owed: owed.addend, ROWS)
        words_t, target = ("t′", "smoothed") if any(o.smoothed is not None for o in outputs) else ("t", "target")
        rows = tuple((write_node(o.node), o.a, getattr(o, target), o.addend) for o in shown)
        note = (f"… and {len(rest):,} that add less",) if rest else ()
        tables.append(Table(f"the outputs of {head}", ("output", "a", words_t, "adds"), rows, rest=note))
        terms = added([(owed.addend,) for owed in shown if owed.addend] or [(0,)])
        part = total(owed.addend for owed in outputs)
        factors: Line = () if weight == 1 else (weight, " · (")
        lines.append((f"{_label(card, head)} = ", *factors, *terms, ")" if factors else "", " = ", weight * part))
    if len(card.heads) > 1:
        lines.append(
            ("E = ", *added([(w * total(o.addend for o in outs),) for _, _, w, outs in card.heads]), " = ", card.value)
        )
    equation = "E = " + " + ".join(formula for _, formula, _, _ in card.heads)
    words = "The loss is one number: how far the outputs a are from the targets t. Everything from here on asks how to make it smaller."
    words += "".join(f" Here {note}." for notes in card.notes for note in notes)
    return Frame("loss", "The loss", equation, words, tuple(lines), tuple(tables), where)


def _given(inspector: Inspector) -> tuple[Table, ...]:
    """The upstream gradient, a table a head."""
    tables = []
    assert inspector._upstream is not None
    for port in inspector.trace.layout.heads:
        g = np.asarray(inspector._upstream[port.name][inspector.sample], np.float64).reshape(-1)
        shown = largest_of(g, ROWS)
        places = port.members or tuple((port.name, index) for index in np.ndindex(*port.shape))
        rows = tuple((write_node(node_id(*places[p])), float(g[p])) for p in shown)
        rest = others(g, shown, "g")
        tables.append(Table("the upstream gradient", ("output", "g"), rows, rest=(rest,)))
    return tuple(tables)


# -- worked lines -----------------------------------------------------------------------------------------------------
def worked_forward(card: NeuronCard) -> list[Line]:
    """The two lines of one neuron: z with its numbers, then a."""
    if card.kind in ("input", "constant"):
        return [(f"{card.name}: a = ", card.a)]
    lines: list[Line] = [(f"{card.name}: z = ", *_worked_z(card), " = ", card.z)]
    if card.activation != "identity":
        lines.append((f"{card.name}: a = {card.activation}(", card.z, ") = ", card.a))
    return lines


def _worked_z(card: NeuronCard) -> Line:
    shown, rest = largest(card.terms, lambda term: term.product, TERMS)
    if card.kind == "max":
        if len(card.terms) > TERMS:
            return (f"the largest of {len(card.terms):,} numbers",)
        return ("max(", *joined([(term.a,) for term in card.terms], ", "), ")")
    parts: list[Line] = []
    for term in shown:
        if card.kind == "rbf" and term.w is not None:
            parts.append(("(", term.a, " − ", *factor(term.w), ")²"))
        elif term.w is not None:
            parts.append((*factor(term.w), "·", *factor(term.a)))
        else:
            parts.append((*factor(term.a), "²" if card.kind == "l2" else ""))
    if rest and any(term.product for term in rest):
        parts.append(
            (
                f"({len(rest):,} smaller: ",
                total(t.product for t in rest) * (card.divisor if card.kind == "mean" else 1),
                ")",
            )
        )
    if card.bias is not None:
        parts.append(factor(card.bias))
    inner = added(parts or [(0,)])
    if card.kind == "mean":
        return ("(", *inner, ") / ", card.divisor)
    return ("√(", *inner, ")") if card.kind == "l2" else inner


def _grids(part: Part, a: Floats) -> tuple[Table, ...]:
    """Small maps as they look, one table a channel; none for anything else."""
    shape = part.stage.shapes[0]
    if len(part) < part.stage.size or len(shape) != 3 or max(shape[1:]) > WIDEST or shape[0] > 3:
        return ()
    heads = ("", *map(str, range(shape[2])))
    maps = a.reshape(shape).tolist()
    return tuple(
        Table(f"the input, channel {c}", heads, tuple((str(y), *row) for y, row in enumerate(rows)))
        for c, rows in enumerate(maps)
    )


# -- words ------------------------------------------------------------------------------------------------------------
def _forward_equation(cards: list[NeuronCard]) -> str:
    said = []
    for card in cards:
        bias = " + bias" if card.bias is not None else ""
        f = "a = z" if card.activation == "identity" else f"a = {card.activation}(z)"
        said.append(f"z = {FORMULAS[card.kind]}{bias},  {f}")
    return ";  ".join(dict.fromkeys(said))


def _forward_words(card: NeuronCard) -> str:
    words = SAYS[card.kind]
    if card.kind == "weighted":
        words = words if card.bias is not None else words.replace(" and its bias", "")
        if card.activation == "identity":
            return words.replace(", adds", ", and adds").replace(", and passes the sum through f", "")
        return words.replace("through f", f"through {card.activation}")
    return words


def _silent(activation: str, z: Floats) -> str:
    n = int(np.count_nonzero(z <= 0))
    if activation != "relu" or len(z) < 2:
        return ""
    return f" {n:,} of the {len(z):,} have z ≤ 0 and are silent." if n else f" None of the {len(z):,} is silent."


def _neuron_rows(inspector: Inspector, part: Part, a: Floats, what: tuple[str, ...]) -> tuple[tuple[Line, ...], Line]:
    shown = largest_of(a, ROWS)
    chosen = [part.neuron(number) for number in shown]
    rows: list[Line] = [(write_node(n.node), *(number_of(inspector, w, n) for w in what)) for n in chosen]
    return tuple(rows), (others(a, shown, "activations"),)


def _label(card: LossCard, head: str) -> str:
    return "E" if len(card.heads) == 1 else f"the part of {head}"


def _loss_card(inspector: Inspector) -> LossCard:
    """The loss's card; in fractions where the rest of the story is."""
    from neurograph.inspector.rational import ExactInspector
    from neurograph.inspector.rational_loss import exact_loss

    return exact_loss(inspector) if isinstance(inspector, ExactInspector) else inspector.loss()
