"""The textbook engine: the network neuron by neuron, in plain Python, as the meaning that the compiled program must match."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.engine import (
    Batch,
    Evaluation,
    Optimizer,
    check_probabilities,
    check_reduction,
    count_right,
    labels_of,
    read_batch,
    read_targets,
)
from neurograph.errors import BatchError, GraphError, LossError, ParameterError, check_type
from neurograph.graph.layout import Layout
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.roles import biases_of, spare_biases
from neurograph.masks import dropout_mask, join_masks, mask_seed
from neurograph.parameters import Parameters
from neurograph.reference.activations import sigmoid
from neurograph.reference.heads import from_target, from_upstream
from neurograph.reference.losses import softmax
from neurograph.reference.network import Head, Network, read_network
from neurograph.reference.passes import Backward, Factors, Forward, backward, forward
from neurograph.reference.record import head_array, record_values, record_winners
from neurograph.trace import Trace, Values

Array = NDArray[Any]
Masks = dict[str, dict[Hashable, Array]]
CHUNK = 64
"""Samples that `evaluate` keeps in memory at a time."""


class ReferenceEngine:
    """Runs a neuron graph as the textbook writes it: float64, one neuron after another.

    The graph is read once, at construction; weights are read from `params` at every call.

    Parameters
    ----------
    graph : NeuronGraph
    params : Parameters
        Every parameter that the graph's edges, biases and constants refer to.

    Raises
    ------
    GraphError
        If the graph breaks a rule (see `NeuronGraph.validate`).
    ParameterError, UnknownName
        If a parameter is missing or has another shape than the graph declares.

    Examples
    --------
    >>> from neurograph.graph.neuron_graph import NeuronGraph
    >>> g = NeuronGraph()
    >>> g.add_input("x"); g.add_neuron("o", activation="relu", bias="b"); g.connect("x", "o", weight="w")
    >>> g.set_outputs(["o"], loss="mse", form="half_sum")
    >>> textbook = ReferenceEngine(g, Parameters({"w": 3.0, "b": 1.0}))
    >>> textbook.forward([[2.0], [-2.0]]).tolist()
    [[7.0], [0.0]]
    >>> trace = textbook.backprop([[2.0]], [[5.0]])
    >>> trace.loss, trace.delta["o"].tolist(), float(trace.gradient["w"])
    (2.0, [2.0], 4.0)

    Notes
    -----
    Every edge costs one Python step forward and two backward in every sample: about 10⁷ edges a second.
    """

    layout: Layout

    def __init__(self, graph: NeuronGraph, params: Parameters) -> None:
        if not isinstance(graph, NeuronGraph):
            raise GraphError(
                f"the textbook engine runs a NeuronGraph; found {type(graph).__name__}. Write it out with build."
            )
        check_type("params", params, Parameters)
        graph.validate()
        self.graph = graph
        self.params = params
        self._network: Network = read_network(graph)
        self.layout = self._network.layout
        self._check_parameters()

    # -- the Engine protocol ------------------------------------------------------------------------------------------
    def forward(self, x: Batch, *, training: bool = False, seed: int | None = None) -> Any:
        """Outputs of the head (several heads: a dictionary by name), shape (batch, *head shape)."""
        given = self._given(x)
        _, factors = self._dropouts(len(given), training, seed)
        return self._outputs(forward(self._network, self._weights(), given, factors))

    def backprop(
        self,
        x: Batch,
        target: Batch | None = None,
        *,
        upstream: Batch | None = None,
        reduction: str = "mean",
        training: bool = False,
        seed: int | None = None,
    ) -> Trace:
        """One forward and backward pass, with everything recorded.

        Parameters
        ----------
        x : array_like, shape (batch, *input shape), or a mapping by input name
        target : array_like, optional
            Classes or values; see `neurograph.engine.read_targets`.
        upstream : array_like, shape (batch, *head shape), optional
            ∂loss/∂a of the outputs, instead of a target.
        reduction : str
            "mean" divides gradients and loss by the batch, "sum" does not. δ is never divided.
        training : bool
            Whether dropout layers silence neurons.
        seed : int, optional
            For the dropout masks; None draws a fresh one.
        """
        check_reduction(reduction)
        given = self._given(x)
        batch = len(given)
        w = self._weights()
        masks, factors = self._dropouts(batch, training, seed)
        run = forward(self._network, w, given, factors)
        loss, of_heads = self._from_heads(run, target, upstream)
        back = backward(self._network, w, run, of_heads, factors)
        share = batch if reduction == "mean" else 1
        return self._trace(run, back, None if loss is None else loss / share, share, masks, factors)

    def train_step(
        self, x: Batch, target: Batch, optimizer: Optimizer, reduction: str = "mean", seed: int | None = None
    ) -> float:
        """Forward, backward, one simultaneous update; returns the loss before the update."""
        trace = self.backprop(x, target, reduction=reduction, training=True, seed=seed)
        trainable = self.params.trainable
        gradients = {name: gradient for name, gradient in trace.gradient.items() if trainable[name]}
        values = {name: self.params[name].copy() for name in gradients}
        spare_biases(optimizer, biases_of(self.graph))
        optimizer.step(values, gradients)
        self.params.update(values)
        assert trace.loss is not None
        return trace.loss

    # -- reading answers ----------------------------------------------------------------------------------------------
    def predict(self, x: Batch) -> Any:
        """Labels, or outputs where there are no classes (several heads: a dictionary by name)."""
        run = self._run(x)
        return self._single({h.port.name: labels_of(head_array(h, run.a), h.port) for h in self._network.heads})

    def predict_proba(self, x: Batch) -> Any:
        """Probabilities, whether the head's activation already makes them or only its loss does.

        Raises
        ------
        LossError
            If the head has none.
        """
        for head in self._network.heads:
            check_probabilities(head.port)
        run = self._run(x)
        return self._single({h.port.name: head_array(h, _probabilities(h, run)) for h in self._network.heads})

    def evaluate(self, x: Batch, target: Batch) -> Evaluation:
        """Mean loss per sample, and the share of right labels over all heads that have classes."""
        inputs = read_batch(x, self.layout.inputs)
        batch = len(next(iter(inputs.values())))
        targets = read_targets(target, self._heads_to_train(), batch)
        total, right, labels = 0.0, 0, 0
        for first in range(0, batch, CHUNK):
            part = {name: array[first : first + CHUNK] for name, array in inputs.items()}
            wanted = {name: array[first : first + CHUNK] for name, array in targets.items()}
            run = self._run(part)
            total += self._deltas_from(run, wanted)[0]
            for head in self._network.heads:
                counts = count_right(head_array(head, run.a), wanted[head.port.name], head.port)
                right, labels = (right + counts[0], labels + counts[1]) if counts else (right, labels)
        return Evaluation(total / batch, right / labels if labels else None, batch)

    # -- inner: what goes in ------------------------------------------------------------------------------------------
    def _check_parameters(self) -> None:
        for name in self._network.offsets:
            declared = self.graph.parameters[name].shape
            if self.params[name].shape != declared:
                raise ParameterError(
                    f"{name}: values of shape {self.params[name].shape}; the graph declares {declared}."
                )

    def _weights(self) -> list[float]:
        """All weights by slot, as they are now."""
        return [value for name in self._network.offsets for value in self.params[name].reshape(-1).tolist()]

    def _given(self, x: Batch) -> list[dict[int, float]]:
        arrays = read_batch(x, self.layout.inputs)
        given: list[dict[int, float]] = [{} for _ in next(iter(arrays.values()))]
        for port, (numbers, positions) in zip(self.layout.inputs, self._network.inputs, strict=True):
            rows = arrays[port.name].reshape(len(given), -1)[:, positions].tolist()
            for sample, row in zip(given, rows, strict=True):
                sample.update(zip(numbers, row, strict=True))
        return given

    def _dropouts(self, batch: int, training: bool, seed: int | None) -> tuple[Masks, Factors]:
        """The masks by dropout layer and population, and what they make of each neuron's number: mask/keep."""
        if not training:
            return {}, {}
        seed = mask_seed(seed)
        masks: Masks = {}
        factors: dict[str, list[dict[int, float]]] = {}
        for dropout, sources in self._network.dropped.items():
            keep = self.graph.dropouts[dropout]
            factors[dropout] = [{} for _ in range(batch)]
            for name, (numbers, positions) in sources.items():
                mask = dropout_mask(seed, dropout, name, batch, self.layout.shapes[name], keep)
                masks.setdefault(dropout, {})[name] = mask
                rows = (mask.reshape(batch, -1)[:, positions] / keep).tolist()
                for sample, row in zip(factors[dropout], rows, strict=True):
                    sample.update(zip(numbers, row, strict=True))
        return masks, factors

    # -- inner: what the heads want -----------------------------------------------------------------------------------
    def _heads_to_train(self) -> tuple[Any, ...]:
        if not self._network.heads:
            raise LossError("this network has no outputs, so nothing to train; name them with set_outputs.")
        return self.layout.heads

    def _from_heads(
        self, run: Forward, target: Batch | None, upstream: Batch | None
    ) -> tuple[float | None, list[dict[int, float]]]:
        heads = self._heads_to_train()
        batch = len(run.a)
        if (target is None) == (upstream is None):
            raise LossError("backprop needs either a target or an upstream gradient; give exactly one of them.")
        if target is not None:
            return self._deltas_from(run, read_targets(target, heads, batch))
        assert upstream is not None
        arrays = read_batch(upstream, heads, what="upstream")
        if any(len(array) != batch for array in arrays.values()):
            raise BatchError(f"upstream: {len(next(iter(arrays.values())))} samples; x has {batch}.")
        deltas: list[dict[int, float]] = [{} for _ in range(batch)]
        for head in self._network.heads:
            for n, g in enumerate(_columns(head, arrays[head.port.name])):
                deltas[n].update(from_upstream(head, run.z[n], run.a[n], g))
        return None, deltas

    def _deltas_from(self, run: Forward, targets: Mapping[Hashable, Array]) -> tuple[float, list[dict[int, float]]]:
        """The loss summed over samples and heads, and per sample: output neuron → δ."""
        total = 0.0
        deltas: list[dict[int, float]] = [{} for _ in run.a]
        for head in self._network.heads:
            for n, t in enumerate(_columns(head, targets[head.port.name])):
                loss, delta = from_target(head, run.z[n], run.a[n], t)
                total += loss
                deltas[n].update(delta)
        return total, deltas

    # -- inner: what comes out ----------------------------------------------------------------------------------------
    def _run(self, x: Batch) -> Forward:
        return forward(self._network, self._weights(), self._given(x), {})

    def _outputs(self, run: Forward) -> Any:
        return self._single({head.port.name: head_array(head, run.a) for head in self._network.heads})

    def _single(self, by_name: dict[Any, Array]) -> Any:
        return next(iter(by_name.values())) if len(by_name) == 1 else by_name

    def _trace(
        self, run: Forward, back: Backward, loss: float | None, share: int, masks: Masks, factors: Factors
    ) -> Trace:
        network = self._network
        gradient = np.array(back.gradient) / share
        return Trace(
            layout=self.layout,
            network=self.graph,
            z=Values(self.layout, record_values(network, run.z)),
            a=Values(self.layout, record_values(network, run.a)),
            delta=Values(self.layout, record_values(network, back.delta)),
            gradient={
                name: gradient[offset : offset + self.params[name].size].reshape(self.params[name].shape)
                for name, offset in network.offsets.items()
                if name not in network.constants
            },
            loss=loss,
            masks={dropout: join_masks(found, self.layout.shapes) for dropout, found in masks.items()},
            winners=record_winners(network, run.a, factors),
            weights={name: self.params[name] for name in network.offsets},
        )


def _columns(head: Head, array: Array) -> list[list[float]]:
    """Per sample, the numbers that belong to the head's neurons, in their order."""
    rows: list[list[float]] = array.reshape(len(array), -1)[:, head.positions].tolist()
    return rows


def _probabilities(head: Head, run: Forward) -> list[list[float]]:
    """The activations, with the head's own replaced by probabilities where it returns logits."""
    rows = [list(a_n) for a_n in run.a]
    if head.activations[0] != "identity":
        return rows
    assert head.port.loss is not None
    for z_n, row in zip(run.z, rows, strict=True):
        for group in head.groups:
            members = [head.neurons[k] for k in group]
            z = [z_n[i] for i in members]
            p = softmax(z) if head.port.loss.kind == "cross_entropy" else [sigmoid(z_i) for z_i in z]
            for i, p_i in zip(members, p, strict=True):
                row[i] = p_i
    return rows
