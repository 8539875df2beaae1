"""What happens to neurons one by one: copies in and out of the arena, activations and their slopes, soft maxima.

Neurons come as runs: pairs (first address, how many).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurograph.kernels.code import COUNT, EXTRA, HOW, ROOT, SHIFT, START
from neurograph.kernels.formulas import slope, value
from neurograph.kernels.jit import inner

Array = Any


@inner
def load_input(mem: Array, x: Array, ints: Array, row: Array, n: int, first: int, valid: int) -> None:
    """Columns of x, from column `EXTRA` on, into the arena; samples beyond the batch are 0."""
    column = row[EXTRA]
    for run in range(row[START], row[START] + 2 * row[COUNT], 2):
        for neuron in range(ints[run] + row[SHIFT], ints[run] + row[SHIFT] + ints[run + 1]):
            for sample in range(valid):
                mem[neuron * n + sample] = x[first + sample, column]
            for sample in range(valid, n):
                mem[neuron * n + sample] = 0
            column += 1


@inner
def export(mem: Array, out: Array, ints: Array, row: Array, n: int, first: int, valid: int) -> None:
    """Runs of the arena (shifted to a plane by `SHIFT`) into columns of `out`, from column `EXTRA` on."""
    column = row[EXTRA]
    for run in range(row[START], row[START] + 2 * row[COUNT], 2):
        for neuron in range(ints[run] + row[SHIFT], ints[run] + row[SHIFT] + ints[run + 1]):
            for sample in range(valid):
                out[first + sample, column] = mem[neuron * n + sample]
            column += 1


@inner
def fill(mem: Array, w: Array, ints: Array, row: Array, n: int) -> None:
    """The number ``w[EXTRA]`` into runs."""
    for run in range(row[START], row[START] + 2 * row[COUNT], 2):
        start = (ints[run] + row[SHIFT]) * n
        mem[start : start + ints[run + 1] * n] = w[row[EXTRA]]


@inner
def copy(mem: Array, numbers: Array, ints: Array, row: Array, n: int, plane: int, masked: bool) -> None:
    """Activations into a view of them: triples (from, to, how many).

    Behind a dropout times mask/keep, which stands in the view's z; ``numbers[EXTRA]`` is keep, and the masks were loaded there.
    """
    for run in range(row[START], row[START] + 3 * row[COUNT], 3):
        source, target = ints[run] * n, ints[run + 1] * n
        for i in range(ints[run + 2] * n):
            if masked:
                factor = mem[target + i + plane * n] / numbers[row[EXTRA]]
                mem[target + i + plane * n] = factor
                mem[target + i] = mem[source + i] * factor
            else:
                mem[target + i] = mem[source + i]


@inner
def copy_back(mem: Array, ints: Array, row: Array, n: int, plane: int, masked: bool) -> None:
    """Errors of a view onto the errors of what it shows."""
    shift = 2 * plane * n
    for run in range(row[START], row[START] + 3 * row[COUNT], 3):
        source, target = ints[run] * n, ints[run + 1] * n
        for i in range(ints[run + 2] * n):
            error = mem[target + i + shift]
            if masked and error != 0:
                error *= mem[target + i + plane * n]
            mem[source + i + shift] += error


@inner
def activate(mem: Array, ints: Array, row: Array, n: int, plane: int) -> None:
    """A = f(z), where `ROOT` asks for it with z = √z first."""
    code, rooted = row[EXTRA], row[HOW] & ROOT
    for run in range(row[START], row[START] + 2 * row[COUNT], 2):
        for i in range(ints[run] * n, (ints[run] + ints[run + 1]) * n):
            if rooted:
                mem[i + plane * n] = math.sqrt(mem[i + plane * n])
            mem[i] = value(code, np.float64(mem[i + plane * n]))


@inner
def times_slope(mem: Array, ints: Array, row: Array, n: int, plane: int) -> None:
    """δ = error·f′(z), in place; a zero error stays exactly 0.

    Where z was not stored (`HOW` = 0), a stands in: they agree in sign.
    """
    code = row[EXTRA]
    shift = plane * n if row[HOW] else 0
    for run in range(row[START], row[START] + 2 * row[COUNT], 2):
        for i in range(ints[run] * n, (ints[run] + ints[run + 1]) * n):
            error = mem[i + 2 * plane * n]
            if error != 0:
                mem[i + 2 * plane * n] = error * slope(code, np.float64(mem[i + shift]), np.float64(mem[i]))


@inner
def softmax(mem: Array, ints: Array, row: Array, n: int, plane: int) -> None:
    """p_i = e^z_i / Σ e^z_k over groups: the list holds, per group, its size and its members' addresses."""
    at_group = row[START]
    for _ in range(row[COUNT]):
        size = ints[at_group]
        for sample in range(n):
            top = -math.inf
            for k in range(size):
                z = mem[(ints[at_group + 1 + k] + plane) * n + sample]
                if z > top or z != z:
                    top = z
            summed = 0.0
            for k in range(size):
                summed += math.exp(np.float64(mem[(ints[at_group + 1 + k] + plane) * n + sample]) - top)
            for k in range(size):
                z = np.float64(mem[(ints[at_group + 1 + k] + plane) * n + sample])
                mem[ints[at_group + 1 + k] * n + sample] = math.exp(z - top) / summed
        at_group += size + 1


@inner
def softmax_back(mem: Array, ints: Array, row: Array, n: int, plane: int) -> None:
    """δ_i = p_i·(g_i − Σ g_k·p_k), in place of g."""
    at_group = row[START]
    for _ in range(row[COUNT]):
        size = ints[at_group]
        for sample in range(n):
            common = 0.0
            for k in range(size):
                i = ints[at_group + 1 + k] * n + sample
                common += np.float64(mem[i + 2 * plane * n]) * np.float64(mem[i])
            for k in range(size):
                i = ints[at_group + 1 + k] * n + sample
                mem[i + 2 * plane * n] = np.float64(mem[i]) * (np.float64(mem[i + 2 * plane * n]) - common)
        at_group += size + 1
