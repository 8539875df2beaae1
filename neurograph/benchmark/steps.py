"""Every step of a network timed on noise: what `neurograph plan --time` shows beside the costs."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.benchmark.peers.contender import LEARNING_RATE
from neurograph.compiler.bind import bind
from neurograph.compiler.plan import Plan
from neurograph.compiler.timing import step_seconds
from neurograph.graph.initialise import initialise
from neurograph.graph.layout import Layout, Port
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.training import SGD

CLASSIFYING = ("cross_entropy", "rbf_map")


def seconds_a_sample(
    plan: Plan, network: Topology | NeuronGraph, batch: int, seconds: float = 1.0
) -> dict[tuple[Hashable, str], float]:
    """Seconds a sample for every step and phase, on one core: of a training step, or of a forward pass where there is no loss.

    Notes
    -----
    Weights are drawn, and learn slowly enough that nothing overflows; times do not depend on values.
    """
    program = bind(plan, initialise(network), threads=1, network=network)
    x, target = noise(program.layout, batch)
    found = step_seconds(program, x, target, SGD(LEARNING_RATE * 1e-6, momentum=0.9), seconds)
    return {mark: took / batch for mark, took in found.items()}


def noise(layout: Layout, batch: int, seed: int = 0) -> tuple[Any, Any]:
    """Inputs in [0, 1), and targets of every head in turn; None where a head has no loss."""
    random = np.random.default_rng(seed)
    x: Any = {port.name: random.random((batch, *port.shape), dtype=np.float32) for port in layout.inputs}
    x = x if len(x) > 1 else next(iter(x.values()))
    if any(head.loss is None for head in layout.heads):
        return x, None
    targets = {head.name: _target(head, batch, random) for head in layout.heads}
    return x, targets if len(targets) > 1 else next(iter(targets.values()))


def _target(head: Port, batch: int, random: np.random.Generator) -> NDArray[Any]:
    if head.loss is not None and head.loss.kind in CLASSIFYING:
        return random.integers(0, head.shape[0], (batch, *head.shape[1:]))
    return random.random((batch, *head.shape))
