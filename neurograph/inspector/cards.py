"""What the inspector answers: a neuron's card and a weight's card, as plain numbers. `print(card)` shows them as text."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from neurograph.graph.address import Node, write_node
from neurograph.inspector.field import Seen
from neurograph.inspector.formulas import total
from neurograph.inspector.shown import Shown
from neurograph.inspector.step import Step

if TYPE_CHECKING:
    from neurograph.inspector.equations import Equation
    from neurograph.inspector.parts import Sheet


class Term(NamedTuple):
    """One in-edge of a neuron: what it adds to z. `w` is None on unweighted edges; `weight` is the weight as written."""

    source: Node
    a: float
    w: float | None
    product: float
    weight: str | None = None


class Influence(NamedTuple):
    """One out-edge of a neuron: what it hands back of its target's δ (`product` = δ_target·∂z_target/∂a)."""

    target: Node
    delta: float
    w: float | None
    product: float
    weight: str | None = None


class Use(NamedTuple):
    """One use of a shared weight: the edge, the sample, and what the target neuron asks of the weight."""

    source: Node
    target: Node
    sample: int
    a: float
    delta: float
    product: float


def plain(value: Any) -> Any:
    """The same with None for every number that JSON cannot write, and fractions in words: "51/8"."""
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def listed(values: Any) -> Any:
    """Nested tuples as nested lists."""
    return [listed(inner) for inner in values] if isinstance(values, tuple) else values


@dataclass(frozen=True)
class FromLoss:
    """The part of an output neuron's δ that comes straight from the loss: a formula, the same with numbers, its value."""

    formula: str
    numbers: str
    value: float


@dataclass(frozen=True)
class NeuronCard(Shown):
    """Everything about one neuron in one sample.

    Attributes
    ----------
    node : Node
    kind, activation : str
    sample : int
    z, a : float
    delta : float or None
        None where neither a target nor an upstream gradient was given.
    bias : float or None
    bias_name : str or None
    terms : tuple of Term
        One per in-edge, in the network's own order; the bias is not among them.
    fan_out : tuple of Influence
        One per out-edge.
    slope : float or None
        f′(z); None for softmax, whose outputs depend on one another.
    from_loss : FromLoss or None
        For outputs.
    divisor : float
        For mean pools: what the sum is divided by.
    winner : int or None
        For max pools: which of the terms won.
    sees : tuple of Seen
        The receptive field in every input that has rows and columns, with the numbers in it.
    """

    node: Node
    kind: str
    activation: str
    sample: int
    z: float
    a: float
    delta: float | None
    bias: float | None
    bias_name: str | None
    terms: tuple[Term, ...]
    fan_out: tuple[Influence, ...]
    slope: float | None
    from_loss: FromLoss | None = None
    divisor: float = 1.0
    winner: int | None = None
    sees: tuple[Seen, ...] = ()

    @property
    def name(self) -> str:
        """The neuron as written, such as ``conv1[0,3,4]``."""
        return write_node(self.node)

    @property
    def ties(self) -> tuple[Term, ...]:
        """For max pools: all terms that share the maximum, the winner among them."""
        if self.winner is None:
            return ()
        best = self.terms[self.winner].a
        return tuple(term for term in self.terms if term.a == best)

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.sheets import neuron_sheet

        return neuron_sheet(self, digits, limit)

    def equations(self, digits: int = 6) -> list[Equation]:
        """Sums behind z and δ: in symbols, with the numbers put in, and as results."""
        from neurograph.inspector.equations import of_delta, of_z

        found = [] if self.kind in ("input", "constant") else [of_z(self, digits)]
        return [*found, of_delta(self, digits)] if self.delta is not None and self.fan_out else found

    def as_json(self) -> dict[str, Any]:
        """The card as plain data, neurons as written."""
        card = {
            "neuron": self.name,
            "kind": self.kind,
            "activation": self.activation,
            "sample": self.sample,
            "z": self.z,
            "a": self.a,
            "delta": self.delta,
            "slope": self.slope,
            "bias": self.bias,
            "bias_name": self.bias_name,
            "terms": [{**term._asdict(), "source": write_node(term.source)} for term in self.terms],
            "fan_out": [{**edge._asdict(), "target": write_node(edge.target)} for edge in self.fan_out],
            "from_loss": None if self.from_loss is None else dict(vars(self.from_loss)),
            "winner": None if self.winner is None else write_node(self.terms[self.winner].source),
            "sees": [
                {"input": seen.name, "box": [list(span) for span in seen.box], "values": listed(seen.values)}
                for seen in self.sees
            ],
        }
        found: dict[str, Any] = plain(card)
        return found


class UseMap(NamedTuple):
    """What the neurons of one map ask of a weight: their uses' products, summed over the samples; None where it has no use."""

    name: str
    sums: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class WeightCard(Shown):
    """Everything about one weight or bias, over the whole batch.

    Attributes
    ----------
    name : str
        As written, such as ``conv1.weight[0,0,2,1]``.
    value : float
    uses : tuple of Use
        One per edge and sample.
    sum : float
        Sum of the uses' products.
    gradient : float
        The engine's gradient: the sum, divided by the batch where ``reduction="mean"``.
    reduction : str
    batch : int
    n_copies : int
        How many edges carry the weight (for a bias: how many neurons have it).
    trainable : bool
    positions : int or None
        Positions of the map, where the border leaves some of them without this weight.
    maps : tuple of UseMap
        The uses by the position of their targets, for weights that are shared over rows and columns.
    step : Step or None
        What an optimiser makes of the gradient, where one was given.
    """

    name: str
    value: float
    uses: tuple[Use, ...]
    sum: float
    gradient: float
    reduction: str
    batch: int
    n_copies: int
    trainable: bool = True
    is_bias: bool = False
    positions: int | None = None
    maps: tuple[UseMap, ...] = ()
    step: Step | None = None

    @property
    def remains(self) -> float | None:
        """|Σ| / Σ|·| over the uses: how much of what they ask for does not cancel; None where nothing is asked for."""
        asked = total(abs(use.product) for use in self.uses)
        return abs(total(use.product for use in self.uses)) / asked if asked else None

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.weight_sheets import weight_sheet

        return weight_sheet(self, digits, limit)

    def equations(self, digits: int = 6) -> list[Equation]:
        """The optimiser's step, in symbols, with the numbers put in, and as a result."""
        return [] if self.step is None else self.step.equations(digits)

    def as_json(self) -> dict[str, Any]:
        """The card as plain data, neurons as written."""
        uses = [
            {**use._asdict(), "source": write_node(use.source), "target": write_node(use.target)} for use in self.uses
        ]
        maps = [{"of": of.name, "sums": listed(of.sums)} for of in self.maps]
        step = None if self.step is None else {**vars(self.step), "kept": [list(kept) for kept in self.step.kept]}
        found: dict[str, Any] = plain({**vars(self), "uses": uses, "maps": maps, "step": step, "remains": self.remains})
        return found
