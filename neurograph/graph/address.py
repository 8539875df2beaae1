"""How neurons and weights are written: ``conv1[0,3,4]``, ``conv1.weight[0,0,2,1]``, or a hand-made node's own id."""

from __future__ import annotations

import re
from collections.abc import Hashable

Node = Hashable
_ADDRESS = re.compile(r"\s*([^\[\]]+?)\s*\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]\s*")


def node_id(layer: Hashable, index: tuple[int, ...]) -> Node:
    """The node id of a neuron: ``(layer, *index)``; a population of one (shape ``()``) goes by its name alone.

    Examples
    --------
    >>> node_id("conv1", (0, 3, 4)), node_id("h1", ())
    (('conv1', 0, 3, 4), 'h1')
    """
    return (layer, *index) if index else layer


def write_node(node: Node) -> str:
    """Write a node id as people read it.

    Examples
    --------
    >>> write_node(("conv1", 0, 3, 4)), write_node("h1"), write_node(7)
    ('conv1[0,3,4]', 'h1', '7')
    """
    if (
        isinstance(node, tuple)
        and len(node) > 1
        and isinstance(node[0], str)
        and all(isinstance(i, int) for i in node[1:])
    ):
        return f"{node[0]}[{','.join(map(str, node[1:]))}]"
    return node if isinstance(node, str) else repr(node)


def write_reference(reference: tuple[str, int], shape: tuple[int, ...]) -> str:
    """Write a weight reference with its index unravelled.

    Examples
    --------
    >>> write_reference(("conv1.weight", 7), (2, 1, 2, 2)), write_reference(("w1", 0), ())
    ('conv1.weight[1,0,1,1]', 'w1')
    """
    name, flat = reference
    index = []
    for extent in reversed(shape):
        flat, rest = divmod(flat, extent)
        index.append(rest)
    return f"{name}[{','.join(map(str, reversed(index)))}]" if index else name


def parse_address(text: str) -> tuple[str, tuple[int, ...]] | None:
    """Split ``"conv1[0,3,4]"`` into name and index; None where the text has no index.

    Examples
    --------
    >>> parse_address("conv1[0, 3,4]"), parse_address("h1")
    (('conv1', (0, 3, 4)), None)
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    return match[1], tuple(int(part) for part in match[2].split(","))
