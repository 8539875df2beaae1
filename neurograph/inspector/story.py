"""One pass of backpropagation as a story: forward, loss, δ, contributions, sums, update; layer by layer or neuron by neuron."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurograph.engine import Optimizer
from neurograph.errors import LossError, UsageError, suggest
from neurograph.inspector.cards import NeuronCard
from neurograph.inspector.frames import Frame, Story
from neurograph.inspector.stages import Stage, neuron_at, stages_of, top_of
from neurograph.inspector.story_delta import delta_frame, delta_neuron
from neurograph.inspector.story_forward import forward_frame, forward_neuron, input_frame, loss_frame
from neurograph.inspector.story_update import after_frame, take_update, update_frame
from neurograph.inspector.story_weights import (
    Harvest,
    contributions_frame,
    contributions_neuron,
    harvest,
    parameters_of,
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
        self.numbered = list(enumerate(self.stages))
        self.computing = [(where, stage) for where, stage in self.numbered if not stage.is_input]
        self.n_neurons = sum(self._there(stage) for _, stage in self.computing)
        self.cards = {where: self._cards(stage) for where, stage in self.computing} if by == "neuron" else {}

    def story(self) -> Story:
        back = self.computing[::-1]
        harvests = [harvest(self.inspector, stage, where) for where, stage in back if self._learns(stage)]
        harvests = [found for found in harvests if found.cards]
        frames = [
            *(input_frame(self.inspector, s, where, self._said(where)) for where, s in self.numbered if s.is_input),
            *(frame for where, stage in self.computing for frame in self._forward(where, stage)),
            loss_frame(self.inspector, len(self.stages)),
            *(frame for where, stage in back for frame in self._delta(where, stage)),
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

    def _forward(self, where: int, stage: Stage) -> list[Frame]:
        if self.by == "layer":
            return [forward_frame(self.inspector, stage, where)]
        return [forward_neuron(self.inspector, card, where) for card in self.cards[where]]

    def _delta(self, where: int, stage: Stage) -> list[Frame]:
        if self.by == "layer":
            return [delta_frame(self.inspector, stage, where)]
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

    def _learns(self, stage: Stage) -> bool:
        return bool(parameters_of(self.inspector, stage))

    def _there(self, stage: Stage) -> int:
        return int(np.count_nonzero(~np.isnan(stage.values(self.inspector.trace, "a", self.inspector.sample))))

    def _cards(self, stage: Stage) -> list[NeuronCard]:
        """The neurons of a stage that are told: all in a small network, else those that say most."""
        if self.n_neurons <= ALL:
            chosen = list(range(stage.size))
        else:
            a, delta = (stage.values(self.inspector.trace, what, self.inspector.sample) for what in ("a", "delta"))
            chosen = sorted({top_of(a), top_of(delta), *np.flatnonzero(a == 0)[:1].tolist()})
        found = (neuron_at(self.inspector.trace, stage, position) for position in chosen)
        return [self.inspector.neuron(neuron.node) for neuron in found if neuron is not None]
