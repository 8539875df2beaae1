"""What is to be changed: an input, a weight or an activation, as people write it, and where it lives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from neurograph.errors import UnknownName, UsageError, suggest
from neurograph.graph.address import node_id, parse_address, write_node, write_reference
from neurograph.graph.layout import Layout, Place
from neurograph.inspector.neuron import at
from neurograph.inspector.outputs import port_of
from neurograph.parameters import Reference
from neurograph.trace import glance, number_in

if TYPE_CHECKING:
    from neurograph.inspector.inspector import Inspector

_ASSIGNMENT = re.compile(r"\s*(.+?)\s*=\s*([^=\s]+)\s*")
HOW = "write it as x[0,2,3]=5 (an input), conv1.weight[0,0,2,1]=0.5 (a weight), or pool1[0,1,0]=3 (an activation)"


@dataclass(frozen=True)
class Alteration:
    """One number that is changed: `kind` is ``"input"``, ``"weight"`` or ``"activation"``."""

    kind: str
    name: str
    before: float
    after: float
    place: Place | None = None
    reference: Reference | None = None


def read_alterations(inspector: Inspector, changes: str | Sequence[str] | Mapping[str, float]) -> list[Alteration]:
    """Changes as numbers and places.

    Parameters
    ----------
    changes : str, sequence of str, or mapping
        ``"x[0,2,3]=5"``, several of them, or ``{"x[0,2,3]": 5.0}``. x is the network's only input.

    Raises
    ------
    UsageError
        If one is no assignment of a finite number, if two change the same number, or none is given.
    UnknownName
        If nothing is called so.
    """
    if isinstance(changes, Mapping):
        pairs = [(str(name), _number(str(name), value)) for name, value in changes.items()]
    else:
        pairs = [_split(text) for text in ([changes] if isinstance(changes, str) else changes)]
    if not pairs:
        raise UsageError(f"what-if: nothing to change; {HOW}.")
    found = [_located(inspector, name, value) for name, value in pairs]
    names = [alteration.name for alteration in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"what-if: {twice} is changed twice; give it one value.")
    return found


def _split(text: str) -> tuple[str, float]:
    match = _ASSIGNMENT.fullmatch(text)
    if match is None:
        raise UsageError(f"what-if '{text}': no assignment; {HOW}.")
    return match[1], _number(match[1], match[2])


def _number(name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise UsageError(f"what-if: {name} = {value}: no number; {HOW}.") from None
    if not isfinite(number):
        raise UsageError(f"what-if: {name} = {value}: not finite; use a finite number.")
    return number


def _located(inspector: Inspector, name: str, value: float) -> Alteration:
    trace, layout = inspector.trace, inspector.trace.layout
    base, index = parse_address(name) or (name, ())
    place = _alias(layout, base, index)
    if place is None:
        if base in trace.weights and base not in layout.shapes:
            reference = trace.reference(name)
            written = write_reference(reference, glance(trace.weights, reference[0]).shape)
            return Alteration("weight", written, number_in(trace.weights, reference), value, reference=reference)
        if base not in layout.shapes and base not in map(str, layout.shapes):
            known = [*map(str, layout.shapes), *trace.weights]
            shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
            raise UnknownName(
                f"what-if: no neuron or weight '{name}'{suggest(base, known)} (layers and weights: {shown})"
            )
        place = layout.place(name)
    neuron = at(inspector.network, layout, place)
    before = float(trace.a[place[0]][(inspector.sample, *place[1])])
    written = write_node(neuron.node)
    if neuron.kind == "input":
        return Alteration("input", written, before, value, place=place)
    if port_of(layout, place) is not None:
        raise UsageError(
            f"what-if: {written} is an output: the loss reads it, nobody else. Change a weight, an input, or a neuron before it."
        )
    return Alteration("activation", written, before, value, place=place)


def _alias(layout: Layout, base: str, index: tuple[int, ...]) -> Place | None:
    """What ``x[…]`` stands for: the network's only input, unless something else is called x."""
    if base != "x" or "x" in layout.shapes or len(layout.inputs) != 1 or not index:
        return None
    port = layout.inputs[0]
    if len(index) != len(port.shape) or not all(0 <= i < n for i, n in zip(index, port.shape, strict=True)):
        ranges = ",".join(f"0…{n - 1}" for n in port.shape)
        raise UnknownName(f"what-if: no input {write_node(node_id('x', index))}: the input has x[{ranges}].")
    return port.members[index[0]] if port.members is not None else (port.name, index)
