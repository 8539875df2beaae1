"""Inner loops over lanes: neurons that read the same sources through neighbouring weights, as one vector in registers.

Like `simd`, every operation exists twice: in LLVM for compiled kernels, in NumPy for runs without the JIT.
"""

from __future__ import annotations

from typing import Any

from neurograph.kernels import tiles_numpy
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.tiles_numpy import CHUNKS, LISTED, ROWS, TILE, WINDOW

__all__ = [
    "CHUNKS",
    "LISTED",
    "ROWS",
    "TILE",
    "WINDOW",
    "exchange",
    "gather",
    "inner_products",
    "load_some",
    "minus",
    "momentum_row",
    "plain_row",
    "plus",
    "ratio",
    "row_tile",
    "store_some",
    "survivors",
    "tile",
    "tile_into",
    "tile_onto",
    "tile_pooled",
    "times",
    "turn",
]

_operations: Any = tiles_numpy
_lists: Any = tiles_numpy
if COMPILED:
    from neurograph.kernels import tiles_llvm, winners_llvm

    _operations, _lists = tiles_llvm, winners_llvm

exchange = _lists.exchange
gather = _lists.gather
inner_products = _operations.inner_products
load_some = _operations.load_some
store_some = _operations.store_some
survivors = _lists.survivors
tile = _operations.tile
tile_into = _operations.tile_into
row_tile = _operations.row_tile
times = _operations.times
plus = _operations.plus
ratio = _operations.ratio
minus = _operations.minus
momentum_row = _operations.momentum_row
plain_row = _operations.plain_row
tile_onto = _operations.tile_onto
tile_pooled = _operations.tile_pooled
turn = _operations.turn
