"""A plan made runnable: instructions, tables and column maps (made by `neurograph.compiler.assemble`).

An image depends on the plan and on nothing else: not on weights, precision, batch or threads.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.plan import Plan, PlanParameter
from neurograph.compiler.storage import Storage
from neurograph.graph.layout import Layout, Port

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Head:
    """A head's neurons: addresses, the columns of its array they fill, and the groups that one softmax spans."""

    port: Port
    addresses: Index
    columns: Index
    groups: tuple[Index, ...]
    """Indices into `addresses`."""

    first_column: int
    """Where its columns start among those of all heads."""


@dataclass(frozen=True)
class Record:
    """A layer in a trace: which of its places have a neuron, and where their numbers stand among the exported columns."""

    name: Hashable
    shape: tuple[int, ...]
    places: Index | None
    """Row-major places that have a neuron; None: all."""

    first_column: int
    n_columns: int

    def read(self, out: NDArray[Any], first: int, nobody: float) -> NDArray[Any]:
        """Its numbers in what was exported, from a column on; `nobody` where there is no neuron."""
        start = first + self.first_column
        array = out[:, start : start + self.n_columns]
        if self.places is None:
            return np.ascontiguousarray(array).reshape(len(out), *self.shape)
        whole = np.full((len(out), prod(self.shape)), nobody, out.dtype)
        whole[:, self.places] = array
        return whole.reshape(len(out), *self.shape)


@dataclass(frozen=True)
class Image:
    """Everything a program needs besides weights and samples."""

    plan: Plan
    layout: Layout
    plane: int
    code: Index
    tables: Index
    numbers: NDArray[np.float64]
    constants: tuple[float, ...]
    heads: tuple[Head, ...]
    records: tuple[Record, ...]
    winners: tuple[Record, ...]
    n_columns: int
    masks: dict[tuple[str, Hashable], int]
    """(dropout, plan population) → its first column among the masks."""

    n_mask_columns: int
    dropped: dict[tuple[str, Hashable], Index]
    """(dropout, plan population) → positions that somebody reads through it, row-major."""

    learnt: tuple[PlanParameter, ...]
    """Parameters that edges or biases refer to."""

    fixed: tuple[PlanParameter, ...]
    """Parameters that are values of padded positions only."""

    storage: Storage
    channels: bool
    """Whether channels are innermost in memory; else the samples of a block are."""

    parts: tuple[int, int, int, int]
    """How many instructions run before all others, for every slot first, for every slot last, and after all."""

    n_packed: int
    n_gradient: int
    """Places of the gradient: of the weights, and behind them of those kept in packed order."""

    stepped: frozenset[str]
    """Parameters that a single sample may change on the spot."""

    kept: int
    """Columns of what is kept of every sample for a later step."""

    panel: int
    """Taps of the longest fan-in that is moved together."""

    marks: tuple[tuple[Hashable, str], ...]
    """Per instruction: the population of the step it was written for (None: no step's), and the phase."""

    @property
    def n_trace_columns(self) -> int:
        """Columns of a trace: a, z, δ of every neuron, winners of the maxima."""
        return 3 * self.n_columns + sum(record.n_columns for record in self.winners)
