"""What the card of a sum over paths says: the largest paths, how many carry nothing and why, the largest edge by edge."""

from __future__ import annotations

from neurograph.graph.address import write_node
from neurograph.inspector.formulas import total
from neurograph.inspector.paths import PathsCard, Step
from neurograph.inspector.sheets import Grid, Prose, Sheet
from neurograph.inspector.table import number


def paths_sheet(card: PathsCard, digits: int) -> Sheet:
    """The sheet of a derivative as a sum over paths."""
    source, target = write_node(card.source), write_node(card.target)
    which = f", sample {card.sample}" if card.sample else ""
    sheet: Sheet = [f"∂{target}/∂{source}: a sum over paths{which}", ""]
    if not card.n_paths:
        lines = [f"No path leads from {source} to {target}: the derivative is 0."]
        if card.n_back:
            lines.append(
                f"From {target} to {source} there {'is' if card.n_back == 1 else 'are'} {_paths(card.n_back)}: swap the two."
            )
        return [*sheet, Prose(tuple(lines))]
    sheet += [f"  ∂a({target})/∂a({source}) = Σ over paths of the product of f′(z)·∂z/∂a over their edges"]
    sheet += [*_table(card, digits), f"    Σ = {number(card.sum, digits)}", *_cancelled(card, digits)]
    sheet += ["", Prose(tuple(_counts(card)))]
    return sheet + _edge_by_edge(card, digits)


def _table(card: PathsCard, digits: int) -> Sheet:
    if not card.largest:
        return []
    rows = [
        [
            str(rank),
            number(path.product, digits),
            _share(path.product, card.sum),
            _share(abs(path.product), card.sum_abs),
            str(path),
        ]
        for rank, path in enumerate(card.largest, start=1)
    ]
    caption = "the largest paths" if card.n_open > len(rows) else "the paths that carry something"
    grid = Grid(caption, ["rank", "product", "of Σ", "of Σ|·|", "path"], rows)
    n = card.n_open - len(rows)
    if not n:
        return [grid]
    rest = card.sum - total(path.product for path in card.largest)
    return [grid, f"    … and {n:,} smaller, together {number(rest, digits)}"]


def _share(part: float, whole: float) -> str:
    return "-" if whole == 0 else f"{100 * part / whole:.3g}%"


def _cancelled(card: PathsCard, digits: int) -> list[str]:
    """How much is left where paths disagree in sign."""
    if not card.sum_abs or abs(card.sum) > card.sum_abs * (1 - 1e-12):
        return []
    sizes = f"{number(abs(card.sum), digits)} / {number(card.sum_abs, digits)}"
    return [f"    some paths push up, some down: |Σ| / Σ|·| = {sizes} = {_share(abs(card.sum), card.sum_abs)} is left"]


def _counts(card: PathsCard) -> list[str]:
    """How many paths there are, and where the others end."""
    lines = [f"{_paths(card.n_paths)} in all."]
    if card.n_won < card.n_paths:
        lines.append(f"{_pass(card.n_won, 'them')} only winners of their pooling windows; a loser hands nothing on.")
    if card.n_open < card.n_won:
        which = "these" if card.n_won < card.n_paths else "them"
        lines.append(f"{_pass(card.n_open, which)} only open ReLUs, and in general edges with f′(z)·∂z/∂a ≠ 0.")
    if card.n_open < card.n_paths:
        lines.append(f"Of the other {card.n_paths - card.n_open:,} each product is exactly 0.")
    return lines


def _paths(n: int) -> str:
    return f"{n:,} path" + ("" if n == 1 else "s")


def _pass(n: int, which: str) -> str:
    return f"{n:,} of {which} " + ("passes" if n == 1 else "pass")


def _edge_by_edge(card: PathsCard, digits: int) -> Sheet:
    if not card.largest:
        return []
    path = card.largest[0]
    rows = [_step(step, digits) for step in path.steps]
    if card.softmax:
        rows[-1][0] += " (softmax)"
        rows[-1][1:3] = ["-", "-"]
    factors = " · ".join(f"({row[3]})" if row[3].startswith("-") else row[3] for row in rows)
    return [
        "",
        "  the largest, edge by edge",
        Grid("the largest path, edge by edge", ["edge", "∂z/∂a", "f′(z)", "∂a/∂a"], rows),
        f"    product = {factors} = {number(path.product, digits)}",
    ]


def _step(step: Step, digits: int) -> list[str]:
    edge = f"{write_node(step.source)} → {write_node(step.target)}"
    return [edge, number(step.dz_da, digits), number(step.slope, digits), number(step.factor, digits)]
