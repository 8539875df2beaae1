"""Sliding windows over the spatial axes: shared by convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from neurograph.errors import LayerError
from neurograph.ops.base import Whole, uneven
from neurograph.ops.wiring import Window
from neurograph.shapes import Shape, Sides, full_padding, output_size, row_major, same_padding, span, times

Pair = Annotated[list[Whole], Field(min_length=2, max_length=2)]
Padding = Literal["valid", "same", "full"] | Whole | list[Whole] | list[Pair]


class WindowMisfit(LayerError):
    """A window that finds too little of its input."""


@dataclass(frozen=True)
class Windows:
    """One window per position: kernel, stride, dilation and padding along each spatial axis, and the output's extents."""

    sizes: Shape
    kernel: Shape
    stride: Shape
    dilation: Shape
    padding: tuple[Sides, ...]

    @property
    def outputs(self) -> Shape:
        """Extents of the output along the spatial axes."""
        columns = zip(self.sizes, self.kernel, self.stride, self.padding, self.dilation, strict=True)
        return tuple(output_size(*column) for column in columns)

    def axes(
        self, target_weights: Shape | None = None, tap_weights: Shape | None = None, padded: bool = False
    ) -> tuple[Window, ...]:
        """The wiring of each spatial axis; weights default to none."""
        rank = len(self.sizes)
        target_weights, tap_weights = target_weights or (0,) * rank, tap_weights or (0,) * rank
        return tuple(
            Window(out, size, k, s, d, before, tap, target, padded)
            for out, size, k, s, d, (before, _), tap, target in zip(
                self.outputs,
                self.sizes,
                self.kernel,
                self.stride,
                self.dilation,
                self.padding,
                tap_weights,
                target_weights,
                strict=True,
            )
        )

    @property
    def tap_weights(self) -> Shape:
        """Row-major steps inside the kernel."""
        return row_major(self.kernel)


def fit(
    kind: str, word: str, shape: Shape, kernel: Shape, stride: Shape, padding: Any, dilation: Shape | None = None
) -> Windows:
    """Fit windows to an input of `shape` (channels first); `word` is what the kind calls its kernel.

    Raises
    ------
    LayerError
        If the window is larger than the padded input, or padding names no form known.
    """
    sizes = shape[1:]
    dilation = dilation or (1,) * len(sizes)
    windows = Windows(sizes, kernel, stride, dilation, resolve(padding, sizes, kernel, stride, dilation))
    if 0 in windows.outputs:
        raise WindowMisfit(_too_large(kind, word, shape, windows))
    return windows


def _too_large(kind: str, word: str, shape: Shape, windows: Windows) -> str:
    axis = windows.outputs.index(0)
    size, kernel, sides, dilation = (getattr(windows, f)[axis] for f in ("sizes", "kernel", "padding", "dilation"))
    largest = (size + sum(sides) - 1) // dilation + 1
    padding = -(-(span(kernel, dilation) - size) // 2)
    dilated = f" with dilation {dilation}" if dilation > 1 else ""
    return f"{word} {kernel}{dilated} does not fit its input, which is {times(shape)}. Use {word} ≤ {largest}, or padding ≥ {padding}."


def resolve(padding: Any, sizes: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[Sides, ...]:
    """Padding before and after, per axis, from any of the forms a spec may use."""
    rank = len(sizes)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding == "same":
        return tuple(same_padding(*column) for column in zip(sizes, kernel, stride, dilation, strict=True))
    if padding == "full":
        return tuple(full_padding(k, d) for k, d in zip(kernel, dilation, strict=True))
    if isinstance(padding, int):
        return ((padding, padding),) * rank
    if len(padding) != rank:
        raise LayerError(uneven("padding", len(padding), rank))
    return tuple((p, p) if isinstance(p, int) else (p[0], p[1]) for p in padding)
