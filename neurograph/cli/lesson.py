"""Backpropagation told step by step on a small network: forward values, loss, every δ, every gradient term, every weight.

A `Lesson` is an engine around the textbook engine: it trains exactly as that one does, and tells what happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import networkx as nx

from neurograph.graph.address import write_node, write_reference

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.engine import Batch, Evaluation, Optimizer
    from neurograph.inspector import Inspector, NeuronCard, WeightCard
    from neurograph.parameters import Parameters
    from neurograph.reference import ReferenceEngine

MOST_EDGES, MOST_STEPS, MOST_SAMPLES = 60, 5, 4
"""What can still be read as a lesson."""


def is_lesson(job: Job) -> bool:
    """True where a training is small enough to be told number by number."""
    few = job.n_steps <= MOST_STEPS and min(job.settings.batch_size, job.samples.n) <= MOST_SAMPLES
    small = job.topology.n_edges <= MOST_EDGES and not job.topology.dropouts
    return job.settings.engine == "textbook" and few and small


class Lesson:
    """The textbook engine, thinking aloud.

    Parameters
    ----------
    engine : ReferenceEngine
    say : callable
        Takes one line of text.
    """

    def __init__(self, engine: Any, say: Callable[[str], object]) -> None:
        self.engine: ReferenceEngine = engine
        self.layout = engine.layout
        self.say = say
        self.steps = 0
        graph = self.engine.graph
        order = nx.lexicographical_topological_sort(graph, key=lambda node: graph.nodes[node]["order"])
        self.neurons = [node for node in order if graph.nodes[node]["kind"] not in ("input", "constant")]

    @property
    def params(self) -> Parameters:
        return self.engine.params

    def forward(self, x: Batch, *, training: bool = False, seed: int | None = None) -> Any:
        return self.engine.forward(x, training=training, seed=seed)

    def backprop(self, *arguments: Any, **options: Any) -> Any:
        return self.engine.backprop(*arguments, **options)

    def evaluate(self, x: Batch, target: Batch) -> Evaluation:
        return self.engine.evaluate(x, target)

    def train_step(
        self, x: Batch, target: Batch, optimizer: Optimizer, reduction: str = "mean", seed: int | None = None
    ) -> float:
        """One step, told before and after."""
        from neurograph.inspector import Inspector

        self.steps += 1
        first = Inspector(self.engine, x, target, reduction=reduction)
        n = first.trace.batch
        self.say(f"\nStep {self.steps}: {n} sample{'s' * (n > 1)}, {optimizer!r}")
        for sample in range(n):
            here = first if sample == 0 else Inspector(self.engine, x, target, sample=sample, reduction=reduction)
            self._tell_sample(here, sample, n)
        self.say(
            f"\nLoss E = {_exact(first.trace.loss)}"
            + (f" (mean over {n} samples)" if n > 1 and reduction == "mean" else "")
        )
        cards = self._weights(first)
        loss = self.engine.train_step(x, target, optimizer, reduction, seed)
        self._tell_update(cards)
        after = self.engine.evaluate(x, target).loss * (n if reduction == "sum" else 1)
        self.say(f"\nLoss after the step: E = {_exact(after)}\n")
        return loss

    # -- what is told -------------------------------------------------------------------------------------------------
    def _tell_sample(self, inspector: Inspector, sample: int, n: int) -> None:
        which = f", sample {sample}" if n > 1 else ""
        inputs = ", ".join(f"{write_node(i)} = {_short(inspector.neuron(i).a)}" for i in self.engine.graph.inputs())
        self.say(f"\nForward{which}: {inputs}")
        for node in self.neurons:
            self._tell_forward(inspector.neuron(node), inspector.target(node))
        self.say(f"\nBackward{which}: δ = ∂E/∂z")
        for node in reversed(self.neurons):
            self._tell_delta(inspector.neuron(node))

    def _tell_forward(self, card: NeuronCard, target: float | None) -> None:
        self.say(f"  {card.name}: z = {_sum_of(card)} = {_exact(card.z)}")
        a = "a = z" if card.activation == "identity" else f"a = {card.activation}(z)"
        wanted = "" if target is None else f"   (target {_short(target)})"
        self.say(f"  {' ' * len(card.name)}  {a} = {_exact(card.a)}{wanted}")

    def _tell_delta(self, card: NeuronCard) -> None:
        parts = []
        if card.from_loss is not None:
            parts.append(f"{card.from_loss.formula} = {card.from_loss.numbers}")
        if card.fan_out:
            handed = " + ".join(
                f"{_short(e.delta)}·{_short(e.w)}" if e.w is not None else _short(e.product) for e in card.fan_out
            )
            parts.append(f"f′(z)·Σ δ·w = {_short(card.slope)} · ({handed})")
        self.say(f"  {card.name}: δ = {' + '.join(parts) or 'nobody reads it'} = {_exact(card.delta)}")

    def _weights(self, inspector: Inspector) -> list[WeightCard]:
        written = [
            write_reference((name, index), values.shape)
            for name, values in inspector.trace.weights.items()
            for index in range(values.size)
        ]
        return [inspector.weight(name) for name in written]

    def _tell_update(self, before: list[WeightCard]) -> None:
        self.say("\nUpdate: every ∂E/∂w with the old weights, then all weights at once")
        width = max(len(card.name) for card in before)
        for card in before:
            name, index = self._reference(card.name)
            if not card.trainable:
                self.say(f"  {card.name:<{width}}  fixed, stays {_exact(card.value)}")
                continue
            new = float(self.params[name].reshape(-1)[index])
            self.say(f"  {card.name:<{width}}  ∂E/∂w = {_gradient(card)} = {_exact(card.gradient)}")
            self.say(f"  {' ' * width}  {_exact(card.value)} → {_exact(new)}")

    def _reference(self, written: str) -> tuple[str, int]:
        from neurograph.trace import parse_weight

        return parse_weight(written, {name: values.shape for name, values in self.params.items()})


def _sum_of(card: NeuronCard) -> str:
    """A neuron's z, written out in numbers."""
    bias = [] if card.bias is None else [_short(card.bias)]
    if card.kind == "weighted":
        return " + ".join([f"{_short(term.w)}·{_short(term.a)}" for term in card.terms] + bias)
    if card.kind == "rbf":
        return " + ".join(f"({_short(term.a)} − {_short(term.w)})²" for term in card.terms)
    values = [_short(term.a) for term in card.terms]
    if card.kind == "max":
        return f"max({', '.join(values)})"
    if card.kind == "l2":
        return f"√({' + '.join(f'{value}²' for value in values)})"
    return f"({' + '.join(values)}) / {card.divisor:g}" if card.kind == "mean" else " + ".join(values)


def _gradient(card: WeightCard) -> str:
    """A weight's gradient, written out in numbers: one addend per edge and sample."""
    if card.is_bias:
        edges = [f"δ({write_node(use.target)})" for use in card.uses]
        numbers = " + ".join(_short(use.delta) for use in card.uses)
    else:
        edges = [f"δ({write_node(use.target)})·a({write_node(use.source)})" for use in card.uses]
        numbers = " + ".join(f"{_short(use.delta)}·{_short(use.a)}" for use in card.uses)
    names = " + ".join(dict.fromkeys(edges))
    if card.batch == 1:
        return f"{names} = {numbers}"
    which, share = ("mean", f" / {card.batch}") if card.reduction == "mean" else ("sum", "")
    return f"{which} over samples of {names} = ({numbers}){share}"


def _short(value: float | None) -> str:
    """Nine digits where they are needed: 0.15 stays 0.15."""
    return "-" if value is None else f"{value:.9g}"


def _exact(value: float | None) -> str:
    """Nine decimals, as the books print them."""
    return "-" if value is None else f"{value:.9f}"
