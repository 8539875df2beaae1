"""Integer arithmetic of windows: output sizes, padding, receptive fields. Nothing but integers."""

from __future__ import annotations

from collections.abc import Sequence

Shape = tuple[int, ...]
Sides = tuple[int, int]
"""Padding of one axis: before and after."""


def output_size(size: int, kernel: int, stride: int = 1, padding: Sides = (0, 0), dilation: int = 1) -> int:
    """Number of window positions along one axis: ⌊(m + p − d·(k − 1) − 1) / s⌋ + 1, or 0 where the window does not fit.

    Examples
    --------
    >>> output_size(6, 3), output_size(227, 11, stride=4), output_size(7, 3, padding=(2, 2))
    (4, 55, 9)
    >>> output_size(6, 3, stride=2)    # the lectures' formula lacks the floor
    2
    """
    room = size + sum(padding) - span(kernel, dilation)
    return room // stride + 1 if room >= 0 else 0


def span(kernel: int, dilation: int = 1) -> int:
    """Extent of a dilated kernel along one axis.

    Examples
    --------
    >>> span(3), span(3, dilation=2)
    (3, 5)
    """
    return dilation * (kernel - 1) + 1


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> Sides:
    """Padding that gives ⌈size / stride⌉ outputs, the extra zero at the end.

    Examples
    --------
    >>> same_padding(7, 3), same_padding(6, 2), same_padding(6, 3, stride=2)
    ((1, 1), (0, 1), (0, 1))
    """
    outputs = -(-size // stride)
    total = max(0, (outputs - 1) * stride + span(kernel, dilation) - size)
    return total // 2, total - total // 2


def full_padding(kernel: int, dilation: int = 1) -> Sides:
    """Padding under which every position that touches the input counts: span − 1 on both sides.

    Examples
    --------
    >>> full_padding(3)
    (2, 2)
    """
    reach = span(kernel, dilation) - 1
    return reach, reach


def row_major(shape: Sequence[int]) -> Shape:
    """Steps of the flat index along each axis.

    Examples
    --------
    >>> row_major((6, 5, 4))
    (20, 4, 1)
    """
    steps, step = [], 1
    for extent in reversed(shape):
        steps.append(step)
        step *= extent
    return tuple(reversed(steps))


def sum_of_floors(n: int, a: int, b: int, m: int) -> int:
    """Σ ⌊(a·i + b) / m⌋ over i = 0 … n − 1, for a, b ≥ 0 and m > 0, in about log m steps (as Euclid's algorithm).

    Examples
    --------
    >>> sum_of_floors(5, 3, 1, 4), sum((3 * i + 1) // 4 for i in range(5))
    (7, 7)
    """
    total = 0
    while True:
        total += n * (n - 1) // 2 * (a // m) + n * (b // m)
        a, b = a % m, b % m
        top = a * n + b
        if top < m:
            return total
        n, b, m, a = top // m, top % m, a, m


def times(shape: Sequence[int]) -> str:
    """Write a shape as people read it.

    Examples
    --------
    >>> times((6, 14, 14)), times(())
    ('6×14×14', '1')
    """
    return "×".join(map(str, shape)) or "1"
