"""First weights: given numbers, constants, or seeded draws (He, Glorot, LeCun, uniform)."""

from __future__ import annotations

import zlib
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import ParameterError, check_type, suggest
from neurograph.graph.topology import Topology
from neurograph.ops.words import INITIALISATIONS
from neurograph.parameters import Parameters, ParameterSpec

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph


def initialise(network: Topology | NeuronGraph, seed: int = 0) -> Parameters:
    """Give every declared parameter its first values.

    Parameters
    ----------
    network : Topology or NeuronGraph
    seed : int
        Every parameter draws from its own stream, so adding a layer does not change the others.

    Returns
    -------
    neurograph.Parameters
        Declared parameters only; hand-named weights are arrays of shape ().

    Notes
    -----
    With n in-edges and m out-edges of a neuron: ``he`` N(0, 2/n) (He et al. 2015), ``glorot`` U(±√(6/(n+m))) (Glorot and
    Bengio 2010), ``lecun`` N(0, 1/n) (LeCun et al. 1998), ``uniform`` U(−0.5, 0.5); a number is a constant; biases are 0.

    Examples
    --------
    >>> import neurograph as ng
    >>> params = ng.initialise(ng.lay_out(ng.load("lenet5")), seed=0)
    >>> params["conv1.weight"].shape, float(params["conv1.bias"].sum())
    ((6, 1, 5, 5), 0.0)
    """
    fans = {} if isinstance(network, Topology) else _fans(network)
    specs = network.parameters
    values = {name: _first_values(spec, fans.get(name, (1, 1)), seed) for name, spec in specs.items()}
    return Parameters.taking(values, {name: spec.trainable for name, spec in specs.items()})


def _fans(graph: NeuronGraph) -> dict[str, tuple[int, int]]:
    """In- and out-degree around the first edge of every weight that does not declare them."""
    from neurograph.graph.neuron_graph import NeuronGraph  # late: a topology needs no NetworkX

    check_type("initialise", graph, Topology, NeuronGraph)
    fans: dict[str, tuple[int, int]] = {}
    wanted = {name for name, spec in graph.parameters.items() if not spec.fan_in and spec.role == "weight"}
    if wanted:
        for source, target, param in graph.edges(data="param"):
            if param is not None and param[0] in wanted:
                fans.setdefault(param[0], (graph.in_degree(target), graph.out_degree(source)))
    return fans


def _first_values(spec: ParameterSpec, fans: tuple[int, int], seed: int) -> NDArray[np.float64]:
    if spec.values is not None:
        return np.array(spec.values, dtype=np.float64).reshape(spec.shape)
    init = spec.init if spec.init is not None else ("glorot" if spec.role == "weight" else "zeros")
    values = _drawn(init, spec, spec.fan_in or fans[0], spec.fan_out or fans[1], seed)
    return values if spec.used is None else np.where(spec.used, values, 0.0)


def _drawn(init: str | float, spec: ParameterSpec, fan_in: int, fan_out: int, seed: int) -> NDArray[np.float64]:
    if not isinstance(init, str):
        return np.full(spec.shape, float(init))
    random = np.random.default_rng([seed, zlib.crc32(spec.name.encode())])
    match init:
        case "he":
            return random.normal(0.0, sqrt(2 / fan_in), spec.shape)
        case "glorot":
            bound = sqrt(6 / (fan_in + fan_out))
            return random.uniform(-bound, bound, spec.shape)
        case "lecun":
            return random.normal(0.0, sqrt(1 / fan_in), spec.shape)
        case "uniform":
            return random.uniform(-0.5, 0.5, spec.shape)
        case "zeros":
            return np.zeros(spec.shape)
        case "ones":
            return np.ones(spec.shape)
    known = ", ".join(INITIALISATIONS)
    raise ParameterError(
        f"{spec.name}: unknown initialisation '{init}'{suggest(init, INITIALISATIONS)} (known: {known})"
    )
