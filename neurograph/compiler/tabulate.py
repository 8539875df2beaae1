"""First pass: nodes and edges into arrays. The only code of the compiler that knows NetworkX.

One walk over the predecessor dictionaries; what comes out are columns, one row a neuron and one row an edge.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import PlanParameter
from neurograph.errors import GraphError
from neurograph.graph.address import Node, write_node, write_reference
from neurograph.parameters import ParameterSpec

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph

Index = NDArray[np.int64]
NOTHING = (None, 0)
NONE = -1
"""No weight, no bias, no dropout. Only absolute addresses are compared with it, never relative ones."""


@dataclass(frozen=True)
class Columns:
    """A graph as columns. Neurons are numbered by insertion, which is also the order of ties."""

    nodes: tuple[Node, ...]
    attributes: tuple[Mapping[str, Any], ...]
    bias: Index
    """Per neuron: the address of its bias, or NONE."""

    target: Index
    source: Index
    weight: Index
    """Per edge: the address of its weight, or NONE."""

    port: Index
    dropout: Index
    """Per edge: number of the dropout layer in `dropouts`, or NONE."""

    dropouts: tuple[str, ...]

    @property
    def in_degree(self) -> Index:
        return np.bincount(self.target, minlength=len(self.nodes))


def place_parameters(specs: Mapping[str, ParameterSpec]) -> tuple[PlanParameter, ...]:
    """Places in the flat space of weight addresses, in declared order.

    Examples
    --------
    >>> [p.offset for p in place_parameters({"w": ParameterSpec("w", (2, 3)), "b": ParameterSpec("b", (2,))})]
    [0, 6]
    """
    places, offset = [], 0
    for name, spec in specs.items():
        place = PlanParameter(name, tuple(spec.shape), offset)
        places.append(place)
        offset += place.size
    return tuple(places)


def tabulate(graph: NeuronGraph, parameters: tuple[PlanParameter, ...]) -> Columns:
    """Read a graph's nodes and edges.

    Raises
    ------
    GraphError
        If an edge's reference, port or dropout is not what `NeuronGraph.validate` demands; it has the messages.

    Notes
    -----
    O(neurons + edges); this walk over dictionaries is most of what planning from a graph costs. Every rule about single edges is
    proved here or by the passes that follow, so that whoever has planned a graph need not walk over its edges once more.
    """
    nodes = tuple(graph.in_order())
    number = {node: i for i, node in enumerate(nodes)}
    attributes = tuple(map(graph._node.__getitem__, nodes))
    sources: list[Node] = []
    edges: list[Mapping[str, Any]] = []
    degrees = []
    for into in map(graph._pred.__getitem__, nodes):
        degrees.append(len(into))
        sources.extend(into)
        edges.extend(into.values())
    target = np.repeat(np.arange(len(nodes), dtype=np.int64), degrees)
    source = np.fromiter(map(number.__getitem__, sources), np.int64, len(sources))
    read = _References(parameters)
    weight = read.addresses(_column(edges, "param"), lambda e: f"the edge into {write_node(nodes[target[e]])}")
    bias = read.addresses(_column(attributes, "bias"), lambda i: write_node(nodes[i]))
    ports = _column(edges, "port", 0)
    _check_whole("port", ports)
    port = np.fromiter(ports, np.int64, len(edges))
    dropouts, dropout = _codes(_column(edges, "dropout"), graph.dropouts)
    columns = Columns(nodes, attributes, bias, target, source, weight, port, dropout, dropouts)
    _check_slots(columns, graph.parameters, parameters)
    _check_dropouts(columns, graph.dropouts)
    return columns


def _check_whole(what: str, values: Iterable[Any], refused: type | None = None) -> None:
    """Refuse what is no integer: few types, however many values."""
    for kind in set(map(type, values)):
        if kind is refused or not issubclass(kind, Integral):
            raise GraphError(f"a {what} is a {kind.__name__}; it is an integer.")


def _check_slots(columns: Columns, specs: Mapping[str, ParameterSpec], parameters: tuple[PlanParameter, ...]) -> None:
    """Refuse edges through slots that nobody uses."""
    for place in parameters:
        used = specs[place.name].used
        if used is None:
            continue
        index = columns.weight - place.offset
        mine = np.flatnonzero((index >= 0) & (index < place.size))
        wrong = mine[~used.reshape(-1)[index[mine]]]
        if len(wrong):
            found = write_reference((place.name, int(index[wrong[0]])), place.shape)
            raise GraphError(
                f"{write_node(columns.nodes[columns.target[wrong[0]]])}: reads through {found}, fixed at 0."
            )


def _check_dropouts(columns: Columns, declared: Mapping[str, float]) -> None:
    """Refuse dropouts that are not declared, and masks over constants."""
    if not columns.dropouts:
        return
    unknown = [name for name in columns.dropouts if name not in declared]
    if unknown:
        raise GraphError(f"dropout '{unknown[0]}' is not declared in graph.graph['dropouts'].")
    for name, keep in declared.items():
        if not isinstance(keep, int | float) or not 0 < keep <= 1:
            raise GraphError(f"dropout '{name}': keep is {keep!r}; a probability lies above 0 and at most at 1.")
    is_constant = np.array([neuron.get("kind") == "constant" for neuron in columns.attributes], dtype=np.bool_)
    if (is_constant[columns.source] & (columns.dropout != NONE)).any():
        raise GraphError("a constant behind a dropout; masks lie over neurons.")


def _column(rows: Sequence[Mapping[str, Any]], key: str, default: Any = None) -> list[Any]:
    """One attribute of every row; edges added by plain NetworkX calls may lack it."""
    try:
        return list(map(itemgetter(key), rows))
    except KeyError:
        return [row.get(key, default) for row in rows]


class _References:
    """Turns references ``(name, flat index)`` into addresses."""

    def __init__(self, parameters: tuple[PlanParameter, ...]) -> None:
        self.parameters = parameters
        self.codes: dict[str | None, int] = {parameter.name: i for i, parameter in enumerate(parameters)}
        self.codes[None] = NONE
        self.offsets = np.array([parameter.offset for parameter in parameters] + [NONE], dtype=np.int64)
        self.sizes = np.array([parameter.size for parameter in parameters] + [1], dtype=np.int64)

    def addresses(self, references: list[Any], where: Any) -> Index:
        """Addresses of references (NONE for None); `where` names the place of a wrong one."""
        slots = [NOTHING if reference is None else reference for reference in references]
        if set(map(type, slots)) - {tuple} or set(map(len, slots)) - {2}:
            raise GraphError("a reference is no pair (parameter, index).")
        indices = list(map(itemgetter(1), slots))
        _check_whole("slot", indices, refused=bool)
        try:
            code = np.fromiter(map(self.codes.__getitem__, map(itemgetter(0), slots)), np.int64, len(slots))
        except KeyError:
            row, name = next((i, name) for i, (name, _) in enumerate(slots) if name not in self.codes)
            raise GraphError(
                f"{where(row)}: no parameter '{name}'; declare it with set_parameter or connect."
            ) from None
        index = np.fromiter(indices, np.int64, len(slots))
        wrong = np.flatnonzero((index < 0) | (index >= self.sizes[code]))
        if len(wrong):
            row = int(wrong[0])
            found = self.parameters[code[row]]
            raise GraphError(
                f"{where(row)}: slot {index[row]} of '{found.name}', which has {found.size} "
                f"(…{write_reference((found.name, found.size - 1), found.shape)})."
            )
        return self.offsets[code] + index


def _codes(words: list[str | None], known: Iterable[str]) -> tuple[tuple[str, ...], Index]:
    """The distinct words, known ones first, and each entry's number among them (NONE for None)."""
    distinct = [word for word in dict.fromkeys([*known, *dict.fromkeys(words)]) if word is not None]
    if not distinct:
        return (), np.full(len(words), NONE, dtype=np.int64)
    codes: dict[Hashable, int] = {word: i for i, word in enumerate(distinct)}
    codes[None] = NONE
    return tuple(distinct), np.fromiter(map(codes.__getitem__, words), np.int64, len(words))
