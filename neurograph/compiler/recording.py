"""What a trace takes out of the arena, and where it stands among the exported columns."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from itertools import groupby
from math import prod

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import Box
from neurograph.compiler.emit import Listing, StepEmitter
from neurograph.compiler.image import Record
from neurograph.compiler.pieces import pieces_of, pieces_of_box
from neurograph.compiler.placing import NOWHERE, Placing
from neurograph.graph.layout import Layout
from neurograph.kernels import code as c

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Shown:
    """A layer in a trace, and where its neurons are: a whole box, or addresses one by one."""

    record: Record
    where: Box | Index

    @property
    def addresses(self) -> Index:
        return self.where.every() if isinstance(self.where, Box) else self.where


def record_trace(
    placing: Placing, layout: Layout, listing: Listing, emitters: list[StepEmitter], plane: int
) -> tuple[tuple[Record, ...], tuple[Record, ...], int]:
    """Instructions that take out a, z, δ of all neurons and the winners of all maxima.

    Returns
    -------
    records, winners : tuple of Record
    n_columns : int
        Neurons recorded.
    """
    everyone: list[Shown] = []
    column = 0
    for name, shape in layout.shapes.items():
        everyone.append(_shown(placing, name, shape, column))
        column += everyone[-1].record.n_columns
    pieces = _pieces([shown.where for shown in everyone])
    table = listing.table(pieces)
    for kind, which in enumerate((c.PLANE_A, c.PLANE_Z, c.PLANE_D)):
        listing.add(c.EXPORT, c.TRACE, table, len(pieces), extra=kind * column, shift=which * plane)
    _record_inputs(placing, layout, listing, everyone, column, plane)
    winners, places = _winners(placing, emitters, everyone, 3 * column, plane)
    pieces = _pieces(places)
    listing.add(c.EXPORT, c.TRACE, listing.table(pieces), len(pieces), extra=3 * column, shift=c.PLANE_WINNER * plane)
    return tuple(shown.record for shown in everyone), winners, column


def _shown(placing: Placing, name: Hashable, shape: tuple[int, ...], column: int) -> Shown:
    box = placing.whole(name)
    if box is not None:
        return Shown(Record(name, shape, None, column, prod(shape)), box)
    addresses = placing.population(name)
    present = np.flatnonzero(addresses != NOWHERE)
    places = None if len(present) == len(addresses) else present
    return Shown(Record(name, shape, places, column, len(present)), addresses[present])


def _record_inputs(
    placing: Placing, layout: Layout, listing: Listing, everyone: list[Shown], column: int, plane: int
) -> None:
    """The z of an input is its a."""
    layers = {port.name for port in layout.inputs if port.members is None}
    single = marked([placing.port(port) for port in layout.inputs if port.members is not None], plane)
    for shown in everyone:
        named = shown.record.name in layers
        if named or (not isinstance(shown.where, Box) and single[shown.where].any()):
            pieces, first = _pieces([shown.where]), column + shown.record.first_column
            listing.add(c.EXPORT, c.TRACE, listing.table(pieces), len(pieces), extra=first)


def _winners(
    placing: Placing, emitters: list[StepEmitter], everyone: list[Shown], first: int, plane: int
) -> tuple[tuple[Record, ...], list[Box | Index]]:
    """Layers with maxima, their columns from `first` on, and where their neurons are."""
    whole, others, touched = set(), [], set()
    for emitter in emitters:
        name = emitter.step.population
        if emitter.step.op == "max":
            touched.add(name)
            if emitter.step.members is None and placing.whole(name) is not None:
                whole.add(name)
            else:
                others.append(emitter.neurons)
    is_max = marked(others, plane)
    records: list[Record] = []
    places: list[Box | Index] = []
    for shown in everyone:
        record = shown.record
        if isinstance(shown.where, Box) and record.name not in touched:
            continue
        if record.name in whole:
            records.append(Record(record.name, record.shape, None, first, record.n_columns))
            places.append(shown.where)
        else:
            mine = np.flatnonzero(is_max[shown.addresses])
            if not len(mine):
                continue
            inside = mine if record.places is None else record.places[mine]
            records.append(Record(record.name, record.shape, inside, first, len(mine)))
            places.append(shown.addresses[mine])
        first += records[-1].n_columns
    return tuple(records), places


def _pieces(places: list[Box | Index]) -> Index:
    """Boxes, and lists of addresses, one after the other."""
    parts = [np.zeros((0, c.PIECE), dtype=np.int64)]
    for is_box, some in groupby(places, key=lambda where: isinstance(where, Box)):
        if is_box:
            parts.extend(pieces_of_box(where) for where in some if isinstance(where, Box))
        else:
            parts.append(pieces_of(np.concatenate(list(some))))
    return np.concatenate(parts)


def marked(parts: list[Index], plane: int) -> NDArray[np.bool_]:
    """Which addresses of a plane are listed."""
    found = np.zeros(plane, dtype=np.bool_)
    for part in parts:
        found[part[part != NOWHERE]] = True
    return found
