"""One pass of backpropagation as a story: forward, loss, δ, contributions, sums, update; layer by layer or neuron by neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurograph.engine import Optimizer
from neurograph.errors import LossError, UsageError, suggest
from neurograph.inspector.cards import NeuronCard
from neurograph.inspector.frames import Frame, Story
from neurograph.inspector.stages import Part, part_of, stages_of, top_of
from neurograph.inspector.story_delta import delta_frame, delta_neuron
from neurograph.inspector.story_forward import forward_frame, forward_neuron, input_frame, loss_frame
from neurograph.inspector.story_update import after_frame, take_update, update_frame
from neurograph.inspector.story_weights import (
    Harvest,
    contributions_frame,
    contributions_neuron,
    harvest,
    sums_frame,
)

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

WAYS = ("layer", "neuron")
ALL = 24
"""Networks of up to so many computing neurons are told whole, neuron by neuron."""


def tell(inspector: Inspector, by: str = "layer", optimizer: Optimizer | None = None) -> Story:
    """The story of an inspector's pass.

    Parameters
    ----------
    by : str
        ``"layer"`` or ``"neuron"``.
    optimizer : Optimizer, optional
        For the update; it is not changed. Without one the story ends with the gradients.

    Raises
    ------
    UsageError
        For another `by`.
    LossError
        If neither a target nor an upstream gradient was given: half a story.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h"); graph.connect("x", "h", weight="w", value=2.0)
    >>> graph.set_outputs(["h"], loss="mse", form="half_sum")
    >>> inspector = ng.Inspector(ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)), [[3.0]], [[5.0]])
    >>> for frame in tell(inspector, optimizer=ng.SGD(0.1)):
    ...     print(frame.title)
    What goes in: x
    Forward: h
    The loss
    δ: h
    What each use asks for: the weights into h
    The sums: the weights into h
    The update: the weights into h
    After the step
    """
    if by not in WAYS:
        raise UsageError(f"story: no way '{by}'{suggest(by, WAYS)} (known: {', '.join(WAYS)})")
    if not inspector.has_delta:
        raise LossError(
            "story: this pass had neither a target nor an upstream gradient, so there is no way back to tell. "
            "Give one of them; a spec needs a [loss] for a target."
        )
    return _Teller(inspector, by, optimizer).story()


class _Teller:
    """Puts the frames in order."""

    def __init__(self, inspector: Inspector, by: str, optimizer: Optimizer | None) -> None:
        self.inspector, self.by, self.optimizer = inspector, by, optimizer
        self.stages = stages_of(inspector.network, inspector.trace.layout)
        parts = [(where, part_of(inspector, stage)) for where, stage in enumerate(self.stages)]
        self.given = [(where, part) for where, part in parts if part.stage.is_input]
        self.computing = [(where, part) for where, part in parts if not part.stage.is_input]
        self.n_neurons = sum(len(part) for _, part in self.computing)
        self.cards = {where: self._cards(part) for where, part in self.computing} if by == "neuron" else {}

    def story(self) -> Story:
        back = self.computing[::-1]
        harvests = [found for where, part in back if (found := harvest(self.inspector, part, where)).cards]
        frames = [
            *(input_frame(self.inspector, part, where, self._said(where)) for where, part in self.given),
            *(frame for where, part in self.computing for frame in self._forward(where, part)),
            loss_frame(self.inspector, len(self.stages)),
            *(frame for where, part in back for frame in self._delta(where, part)),
            *(frame for found in harvests for frame in self._contributions(found)),
            *(sums_frame(self.inspector, found) for found in harvests),
            *self._update(harvests),
        ]
        strip = (*(stage.name for stage in self.stages), "E")
        return Story(self._name, self.by, tuple(frames), strip, self._n_left_out)

    @property
    def _name(self) -> str:
        network = self.inspector.network
        return str(getattr(network, "graph", {}).get("name", "") or getattr(network, "name", "") or "network")

    @property
    def _n_left_out(self) -> int:
        return self.n_neurons - sum(map(len, self.cards.values())) if self.by == "neuron" else 0

    def _said(self, where: int) -> str:
        if where or not self._n_left_out:
            return ""
        shown = self.n_neurons - self._n_left_out
        return (
            f"Of the {self.n_neurons:,} neurons that compute, {shown:,} are told: in every layer the most active one, the one with the "
            f"largest δ, and a silent one, where there is one. The other {self._n_left_out:,} are left out."
        )

    def _forward(self, where: int, part: Part) -> list[Frame]:
        if self.by == "layer":
            return [forward_frame(self.inspector, part, where)]
        return [forward_neuron(self.inspector, card, where) for card in self.cards[where]]

    def _delta(self, where: int, part: Part) -> list[Frame]:
        if self.by == "layer":
            return [delta_frame(self.inspector, part, where)]
        return [delta_neuron(self.inspector, card, where) for card in self.cards[where]]

    def _contributions(self, found: Harvest) -> list[Frame]:
        if self.by == "layer":
            return [contributions_frame(self.inspector, found)]
        frames = (contributions_neuron(self.inspector, card, found.where) for card in self.cards[found.where])
        return [frame for frame in frames if frame is not None]

    def _update(self, harvests: list[Harvest]) -> list[Frame]:
        if self.optimizer is None or not harvests:
            return []
        update = take_update(self.inspector, self.optimizer)
        last = after_frame(self.inspector, update, len(self.stages))
        return [*(update_frame(self.inspector, found, update) for found in harvests), *([last] if last else [])]

    def _cards(self, part: Part) -> list[NeuronCard]:
        """The neurons of a stage that are told: all in a small network, else those that say most."""
        a, delta = part.values("a"), part.values("delta")
        chosen = sorted({top_of(a), top_of(delta), *np.flatnonzero(a == 0)[:1].tolist()})
        if self.n_neurons <= ALL:
            chosen = list(range(len(part)))
        return [self.inspector.neuron(part.neuron(number).node) for number in chosen]
