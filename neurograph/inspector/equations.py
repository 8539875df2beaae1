"""A neuron's sums as a textbook writes them: in symbols, with the numbers put in, and the result.

Long sums keep their largest terms and count the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from neurograph.graph.address import parse_address, write_node
from neurograph.inspector.formulas import total
from neurograph.inspector.table import largest, number

if TYPE_CHECKING:
    from neurograph.inspector.cards import Influence, NeuronCard, Term

Row = TypeVar("Row", "Term", "Influence")
WHOLE, SHORT = 4, 3
"""Sums of so many terms are written whole; longer ones keep so many of them."""
BRACKETS = {"max": ("max(", ")"), "mean": ("(", ")"), "l2": ("√(", ")")}


class Equation(NamedTuple):
    """A left side and what it equals, step by step; `where` says what a short symbol stands for."""

    left: str
    sides: tuple[str, ...]
    where: str = ""

    def lines(self, indent: str = "  ") -> list[str]:
        """One line a step, equal signs under one another.

        Examples
        --------
        >>> Equation("z", ("w·a", "2·3", "6")).lines()
        ['  z = w·a', '    = 2·3', '    = 6']
        """
        first, *others = self.sides
        under = indent + " " * len(self.left)
        where = [f"{under} where {self.where}"] if self.where else []
        return [f"{indent}{self.left} = {first}", *(f"{under} = {side}" for side in others), *where]


def of_z(card: NeuronCard, digits: int) -> Equation:
    """The sum behind z, in symbols, in numbers, and its result."""
    weight, where = _weight_symbol([term.weight for term in card.terms])
    if card.kind == "max":
        terms = [(write_node(term.source), number(term.a, digits)) for term in _few_candidates(card)]
        more = [f"{len(card.terms) - len(terms)} more"] if len(terms) < len(card.terms) else []
        joined = [f"max({', '.join([*(term[i] for term in terms), *more])})" for i in (0, 1)]
        return Equation("z", _steps(*joined, number(card.z, digits)))

    def written(term: Term) -> tuple[str, str]:
        a, w = write_node(term.source), weight(term.weight)
        number_a, number_w = number(term.a, digits), number(term.w, digits)
        if card.kind == "rbf":
            return f"({a} − {w})²", f"({number_a} − {signed(number_w)})²"
        if card.kind == "l2":
            return f"{a}²", f"{signed(number_a)}²"
        return (a, signed(number_a)) if term.w is None else (f"{w}·{a}", f"{signed(number_w)}·{signed(number_a)}")

    symbols, numbers = _sum(card.terms, written, digits, card.divisor if card.kind == "mean" else 1)
    before, after = BRACKETS.get(card.kind, ("", ""))
    over = f" / {number(card.divisor)}" if card.kind == "mean" else ""
    symbols, numbers = f"{before}{symbols}{after}{over}", f"{before}{numbers}{after}{over}"
    if card.bias is not None:
        b = signed(number(card.bias, digits))
        has_terms = bool(card.terms)
        symbols = f"{symbols} + {card.bias_name}" if has_terms else str(card.bias_name)
        numbers = f"{numbers} + {b}" if has_terms else b
    return Equation("z", _steps(symbols, numbers, number(card.z, digits)), where)


def of_delta(card: NeuronCard, digits: int) -> Equation:
    """The sum behind the δ of a neuron that others read: in symbols, in numbers, and its result."""
    weight, where = _weight_symbol([edge.weight for edge in card.fan_out])

    def written(edge: Influence) -> tuple[str, str]:
        target, delta = write_node(edge.target), signed(number(edge.delta, digits))
        if edge.w is not None and edge.product == edge.delta * edge.w:
            return f"{weight(edge.weight)}·δ({target})", f"{signed(number(edge.w, digits))}·{delta}"
        if edge.product == edge.delta:
            return f"δ({target})", delta
        factor = edge.product / edge.delta if edge.delta else 0.0
        return f"∂z/∂a·δ({target})", f"{signed(number(factor, digits))}·{delta}"

    symbols, numbers = _sum(card.fan_out, written, digits)
    if card.slope is not None and card.kind != "input" and card.activation != "identity":
        slope = number(card.slope, digits)
        several = len(card.fan_out) > 1
        symbols = f"f′(z)·({symbols})" if several else f"f′(z)·{symbols}"
        numbers = f"{slope}·({numbers})" if several else f"{slope}·{numbers}"
    if card.from_loss is not None:
        symbols = f"δ from the loss + {symbols}"
        numbers = f"{number(card.from_loss.value, digits)} + {numbers}"
    return Equation("δ", _steps(symbols, numbers, number(card.delta, digits)), where)


def signed(text: str) -> str:
    """A written number as a factor: in brackets where it has a sign.

    Examples
    --------
    >>> signed("-0.5"), signed("2")
    ('(-0.5)', '2')
    """
    return f"({text})" if text.startswith("-") else text


def _sum(
    rows: Sequence[Row], written: Callable[[Row], tuple[str, str]], digits: int, scale: float = 1
) -> tuple[str, str]:
    """A sum in symbols and in numbers. `scale` undoes what every product is divided by, in what is left out."""
    if not rows:
        return "0", "0"
    shown, rest = largest(rows, lambda row: row.product, len(rows) if len(rows) <= WHOLE else SHORT)
    terms = [written(row) for row in shown]
    symbols, numbers = [term[0] for term in terms], [term[1] for term in terms]
    if rest:
        symbols.append(f"{len(rest):,} more")
        numbers.append(signed(number(scale * total(row.product for row in rest), digits)))
    return " + ".join(symbols), " + ".join(numbers)


def _steps(*sides: str) -> tuple[str, ...]:
    """The sides of an equation without those that say nothing new."""
    return tuple(side for k, side in enumerate(sides) if k == 0 or side != sides[k - 1])


def _few_candidates(card: NeuronCard) -> Sequence[Term]:
    """The candidates of a maximum that are written out: all of a small window, else the largest."""
    if len(card.terms) <= 2 * WHOLE + 1:
        return card.terms
    ranked = sorted(range(len(card.terms)), key=lambda i: (-card.terms[i].a, i))[:SHORT]
    return [card.terms[i] for i in sorted(ranked)]


def _weight_symbol(names: Sequence[str | None]) -> tuple[Callable[[str | None], str], str]:
    """How weights are written: w[0,1] for one parameter's entries, with what w stands for; else by their full names."""
    parsed = [parse_address(name) for name in names if name is not None]
    owners = {found[0] if found is not None else None for found in parsed}
    if len(parsed) < 2 or len(owners) != 1 or None in owners:
        return str, ""
    (owner,) = owners
    return lambda name: f"w{str(name).removeprefix(str(owner))}", f"w is {owner}"
