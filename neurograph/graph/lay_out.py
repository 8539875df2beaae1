"""From a spec to a topology: populations, projections, parameters and heads, all in closed form."""

from __future__ import annotations

import numpy as np

from neurograph.errors import Fault, LossError, SpecError
from neurograph.graph.losses import Loss
from neurograph.graph.neuron_graph import HeadSpec
from neurograph.graph.topology import Bias, Padding, Population, Projection, Topology
from neurograph.ops.base import Laid
from neurograph.parameters import ParameterSpec
from neurograph.spec.drawn import faults_of_drawing
from neurograph.spec.model import LossSpec, NeuronSpec, Spec
from neurograph.spec.resolve import Resolved, resolve


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
    if spec.is_hand_drawn:
        return _hand_drawn(spec)
    resolved = resolve(spec)
    heads, faults = _heads(spec, resolved)
    if resolved.faults or faults:
        raise SpecError([*resolved.faults, *faults])
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


def _heads(spec: Spec, resolved: Resolved) -> tuple[tuple[HeadSpec, ...], list[Fault]]:
    faults: list[Fault] = []
    losses: dict[str, Loss] = {}
    for number, declared in enumerate(spec.losses):
        where = spec.origin.where("loss", number)
        name = declared.of if declared.of is not None else (resolved.heads[0] if len(resolved.heads) == 1 else None)
        if name is None:
            faults.append(
                Fault(
                    where,
                    f"loss {declared.kind}: the network has the heads {', '.join(resolved.heads)}; say which with of.",
                )
            )
        elif name not in resolved.heads:
            faults.append(
                Fault(
                    where,
                    f"loss {declared.kind}: '{name}' is not a head (heads, which nobody reads: {', '.join(resolved.heads)}).",
                )
            )
        elif name in losses:
            faults.append(Fault(where, f"loss {declared.kind}: '{name}' has a loss already; a head has one."))
        else:
            losses[name] = _loss(declared, name)
            laid = resolved.laid.get(name)
            if laid is not None and laid.kind is not None:
                faults += _misfit(where, losses[name], name, laid)
    without = [name for name in resolved.heads if name not in losses and name in resolved.laid]
    if losses and without:
        faults.append(
            Fault(
                spec.origin.where("loss"),
                f"[[loss]]: the head '{without[0]}' has no loss; give every head one, or none.",
            )
        )
    return tuple(HeadSpec(name, losses.get(name)) for name in resolved.heads), faults


def _misfit(where: str, loss: Loss, name: str, laid: Laid) -> list[Fault]:
    try:
        loss.check(name, laid.kind or "", laid.activation)
    except LossError as error:
        return [Fault(where, str(error))]
    return []


def _loss(declared: LossSpec, of: str | None) -> Loss:
    low, high = declared.targets
    return Loss(declared.kind, of, declared.weight, declared.form, (low, high), declared.j)


def _hand_drawn(spec: Spec) -> Topology:
    """Each neuron a population of one, each edge a projection of one."""
    faults = list(faults_of_drawing(spec))
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
    losses = [_loss(declared, None) for declared in spec.losses]
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
