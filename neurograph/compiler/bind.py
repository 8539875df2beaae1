"""`bind`: a plan with parameters, precision and threads becomes a program. `compile`: the same from a network."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.compiler.innermost import CHANNELS, choose
from neurograph.compiler.placing import inputs_left
from neurograph.compiler.plan import Plan
from neurograph.errors import ParameterError, UsageError, check_type
from neurograph.graph.layout import Layout, Port, Shape, is_graph, layout_of
from neurograph.graph.topology import Topology
from neurograph.parameters import Parameters

if TYPE_CHECKING:
    from neurograph.compiler.program import Program
    from neurograph.graph.neuron_graph import NeuronGraph
    from neurograph.spec import Spec

DTYPES = ("float32", "float64")


def compile(
    network: Spec | Topology | NeuronGraph | Plan,
    params: Parameters,
    dtype: Any = "float32",
    threads: int | None = None,
    *,
    innermost: str = "auto",
) -> Program:
    """Compile a network: plan it, and bind the plan.

    Parameters
    ----------
    network : Spec, Topology, NeuronGraph or Plan
    params : Parameters
        The one store of weights; the program reads it, and hands its newest values back whenever somebody asks.
    dtype : str
        ``"float32"`` or ``"float64"``.
    threads : int, optional
        None: every core the process may use.
    innermost : str
        What lies side by side in memory: ``"channels"``, ``"samples"``, or ``"auto"`` for what suits the plan
        (see `neurograph.compiler.innermost`).

    Returns
    -------
    Program

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("xor"))
    >>> program = ng.compile(topology, ng.initialise(topology, seed=0))
    >>> program.forward([[0.0, 1.0]]).shape[0]
    1
    """
    from neurograph.compiler import plan

    if isinstance(network, Plan):
        return bind(network, params, dtype, threads, innermost=innermost)
    if not isinstance(network, Topology) and not is_graph(network):
        from neurograph.graph.lay_out import lay_out

        network = lay_out(network)
    made = plan(network)
    if is_graph(network):
        from neurograph.graph.validate import check_planned

        check_planned(network)
    return bind(made, params, dtype, threads, network=network, innermost=innermost)


def bind(
    plan: Plan,
    params: Parameters,
    dtype: Any = "float32",
    threads: int | None = None,
    *,
    network: Topology | NeuronGraph | None = None,
    innermost: str = "auto",
) -> Program:
    """Place a plan's buffers and weights, and return what runs it.

    Parameters
    ----------
    network : Topology or NeuronGraph, optional
        What the plan was made from: its layout names the arrays of traces, and traces refer to it. Without it the layout is
        read from the plan.
    innermost : str
        As in `compile`.

    Raises
    ------
    ParameterError, UnknownName
        If a parameter is missing or has another shape than the plan declares.
    UsageError
        If `dtype`, `threads` or `innermost` cannot be used.
    """
    from neurograph.compiler.assemble import make_image
    from neurograph.compiler.program import Program

    check_type("params", params, Parameters)
    name = _dtype_name(dtype)
    count = _threads(threads)
    for parameter in plan.parameters:
        found = params.shape(parameter.name)
        if found != parameter.shape:
            raise ParameterError(f"{parameter.name}: values of shape {found}; the network declares {parameter.shape}.")
    layout = layout_of(network) if network is not None else layout_of_plan(plan)
    inputs = inputs_left(network) if is_graph(network) else {}
    chosen = choose(plan, innermost)

    def program(word: str, few: Callable[[], Program] | None = None) -> Program:
        return Program(make_image(plan, layout, inputs, word == CHANNELS), params, name, count, network, few)

    return program(chosen.word, None if chosen.for_few == chosen.word else lambda: program(chosen.for_few))


def layout_of_plan(plan: Plan) -> Layout:
    """The layout of the network a plan was made from, as far as the plan knows it."""
    shapes: dict[Hashable, Shape] = {}
    kinds: dict[Hashable, tuple[str, str]] = {}
    for step in plan.steps:
        kinds.setdefault(step.population, (step.op, step.activation))
    inputs: list[Port] = []
    by_hand: list[tuple[Hashable, tuple[int, ...]]] = []
    feeding = {population.name for population in plan.inputs}
    for population in plan.populations:
        if population.nodes is None:
            shapes[population.name] = population.shape
            if population.name in feeding:
                inputs.append(Port(population.name, population.shape, kind="input"))
            continue
        nodes = [node for node in population.nodes if node is not None]
        shapes.update(dict.fromkeys(nodes, ()))
        if population.name in feeding:
            by_hand.extend((node, ()) for node in nodes)
    if by_hand:
        inputs.append(Port("input", (len(by_hand),), tuple(by_hand), kind="input"))
    return Layout(shapes, tuple(inputs), tuple(_heads_of_plan(plan, shapes, kinds)))


def _heads_of_plan(plan: Plan, shapes: dict[Hashable, Shape], kinds: dict[Hashable, tuple[str, str]]) -> list[Port]:
    heads = []
    for number, (head, (name, columns)) in enumerate(zip(plan.heads, plan.outputs, strict=True)):
        if number in plan.spread:
            places = plan.spread[number]
        elif columns is None and name in shapes:
            heads.append(Port(name, shapes[name], None, head.loss, *kinds[name]))
            continue
        else:
            shape = plan.population(name).shape
            every = np.stack(np.unravel_index(np.arange(int(np.prod(shape))), shape), axis=1)
            positions = every if columns is None else columns.array
            places = tuple((name, tuple(int(i) for i in position)) for position in positions)
        nodes = tuple((plan.population(box).node(position), ()) for box, position in places)
        heads.append(Port(head.name, (len(nodes),), nodes, head.loss, *kinds[places[0][0]]))
    return heads


def _dtype_name(dtype: Any) -> str:
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        raise UsageError(f"dtype: found {dtype!r}; a program computes in {' or '.join(DTYPES)}.")
    return name


def _threads(threads: int | None) -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if threads is None:
        return available
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise UsageError(f"threads: found {threads!r}; expected an integer of at least 1, or None for every core.")
    return int(threads)
