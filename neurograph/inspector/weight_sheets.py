"""What a weight's card says: every use, their sum, the step that is made of it, and where on the map it is asked for."""

from __future__ import annotations

from neurograph.graph.address import write_node
from neurograph.inspector.cards import Use, WeightCard
from neurograph.inspector.formulas import total as sum_of
from neurograph.inspector.heat import coarse, heat_map
from neurograph.inspector.parts import Grid, Prose, Sheet
from neurograph.inspector.table import count, largest, left_out, number


def weight_sheet(card: WeightCard, digits: int, limit: int) -> Sheet:
    """A weight's card: every use, their sum, and what becomes of it."""
    what = "bias" if card.is_bias else "weight"
    carriers = count(card.n_copies, "neuron") if card.is_bias else count(card.n_copies, "edge")
    fixed = "" if card.trainable else ", fixed (not trained)"
    lines: Sheet = [f"{card.name} = {number(card.value, digits)}: one {what} on {carriers}{fixed}", ""]
    lines += [f"  gradient = Σ over its uses of δ{_per_use(card)}"]
    lines += _uses(card, digits, limit)
    lines += ["", f"  sum = {number(card.sum, digits)}", *_cancelled(card, digits), f"  {_reduced(card, digits)}"]
    if card.step is not None:
        lines += ["", f"  the step of {card.step.rule}"]
        lines += [line for equation in card.step.equations(digits) for line in equation.lines("    ")]
    lines += _maps(card, digits)
    if card.n_copies > 1:
        lines += ["", _copies(card, what), *_border(card)]
    return lines


def _uses(card: WeightCard, digits: int, limit: int) -> Sheet:
    shown, rest = largest(card.uses, lambda use: use.product, limit)
    rows = [_use_row(use, digits, card) for use in shown]
    edge = ["source → target", "sample", "a", "δ", f"δ{_per_use(card)}"]
    heads = ["neuron", "sample", "δ"] if card.is_bias else edge
    if card.batch == 1:
        heads, rows = [heads[0], *heads[2:]], [[row[0], *row[2:]] for row in rows]
    grid = Grid("the uses", heads, rows, words=1 + (card.batch > 1))
    return [grid, *left_out(rest, [use.product for use in rest], digits, "use", True)]


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
        samples = count(card.batch, "sample")
        return f"mean over {samples}: gradient = {number(card.sum, digits)} / {card.batch} = {number(card.gradient, digits)}"
    return f"summed over {count(card.batch, 'sample')}: gradient = {number(card.gradient, digits)}"


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
                f"{card.n_copies:,}, not {card.positions:,}: at the other {count(n, 'position')} the window hangs over the border, "
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


# -- where on the map -------------------------------------------------------------------------------------------------
def _maps(card: WeightCard, digits: int) -> Sheet:
    """The uses by position, as maps."""
    lines: Sheet = []
    for name, sums in card.maps:
        values, side = coarse(sums)
        what = f"δ{_per_use(card)} by position of {name}"
        over = ", summed over the samples" if card.batch > 1 else ""
        blocks = f", summed over blocks of {side}×{side}" if side > 1 else ""
        if any(value for row in values for value in row):
            lines += ["", heat_map(f"{what}{over}{blocks}", values, digits, step=side)]
    return lines
