"""The compiled network: a plan bound to parameters, precision and threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.answers import by_head, probabilities, single
from neurograph.compiler.image import Image
from neurograph.compiler.innermost import CHANNELS, SAMPLES
from neurograph.compiler.lending import Lending
from neurograph.compiler.masking import Masking
from neurograph.compiler.plan import Plan, PlanParameter
from neurograph.compiler.reading import Reading, joined
from neurograph.compiler.roles import bias_names
from neurograph.compiler.runner import Runner
from neurograph.compiler.updating import Ruled, Updating
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
from neurograph.errors import UsageError
from neurograph.graph.topology import Topology
from neurograph.kernels import code as c
from neurograph.kernels.interpret import NARROW
from neurograph.kernels.jit import COMPILED
from neurograph.parameters import Parameters
from neurograph.trace import Trace, Values

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Array = NDArray[Any]
NOBODY = -1
"""In the array of a trace's winners: a neuron that is not there, or no maximum."""
PORTION = 2048
"""Samples that `evaluate` reads at a time."""


class Program:
    """Runs a network with compiled kernels. Made by `neurograph.compile` or `bind`.

    Attributes
    ----------
    plan : Plan
    params : Parameters
    layout : Layout
    dtype : str
        ``"float32"`` or ``"float64"``.
    threads : int

    Examples
    --------
    >>> import neurograph as ng
    >>> g = ng.NeuronGraph()
    >>> g.add_input("x"); g.add_neuron("o", activation="relu", bias="b"); g.connect("x", "o", weight="w")
    >>> g.set_outputs(["o"], loss="mse", form="half_sum")
    >>> program = ng.compile(g, ng.Parameters({"w": 3.0, "b": 1.0}), dtype="float64")
    >>> program.forward([[2.0], [-2.0]]).tolist()
    [[7.0], [0.0]]
    >>> trace = program.backprop([[2.0]], [[5.0]])
    >>> trace.loss, trace.delta["o"].tolist(), float(trace.gradient["w"])
    (2.0, [2.0], 4.0)

    Notes
    -----
    The program keeps the weights packed in its own precision, and repacks them when `params` changed. While it trains, its packed
    values are the newest; `params` asks for them when somebody reads.
    """

    def __init__(
        self,
        image: Image,
        params: Parameters,
        dtype: str,
        threads: int,
        network: NeuronGraph | Topology | None,
        few: Callable[[], Program] | None = None,
    ) -> None:
        self._make_few = few
        self._few: Program | None = None
        self.params, self.layout, self.dtype = params, image.layout, dtype
        self._image, self._network = image, network
        self._runner = Runner(image, dtype, threads)
        self._updating = Updating(
            self._runner.weights, self._runner.slots, image.learnt, image.storage, bias_names(image.plan, network)
        )
        self._masking = Masking(image)
        self._lending = Lending()
        self._reading = Reading(image.layout, dtype)
        self._seen: int | None = None
        self._names: tuple[tuple[str, ...], Array | None] = (), None
        self._names_seen: int | None = None

    @property
    def plan(self) -> Plan:
        """The plan that this program runs."""
        return self._image.plan

    @property
    def innermost(self) -> str:
        """What lies side by side in memory: ``"channels"`` or ``"samples"``."""
        return CHANNELS if self._image.channels else SAMPLES

    @property
    def threads(self) -> int:
        """How many threads a batch may use."""
        return self._runner.threads

    def for_batch(self, size: int) -> Program:
        """The program that runs batches of a size: this one, or one with channels innermost that runs a sample or a few.

        Both have the same parameters, and whichever trained last hands its values on.
        """
        if size > NARROW or self._make_few is None:
            return self
        if self._few is None:
            self._few = self._make_few()
        return self._few

    # -- the Engine protocol ------------------------------------------------------------------------------------------
    def forward(self, x: Batch, *, training: bool = False, seed: int | None = None) -> Any:
        """Outputs of the head (several heads: a dictionary by name), shape (batch, *head shape)."""
        if type(x) is np.ndarray and not training:
            self._pack()
            found = self._runner.again(x)
            if found is not None:
                return found
        given = self._reading.given(x)
        if (other := self.for_batch(len(given))) is not self:
            return other.forward(x, training=training, seed=seed)
        masks = self._masking.draw(len(given), True, seed).columns(self._runner.dtype) if training else None
        out = self._outputs(given, masks)
        if self._is_plain:
            out = out.reshape(len(out), *self.layout.heads[0].shape)
            if type(x) is np.ndarray and len(out) <= NARROW and masks is None:
                self._runner.expect_again(x.shape, out.shape)
            return out
        return single(by_head(out, self._image.heads))

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
        """One forward and backward pass, with everything recorded; the kernels are those that train, with more stores.

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
        given = self._reading.given(x)
        batch = len(given)
        if (other := self.for_batch(batch)) is not self:
            more = {"reduction": reduction, "training": training, "seed": seed}
            return other.backprop(x, target, upstream=upstream, **more)  # type: ignore[arg-type]
        wanted, mode = self._reading.wanted(target, upstream, batch)
        masks = self._masking.draw(batch, training, seed)
        self._pack()
        out = np.empty((batch, self._image.n_trace_columns), self._runner.dtype)
        columns = masks.columns(self._runner.dtype)
        mode |= c.TRACE | c.PROBABILITIES | (c.DROPOUT if columns is not None else 0)
        self._lending.before_gradient()
        loss, slots = self._runner.backward(given, wanted, columns, out, mode)
        share = batch if reduction == "mean" else 1
        gradient = self._updating.combine(slots, self._runner.dtype.type(share))
        return Trace(
            layout=self.layout,
            network=self._network,  # type: ignore[arg-type]
            z=self._values(out, 1),
            a=self._values(out, 0),
            delta=self._values(out, 2),
            gradient=self._lending.gradient({p.name: self._stored(gradient, p) for p in self._image.learnt}),
            loss=None if target is None else loss / share,
            masks=masks.shown(),
            winners=self._winners(out),
            weights=self._lending.weights(
                {p.name: self._stored(self._runner.weights, p) for p in (*self._image.learnt, *self._image.fixed)}
            ),
        )

    def train_step(
        self, x: Batch, target: Batch, optimizer: Optimizer, reduction: str = "mean", seed: int | None = None
    ) -> float:
        """Forward, backward, one simultaneous update; returns the loss before the update."""
        check_reduction(reduction)
        batch = len(given := self._reading.given(x))
        if (other := self.for_batch(batch)) is not self:
            return other.train_step(x, target, optimizer, reduction, seed)
        wanted, mode = self._reading.wanted(target, None, batch)
        masks = self._masks(batch, seed)
        self._pack()
        mode |= c.DROPOUT if masks is not None else 0
        share = batch if reduction == "mean" else 1
        names, left = self._trained()
        rule = self._updating.ruled(optimizer, names, share)
        self._lending.before_update()
        if rule is None:
            loss, slots = self._runner.backward(given, wanted, masks, None, mode)
            self._updating.step_by_name(optimizer, names, share, slots)
        else:
            how, ranges = self._how(rule, left, batch)
            loss = self._runner.train(given, wanted, masks, mode | how, rule, ranges)
        self._lend()
        return loss / share

    def train_steps(
        self, x: Batch, target: Batch, optimizer: Optimizer, batch_size: int = 1, reduction: str = "mean"
    ) -> list[float] | None:
        """An update after every `batch_size` samples, in one compiled call: as many calls of `train_step`, without their overhead.

        Parameters
        ----------
        x, target, optimizer, reduction
            As for `train_step`, the samples of all steps one behind the other.
        batch_size : int

        Returns
        -------
        list of float, or None
            What each `train_step` returns. None, and nothing is changed: this network or optimiser cannot; use `train_step`. (Dropout;
            a rate that changes from step to step; no JIT; and for single samples a frozen dense layer, or samples innermost.)

        Raises
        ------
        UsageError
            If the last batch is not a whole one, or would have no samples.

        Notes
        -----
        Ctrl-C is heard when all steps are taken; `neurograph.fit` takes as many as fit into a tenth of a second.
        """
        check_reduction(reduction)
        if batch_size < 1:
            raise UsageError(f"train_steps: found batch_size = {batch_size}; it must be 1 or more.")
        if (other := self.for_batch(batch_size)) is not self:
            return other.train_steps(x, target, optimizer, batch_size, reduction)
        given = self._reading.given(x)
        if len(given) % batch_size:
            raise UsageError(f"train_steps: found {len(given)} samples; allowed are whole batches of {batch_size}.")
        if self._image.masks or not COMPILED or not getattr(optimizer, "is_steady", False):
            return None
        names, left = self._trained()
        share = batch_size if reduction == "mean" else 1
        rule = self._updating.ruled(optimizer, names, share)
        if rule is None:
            return None
        how, ranges = self._how(rule, left, batch_size)
        if batch_size == 1 and how != c.STEP:
            return None
        wanted, mode = self._reading.wanted(target, None, len(given))
        self._pack()
        self._lending.before_update()
        losses = self._runner.train_in_turn(given, wanted, batch_size, mode | how, rule, ranges)
        self._lend()
        return [loss / share for loss in losses]

    def _lend(self) -> None:
        """From now on the newest weights are here."""
        self.params.lend(self)
        self._seen = self.params.version

    def _how(self, rule: Ruled, left: Array | None, batch: int) -> tuple[int, Array]:
        """The mode of an update, and ranges of the weights that need a gradient in memory."""
        if left is None or not rule.on_the_spot or not self._runner.may_keep(batch):
            return c.SUM | c.SPREAD, rule.ranges
        return c.STEP if batch == 1 else c.LATER | c.SPREAD, left

    def write_back(self) -> None:
        """Give the newest weights to `params` (which asks for it; nobody else need call this)."""
        trainable = self.params.trainable
        self.params.adopt({name: value for name, value in self._updating.values.items() if trainable[name]})
        self._seen = self.params.version

    # -- reading answers ----------------------------------------------------------------------------------------------
    def predict(self, x: Batch) -> Any:
        """Labels, or outputs where there are no classes (several heads: a dictionary by name)."""
        outputs = by_head(self._outputs(self._reading.given(x), None), self._image.heads)
        return single({head.name: labels_of(outputs[head.name], head) for head in self.layout.heads})

    def predict_proba(self, x: Batch) -> Any:
        """Probabilities, whether the head's activation already makes them or only its loss does.

        Raises
        ------
        LossError
            If the head has none.
        """
        for head in self.layout.heads:
            check_probabilities(head)
        outputs = by_head(self._outputs(self._reading.given(x), None), self._image.heads)
        return single({head.name: probabilities(outputs[head.name], head) for head in self.layout.heads})

    def evaluate(self, x: Batch, target: Batch) -> Evaluation:
        """Mean loss per sample, and the share of right labels over all heads that have classes."""
        inputs = read_batch(x, self.layout.inputs, self._runner.dtype)
        batch = len(next(iter(inputs.values())))
        targets = read_targets(target, self._reading.heads_to_train(), batch)
        self._pack()
        total, right, labels = 0.0, 0, 0
        for first in range(0, batch, PORTION):
            part = slice(first, first + PORTION)
            given = joined([inputs[port.name][part] for port in self.layout.inputs])
            wanted = joined([targets[head.name][part] for head in self.layout.heads]).astype(self._runner.dtype)
            out = np.empty((len(given), self._n_outputs), self._runner.dtype)
            total += self._runner.loss(given, wanted, out)
            outputs = by_head(out, self._image.heads)
            for head in self.layout.heads:
                counts = count_right(outputs[head.name], targets[head.name][part], head)
                right, labels = (right + counts[0], labels + counts[1]) if counts else (right, labels)
        return Evaluation(total / batch, right / labels if labels else None, batch)

    def __repr__(self) -> str:
        return f"Program({self.plan.name!r}: {len(self.plan.steps)} steps, {self.dtype}, {self.threads} threads)"

    # -- inner: what is trained ---------------------------------------------------------------------------------------
    def _trained(self) -> tuple[tuple[str, ...], Array | None]:
        """Names of the parameters that training may change, and ranges of those that need a gradient in memory.

        None instead of ranges: one of the others is frozen, or there is none.
        """
        if self._names_seen != self.params.version:
            trainable = self.params.trainable
            names = tuple(p.name for p in self._image.learnt if trainable[p.name])
            stepped = self._image.stepped
            left = None
            if stepped and stepped <= set(names):
                left = self._updating.ranges_of(tuple(name for name in names if name not in stepped))
            self._names, self._names_seen = (names, left), self.params.version
        return self._names

    # -- inner: what goes in ------------------------------------------------------------------------------------------
    def _masks(self, batch: int, seed: int | None) -> Array | None:
        if seed is None and not self._image.masks:
            return None
        return self._masking.draw(batch, True, seed).columns(self._runner.dtype)

    def _pack(self) -> None:
        """Take the weights from `params` if they changed there."""
        self.params.settle(self)
        if self._seen == self.params.version:
            return
        self._lending.before_weights()
        values = dict(self.params)
        self._updating.clear_gaps()
        for p in self.plan.parameters:
            self._image.storage.parameters[p.name].write(self._runner.weights, values[p.name])
        self._seen = self.params.version

    # -- inner: what comes out ----------------------------------------------------------------------------------------
    @cached_property
    def _is_plain(self) -> bool:
        """Whether the outputs are those of one head that misses no neuron."""
        return len(self._image.heads) == 1 and len(self._image.heads[0].columns) == self._image.heads[0].port.size

    @cached_property
    def _n_outputs(self) -> int:
        return sum(head.size for head in self.layout.heads)

    def _outputs(self, given: Array, masks: Array | None) -> Array:
        self._pack()
        mode = c.OUTPUTS | c.PROBABILITIES | (c.DROPOUT if masks is not None else 0)
        return self._runner.forward(given, masks, mode, self._n_outputs)

    def _values(self, out: Array, kind: int) -> Values:
        first = kind * self._image.n_columns
        return Values(self.layout, {r.name: r.read(out, first, np.nan) for r in self._image.records})

    def _winners(self, out: Array) -> dict[Hashable, Array]:
        return {r.name: r.read(out, 0, NOBODY).astype(np.int64) for r in self._image.winners}

    def _stored(self, flat: Array, parameter: PlanParameter) -> Array:
        return self._image.storage.parameters[parameter.name].view(flat)
