"""Neurograph as a contender, and the batches everybody is given."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.benchmark.networks import Network
from neurograph.benchmark.peers.contender import LEARNING_RATE, MOMENTUM
from neurograph.compiler import compile
from neurograph.compiler.plan import Plan
from neurograph.graph.lay_out import lay_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.kernels.jit import COMPILED
from neurograph.parameters import Parameters
from neurograph.spec import Spec
from neurograph.training import SGD
from neurograph.training.loop import AT_ONCE

Array = NDArray[Any]
N_BATCHES = 8
"""Different batches that are taken in turn, so that nobody learns one by heart."""
BATCH_BYTES = 2**26
"""Of all batches together, at most."""


class Ours:
    """A compiled network."""

    def __init__(
        self, network: Topology | NeuronGraph, params: Parameters, threads: int, name: str = "neurograph"
    ) -> None:
        self.name = name
        self.program = compile(network, params, dtype="float32", threads=threads)
        self._optimizer = SGD(LEARNING_RATE, momentum=MOMENTUM)

    @property
    def plan(self) -> Plan:
        """What it runs."""
        return self.program.plan

    def ready(self, x: Array, y: Array) -> tuple[Array, Array]:
        return x, y

    def train(self, batch: tuple[Array, Array]) -> float:
        return self.program.train_step(*batch, self._optimizer)

    def in_turn(self, given: Sequence[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
        """Batches as `fit` hands them over: as many as it takes in one call, one behind the other."""
        size = len(given[0][0])
        n = max(1, AT_ONCE // size) if COMPILED else 1
        every = [given[i % len(given)] for i in range(-(-len(given) // n) * n)]
        parts = (zip(*every[i : i + n], strict=True) for i in range(0, len(every), n))
        return [(np.concatenate(x), np.concatenate(y)) for x, y in parts]

    def train_steps(self, batches: tuple[Array, Array], size: int) -> float:
        """A step for every batch of so many samples."""
        x, y = batches
        losses = self.program.train_steps(x, y, self._optimizer, size)
        if losses is None:
            losses = [self.train((x[i : i + size], y[i : i + size])) for i in range(0, len(x), size)]
        return float(np.mean(losses))

    def infer(self, batch: tuple[Array, Array]) -> Any:
        return self.program.forward(batch[0])

    def wait(self) -> None:
        """A program never runs ahead."""


def ours(network: Network, threads: int, params: Parameters, name: str = "neurograph") -> Ours:
    """The network compiled, from its topology or from its edited graph."""
    return Ours(lay_out(network.spec) if network.graph is None else network.graph(), params, threads, name)


def batches(spec: Spec, batch: int) -> list[tuple[Array, Array]]:
    """Noise in [0, 1) and targets that fit the spec's loss, the same for everybody.

    Examples
    --------
    >>> from neurograph.spec import load
    >>> x, y = batches(load("lenet5"), 3)[0]
    >>> x.shape, x.dtype, y.shape
    ((3, 1, 28, 28), dtype('float32'), (3,))
    """
    random = np.random.default_rng(0)
    (shape,) = spec.inputs.values()
    head = lay_out(spec).populations[spec.layers[-1].name].shape
    classes = not spec.losses or spec.losses[0].kind == "cross_entropy"
    n_batches = min(N_BATCHES, max(1, BATCH_BYTES // (4 * batch * prod(shape))))
    made = []
    for _ in range(n_batches):
        x = random.random((batch, *shape), dtype=np.float32)
        y = random.integers(0, head[0], batch) if classes else random.random((batch, *head), dtype=np.float32)
        made.append((x, y))
    return made
