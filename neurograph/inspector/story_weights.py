"""The harvest of a story: what every use of a weight asks for, and the sums of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.graph.address import write_node, write_reference
from neurograph.graph.neighbourhood import fan_in
from neurograph.graph.topology import Topology
from neurograph.inspector.cards import NeuronCard, Use, WeightCard
from neurograph.inspector.formulas import total
from neurograph.inspector.frames import Frame, Line, Table, added, factor
from neurograph.inspector.stages import Part, Stage, largest_of, others
from neurograph.inspector.story_forward import ROWS, TERMS
from neurograph.inspector.table import largest
from neurograph.trace import glance

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector


MOST = 12
"""Uses in one table."""


@dataclass(frozen=True)
class Harvest:
    """The weights that one stage learns: the cards of those with the largest gradients, and how many there are."""

    stage: Stage
    where: int
    cards: tuple[WeightCard, ...]
    n_weights: int
    rest: str
    fixed: tuple[str, ...]

    @property
    def representative(self) -> WeightCard:
        """The weight with the largest gradient; weights before biases."""
        return max(self.cards, key=lambda card: (not card.is_bias, abs(card.gradient)))


def harvest(inspector: Inspector, part: Part, where: int) -> Harvest:
    """Look at a stage's weights; the trainable ones with the largest gradients get a card."""
    trace = inspector.trace
    names = parameters_of(inspector, part)
    learnt = [name for name in names if inspector.asked.engine.params.trainable.get(name, True)]
    fixed = tuple(name for name in names if name not in learnt)
    sizes = [glance(trace.weights, name).size for name in learnt]
    gradients = [np.asarray(glance(trace.gradient, name), np.float64).reshape(-1) for name in learnt]
    joined = np.concatenate(gradients) if gradients else np.zeros(0)
    chosen: list[tuple[str, int]] = []
    shown = largest_of(joined, ROWS)
    for number in shown:
        position = number
        for name, size in zip(learnt, sizes, strict=True):
            if position < size:
                chosen.append((name, position))
                break
            position -= size
    cards = tuple(inspector.weight(write_reference(ref, glance(trace.weights, ref[0]).shape)) for ref in chosen)
    return Harvest(part.stage, where, cards, len(joined), others(joined, shown, "gradients"), fixed)


def parameters_of(inspector: Inspector, part: Part) -> list[str]:
    """The names of the weights and biases that a stage's neurons read with, weights first."""
    network = inspector.network
    if isinstance(network, Topology):
        names = [str(name) for name in part.stage.populations]
        weights = [projection.weight for name in names for projection in network.into(name)]
        biases = [population.bias.name for name in names if (population := network.populations[name]).bias is not None]
    else:
        neurons = [part.neuron(number) for number in range(len(part))]
        weights = [w.param[0] for n in neurons for w in fan_in(network, n.node) if w.param is not None]
        biases = [neuron.bias[0] for neuron in neurons if neuron.bias is not None]
    return list(dict.fromkeys(name for name in (*weights, *biases) if name is not None))


def contributions_frame(inspector: Inspector, found: Harvest) -> Frame:
    """What every use of the stage's weights asks for; of many, every use of the weight with the largest gradient."""
    cards = found.cards
    card = found.representative
    told = (
        cards if max(card.n_copies for card in cards) == 1 or sum(len(card.uses) for card in cards) <= MOST else (card,)
    )
    uses = [(owner, use) for owner in told for use in owner.uses]
    shown, rest = largest(uses, lambda pair: pair[1].product, MOST)
    note: Line = (found.rest,) if told is cards else ()
    if rest:
        left = total(use.product for _, use in rest)
        zero = not any(use.product for _, use in rest)
        note = (
            (f"… and {len(rest):,} more, 0 all of them",) if zero else (f"… and {len(rest):,} smaller, together ", left)
        )
    named = told is cards
    sample = ("sample",) if inspector.trace.batch > 1 else ()
    rows: list[Line] = []
    for owner, use in shown:
        cells: Line = (_edge(use), *_sample(inspector, use), use.delta, use.a, use.product)
        rows.append((owner.name, *cells) if named else cells)
    heads = (*(("weight",) if named else ()), "source → target", *sample, "δ", "a", f"δ·{_partial(told)}")
    table = Table("the uses", heads, tuple(rows), words=1 + named + len(sample), rest=note)
    if named:
        title = f"What each use asks for: the weights into {found.stage.name}"
        words = (
            "Every edge asks for a change of its weight: the δ at its end times the activation at its start. "
            "An edge whose source is silent asks for nothing."
        )
    else:
        title = f"What each use of {card.name} asks for"
        each = f" in each of the {inspector.trace.batch} samples" if sample else ""
        words = (
            f"This is one of the {found.n_weights:,} weights into {found.stage.name}, the one with the largest gradient. It is "
            f"used {card.n_copies:,} times{each}, and each use asks for its own change: the δ at its end times the activation at its start."
        )
    equation = f"contribution of a use = δ(target)·{_partial(told)}"
    return Frame("contributions", title, equation, words, (), (table,), found.where)


def contributions_neuron(inspector: Inspector, card: NeuronCard, where: int) -> Frame | None:
    """What one neuron asks of each of its weights in this sample; None for neurons without weights."""
    trainable = inspector.asked.engine.params.trainable
    mine = [
        (term.weight, term)
        for term in card.terms
        if term.weight is not None and trainable.get(inspector.trace.reference(term.weight)[0], True)
    ]
    biased = card.bias_name is not None and trainable.get(inspector.trace.reference(card.bias_name)[0], True)
    if not mine and not biased:
        return None
    asked = [(weight, term, _asks(card, term)) for weight, term in mine]
    shown, rest = largest(asked, lambda row: row[2], ROWS)
    rows: list[Line] = [
        (weight, write_node(term.source), card.delta, term.a, product) for weight, term, product in shown
    ]
    if biased:
        rows.append((card.bias_name, "always 1", card.delta, 1.0, card.delta))
    partial = "∂z/∂w" if card.kind == "rbf" else "a"
    note = (f"… and {len(rest):,} smaller",) if rest else ()
    table = Table("what it asks", ("weight", "source", "δ", "a", f"δ·{partial}"), tuple(rows), words=2, rest=note)
    words = (
        f"{card.name} asks each of its weights for a change: its own δ times the activation that came along that edge."
    )
    if card.delta == 0:
        words = f"The δ of {card.name} is 0, so it asks nothing of its weights."
    title = f"What {card.name} asks of its weights"
    return Frame("contributions", title, f"contribution = δ·{partial}", words, (), (table,), where)


def sums_frame(inspector: Inspector, found: Harvest) -> Frame:
    """The sums over all uses, and what the batch makes of them."""
    batch = inspector.trace.batch
    mean = inspector.reduction == "mean" and batch > 1
    rows = tuple((c.name, str(c.n_copies), c.sum, *((c.gradient,) if mean else ())) for c in found.cards)
    heads = ("weight", "uses", "Σ", *((f"Σ / {batch}",) if mean else ()))
    table = Table("the sums", heads, rows, words=2, rest=(found.rest,))
    card = found.representative
    shown, rest = largest(card.uses, lambda use: use.product, TERMS)
    parts: list[Line] = [factor(use.product) for use in shown]
    if rest and any(use.product for use in rest):
        parts.append((f"({len(rest):,} smaller: ", total(use.product for use in rest), ")"))
    lines: list[Line] = []
    if len(card.uses) > 1:
        lines.append((f"{card.name}: Σ = ", *added(parts or [(0,)]), " = ", card.sum))
    if mean:
        lines.append((f"{card.name}: mean over the {batch} samples = ", card.sum, f" / {batch} = ", card.gradient))
    shared = max(card.n_copies for card in found.cards)
    if shared > 1:
        words = (
            f"Each shared weight adds up what all its uses ask for, up to {shared:,} of them: the sum is its gradient, and all "
            "copies will move by it together."
        )
    else:
        words = "Each weight here is used once, so its sum has one term per sample: that is its gradient."
    equation = (
        "∂E/∂w = Σ over its uses of δ(target)·"
        + _partial(found.cards)
        + (f",  divided by the {batch} samples" if mean else "")
    )
    return Frame(
        "sums", f"The sums: the weights into {found.stage.name}", equation, words, tuple(lines), (table,), found.where
    )


# -- what all share ---------------------------------------------------------------------------------------------------
def _edge(use: Use) -> str:
    return f"{write_node(use.source)} → {write_node(use.target)}"


def _sample(inspector: Inspector, use: Use) -> tuple[str, ...]:
    return (str(use.sample),) if inspector.trace.batch > 1 else ()


def _partial(cards: tuple[WeightCard, ...]) -> str:
    return "a" if all(use.product in (0, use.delta * use.a) for card in cards for use in card.uses) else "∂z/∂w"


def _asks(card: NeuronCard, term: Any) -> Any:
    if card.delta is None or card.delta == 0:
        return 0.0
    return card.delta * 2 * (term.w - term.a) if card.kind == "rbf" else card.delta * term.a
