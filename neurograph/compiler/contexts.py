"""What kernels are handed: one context a slot, with the addresses of everything they work on (in plain Python: the arrays)."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.aligned import aligned_zeros
from neurograph.compiler.image import Image
from neurograph.compiler.updating import Ruled
from neurograph.kernels import code as c
from neurograph.kernels.contract import LONGEST
from neurograph.kernels.first_time import compile_at_once
from neurograph.kernels.interpret import WIDE, kernel
from neurograph.kernels.jit import COMPILED
from neurograph.kernels.tiles import LISTED, TILE
from neurograph.kernels.update import RANGE, STRETCH

Array = NDArray[Any]
Blocks = tuple[int, int]
"""First block, and the end."""


@dataclass(frozen=True)
class Few:
    """Room for a few samples, at addresses that stay, and the contexts that are set for it."""

    x: Array
    t: Array | None
    out: Array | None
    rows: Any


class Contexts:
    """The contexts of one program for one size of blocks; behind those of the slots one for what runs before all.

    Parameters
    ----------
    image : Image
    memory : ndarray, shape (slots, arena)
    weights : ndarray
    packed : ndarray
        Room for weights in another order.
    gradients : ndarray, shape (slots, weights and more)
    block : int
        Samples in a block.
    sample_step : int
        With channels innermost: how far apart two samples stand. Else 0.
    """

    def __init__(
        self,
        image: Image,
        memory: Array,
        weights: Array,
        packed: Array,
        gradients: Array,
        block: int,
        sample_step: int,
    ) -> None:
        self._image, self._memory = image, memory
        self.slots = len(memory)
        self._numbers = np.arange(self.slots)
        self.losses = np.zeros((self.slots, 1))
        self._width = WIDE if image.channels else block
        self._code = image.code.reshape(-1)
        self._kernels: Any = np.zeros(2 * c.N_OPERATIONS, np.int64) if COMPILED else [None] * (2 * c.N_OPERATIONS)
        self._prepared: set[int] = set()
        self._aimed: list[Any] = []
        self._few: dict[tuple[int, int, int], Few] = {}
        self.aimed_at: Few | None = None
        """What the contexts are set for, where that is a few samples."""
        self._nothing = np.zeros(1, memory.dtype)
        self._nowhere = _pointer(self._nothing)
        self._ruled: tuple[Any, ...] = ()
        listed = LISTED * (WIDE + 1)
        lanes = int(image.code[:, c.LANES].max(initial=0))
        entries = max(TILE * WIDE, STRETCH, LONGEST, listed, lanes, image.panel * WIDE) + WIDE
        self._scratch = aligned_zeros(self.slots, entries, memory.dtype)
        self._places = np.zeros((self.slots, max(2 * TILE, listed, image.panel) + WIDE), np.int64)
        rows = self.slots + 1
        self._rows: Any = (
            np.zeros((rows, c.N_CONTEXT), np.int64) if COMPILED else [[0] * c.N_CONTEXT for _ in range(rows)]
        )
        for row in range(rows):
            slot = min(row, self.slots - 1)
            self._point(row, c.MEMORY, memory[slot])
            self._point(row, c.WEIGHTS, weights)
            self._point(row, c.PACKED, packed)
            self._point(row, c.GRADIENT, gradients[slot])
            self._point(row, c.CODE, self._code)
            self._point(row, c.TABLES, image.tables)
            self._point(row, c.NUMBERS, image.numbers)
            self._point(row, c.LOSS_SUM, self.losses[slot])
            self._point(row, c.SCRATCH, self._scratch[slot])
            self._point(row, c.PLACES, self._places[slot])
            self._point(row, c.KERNELS, self._kernels)
            self._point(row, c.SELF, self._rows[row])
            self._point(row, c.SLOTS, gradients)
            before, first, last, after = image.parts
            for field, value in (
                (c.N_INSTRUCTIONS, len(image.code)),
                (c.N_BEFORE, before),
                (c.N_FIRST, first),
                (c.N_LAST, last),
                (c.N_AFTER, after),
                (c.SLOT_STEP, gradients.shape[1]),
                (c.PHASE, int(row == self.slots)),
                (c.PLANE, image.plane),
                (c.WIDTH, self._width),
                (c.BLOCK, block),
                (c.NEURON_STEP, 1 if image.channels else block),
                (c.SAMPLE_STEP, sample_step if image.channels else 1),
                (c.PASS_STEP, sample_step),
            ):
                self._rows[row][field] = value

    def aim(self, batch: tuple[Array, Array | None, Array | None, Array | None], mode: int) -> None:
        """Point at a batch: x, targets, masks and output; and get the kernels ready that `mode` needs."""
        self.aimed_at = None
        self._prepare(mode)
        where = [self._nowhere if array is None else _pointer(array) for array in batch]
        columns = [0 if array is None else array.shape[1] for array in batch]
        self._aimed = [*where, *columns, len(batch[0]), mode]

    def aim_at_few(self, x: Array, t: Array | None, out: Array | None, mode: int) -> Few:
        """Like `aim` and `over` for all blocks in one slot: numbers are copied to where the last ones stood, so mostly nothing is to be set.

        What is computed stands in the `out` of what is returned.
        """
        key = (len(x), mode, 0 if out is None else out.shape[1])
        few = self._few.get(key)
        if few is None:
            t_room, out_room = (None if array is None else np.empty_like(array) for array in (t, out))
            few = self._few[key] = Few(np.empty_like(x), t_room, out_room, self._rows)
        few.x[:] = x
        if few.t is not None:
            few.t[:] = t
        if few is not self.aimed_at:
            self.aim((few.x, few.t, None, few.out), mode)
            self.over((0, len(x) if mode & c.STEP else 1), 1, True)
            self.aimed_at = few
        return few

    def over(self, blocks: Blocks, slots: int, is_last: bool) -> Any:
        """The contexts, set to run these blocks on so many slots."""
        fields = [*self._aimed, blocks[1], slots, int(blocks[0] == 0), int(is_last)]
        if COMPILED:
            self._rows[:, c.INPUTS : c.IS_LAST + 1] = fields
            self._rows[:slots, c.FIRST_BLOCK] = self._numbers[:slots] + blocks[0]
            self._rows[:slots, c.PHASE] = 0
        else:
            for row in self._rows:
                row[c.INPUTS : c.IS_LAST + 1] = fields
            for slot in range(slots):
                self._rows[slot][c.FIRST_BLOCK] = blocks[0] + slot
                self._rows[slot][c.PHASE] = 0
        return self._rows

    def rule_by(self, rule: Ruled, ranges: Array, n_slots: int, kept: Array, kept_rows: Array) -> None:
        """Say how weights change, which of them from their gradient (`ranges`), and where what is kept of every sample stands."""
        given = (rule, ranges, n_slots, kept, kept_rows)
        if all(a is b for a, b in zip(given, self._ruled, strict=False)) and self._ruled:
            return
        self._ruled = given
        fields = {
            c.STATE: _pointer(rule.state[0]),
            c.SECOND_STATE: _pointer(rule.state[1]),
            c.RULE: _pointer(rule.numbers),
            c.FORM: rule.form,
            c.RANGES: _pointer(ranges),
            c.N_RANGES: len(ranges) // RANGE,
            c.N_SLOTS: n_slots,
            c.KEPT: _pointer(kept),
            c.KEPT_COLUMNS: kept.shape[1],
            c.KEPT_ROWS: _pointer(kept_rows),
            c.PART: 0,
            c.N_PARTS: 1,
        }
        if COMPILED:
            self._rows[:, c.STATE : c.N_AFTER] = [fields[field] for field in range(c.STATE, c.N_AFTER)]
        else:
            for row in self._rows:
                row[c.STATE : c.N_AFTER] = [fields[field] for field in range(c.STATE, c.N_AFTER)]

    def after(self, parts: int) -> Any:
        """The contexts, set to share what comes when all slots are through; `over` sets them back."""
        self.aimed_at = None
        for part in range(parts):
            self._rows[part][c.PHASE] = 2
            self._rows[part][c.PART] = part
            self._rows[part][c.N_PARTS] = parts
        return self._rows

    def _prepare(self, mode: int) -> None:
        if mode in self._prepared:
            return
        operations = np.unique(self._image.code[(self._image.code[:, c.WHEN] & ~mode) == 0, c.OP]).tolist()
        compile_at_once(operations, str(self._memory.dtype), self._width)
        for operation in operations:
            self._kernels[operation] = kernel(operation, str(self._memory.dtype), self._width)
        self._prepared.add(mode)

    def _point(self, row: int, field: int, array: Any) -> None:
        self._rows[row][field] = (
            array.reshape(-1) if field == c.SLOTS and not COMPILED else _pointer(array) if COMPILED else array
        )


def _pointer(array: Array) -> Any:
    """Address of an array's numbers (in plain Python: the numbers)."""
    if not COMPILED:
        return array.reshape(-1)
    if array.flags.writeable and array.flags.c_contiguous and array.size:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]  # a third of the time of the next line
    return array.__array_interface__["data"][0]
