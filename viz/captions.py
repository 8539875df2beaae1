"""The sums behind one neuron, short enough for the foot of a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from neurograph.graph.address import Node, write_node
from neurograph.inspector import Inspector, NeuronCard

from .colours import DELTA, GREY, INK
from .numbers import short
from .scene import Line, text_width

LIMIT = 5
"""Terms of a sum that are written out."""
SMALLEST = 0.8
"""How much smaller a caption may become to fit beside something."""


def caption(inspector: Inspector, node: Node) -> list[Line]:
    """z, a and δ of a neuron as sums with their numbers."""
    card = inspector.neuron(node)
    lines = [Line(f"{card.name}", 17, INK, bold=True), *_forward(card)]
    return [*lines, *_backward(card), *_wish(card, inspector)] if card.delta is not None else lines


def tidy(numbers: str) -> str:
    """The same arithmetic with short numbers.

    Examples
    --------
    >>> tidy("4.4599633e-07 − 0"), tidy("2 · (0.694785615 − -0.825511155) · 1 / 2")
    ('4.46e−7 − 0', '2 · (0.6948 − (−0.8255)) · 1 / 2')
    """

    def written(match: re.Match[str]) -> str:
        text = short(float(match[0]), 4)
        return f"({text})" if match[0].startswith("-") else text

    return re.sub(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", written, numbers)


def scaled(lines: Sequence[Line], width: float, most: float = 1.3) -> list[Line]:
    """The same lines, larger or a little smaller, as the width allows."""
    widest = max(text_width(line.words, line.size, line.bold) for line in lines)
    factor = max(SMALLEST, min(most, width / (widest * 1.04)))
    return [replace(line, size=round(line.size * factor, 1)) for line in lines]


def _forward(card: NeuronCard) -> list[Line]:
    if card.kind == "input":
        return [Line(f"a = {short(card.a, 6)}, given", 15)]
    f = "" if card.activation == "identity" else f"   a = {card.activation}({short(card.z, 6)}) = {short(card.a, 6)}"
    if card.kind == "max" and card.winner is not None:
        winner = card.terms[card.winner]
        others = ", ".join(short(term.a) for term in card.terms[:LIMIT])
        more = ", …" if len(card.terms) > LIMIT else ""
        return [Line(f"z = max({others}{more}) = {short(card.z, 6)}, from {write_node(winner.source)}{f}", 15)]
    terms = sorted((term for term in card.terms if term.product != 0), key=lambda term: -abs(term.product))
    products = [
        _product(term.a, term.w) for term in (terms if len(terms) > LIMIT else card.terms) if term.product != 0
    ] or ["0"]
    bias = [f"({short(card.bias)})" if card.bias < 0 else short(card.bias)] if card.bias is not None else []
    symbols = {
        "weighted": "Σ w·a" + (" + b" if bias else ""),
        "mean": f"Σ a / {card.divisor:g}",
        "l2": "√Σ a²",
        "rbf": "Σ (a − w)²",
    }
    middle = f" = {_sum([*products, *bias])}" if card.kind == "weighted" else ""
    zero = sum(term.product == 0 for term in card.terms)
    note = f"   ({zero} of {len(card.terms)} terms are 0)" if zero and card.kind == "weighted" else ""
    return [
        Line(f"z = {symbols.get(card.kind, 'Σ a')}{middle} = {short(card.z, 6)}{f}", 15),
        *([Line(note.strip(), 12, GREY)] if note else []),
    ]


def _backward(card: NeuronCard) -> list[Line]:
    if card.fan_out and card.slope is not None:
        edges = [edge for edge in card.fan_out if edge.product != 0]
        edges = sorted(edges, key=lambda edge: -abs(edge.product)) if len(edges) > LIMIT else edges
        products = [
            f"{_factor(edge.delta)}·{_factor(edge.w)}" if edge.w is not None else _factor(edge.product)
            for edge in edges
        ]
        inner = _sum(products or ["0"])
        symbol = "δ = f′(z) · Σ δ·∂z/∂a" if card.kind != "input" else "δ = Σ δ·∂z/∂a"
        factor = f"{short(card.slope)} · " if card.kind != "input" else ""
        many = len(products) > 1 and factor
        return [
            Line(
                f"{symbol} = {factor}{'(' if many else ''}{inner}{')' if many else ''} = {short(card.delta, 6)}",
                15,
                DELTA,
            )
        ]
    if card.from_loss is not None:
        own = card.from_loss
        return [Line(f"δ = {own.formula} = {tidy(own.numbers)} = {short(card.delta, 6)}", 15, DELTA)]
    return [Line(f"δ = {short(card.delta, 6)}", 15, DELTA)]


def _wish(card: NeuronCard, inspector: Inspector) -> list[Line]:
    """What the neuron asks of one of its weights, and what comes of it."""
    if card.kind != "weighted" or card.delta is None or not card.terms:
        return []
    if card.delta == 0:
        return [Line("Its δ is 0: it asks nothing of its weights.", 13, GREY)]
    term = max(card.terms, key=lambda term: (term.product > 0, abs(term.a)))
    if term.weight is None:
        return []
    weight = inspector.weight(term.weight)
    asked = f"Of {term.weight} it asks δ·a = {short(card.delta * term.a, 5)}"
    if weight.n_copies == 1:
        return [Line(f"{asked}: its gradient, as nobody shares it.", 13, GREY)]
    together = (
        f"the {weight.n_copies:,} edges that share it ask {short(weight.sum, 5)} together, and that is its gradient."
    )
    return [Line(f"{asked}; {together}", 13, GREY)]


def _product(a: float, w: float | None) -> str:
    return short(a) if w is None else f"{_factor(w)}·{_factor(a)}"


def _factor(value: float | None) -> str:
    text = short(value)
    return f"({text})" if text.startswith("−") else text


def _sum(parts: Sequence[str]) -> str:
    return " + ".join(parts[:LIMIT]) + (f" + … ({len(parts) - LIMIT} more)" if len(parts) > LIMIT else "")
