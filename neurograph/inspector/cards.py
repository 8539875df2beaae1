"""What the inspector answers: a neuron's card and a weight's card, as plain numbers. `print(card)` shows them as text."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from neurograph.graph.address import Node, write_node
from neurograph.inspector.formulas import total

if TYPE_CHECKING:
    from neurograph.inspector.sheets import Sheet


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


@dataclass(frozen=True)
class FromLoss:
    """The part of an output neuron's δ that comes straight from the loss: a formula, the same with numbers, its value."""

    formula: str
    numbers: str
    value: float


@dataclass(frozen=True)
class NeuronCard:
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

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """The card as text; tables of more than `limit` rows keep the largest and count the rest."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.sheets import neuron_sheet

        return neuron_sheet(self, digits, limit)

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
        }
        found: dict[str, Any] = plain(card)
        return found

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class WeightCard:
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

    @property
    def remains(self) -> float | None:
        """|Σ| / Σ|·| over the uses: how much of what they ask for does not cancel; None where nothing is asked for."""
        asked = total(abs(use.product) for use in self.uses)
        return abs(total(use.product for use in self.uses)) / asked if asked else None

    def text(self, digits: int = 6, limit: int = 12) -> str:
        """The card as text; tables of more than `limit` rows keep the largest and count the rest."""
        from neurograph.inspector.text import as_text

        return as_text(self.sheet(digits, limit))

    def sheet(self, digits: int = 6, limit: int = 12) -> Sheet:
        """What the card says, before it is set as text, HTML or LaTeX."""
        from neurograph.inspector.sheets import weight_sheet

        return weight_sheet(self, digits, limit)

    def as_json(self) -> dict[str, Any]:
        """The card as plain data, neurons as written."""
        uses = [
            {**use._asdict(), "source": write_node(use.source), "target": write_node(use.target)} for use in self.uses
        ]
        found: dict[str, Any] = plain({**vars(self), "uses": uses, "remains": self.remains})
        return found

    def _repr_html_(self) -> str:
        from neurograph.inspector.html import as_fragment

        return as_fragment(self.sheet())

    def __str__(self) -> str:
        return self.text()
