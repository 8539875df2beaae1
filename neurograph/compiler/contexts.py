"""What kernels are handed: one context a slot, with the addresses of everything they work on (in plain Python: the arrays)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.image import Image
from neurograph.kernels import code as c
from neurograph.kernels.interpret import kernel
from neurograph.kernels.jit import COMPILED

Array = NDArray[Any]
Blocks = tuple[int, int]
"""First block, and the end."""


class Contexts:
    """The contexts of one program for one vector width.

    Parameters
    ----------
    image : Image
    memory : ndarray, shape (slots, arena)
    weights : ndarray
    gradients : ndarray, shape (slots, weights)
    width : int
    """

    def __init__(self, image: Image, memory: Array, weights: Array, gradients: Array, width: int) -> None:
        self._image, self._memory, self._weights, self._gradients = image, memory, weights, gradients
        self.width, self.slots = width, len(memory)
        self.losses = np.zeros((self.slots, 1))
        self._code = image.code.reshape(-1)
        self._kernels: Any = np.zeros(c.N_OPERATIONS, np.int64) if COMPILED else [None] * c.N_OPERATIONS
        self._prepared: set[int] = set()
        self._rows: Any = (
            np.zeros((self.slots, c.N_CONTEXT), np.int64)
            if COMPILED
            else [[0] * c.N_CONTEXT for _ in range(self.slots)]
        )
        for slot in range(self.slots):
            self._point(slot, c.MEMORY, memory[slot])
            self._point(slot, c.WEIGHTS, weights)
            self._point(slot, c.GRADIENT, gradients[slot])
            self._point(slot, c.CODE, self._code)
            self._point(slot, c.TABLES, image.tables)
            self._point(slot, c.NUMBERS, image.numbers)
            self._point(slot, c.LOSS_SUM, self.losses[slot])
            self._point(slot, c.KERNELS, self._kernels)
            self._point(slot, c.SELF, self._rows[slot])
            self._set(slot, c.N_INSTRUCTIONS, len(image.code))
            self._set(slot, c.PLANE, image.plane)
            self._set(slot, c.WIDTH, width)
            self._set(slot, c.BLOCK, width)
            self._set(slot, c.NEURON_STEP, width)
            self._set(slot, c.SAMPLE_STEP, 1)
            self._set(slot, c.PASS_STEP, 0)

    def aim(self, batch: tuple[Array, Array, Array, Array], mode: int) -> None:
        """Point at a batch: x, targets, masks and output; and get the kernels ready that `mode` needs."""
        self._prepare(mode)
        for field, columns, array in zip(
            (c.INPUTS, c.TARGETS_GIVEN, c.MASKS, c.OUTPUT),
            (c.INPUT_COLUMNS, c.TARGET_COLUMNS, c.MASK_COLUMNS, c.OUTPUT_COLUMNS),
            batch,
            strict=True,
        ):
            flat = array.reshape(-1)
            where = flat.ctypes.data if COMPILED else flat
            for slot in range(self.slots):
                self._rows[slot][field] = where
                self._rows[slot][columns] = array.shape[1]
        for slot in range(self.slots):
            self._set(slot, c.BATCH, len(batch[0]))
            self._set(slot, c.MODE, mode)

    def over(self, blocks: Blocks, slots: int) -> Any:
        """The contexts, set to run these blocks on so many slots."""
        for slot in range(slots):
            self._set(slot, c.FIRST_BLOCK, blocks[0] + slot)
            self._set(slot, c.END_BLOCK, blocks[1])
            self._set(slot, c.BLOCK_STEP, slots)
        return self._rows

    def _prepare(self, mode: int) -> None:
        if mode in self._prepared:
            return
        for operation in np.unique(self._image.code[(self._image.code[:, c.WHEN] & ~mode) == 0, c.OP]):
            self._kernels[operation] = kernel(int(operation), str(self._memory.dtype), self.width)
        self._prepared.add(mode)

    def _point(self, slot: int, field: int, array: Any) -> None:
        self._rows[slot][field] = array.ctypes.data if COMPILED else array

    def _set(self, slot: int, field: int, value: int) -> None:
        self._rows[slot][field] = value
