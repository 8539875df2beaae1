"""From a spec to a topology: populations, projections, parameters and heads, all in closed form."""

from __future__ import annotations

import numpy as np

from neurograph.errors import SpecError, check_type
from neurograph.graph.heads import HeadSpec
from neurograph.graph.topology import Bias, Padding, Population, Projection, Topology
from neurograph.ops.base import Laid
from neurograph.parameters import ParameterSpec
from neurograph.spec.drawn import faults_of_drawing
from neurograph.spec.heads import made
from neurograph.spec.model import NeuronSpec, Spec
from neurograph.spec.names import faults_of_parts
from neurograph.spec.resolve import resolve


def lay_out(spec: Spec) -> Topology:
    """Lay a spec out: which neurons exist, and how each tied group wires them.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    Topology

    Raises
    ------
    SpecError
        With every fault: layers that do not fit, losses that do not fit their heads.

    Notes
    -----
    Time and memory are proportional to the number of layers, not of neurons.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("lenet5"))
    >>> topology.n_parameters, topology.n_edges
    (61706, 412960)
    """
    check_type("lay_out", spec, Spec)
    if spec.is_hand_drawn and not spec.layers:
        return _hand_drawn(spec)
    resolved = resolve(spec)
    if resolved.faults:
        raise SpecError(resolved.faults)
    heads = tuple(HeadSpec(name, resolved.losses.get(name)) for name in resolved.heads)
    populations = {name: Population(name, "input", shape, layer_kind="input") for name, shape in spec.inputs.items()}
    projections: list[Projection] = []
    for layer in spec.layers:
        laid = resolved.laid[layer.name]
        if laid.kind is not None:
            populations[layer.name] = _population(layer.name, layer.kind, laid)
            projections += _projections(layer.name, laid)
    return Topology(
        name=spec.name,
        populations=populations,
        projections=tuple(projections),
        parameters=resolved.parameters,
        heads=heads,
        outputs=tuple((str(head.name),) for head in heads),
        dropouts={name: laid.keep for name, laid in resolved.laid.items() if laid.keep is not None},
    )


def _population(name: str, layer_kind: str, laid: Laid) -> Population:
    assert laid.kind is not None
    bias = Bias(laid.bias.name, laid.bias.steps) if laid.bias else None
    return Population(name, laid.kind, laid.view.shape, laid.activation, bias, laid.divisor, layer_kind)


def _projections(name: str, laid: Laid) -> list[Projection]:
    frame = Padding(f"{name}.padding", f"{name}.padding")
    return [
        Projection(w.source, name, w.axes, w.weight, w.weight_offset, w.dropout, frame if w.padded else None)
        for w in laid.wires
    ]


def _hand_drawn(spec: Spec) -> Topology:
    """Each neuron a population of one, each edge a projection of one."""
    faults = [*faults_of_parts(spec), *faults_of_drawing(spec)]
    if faults:
        raise SpecError(faults)
    neurons = _in_topological_order(spec)
    populations = {
        n.id: Population(n.id, n.kind, (), n.activation, Bias(n.bias, ()) if n.bias else None, n.divisor, n.kind)
        for n in neurons
    }
    projections = sorted(
        (Projection(e.source, e.target, (), e.weight) for e in spec.edges),
        key=lambda p: list(populations).index(p.target),
    )
    outputs = tuple(n.id for n in spec.neurons if n.output)
    losses = [made(declared, None) for declared in spec.losses]
    return Topology(
        name=spec.name,
        populations=populations,
        projections=tuple(projections),
        parameters=_named_parameters(spec),
        heads=(HeadSpec(None, losses[0] if losses else None),) if outputs else (),
        outputs=(outputs,) if outputs else (),
    )


def _named_parameters(spec: Spec) -> dict[str, ParameterSpec]:
    roles = {e.weight: "weight" for e in spec.edges if e.weight} | {n.bias: "bias" for n in spec.neurons if n.bias}
    values = {e.weight: e.value for e in spec.edges if e.weight and e.value is not None}
    trainable = dict.fromkeys(roles, True)
    for parameter in spec.parameters:
        trainable[parameter.name] = parameter.trainable
        if parameter.value is not None:
            values[parameter.name] = parameter.value
    return {
        name: ParameterSpec(
            name, values=np.array(values[name]) if name in values else None, trainable=trainable[name], role=role
        )
        for name, role in roles.items()
    }


def _in_topological_order(spec: Spec) -> list[NeuronSpec]:
    """Inputs first, then every neuron after what it reads; declared order where there is a choice."""
    reads: dict[str, set[str]] = {neuron.id: set() for neuron in spec.neurons}
    for edge in spec.edges:
        reads[edge.target].add(edge.source)
    waiting = sorted(spec.neurons, key=lambda neuron: neuron.kind != "input")
    ordered: list[NeuronSpec] = []
    placed: set[str] = set()
    while waiting:
        ready = next(neuron for neuron in waiting if reads[neuron.id] <= placed)
        waiting.remove(ready)
        ordered.append(ready)
        placed.add(ready.id)
    return ordered
