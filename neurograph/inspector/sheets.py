"""What a card says, line by line and table by table: the sums behind z, behind δ, behind a shared weight's update.

A sheet knows nothing of fonts: `text.py`, `html.py` and `latex.py` set it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from neurograph.graph.address import write_node
from neurograph.inspector.cards import Influence, NeuronCard, Term, Use, WeightCard
from neurograph.inspector.formulas import FORMULAS, PRODUCTS
from neurograph.inspector.formulas import total as sum_of
from neurograph.inspector.loss import LossCard
from neurograph.inspector.table import largest, number


class Grid(NamedTuple):
    """A table: the first `words` columns are text, the others numbers. `notes` are remarks behind a row, by its number."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    notes: tuple[tuple[int, str], ...] = ()


class Prose(NamedTuple):
    """A sentence or more, as the lines of a screen of text; other forms break it where they like."""

    lines: tuple[str, ...]


Sheet = list[str | Grid | Prose]
"""First the title; then formulas, indented as on the screen, tables and prose; an empty line parts z from δ."""


def neuron_sheet(card: NeuronCard, digits: int, limit: int) -> Sheet:
    """A neuron's card: z, a and δ with their terms."""
    which = f", sample {card.sample}" if card.sample else ""
    lines: Sheet = [f"{card.name}: {_title(card)}{which}", "", *_forward(card, digits, limit)]
    if card.delta is not None:
        lines += ["", *_backward(card, digits, limit)]
    elif card.kind != "input" or card.fan_out:
        lines += ["", "  δ: not asked for; give a target or an upstream gradient."]
    return lines


def weight_sheet(card: WeightCard, digits: int, limit: int) -> Sheet:
    """A weight's card: every use, their sum, and what becomes of it."""
    what = "bias" if card.is_bias else "weight"
    carriers = _count(card.n_copies, "neuron") if card.is_bias else _count(card.n_copies, "edge")
    fixed = "" if card.trainable else ", fixed (not trained)"
    lines: Sheet = [f"{card.name} = {number(card.value, digits)}: one {what} on {carriers}{fixed}", ""]
    lines += [f"  gradient = Σ over its uses of δ{_per_use(card)}"]
    lines += _uses(card, digits, limit)
    lines += ["", f"  sum = {number(card.sum, digits)}", *_cancelled(card, digits), f"  {_reduced(card, digits)}"]
    if card.n_copies > 1:
        lines += ["", _copies(card, what), *_border(card)]
    return lines


# -- a neuron's z and a -----------------------------------------------------------------------------------------------
def _title(card: NeuronCard) -> str:
    kinds = {
        "input": "input",
        "weighted": "weighted neuron",
        "max": "max pooling neuron",
        "mean": "mean pooling neuron",
    }
    kind = kinds.get(card.kind, f"{card.kind} neuron")
    return kind if card.activation == "identity" else f"{kind}, {card.activation}"


def _forward(card: NeuronCard, digits: int, limit: int) -> Sheet:
    if card.kind == "input":
        return [f"  a = {number(card.a, digits)} (given)"]
    formula = FORMULAS[card.kind] + (" + bias" if card.bias is not None else "")
    lines: Sheet = [f"  z = {formula}"]
    lines += _terms(card, digits, limit)
    lines += [f"    {text}" for text in _about_window(card, digits)]
    if card.bias is not None:
        lines.append(f"    bias {card.bias_name} = {number(card.bias, digits)}")
    lines.append(f"  z = {number(card.z, digits)}")
    if card.activation == "identity":
        lines.append(f"  a = z = {number(card.a, digits)}")
    else:
        lines.append(f"  a = f(z) = {card.activation}({number(card.z, digits)}) = {number(card.a, digits)}")
    return lines


def _terms(card: NeuronCard, digits: int, limit: int) -> Sheet:
    shown, rest = largest(card.terms, lambda term: term.product, limit)
    winner = card.terms[card.winner] if card.winner is not None else None
    if winner is not None and winner in rest:
        shown, rest = [*shown[:-1], winner], [shown[-1], *(term for term in rest if term is not winner)]
    weighted = any(term.w is not None for term in card.terms)
    heads = ["source", "a", "w", PRODUCTS[card.kind], "weight"] if weighted else ["source", "a", PRODUCTS[card.kind]]
    heads = heads[:2] if card.kind in ("max", "sum") else heads
    rows = [_term_row(term, digits, weighted)[: len(heads)] for term in shown]
    notes = () if winner is None else ((shown.index(winner), "← wins"),)
    return [
        Grid("the terms of z", heads, rows, notes=notes),
        *_rest(rest, [term.product for term in rest], digits, "in-edge", card.kind != "max"),
    ]


def _term_row(term: Term, digits: int, weighted: bool) -> list[str]:
    name, product = write_node(term.source), number(term.product, digits)
    if not weighted:
        return [name, number(term.a, digits), product]
    return [name, number(term.a, digits), number(term.w, digits), product, term.weight or ""]


def _about_window(card: NeuronCard, digits: int) -> list[str]:
    if card.kind == "mean":
        return [f"Σ a / n with n = {number(card.divisor)}"]
    if card.kind == "l2":
        return [f"√{number(sum_of(term.product for term in card.terms), digits)}"]
    if len(card.ties) > 1:
        first = write_node(card.ties[0].source)
        return [f"{len(card.ties)} neurons share the maximum; the first in order, {first}, wins and alone gets the δ"]
    return []


# -- a neuron's δ -----------------------------------------------------------------------------------------------------
def _backward(card: NeuronCard, digits: int, limit: int) -> Sheet:
    lines: Sheet = []
    if card.from_loss is not None:
        own = card.from_loss
        lines += [f"  δ from the loss = {own.formula}", f"    = {own.numbers} = {number(own.value, digits)}"]
    if card.fan_out:
        lines += [f"  {_delta_formula(card)}", *_fan_out(card, digits, limit)]
        handed = sum_of(edge.product for edge in card.fan_out)
        lines.append(f"    Σ = {number(handed, digits)}")
        if card.slope is not None and card.kind != "input":
            inner = "" if card.activation == "identity" else f"{card.activation}′({number(card.z, digits)}) = "
            lines.append(f"    f′(z) = {inner}{number(card.slope, digits)}")
    if not lines:
        lines = ["  nobody reads this neuron, and no loss does: δ = 0"]
    return [*lines, f"  δ = {number(card.delta, digits)}"]


def _delta_formula(card: NeuronCard) -> str:
    partial = "w" if all(edge.w is not None for edge in card.fan_out) else "∂z(target)/∂a"
    outer = "" if card.kind == "input" else "f′(z) · "
    plus = "from the loss + " if card.from_loss is not None else ""
    return f"δ = {plus}{outer}Σ δ(target)·{partial}"


def _fan_out(card: NeuronCard, digits: int, limit: int) -> Sheet:
    shown, rest = largest(card.fan_out, lambda edge: edge.product, limit)
    weighted = any(edge.w is not None for edge in card.fan_out)
    heads = ["target", "δ", "w", "product", "weight"] if weighted else ["target", "δ", "product"]
    rows = [_influence_row(edge, digits, weighted) for edge in shown]
    left_out = _rest(rest, [edge.product for edge in rest], digits, "out-edge", True)
    return [Grid("the terms of δ", heads, rows), *left_out]


def _influence_row(edge: Influence, digits: int, weighted: bool) -> list[str]:
    name, product = write_node(edge.target), number(edge.product, digits)
    if not weighted:
        return [name, number(edge.delta, digits), product]
    return [name, number(edge.delta, digits), number(edge.w, digits), product, edge.weight or ""]


# -- a weight's uses --------------------------------------------------------------------------------------------------
def _uses(card: WeightCard, digits: int, limit: int) -> Sheet:
    shown, rest = largest(card.uses, lambda use: use.product, limit)
    rows = [_use_row(use, digits, card) for use in shown]
    edge = ["source → target", "sample", "a", "δ", f"δ{_per_use(card)}"]
    heads = ["neuron", "sample", "δ"] if card.is_bias else edge
    if card.batch == 1:
        heads, rows = [heads[0], *heads[2:]], [[row[0], *row[2:]] for row in rows]
    grid = Grid("the uses", heads, rows, words=1 + (card.batch > 1))
    return [grid, *_rest(rest, [use.product for use in rest], digits, "use", True)]


def _per_use(card: WeightCard) -> str:
    """What each use multiplies δ by."""
    if card.is_bias:
        return ""
    return "·a" if all(use.product in (0.0, use.delta * use.a) for use in card.uses) else "·∂z/∂w"


def _use_row(use: Use, digits: int, card: WeightCard) -> list[str]:
    if card.is_bias:
        return [write_node(use.target), str(use.sample), number(use.delta, digits)]
    edge = f"{write_node(use.source)} → {write_node(use.target)}"
    return [edge, str(use.sample), number(use.a, digits), number(use.delta, digits), number(use.product, digits)]


def _reduced(card: WeightCard, digits: int) -> str:
    if card.reduction == "mean":
        samples = _count(card.batch, "sample")
        return f"mean over {samples}: gradient = {number(card.sum, digits)} / {card.batch} = {number(card.gradient, digits)}"
    return f"summed over {_count(card.batch, 'sample')}: gradient = {number(card.gradient, digits)}"


def _cancelled(card: WeightCard, digits: int) -> list[str]:
    """How much of what the uses ask for is left, where they disagree."""
    if card.remains is None or not card.remains < 1 - 1e-12:
        return []
    asked = number(sum_of(abs(use.product) for use in card.uses), digits)
    return [
        f"  some ask for more, some for less: |Σ| / Σ|·| = {number(abs(card.sum), digits)} / {asked} = {float(card.remains):.1%} is left"
    ]


def _border(card: WeightCard) -> list[Prose]:
    if card.positions is None:
        return []
    n = card.positions - card.n_copies
    return [
        Prose(
            (
                f"{card.n_copies:,}, not {card.positions:,}: at the other {_count(n, 'position')} the window hangs over the border, "
                "and this tap reads nothing.",
            )
        )
    ]


def _copies(card: WeightCard, what: str) -> Prose:
    if not card.trainable:
        return Prose((f"All {card.n_copies:,} copies of this {what} stay as they are: it is not trained.",))
    return Prose(
        (
            f"Every one of the {card.n_copies:,} copies of this {what} gets this same sum, not its own part of it; so after the",
            f"update the copies are still equal: one {what}, used {card.n_copies:,} times.",
        )
    )


# -- the loss ---------------------------------------------------------------------------------------------------------
def loss_sheet(card: LossCard, digits: int, limit: int) -> Sheet:
    """The loss's card: what every output adds."""
    value = number(card.value, digits)
    lines: Sheet = [f"loss = {value}, sample {card.sample}"]
    for head, formula, weight, outputs in card.heads:
        factor = "" if weight == 1 else f"{number(weight, digits)} · "
        what = "loss" if len(card.heads) == 1 else f"the part of {head}"
        lines += ["", f"  {what} = {factor}{formula}" if not factor else f"  {what} = {factor}({formula})"]
        shown, rest = largest(outputs, lambda owed: owed.addend, limit)
        rows = [
            [write_node(o.node), *(number(v, digits) for v in (o.z, o.a, o.target, o.addend, o.delta))] for o in shown
        ]
        lines += [Grid("the outputs", ["output", "z", "a", "t", "adds", "δ"], rows)]
        lines += _rest(rest, [owed.addend for owed in rest], digits, "output", True)
        if len(card.heads) > 1:
            lines += [f"    Σ = {number(weight * sum_of(owed.addend for owed in outputs), digits)}"]
    lines += ["", f"  loss = {value}"]
    if card.batch > 1:
        how = "mean" if card.reduction == "mean" else "sum"
        lines += [f"  {how} over the {card.batch} samples of the batch = {number(card.batch_loss, digits)}"]
    return lines


# -- what all share ---------------------------------------------------------------------------------------------------
def _rest(rest: Sequence[object], products: list[float], digits: int, what: str, add: bool) -> list[str]:
    """One line that counts what a shortened table leaves out."""
    if not rest:
        return []
    zero = sum(product == 0 for product in products)
    if zero == len(rest):
        return [f"    … and {_count(len(rest), f'more {what}')}, {'each' if zero > 1 else 'it'} exactly 0"]
    note = f", together {number(sum_of(products), digits)}" if add else ""
    exact = f" ({zero:,} of them exactly 0)" if zero else ""
    return [f"    … and {_count(len(rest), f'smaller {what}')}{note}{exact}"]


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}" + ("" if n == 1 else "s")
