"""Why a ReLU was silent in every sample: it cannot be otherwise, or all it reads was 0, or it just was not."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from neurograph.inspector.census import DeadUnit
from neurograph.inspector.census_ranges import Ranges
from neurograph.inspector.census_tally import Tally
from neurograph.inspector.census_wiring import NO_SLOT, FanIns, Wiring
from neurograph.inspector.table import number

MOST_EDGES = 5_000_000
"""Up to so many edges the largest possible sums are worked out."""

Silent = NDArray[np.int64]


def dead_units(
    wiring: Wiring, tallies: Mapping[Hashable, Tally], inputs: Mapping[Hashable, tuple[float, float]], n_samples: int
) -> tuple[dict[Hashable, tuple[DeadUnit, ...]], bool]:
    """Every unit with a ReLU that never fired, by layer, with the reason; and whether the largest possible sums are known.

    Parameters
    ----------
    inputs : mapping
        Input layer → the range of its values.
    """
    silent = {name: found for name, tally in tallies.items() if len(found := _silent(tally))}
    known = sum(int(wiring.n_in(name).sum()) for name in tallies) <= MOST_EDGES
    if not silent or not known:
        return {name: _observed(wiring, tallies[name], found, n_samples) for name, found in silent.items()}, known
    return _explained(wiring, tallies, inputs, silent, n_samples), True


def _silent(tally: Tally) -> Silent:
    """Flat positions of the ReLUs that never fired."""
    members = tally.members
    return np.flatnonzero((members.activation == "relu") & members.there & (tally.fired == 0))


def _explained(
    wiring: Wiring,
    tallies: Mapping[Hashable, Tally],
    inputs: Mapping[Hashable, tuple[float, float]],
    silent: Mapping[Hashable, Silent],
    n_samples: int,
) -> dict[Hashable, tuple[DeadUnit, ...]]:
    ranges = Ranges(wiring, inputs)
    seen = np.concatenate([*(tally.seen for tally in tallies.values()), np.zeros(len(wiring.constants), dtype=bool)])
    for reference, column in wiring.constants.items():
        seen[column] = wiring.weights[wiring.slot(reference)] != 0
    found: dict[Hashable, tuple[DeadUnit, ...]] = {}
    for name, edges in _in_order(wiring, [name for name in tallies if name not in inputs], ranges):
        tally = tallies[name]
        _, high = ranges.add(name, tally.members, edges)
        fed = np.zeros(len(high), dtype=bool)
        fed[edges.target[seen[edges.column]]] = True
        for flat in silent.get(name, np.zeros(0, np.int64)).tolist():
            bound = float(high[flat])
            reason = _reason(wiring, tally, flat, bound, bool(fed[flat]), n_samples)
            unit = DeadUnit(wiring.node(wiring.offset[name] + flat), float(tally.largest_z[flat]), reason, bound)
            found[name] = (*found.get(name, ()), unit)
    return found


def _in_order(wiring: Wiring, names: list[Hashable], ranges: Ranges) -> Iterator[tuple[Hashable, FanIns]]:
    """Layers with the edges into them, sources first; where layers of an edited graph read one another, without known ranges."""
    waiting, must = list(names), False
    while waiting:
        before = len(waiting)
        for name in list(waiting):
            edges = wiring.fan_ins(name)
            if must or not np.isnan(ranges.low[edges.column]).any():
                waiting.remove(name)
                yield name, edges
        must = len(waiting) == before


def _reason(wiring: Wiring, tally: Tally, flat: int, high: float, fed: bool, n_samples: int) -> str:
    if not high <= 0:  # NaN, too: not known
        return _seen_of(tally, flat, n_samples) if fed else f"all that it reads was 0 on {_all(n_samples)}"
    slot = int(tally.members.bias[flat])
    bias = 0.0 if slot == NO_SLOT else float(wiring.weights[slot])
    most = high - bias
    if bias < 0 < most:
        return f"its bias, {number(bias, 4)}, outweighs the largest possible sum, {number(most, 4)}"
    return f"its largest possible z is {number(high, 4)}, whatever the input"


def _seen_of(tally: Tally, flat: int, n_samples: int) -> str:
    sign = "<" if tally.largest_z[flat] < 0 else "≤"
    return f"z {sign} 0 on {_all(n_samples)}"


def _observed(wiring: Wiring, tally: Tally, silent: Silent, n_samples: int) -> tuple[DeadUnit, ...]:
    """Without ranges: what was seen."""
    first = wiring.offset[tally.name]
    return tuple(
        DeadUnit(wiring.node(first + flat), float(tally.largest_z[flat]), _seen_of(tally, flat, n_samples))
        for flat in silent.tolist()
    )


def _all(n_samples: int) -> str:
    return "the only sample" if n_samples == 1 else f"all {n_samples:,} samples"
