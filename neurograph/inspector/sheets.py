"""What a neuron's card says, line by line and table by table: the sums behind z and behind δ, and what it sees."""

from __future__ import annotations

from collections.abc import Sequence

from neurograph.graph.address import write_node
from neurograph.inspector.cards import Influence, NeuronCard, Term
from neurograph.inspector.equations import of_delta, of_z
from neurograph.inspector.field import Seen
from neurograph.inspector.formulas import FORMULAS, PRODUCTS, is_finite
from neurograph.inspector.formulas import total as sum_of
from neurograph.inspector.heat import fits, heat_map
from neurograph.inspector.parts import Grid, HeatMap, Prose, Sheet
from neurograph.inspector.table import largest, left_out, number

__all__ = ["Grid", "HeatMap", "Prose", "Sheet", "neuron_sheet"]


def neuron_sheet(card: NeuronCard, digits: int, limit: int) -> Sheet:
    """A neuron's card: z, a and δ with their terms, and the receptive field."""
    if card.kind == "constant":
        return _padding(card, digits, limit)
    which = f", sample {card.sample}" if card.sample else ""
    lines: Sheet = [f"{card.name}: {_title(card)}{which}", "", *_forward(card, digits, limit)]
    if card.delta is not None:
        lines += ["", *_backward(card, digits, limit)]
    elif card.kind != "input" or card.fan_out:
        lines += ["", "  δ: not asked for; give a target or an upstream gradient."]
    return [*lines, *_sees(card, digits)]


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
        share = _shares([card.bias], _z_parts(card))
        lines.append(
            f"    bias {card.bias_name} = {number(card.bias, digits)}"
            + (f" ({share[0]} of z)" if share and card.bias else "")
        )
    lines += of_z(card, digits).lines()
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
    shares = _shares([term.product for term in shown], _z_parts(card))
    _insert(heads, rows, 3 + weighted, "of Σ" if card.kind == "l2" else "of z", shares)
    notes = () if winner is None else ((shown.index(winner), "← wins"),)
    return [
        Grid("the terms of z", heads, rows, notes=notes),
        *left_out(rest, [term.product for term in rest], digits, "in-edge", card.kind != "max"),
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
    return [*lines, *(of_delta(card, digits).lines() if card.fan_out else [f"  δ = {number(card.delta, digits)}"])]


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
    shares = _shares([edge.product for edge in shown], [edge.product for edge in card.fan_out])
    _insert(heads, rows, 3 + weighted, "of Σ", shares)
    more = left_out(rest, [edge.product for edge in rest], digits, "out-edge", True)
    return [Grid("the terms of δ", heads, rows), *more]


def _influence_row(edge: Influence, digits: int, weighted: bool) -> list[str]:
    name, product = write_node(edge.target), number(edge.product, digits)
    if not weighted:
        return [name, number(edge.delta, digits), product]
    return [name, number(edge.delta, digits), number(edge.w, digits), product, edge.weight or ""]


# -- shares -----------------------------------------------------------------------------------------------------------
def _z_parts(card: NeuronCard) -> list[float]:
    """What adds up to z; nothing for a maximum, where one takes it all."""
    if card.kind == "max":
        return []
    return [*(term.product for term in card.terms), *([] if card.bias is None else [card.bias])]


def _shares(products: Sequence[float], of: Sequence[float]) -> list[str]:
    """Each product's share of a sum, in per cent; none where there is nothing to share, or next to nothing is left of it."""
    whole, size = sum_of(of), sum_of(abs(part) for part in of)
    if len(of) < 2 or not is_finite(size) or abs(whole) * 10**9 <= size:
        return []
    return ["0" if product == 0 else f"{float(100 * product / whole):,.1f}%" for product in products]


def _insert(heads: list[str], rows: list[list[str]], at: int, head: str, cells: list[str]) -> None:
    """Put a column into a table, if it has cells."""
    if cells:
        at = min(at, len(heads))
        heads.insert(at, head)
        for row, cell in zip(rows, cells, strict=True):
            row.insert(at, cell)


# -- what it sees -----------------------------------------------------------------------------------------------------
CHANNELS = 3
"""Channels of a receptive field that are shown."""


def _sees(card: NeuronCard, digits: int) -> Sheet:
    """The receptive field, and the numbers in it where they fit."""
    lines: Sheet = []
    for seen in card.sees:
        if not fits(*seen.size):
            lines += ["", f"  {_box(seen)}"]
        elif len(seen.values) == 1:
            lines += ["", _channel(_box(seen), seen, 0, digits)]
        else:
            shown, first = min(len(seen.values), CHANNELS), seen.box[0][0]
            lines += ["", f"  {_box(seen)}"]
            lines += [_channel(f"{seen.name}, channel {first + k}", seen, k, digits) for k in range(shown)]
            more = len(seen.values) - shown
            lines += [f"    … and {more:,} more channel{'' if more == 1 else 's'}"] if more else []
    return lines


def _box(seen: Seen) -> str:
    spans = [f"{first}…{last}" if last > first else f"{first}" for first, last in seen.box[1:]]
    words = ["rows", "columns"] if len(spans) == 2 else ["positions"]
    named = [f"{word if '…' in span else word[:-1]} {span}" for word, span in zip(words, spans, strict=True)]
    return f"It sees {', '.join(named)} of {seen.name}."


def _channel(caption: str, seen: Seen, k: int, digits: int) -> HeatMap:
    at = (seen.box[1][0], seen.box[2][0]) if len(seen.box) == 3 else (0, seen.box[1][0])
    values = [[None if value != value else value for value in row] for row in seen.values[k]]
    return heat_map(caption, values, digits, at)


# -- padding ----------------------------------------------------------------------------------------------------------
def _padding(card: NeuronCard, digits: int, limit: int) -> Sheet:
    """A padded position: no neuron, but a number that windows see."""
    name = write_node(card.node).partition("[")[0]
    lines: Sheet = [
        f"{card.name}: padding",
        "",
        f"  a = {number(card.a, digits)}",
        Prose(
            (
                f"No neuron of its own: a place over the border, where windows see the fixed number {name}.",
                "It is never trained, and no δ is handed to it.",
            )
        ),
    ]
    shown, rest = largest(card.fan_out, lambda edge: 1.0 if edge.w is None else edge.w, limit)
    rows = [[write_node(edge.target), number(edge.w, digits), edge.weight or ""] for edge in shown]
    more = [f"    … and {len(rest):,} more"] if rest else []
    return [*lines, "", "  read by", Grid("who reads it", ["target", "w", "weight"], rows), *more]
