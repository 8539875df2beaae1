"""What if one number were another: the same pass again with a pixel, a weight or an activation changed, beside the first.

Both passes are whole passes of the same engine, so what is listed as changed is exactly what differs, to the last bit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.engine import labels_of, read_batch
from neurograph.graph.layout import Place
from neurograph.graph.neighbourhood import biased_neurons, fan_out, uses
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Projection, Topology
from neurograph.inspector.alterations import Alteration, read_alterations
from neurograph.inspector.asked import lent_weights
from neurograph.inspector.change import Change, LayerChange
from neurograph.inspector.held import Held, hold
from neurograph.inspector.reach import Reach, Seeds, reach_of
from neurograph.inspector.stages import Stage, there
from neurograph.trace import Trace

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

QUANTITIES = ("z", "a", "delta")


def what_if(inspector: Inspector, changes: str | Sequence[str] | Mapping[str, float]) -> Change:
    """Change numbers, run the pass again, and compare.

    Parameters
    ----------
    changes : str, sequence of str, or mapping
        ``"x[0,2,3]=5"``, several of them, or ``{"x[0,2,3]": 5.0}``. A changed weight changes all its uses. A changed activation
        is held: the neuron no longer listens to its z, so its δ = ∂loss/∂z is 0 and nothing flows back through it.

    Raises
    ------
    UsageError, UnknownName
        If a change says nothing that can be changed.
    GraphTooLarge
        If an activation is to be held in a network too large to be written out.

    Examples
    --------
    >>> import neurograph as ng
    >>> graph = ng.NeuronGraph()
    >>> graph.add_input("x"); graph.add_neuron("h"); graph.connect("x", "h", weight="w", value=2.0)
    >>> graph.set_outputs(["h"], loss="mse", form="half_sum")
    >>> inspector = ng.Inspector(ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)), [[3.0]], [[5.0]])
    >>> change = what_if(inspector, "w=3")
    >>> change["h"].z, change.loss
    ((6.0, 9.0), (0.5, 8.0))
    """
    alterations = read_alterations(inspector, changes)
    before, after, held = _passes(inspector, alterations)
    reach = reach_of(inspector.network, inspector.trace.layout, _seeds(inspector, alterations))
    layers = [_layer(inspector, name, before, after, reach, held) for name in inspector.trace.layout.shapes]
    return Change(
        alterations=tuple(alterations),
        sample=inspector.sample,
        batch=inspector.trace.batch,
        layers={layer.name: layer for layer in layers},
        loss=None if before.loss is None or after.loss is None else (before.loss, after.loss),
        labels=_labels(inspector, before, after),
        held={place: found.asked for place, found in held.items()},
        layout=inspector.trace.layout,
    )


def _passes(inspector: Inspector, alterations: Sequence[Alteration]) -> tuple[Trace, Trace, dict[Place, Held]]:
    """The pass before and the pass after, of one engine; where activations are held, of the textbook's."""
    weights = _altered_weights(inspector, alterations)
    x = _altered_inputs(inspector, alterations)
    holding = {a.place: a.after for a in alterations if a.kind == "activation" and a.place is not None}
    if holding:
        return hold(inspector, holding, weights, x)
    with lent_weights(inspector.asked.engine.params, inspector.trace.weights):
        before = inspector.asked.run()
        with lent_weights(inspector.asked.engine.params, weights):
            return before, inspector.asked.run(x=x), {}


def _altered_weights(inspector: Inspector, alterations: Sequence[Alteration]) -> dict[str, Any]:
    weights: dict[str, Any] = dict(inspector.trace.weights)
    for alteration in alterations:
        if alteration.reference is not None:
            name, index = alteration.reference
            weights[name] = np.array(weights[name], np.float64)
            weights[name].reshape(-1)[index] = alteration.after
    return weights


def _altered_inputs(inspector: Inspector, alterations: Sequence[Alteration]) -> dict[Hashable, Any]:
    """The batch with the sample's inputs changed."""
    ports = inspector.trace.layout.inputs
    arrays = {name: array.copy() for name, array in read_batch(inspector.asked.x, ports).items()}
    for alteration in alterations:
        if alteration.kind == "input" and alteration.place is not None:
            for port in ports:
                name, index = alteration.place
                if port.members is not None and alteration.place in port.members:
                    arrays[port.name][inspector.sample, port.members.index(alteration.place)] = alteration.after
                elif port.members is None and port.name == name:
                    arrays[port.name][(inspector.sample, *index)] = alteration.after
    return arrays


def _seeds(inspector: Inspector, alterations: Sequence[Alteration]) -> Seeds:
    seeds = Seeds(has_target=inspector.asked.target is not None)
    network = inspector.network
    for alteration in alterations:
        if alteration.place is not None:
            seeds.a.add(alteration.place)
            if alteration.kind == "activation":
                seeds.held.add(alteration.place)
        elif alteration.reference is not None:
            wires = uses(network, *alteration.reference)
            seeds.z.update(wire.to_place for wire in wires)
            seeds.sources.update(wire.from_place for wire in wires)
            seeds.z.update(place for _, place in biased_neurons(network, alteration.reference))
            seeds.z.update(_readers_of(network, alteration.reference[0]))
    return seeds


def _readers_of(network: Topology | NeuronGraph, name: str) -> set[Place]:
    """The neurons that read a constant whose value is this parameter: padding."""
    if isinstance(network, NeuronGraph):
        nodes = network.nodes(data=True)
        constants = [node for node, data in nodes if data["kind"] == "constant" and data["param"][0] == name]
        return {wire.to_place for node in constants for wire in fan_out(network, node)}
    found: set[Place] = set()
    for projection in network.projections:
        if projection.padding is not None and projection.padding.layer == name:
            found |= {(projection.target, index) for index in _over_the_border(network, projection)}
    return found


def _over_the_border(topology: Topology, projection: Projection) -> list[tuple[int, ...]]:
    """The targets of a padded projection whose window hangs over the border on some axis."""
    shape = topology.populations[projection.target].shape
    mask = np.zeros((*shape, *[1] * (len(projection.axes) - len(shape))), dtype=bool)
    for number, axis in enumerate(projection.axes):
        links = axis.links()
        outside = np.zeros(mask.shape[number], dtype=bool)
        outside[links.target[(links.source < 0) | (links.source >= axis.n_sources)]] = True
        mask |= outside.reshape([-1 if other == number else 1 for other in range(mask.ndim)])
    return [tuple(int(i) for i in index) for index in np.argwhere(mask.reshape(shape))]


def _layer(
    inspector: Inspector, name: Hashable, before: Trace, after: Trace, reach: Reach, held: Mapping[Place, Held]
) -> LayerChange:
    pairs = {}
    for what in QUANTITIES if inspector.has_delta else QUANTITIES[:2]:
        old, new = (np.array(getattr(t, what)[name][inspector.sample], np.float64) for t in (before, after))
        for (population, index), found in held.items():
            if population == name and what == "a":
                new[index] = found.value
        pairs[what] = (old, new)
    shape = inspector.trace.layout.shapes[name]
    mask = np.zeros(shape, dtype=bool)
    mask.reshape(-1)[there(inspector.network, inspector.trace.layout, Stage("", (name,), (shape,)))] = True
    return LayerChange(name, pairs, {what: getattr(reach, what)[name] for what in pairs}, mask)


def _labels(inspector: Inspector, before: Trace, after: Trace) -> dict[Hashable, tuple[Any, Any]]:
    """What each head predicts before and after, where it names classes."""
    found = {}
    for port in inspector.trace.layout.heads:
        classes = port.members is None and len(port.shape) == 1 and port.size > 1
        if classes and port.loss is not None and port.loss.kind in ("cross_entropy", "rbf_map"):
            old, new = (labels_of(np.asarray(t.a[port.name]), port)[inspector.sample] for t in (before, after))
            found[port.name] = (int(old), int(new))
    return found
