"""What the loss's card says: what every output adds, and the probability that is meant."""

from __future__ import annotations

from neurograph.graph.address import write_node
from neurograph.inspector.formulas import total as sum_of
from neurograph.inspector.loss import LossCard, Owed
from neurograph.inspector.parts import Grid, Sheet
from neurograph.inspector.table import largest, left_out, number


def loss_sheet(card: LossCard, digits: int, limit: int) -> Sheet:
    """The loss's card: what every output adds."""
    which = f", sample {card.sample}" if card.batch > 1 else ""
    value = number(card.value, digits)
    lines: Sheet = [f"loss = {value}{which}"]
    for (head, formula, weight, outputs), notes in zip(card.heads, card.notes, strict=True):
        factor = "" if weight == 1 else f"{number(weight, digits)} · "
        what = "loss" if len(card.heads) == 1 else f"the part of {head}"
        lines += ["", f"  {what} = {factor}{formula}" if not factor else f"  {what} = {factor}({formula})"]
        lines += [f"    {note}" for note in notes]
        shown, rest = largest(outputs, lambda owed: owed.addend, limit)
        heads, columns = _columns(outputs)
        rows = [[write_node(o.node), *(number(getattr(o, name), digits) for name in columns)] for o in shown]
        lines += [Grid("the outputs", ["output", *heads], rows)]
        lines += left_out(rest, [owed.addend for owed in rest], digits, "output", True)
        if len(card.heads) > 1:
            lines += [f"    Σ = {number(weight * sum_of(owed.addend for owed in outputs), digits)}"]
    lines += ["", f"  loss = {value}"]
    if card.batch > 1:
        how = "mean" if card.reduction == "mean" else "sum"
        lines += [f"  {how} over the {card.batch} samples of the batch = {number(card.batch_loss, digits)}"]
    return lines


def _columns(outputs: tuple[Owed, ...]) -> tuple[list[str], list[str]]:
    """Headings and what stands under them: where probabilities are meant, p takes a's place, which is p or z again."""
    found = {"z": "z"}
    found |= {"p": "p"} if any(owed.p is not None for owed in outputs) else {"a": "a"}
    found |= {"t": "target"}
    found |= {"t′": "smoothed"} if any(owed.smoothed is not None for owed in outputs) else {}
    found |= {"w": "class_weight"} if any(owed.class_weight is not None for owed in outputs) else {}
    found |= {"adds": "addend", "δ": "delta"}
    return list(found), list(found.values())
