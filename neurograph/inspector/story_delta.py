"""The way back of a story: the δ of every neuron, from the outputs to the first layer that computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurograph.graph.address import write_node
from neurograph.inspector.cards import NeuronCard
from neurograph.inspector.formulas import total
from neurograph.inspector.frames import Frame, Line, Table, added, factor
from neurograph.inspector.neuron import find
from neurograph.inspector.stages import Part, largest_of, number_of, others, top_of
from neurograph.inspector.story_forward import FEW, ROWS, TERMS
from neurograph.inspector.table import largest

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

OUTPUTS = "δ says how much the loss grows when this neuron's z grows a little. At the outputs it comes straight from the loss."
HIDDEN = {
    "weighted": "{who} gathers the δ of the neurons it feeds, each through the weight between them, and scales the sum by its slope f′(z).",
    "max": "A max pool hands its δ to the neuron that won its window; the others had no say in the result and get nothing.",
    "mean": "A mean pool hands an equal part of its δ to every neuron of its window.",
    "l2": "This pool hands its δ back in proportion to the activations of its window.",
    "sum": "A sum hands its δ on unchanged to everything it added.",
    "rbf": "A distance hands its δ back along the difference between the activation and the weight.",
}


def delta_frame(inspector: Inspector, part: Part, where: int) -> Frame:
    """The δ of all neurons of a stage: the largest as a table, and one worked out (all, where they are few)."""
    delta = part.values("delta")
    worked = range(len(part)) if len(part) <= FEW else [top_of(delta)]
    cards = [inspector.neuron(part.neuron(number).node) for number in worked]
    shown = largest_of(delta, ROWS)
    chosen = [part.neuron(number) for number in shown]
    rows = tuple((write_node(n.node), number_of(inspector, "z", n), number_of(inspector, "delta", n)) for n in chosen)
    table = Table("the neurons", ("neuron", "z", "δ"), rows, rest=(others(delta, shown, "δ"),))
    lines = tuple(line for card in cards for line in worked_delta(card))
    words = _words(inspector, cards[0], "Each neuron")
    silent = int(np.count_nonzero(delta == 0))
    if silent:
        words += f" The δ of {silent:,} of the {len(part):,} is exactly 0: nothing the loss could ask of them."
    return Frame("delta", f"δ: {part.stage.name}", _equation(cards), words, lines, (table,), where)


def delta_neuron(inspector: Inspector, card: NeuronCard, where: int) -> Frame:
    """The δ of one neuron: what its targets hand back."""
    tables: tuple[Table, ...] = ()
    if card.fan_out:
        weighted = any(edge.w is not None for edge in card.fan_out)
        shown, rest = largest(card.fan_out, lambda edge: edge.product, ROWS)
        heads = ("target", "δ", "w", "product", "weight") if weighted else ("target", "δ", "product")
        rows: list[Line] = []
        for edge in shown:
            start: Line = (write_node(edge.target), edge.delta)
            rows.append((*start, edge.w, edge.product, edge.weight or "") if weighted else (*start, edge.product))
        note = (f"… and {len(rest):,} smaller",) if rest else ()
        tables = (Table("the terms of δ", heads, tuple(rows), rest=note),)
    words = _words(inspector, card, "This neuron")
    if card.slope == 0:
        words += " The slope is 0 here, so whatever the targets ask for, nothing gets through."
    return Frame("delta", f"δ: {card.name}", _equation([card]), words, tuple(worked_delta(card)), tables, where)


def worked_delta(card: NeuronCard) -> list[Line]:
    """The lines of one neuron's δ, with its numbers."""
    name = f"{card.name}: "
    own = card.from_loss
    lines: list[Line] = []
    if own is not None:
        lines.append((f"{name}{'δ' if not card.fan_out else 'from the loss'} = {own.numbers} = ", own.value))
    if not card.fan_out:
        return lines or [(f"{name}nobody reads it, and no loss does: δ = ", card.delta)]
    if card.slope is not None and card.slope != 1:
        lines.append((f"{name}f′(z) = {card.activation}′(", card.z, ") = ", card.slope))
    start: Line = () if own is None else (*factor(own.value), " + ")
    sent = [edge for edge in card.fan_out if edge.product]
    if own is None and card.slope == 1 and len(sent) == 1 and sent[0].product == sent[0].delta:
        return [(f"{name}δ = ", card.delta, f", the whole δ of {write_node(sent[0].target)}")]
    handed = _handed(card)
    inner: Line = handed if card.slope == 1 else (*factor(card.slope), " · (", *handed, ")")
    lines.append((f"{name}δ = ", *start, *inner, " = ", card.delta))
    return lines


def _handed(card: NeuronCard) -> Line:
    shown, rest = largest(card.fan_out, lambda edge: edge.product, TERMS)
    parts: list[Line] = []
    for edge in shown:
        exact = edge.w is not None and edge.product in (0, edge.delta * edge.w)
        parts.append((*factor(edge.delta), "·", *factor(edge.w)) if exact else factor(edge.product))
    if rest and any(edge.product for edge in rest):
        parts.append((f"({len(rest):,} smaller: ", total(edge.product for edge in rest), ")"))
    return added(parts)


def _equation(cards: list[NeuronCard]) -> str:
    said = []
    for card in cards:
        own = "" if card.from_loss is None else f"δ = {card.from_loss.formula}"
        partial = "w" if all(edge.w is not None for edge in card.fan_out) else "∂z(target)/∂a"
        handed = f"f′(z) · Σ δ(target)·{partial}" if card.fan_out else ""
        said.append(f"{own} + {handed}" if own and handed else own or (f"δ = {handed}" if handed else "δ = 0"))
    return ";  ".join(dict.fromkeys(said))


def _words(inspector: Inspector, card: NeuronCard, who: str) -> str:
    said = [] if card.from_loss is None else [OUTPUTS]
    kinds = {find(inspector.network, inspector.trace.layout, edge.target).kind for edge in card.fan_out}
    said += [words.format(who=who) for kind, words in HIDDEN.items() if kind in kinds]
    if not said:
        said = ["Nothing reads this neuron, and no loss looks at it: whatever it does makes no difference, so δ = 0."]
    return " ".join(said)
