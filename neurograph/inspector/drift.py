"""A group trained twice, tied and untied: the copies' separate updates, and how they drift apart."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import Engine, Optimizer
from neurograph.errors import UsageError
from neurograph.graph.address import parse_address, write_reference
from neurograph.graph.build import build
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.roles import biases_of, spare_biases
from neurograph.inspector.cards import plain
from neurograph.inspector.layers import names_a_layer
from neurograph.inspector.neuron import node_at
from neurograph.inspector.sheets import Sheet
from neurograph.inspector.untie import (
    Copies,
    copies_of_neurons,
    copies_of_weight,
    nothing_shared,
    untied,
    written_owner,
)
from neurograph.parameters import Parameters
from neurograph.trace import Trace

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector
    from neurograph.reference import ReferenceEngine

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drift:
    """What became of a tied group and of its untied twin over some steps on one batch.

    Attributes
    ----------
    what : str
        The group or weight that was untied.
    watched : str
        The weight whose copies are followed.
    owners : tuple of str
        The copies, by the neuron or edge that has them.
    gradients : ndarray, shape (copies,)
        What each copy's own gradient is on the first step; their sum is the gradient of the tied weight.
    gradient : float
        Of the tied weight, on the first step.
    tied : ndarray, shape (steps + 1,)
        The tied weight, from before the first step on.
    copies : ndarray, shape (steps + 1, copies)
    spread : ndarray, shape (steps + 1,)
        Standard deviation between the copies of one weight, root mean square over all weights that were untied.
    losses : ndarray, shape (steps + 1, 2)
        Of the batch, tied and untied; NaN with an upstream gradient.
    n_weights : int
        Shared weights and biases that were untied.
    optimizer : str
    """

    what: str
    watched: str
    owners: tuple[str, ...]
    gradients: Floats
    gradient: float
    tied: Floats
    copies: Floats
    spread: Floats
    losses: Floats
    n_weights: int
    optimizer: str

    @property
    def n_steps(self) -> int:
        return len(self.tied) - 1

    @property
    def name(self) -> str:
        """What was untied."""
        return self.what

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """As text; tables of more than `limit` rows are shortened."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What it says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.drift_sheet import drift_sheet

        return drift_sheet(self, digits, limit)

    def page(self, digits: int = 6, limit: int = 12, about: str = "") -> str:
        """A self-contained HTML page, with the copies' paths as a picture."""
        from neurograph.inspector.drift_chart import chart
        from neurograph.inspector.html import as_page

        return as_page(self.sheet(digits, limit), about).replace("</main>", f"{chart(self)}\n</main>")

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        found: dict[str, Any] = plain(
            {
                "untied": self.what,
                "optimizer": self.optimizer,
                "n_weights": self.n_weights,
                "watched": self.watched,
                "gradient": self.gradient,
                "copies": [
                    {"owner": owner, "gradient": float(gradient), "values": self.copies[:, number].tolist()}
                    for number, (owner, gradient) in enumerate(zip(self.owners, self.gradients, strict=True))
                ],
                "tied": self.tied.tolist(),
                "spread": self.spread.tolist(),
                "loss_tied": self.losses[:, 0].tolist(),
                "loss_untied": self.losses[:, 1].tolist(),
            }
        )
        return found

    def _repr_html_(self) -> str:
        from neurograph.inspector.drift_chart import chart
        from neurograph.inspector.html import as_fragment

        return f"{as_fragment(self.sheet())}\n{chart(self)}"

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<Drift of {self.what}: {self.n_weights} weights, {len(self.owners)} copies, {self.n_steps} steps>"


def untie(inspector: Inspector, what: str, optimizer: Optimizer, steps: int = 10) -> Drift:
    """Train a network twice on the inspector's batch: as it is, and with one group untied. The inspector's network stays as it is.

    Parameters
    ----------
    what : str
        A group ``"conv1[0]"``, a layer ``"conv1"``, or a weight ``"conv1.weight[0,0,2,1]"`` (then each edge gets a copy).
    optimizer : Optimizer
        Both networks get a copy of it.

    Raises
    ------
    UsageError
        If nothing of it is shared, or it is not trained.
    GraphTooLarge
        If the network is too large to be written out.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.set_parameter("w", 1.0)
    >>> for number in (1, 2):
    ...     graph.add_input(f"x{number}"); graph.add_neuron(f"h{number}"); graph.connect(f"x{number}", f"h{number}", weight="w")
    >>> graph.set_outputs(["h1", "h2"], loss="mse", form="half_sum")
    >>> engine = ng.ReferenceEngine(graph, ng.initialise(graph, seed=0))
    >>> drift = untie(ng.Inspector(engine, [[1.0, 2.0]], [[0.0, 0.0]]), "w", ng.SGD(0.125), steps=1)
    >>> drift.gradients.tolist(), drift.gradient, drift.copies[1].tolist(), drift.tied.tolist()
    ([1.0, 4.0], 5.0, [0.875, 0.5], [1.0, 0.375])
    """
    from neurograph.reference import ReferenceEngine

    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise UsageError(f"untie {what}: {steps} steps; at least 1 is needed.")
    if not inspector.has_delta:
        raise UsageError(
            f"untie {what}: this pass had neither a target nor an upstream gradient, so nothing is learnt. "
            "Give one of them; a spec needs a [loss] for a target."
        )
    graph = inspector.network if isinstance(inspector.network, NeuronGraph) else build(inspector.network)
    params = Parameters(inspector.trace.weights, inspector.asked.engine.params.trainable)
    copies = _copies(inspector, graph, what, params)
    apart, own = untied(graph, params, copies)
    tied, loose = ReferenceEngine(graph, params), ReferenceEngine(apart, own)
    return _train(inspector, what, copies, (tied, loose), optimizer, steps)


def _copies(inspector: Inspector, graph: NeuronGraph, what: str, params: Parameters) -> list[Copies]:
    shapes = inspector.trace.layout.shapes
    if names_a_layer(shapes, what):
        inspector.layer(what)  # says what is wrong with the group, if anything is
        name, index = parse_address(what) or (what, ())
        places = ((name, (*index, *map(int, rest))) for rest in np.ndindex(*shapes[name][len(index) :]))
        nodes = [node for place in places if (node := node_at(inspector.trace.layout, place)) in graph]
        found = copies_of_neurons(graph, nodes)
    else:
        found = copies_of_weight(graph, inspector.trace.reference(what))
    if not found:
        raise nothing_shared(what, "nothing here is used more than once")
    learnt = [copies for copies in found if params.trainable[copies.reference[0]]]
    if not learnt:
        raise nothing_shared(what, "it is not trained, so its copies would all stay as they are")
    return learnt


def _train(
    inspector: Inspector,
    what: str,
    copies: list[Copies],
    engines: tuple[ReferenceEngine, ReferenceEngine],
    optimizer: Optimizer,
    steps: int,
) -> Drift:
    tied, loose = engines
    optimizers = deepcopy(optimizer), deepcopy(optimizer)
    for engine, own in zip(engines, optimizers, strict=True):
        spare_biases(own, biases_of(engine.graph))
    traces = inspector.asked.run(tied), inspector.asked.run(loose)
    watched = max(copies, key=lambda c: (not c.neurons, abs(_entry(traces[0].gradient, c))))
    first = np.array(traces[1].gradient[watched.name], np.float64)
    gradient = _entry(traces[0].gradient, watched)
    history = [_state(engines, traces, copies, watched)]
    for _ in range(steps):
        for engine, own, trace in zip(engines, optimizers, traces, strict=True):
            _step(engine, own, trace)
        traces = inspector.asked.run(tied), inspector.asked.run(loose)
        history.append(_state(engines, traces, copies, watched))
    values, apart, spread, losses = (np.array(column, np.float64) for column in zip(*history, strict=True))
    name = write_reference(watched.reference, tied.params[watched.reference[0]].shape)
    owners = tuple(written_owner(owner) for owner in watched.owners)
    return Drift(what, name, owners, first, gradient, values, apart, spread, losses, len(copies), repr(optimizer))


def _step(engine: Engine, optimizer: Optimizer, trace: Trace) -> None:
    trainable = engine.params.trainable
    gradients = {name: gradient for name, gradient in trace.gradient.items() if trainable[name]}
    values = {name: engine.params[name].copy() for name in gradients}
    optimizer.step(values, gradients)
    engine.params.update(values)


def _state(
    engines: tuple[Engine, Engine], traces: tuple[Trace, Trace], copies: list[Copies], watched: Copies
) -> tuple[float, Floats, float, tuple[float, float]]:
    """The tied weight, its copies, the spread of all copies, both losses."""
    tied, loose = engines
    variance = [spread_of(loose.params[found.name]) ** 2 for found in copies]
    losses = tuple(float("nan") if trace.loss is None else trace.loss for trace in traces)
    spread = float(np.sqrt(np.mean(variance)))
    return _entry(tied.params, watched), loose.params[watched.name].copy(), spread, (losses[0], losses[1])


def spread_of(copies: Floats) -> float:
    """The standard deviation between the copies of one weight; exactly 0 while they are equal.

    Examples
    --------
    >>> spread_of(np.full(3, 0.1)), spread_of(np.array([1.0, 3.0]))
    (0.0, 1.0)
    """
    return float(np.std(copies - copies[0]))


def _entry(arrays: Any, copies: Copies) -> float:
    name, index = copies.reference
    return float(arrays[name].reshape(-1)[index])
