"""The end of a story: every weight before and after one step of the optimiser, and the loss with the new weights."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.engine import Optimizer
from neurograph.graph.roles import biases_of, spare_biases
from neurograph.inspector.asked import lent_weights
from neurograph.inspector.cards import WeightCard
from neurograph.inspector.frames import Frame, Line, Table, factor
from neurograph.inspector.step import plain_rate
from neurograph.inspector.story_weights import Harvest

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

ONE_STEP = "The step goes against the gradient: where the loss grows with the weight, the weight shrinks."


@dataclass(frozen=True)
class Update:
    """One update: all trainable weights before and after. The optimiser given keeps its own state untouched."""

    optimizer: Optimizer
    before: dict[str, Any]
    after: dict[str, Any]

    def of(self, name: str, position: int) -> tuple[Any, Any]:
        """One weight before and after."""
        return self.before[name].reshape(-1)[position], self.after[name].reshape(-1)[position]


def take_update(inspector: Inspector, optimizer: Optimizer) -> Update:
    """What one update makes of the weights, with every gradient from the old ones."""
    trace, trainable = inspector.trace, inspector.asked.engine.params.trainable
    names = [name for name in trace.gradient if trainable.get(name, True)]
    before = {name: np.asarray(trace.weights[name], np.float64) for name in names}
    gradients = {name: np.asarray(trace.gradient[name], np.float64) for name in names}
    after = {name: value.copy() for name, value in before.items()}
    spare_biases(optimizer, biases_of(inspector.network))
    deepcopy(optimizer).step(after, gradients)
    return Update(optimizer, before, after)


def update_frame(inspector: Inspector, found: Harvest, update: Update) -> Frame:
    """Weights before and after."""
    rows: list[Line] = []
    for card in found.cards:
        before, after = _before_after(inspector, card, update)
        rows.append((card.name, before, card.gradient, after))
    table = Table("the weights", ("weight", "before", "∂E/∂w", "after"), tuple(rows), rest=(found.rest,))
    equation, rate = step_equation(update.optimizer)
    lines: tuple[Line, ...] = ()
    if rate is not None:
        card = found.representative
        before, after = _before_after(inspector, card, update)
        lines = ((f"{card.name}: ", before, " − ", rate, "·", *factor(card.gradient), " = ", after),)
    words = f"{ONE_STEP} All weights move at once, each by a gradient that was worked out with the old weights."
    if found.fixed:
        words += f" Not trained, so unchanged: {', '.join(found.fixed)}."
    return Frame(
        "update", f"The update: the weights into {found.stage.name}", equation, words, lines, (table,), found.where
    )


def after_frame(inspector: Inspector, update: Update, where: int) -> Frame | None:
    """The same batch with the new weights; None where there is no loss to compare."""
    trace = inspector.trace
    if trace.loss is None or inspector._targets is None:
        return None
    with lent_weights(inspector.asked.engine.params, {**trace.weights, **update.after}):
        new = inspector.asked.run()
    assert new.loss is not None
    table = Table("the loss", ("", "before", "after"), (("E", trace.loss, new.loss),))
    change = new.loss - trace.loss
    share = f" by {abs(change / trace.loss):.3%}" if trace.loss else ""
    batch = "" if trace.batch == 1 else f" over the {trace.batch} samples"
    said = "The same input again, with the new weights: the loss"
    if change < 0:
        words = f"{said}{batch} has fallen{share}. Training is this step, over and over."
    elif change > 0:
        words = f"{said}{batch} has grown{share}. The step was too long; a smaller learning rate would help."
    elif change == 0:
        words = f"{said}{batch} is what it was; no weight was asked to change, or none that matters."
    else:
        words = f"{said}{batch} is no number any more."
    return Frame("update", "After the step", "E(new weights) against E(old weights)", words, (), (table,), where)


def step_equation(optimizer: Optimizer) -> tuple[str, float | None]:
    """The optimiser's rule in one line, and its rate where the rule is plain descent on a first update.

    Examples
    --------
    >>> import neurograph as ng
    >>> step_equation(ng.SGD(0.5))
    ('w ← w − η·∂E/∂w with η = 0.5', 0.5)
    >>> step_equation(ng.Adam(0.01))[0]
    'w ← w − the step of Adam(learning_rate=0.01)'
    """
    options: dict[str, Any] = getattr(optimizer, "options", {})
    rate = getattr(optimizer, "rate", None)
    others = ("l1", "l2", "weight_decay", "clip_norm", "clip_value", "nesterov")
    fresh = not any(True for _ in getattr(optimizer, "state", dict)())
    is_first = fresh and "form" in options and not any(options[key] for key in others)
    if rate is not None and (plain_rate(optimizer) is not None or is_first):
        momentum = options["momentum"]
        note = f"; the momentum {momentum:g} has nothing to add on a first step" if momentum else ""
        return f"w ← w − η·∂E/∂w with η = {rate:g}{note}", float(rate)
    return f"w ← w − the step of {optimizer!r}", None


def _before_after(inspector: Inspector, card: WeightCard, update: Update) -> tuple[Any, Any]:
    """In fractions where the gradient is one and the rule is plain descent."""
    from neurograph.inspector.rational import ExactInspector, exact

    rate = step_equation(update.optimizer)[1]
    if isinstance(inspector, ExactInspector) and rate is not None:
        return card.value, card.value - exact(rate) * card.gradient
    return update.of(*inspector.trace.reference(card.name))
