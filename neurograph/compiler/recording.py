"""What a trace takes out of the arena, and where it stands among the exported columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.arena import runs
from neurograph.compiler.emit import Listing
from neurograph.compiler.image import Record
from neurograph.compiler.placing import NOWHERE, Placing
from neurograph.graph.layout import Layout
from neurograph.kernels import code as c

Index = NDArray[np.int64]


def record_trace(
    placing: Placing, layout: Layout, listing: Listing, maxima: list[Index], plane: int
) -> tuple[tuple[Record, ...], tuple[Record, ...], int]:
    """Instructions that take out a, z, δ of all neurons and the winners of all maxima.

    Returns
    -------
    records, winners : tuple of Record
    n_columns : int
        Neurons recorded.
    """
    records, parts, column = [], [], 0
    for name, shape in layout.shapes.items():
        addresses = placing.population(name)
        present = np.flatnonzero(addresses != NOWHERE)
        places = None if len(present) == len(addresses) else present
        records.append(Record(name, shape, places, column, len(present)))
        parts.append(addresses[present])
        column += len(present)
    everyone = np.concatenate(parts)
    found = runs(everyone)
    table = listing.table(found)
    for kind, which in enumerate((c.PLANE_A, c.PLANE_Z, c.PLANE_D)):
        shift = which * plane
        listing.add(c.EXPORT, c.TRACE, table, len(found), extra=kind * column, shift=shift)
    _record_inputs(placing, layout, listing, records, column, plane)
    is_max = marked(maxima, plane)[everyone]
    winners, first = [], 3 * column
    for record in records:
        mine = np.flatnonzero(is_max[record.first_column : record.first_column + record.n_columns])
        if len(mine):
            places = mine if record.places is None else record.places[mine]
            winners.append(Record(record.name, record.shape, places, first, len(mine)))
            first += len(mine)
    found = runs(everyone[is_max])
    at = listing.table(found)
    listing.add(c.EXPORT, c.TRACE, at, len(found), extra=3 * column, shift=c.PLANE_WINNER * plane)
    return tuple(records), tuple(winners), column


def _record_inputs(
    placing: Placing, layout: Layout, listing: Listing, records: list[Record], column: int, plane: int
) -> None:
    """The z of an input is its a."""
    given = marked([placing.port(port) for port in layout.inputs], plane)
    for record in records:
        addresses = placing.population(record.name)
        present = addresses[addresses != NOWHERE]
        if given[present].any():
            found = runs(present)
            at = listing.table(found)
            listing.add(c.EXPORT, c.TRACE, at, len(found), extra=column + record.first_column)


def marked(parts: list[Index], plane: int) -> NDArray[np.bool_]:
    """Which addresses of a plane are listed."""
    found = np.zeros(plane, dtype=np.bool_)
    for part in parts:
        found[part[part != NOWHERE]] = True
    return found
