"""Windows drawn as grids: what the neuron sees, its weights, and their products, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum, isfinite

from neurograph.graph.address import Node, write_node
from neurograph.inspector import Term
from neurograph.inspector.formulas import PRODUCTS

from .colours import FAINT, GREY, INK, UNKNOWN, ink_on, signed
from .numbers import alike, short
from .scene import Canvas, Cell, Line, Shape, text_width
from .subject import Subject
from .windows import Block

LEAST_LEGIBLE = 23.0
LARGEST = 36.0
WIDEST = 200.0
TITLE = 20.0
BLOCK_GAP = 14.0
SIGN_GAP = 30.0


@dataclass(frozen=True)
class Column:
    """One grid per block: a, w or the product."""

    head: str
    value: Callable[[Term], float | None]
    largest: float
    letters: float
    """Width of the widest number, in its size."""


@dataclass(frozen=True)
class Plan:
    """Which blocks are shown, how large, and in which columns."""

    blocks: tuple[Block, ...]
    left_out: tuple[Block, ...]
    cell: float
    columns: tuple[Column, ...]
    kind: str
    winner: Node | None = None


def plan_blocks(subject: Subject, blocks: Sequence[Block], kind: str, height: float, winner: Node | None) -> Plan:
    """Choose the blocks with the largest products, and a size at which they fit the height."""
    if not blocks:
        return Plan((), (), 0.0, (), kind)
    n, cell = _fit(blocks, height)
    ranked = sorted(range(len(blocks)), key=lambda i: (-blocks[i].size, i))[:n]
    shown = tuple(blocks[i] for i in sorted(ranked))
    rest = tuple(block for i, block in enumerate(blocks) if i not in set(ranked))
    return Plan(shown, rest, cell, tuple(_columns(subject, shown, kind)), kind, winner)


def _fit(blocks: Sequence[Block], height: float) -> tuple[int, float]:
    """How many blocks, and the side of a cell: as many as stay legible, at most four, else three small ones."""
    rows, columns = max(block.rows for block in blocks), max(block.columns for block in blocks)

    def side(n: int) -> float:
        return min(LARGEST, WIDEST / columns, (height / n - TITLE - BLOCK_GAP) / rows)

    for n in range(min(4, len(blocks)), 1, -1):
        if side(n) >= LEAST_LEGIBLE:
            return n, side(n)
    n = 1 if side(1) >= LEAST_LEGIBLE or len(blocks) == 1 else min(3, len(blocks))
    return n, max(2.0, side(n))


def _columns(subject: Subject, blocks: Sequence[Block], kind: str) -> list[Column]:
    terms = [term for block in blocks for term in block.terms.values()]
    found = []
    if subject.has_values:
        found.append(_column("a", terms, lambda term: term.a))
    if any(term.w is not None for term in terms):
        found.append(_column("w", terms, lambda term: term.w))
    if subject.has_values and kind not in ("max", "sum"):
        found.append(_column(PRODUCTS.get(kind, "w·a"), terms, lambda term: term.product))
    return found or [Column("", lambda term: None, 1.0, 1.0)]


def _column(head: str, terms: Sequence[Term], value: Callable[[Term], float | None]) -> Column:
    numbers = [number for number in map(value, terms) if number is not None]
    largest = max((abs(number) for number in numbers if isfinite(number)), default=0.0)
    return Column(head, value, largest, max((text_width(alike(number, largest), 1) for number in numbers), default=1.0))


def draw_blocks(canvas: Canvas, subject: Subject, plan: Plan, left: float, middle: float) -> tuple[float, list[Shape]]:
    """Draw the blocks from `left`, centred on `middle`; returns the right end and what the wires start from."""
    if not plan.blocks:
        return left, []
    heights = [TITLE + block.rows * plan.cell for block in plan.blocks]
    y = middle - (sum(heights) + BLOCK_GAP * (len(heights) - 1)) / 2
    left += max((text_width(name, 13) + 12 for block in plan.blocks for name in block.names), default=0.0)
    _heads(canvas, plan, left, y - 20)
    gates = []
    for block, height in zip(plan.blocks, heights, strict=True):
        gates.append(_block(canvas, subject, plan, block, left, y))
        y += height + BLOCK_GAP
    _left_out(canvas, subject, plan, left, y - BLOCK_GAP + 8)
    return max(gate.right for gate in gates), gates


def _width(plan: Plan) -> float:
    return max(block.columns for block in plan.blocks) * plan.cell


def _heads(canvas: Canvas, plan: Plan, left: float, y: float) -> None:
    words = {"a": "a: what it sees", "w": "w: its weights"}
    for number, column in enumerate(plan.columns):
        x = left + number * (_width(plan) + SIGN_GAP) + _width(plan) / 2
        head = words.get(column.head, column.head) if _width(plan) >= 68 else column.head
        canvas.text(x - 80, y, [Line(head, 14, INK, bold=True)], 160, "center")


def _block(canvas: Canvas, subject: Subject, plan: Plan, block: Block, left: float, top: float) -> Shape:
    if not block.names:
        canvas.text(left, top + 2, [Line(block.title, 12, GREY)], 300)
    middle = top + TITLE + block.rows * plan.cell / 2
    width = _width(plan)
    winner = _winner(block, plan)
    for number, column in enumerate(plan.columns):
        x = left + number * (width + SIGN_GAP)
        for (row, at), term in block.terms.items():
            canvas.add(
                _cell(
                    subject,
                    column,
                    number,
                    term,
                    x + at * plan.cell,
                    top + TITLE + row * plan.cell,
                    plan.cell,
                    term is winner,
                )
            )
        if number + 1 < len(plan.columns) and number < 2:
            sign = "×" if number == 0 and len(plan.columns) > 2 else "="
            canvas.text(x + width, middle - 13, [Line(sign, 20, INK)], SIGN_GAP, "center")
    for row, name in enumerate(block.names):
        canvas.text(left - 8 - 200, top + TITLE + (row + 0.5) * plan.cell - 8, [Line(name, 13, INK)], 200, "right")
    x = left + (len(plan.columns) - 1) * (width + SIGN_GAP) + block.columns * plan.cell
    return _sum(canvas, subject, plan, block, x, middle)


def _winner(block: Block, plan: Plan) -> Term | None:
    return next((term for term in block.terms.values() if term.source == plan.winner), None)


def _cell(
    subject: Subject, column: Column, number: int, term: Term, x: float, y: float, size: float, wins: bool
) -> Shape:
    value = column.value(term)
    fill = UNKNOWN if value is None else signed(value, column.largest)
    words = "" if value is None or size < LEAST_LEGIBLE else alike(value, column.largest)
    fit = min(13.0, size * 0.37, size * 0.94 / column.letters)
    lines = (Line(words, fit, ink_on(fill)),) if words else ()
    hint = (
        f"{write_node(term.source)}: a = {short(term.a, 6)}, w = {short(term.w, 6)}, product {short(term.product, 6)}"
    )
    border, thickness = (INK, 3.0) if wins else (FAINT, 0.6)
    key = (column.head, number, term.source)
    return Shape(
        key, x + size / 2, y + size / 2, size - 1, size - 1, (Cell(lines, size),), "box", fill, border, thickness, hint
    )


def _sum(canvas: Canvas, subject: Subject, plan: Plan, block: Block, x: float, y: float) -> Shape:
    """The sum of a block's products, where its wire begins."""
    if not subject.has_values or plan.kind not in ("weighted", "rbf", "mean"):
        gate = Shape(("gate", x, y), x + 3, y, 2, 2, (), "plain")
    else:
        words = f"Σ {short(block.total)}"
        width = text_width(words, 15, bold=True) + 10
        gate = Shape(
            ("gate", x, y), x + 8 + width / 2, y, width, 24, (Cell((Line(words, 15, INK, bold=True),), width),), "plain"
        )
    canvas.add(gate)
    return gate


def _left_out(canvas: Canvas, subject: Subject, plan: Plan, left: float, y: float) -> None:
    """A true count of what is not shown."""
    parts = []
    if plan.left_out:
        n_edges = sum(len(block.terms) + block.n_left_out for block in plan.left_out)
        total = fsum(block.total + block.left_out for block in plan.left_out)
        parts.append(
            f"… and {len(plan.left_out):,} more maps with {n_edges:,} edges"
            + (f", together {short(total)}" if subject.has_values else "")
        )
    n = sum(block.n_left_out for block in plan.blocks)
    if n:
        total = fsum(block.left_out for block in plan.blocks)
        parts.append(f"… and {n:,} more neurons" + (f", together {short(total)}" if subject.has_values else ""))
    for words in parts:
        canvas.text(left, y, [Line(words, 13, GREY)], 400)
        y += 18
