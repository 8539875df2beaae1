"""What the layer view says about each layer."""

from __future__ import annotations

from dataclasses import dataclass

from neurograph.graph.address import node_id
from neurograph.graph.heads import HeadSpec
from neurograph.graph.receptive import extents, middle, receptive_field
from neurograph.graph.sharing import uses_per_weight, written
from neurograph.graph.topology import Population, Topology
from neurograph.shapes import times

from .describe import activation, operation
from .subject import Subject


@dataclass(frozen=True)
class Facts:
    """One layer in words and numbers.

    Attributes
    ----------
    sees : str
        Receptive field of the neuron in the middle, in the input.
    uses : str
        How often each weight is used; empty where once.
    through : tuple of str
        Dropout layers that it reads through, in words.
    head : str
        The loss, where the layer is an output; ``"output"`` where it has none.
    times, last : int, str
        How often the layer comes, where a repeated block is drawn once, and the name of the last one.
    """

    name: str
    label: str
    kind: str
    operation: str
    activation: str
    shape: tuple[int, ...]
    n_neurons: int
    n_edges: int
    n_parameters: int
    sees: str
    uses: str
    through: tuple[str, ...]
    head: str
    sources: tuple[str, ...]
    times: int = 1
    last: str = ""

    @property
    def title(self) -> str:
        """Its name, or from which to which."""
        return f"{self.name} … {self.last}" if self.times > 1 else self.name


def facts_of(subject: Subject, topology: Topology) -> list[Facts]:
    """The layers of a topology, in its order."""
    owned = _owners(topology)
    heads = {member: head for head, members in zip(topology.heads, topology.outputs, strict=True) for member in members}
    return [
        _facts(subject, topology, p, owned.get(p.name, 0), heads.get(p.name)) for p in topology.populations.values()
    ]


def _owners(topology: Topology) -> dict[str, int]:
    """Trainable parameters per layer; a parameter that several layers use counts at the first."""
    counted: set[str] = set()
    owned: dict[str, int] = {}
    for population in topology.populations.values():
        names = [projection.weight for projection in topology.into(population.name) if projection.weight is not None]
        names += [population.bias.name] if population.bias is not None else []
        new = [name for name in dict.fromkeys(names) if name not in counted and topology.parameters[name].trainable]
        counted.update(new)
        owned[population.name] = sum(topology.parameters[name].size for name in new)
    return owned


def _facts(
    subject: Subject, topology: Topology, population: Population, n_parameters: int, head: HeadSpec | None
) -> Facts:
    into = topology.into(population.name)
    dropouts = dict.fromkeys(p.dropout for p in into if p.dropout is not None)
    uses = written(uses_per_weight(topology, population.name))
    loss = None if head is None else (head.loss.kind.replace("_", " ") if head.loss is not None else "output")
    if head is not None and head.loss is not None and head.loss.weight != 1:
        loss = f"{loss} × {head.loss.weight:g}"
    return Facts(
        name=population.name,
        label=subject.labels.get(population.name, ""),
        kind=population.layer_kind or ("input" if population.is_input else "dense"),
        operation=operation(topology, population),
        activation=activation(population.activation),
        shape=population.shape,
        n_neurons=population.size,
        n_edges=sum(projection.n_edges for projection in into),
        n_parameters=n_parameters,
        sees="" if population.is_input else _sees(topology, population),
        uses="" if uses == "1" else uses,
        through=tuple(f"{name}: keep {topology.dropouts[name]:g}" for name in dropouts if name in topology.dropouts),
        head=loss or "",
        sources=tuple(dict.fromkeys(projection.source for projection in into)),
    )


def _sees(topology: Topology, population: Population) -> str:
    """Extent of the middle neuron's receptive field; rows × columns where all channels are seen."""
    if 0 in population.shape:
        return ""
    boxes = receptive_field(topology, node_id(population.name, middle(population.shape)))
    seen = []
    for name, box in boxes.items():
        whole = topology.populations[name].shape
        size = extents(box)
        if not size:
            return ""
        seen.append("all" if size == whole else times(size[1:] if len(size) > 1 else size))
    return ", ".join(dict.fromkeys(seen))
