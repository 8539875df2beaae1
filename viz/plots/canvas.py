"""The figure that every plot is drawn on. The one module here that needs matplotlib when it is imported; `figure.py` asks for it late."""

from __future__ import annotations

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class Canvas(Figure):
    """A matplotlib figure without pyplot: nothing global knows it, so nobody has to close it; notebooks show it by themselves."""

    def __init__(self, width: float, height: float, dpi: float) -> None:
        super().__init__(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        target = io.BytesIO()
        self.savefig(target, format="png")
        return target.getvalue()
