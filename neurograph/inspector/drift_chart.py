"""The copies of a weight as lines over the steps, with the tied weight among them: a small SVG."""

from __future__ import annotations

from html import escape

import numpy as np

from neurograph.inspector.drift import Drift, Floats
from neurograph.inspector.table import number

WIDTH, HEIGHT, LEFT, BELOW, ABOVE = 640, 300, 70, 34, 12
MOST = 80
"""Copies drawn; of more, those at even distances in the order of their last value."""


def chart(drift: Drift) -> str:
    """One figure, in the colours of the page around it."""
    low = float(min(drift.tied.min(), drift.copies.min()))
    high = float(max(drift.tied.max(), drift.copies.max()))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    lines = [_line(drift.copies[:, k], low, high, "currentColor", 1, 0.35) for k in _drawn(drift)]
    lines.append(_line(drift.tied, low, high, "#c0392b", 3, 1))
    about = (
        f"{drift.watched} over {drift.n_steps} steps: the tied weight goes from {number(float(drift.tied[0]))} to "
        f"{number(float(drift.tied[-1]))}; its {len(drift.owners)} copies end between {number(float(drift.copies[-1].min()))} "
        f"and {number(float(drift.copies[-1].max()))}."
    )
    body = "\n".join([*_axes(drift.n_steps, low, high), *lines])
    return (
        f'<figure style="margin: 1rem 0"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(about)}" '
        f'style="width: 100%; max-width: {WIDTH}px; height: auto">\n{body}\n</svg>\n'
        f"<figcaption>{escape(about)} Red and thick: tied.</figcaption></figure>"
    )


def _drawn(drift: Drift) -> list[int]:
    order = np.argsort(drift.copies[-1], kind="stable")
    if len(order) <= MOST:
        return [int(k) for k in order]
    return [int(order[round(float(i))]) for i in np.linspace(0, len(order) - 1, MOST)]


def _line(values: Floats, low: float, high: float, colour: str, width: float, opacity: float) -> str:
    points = " ".join(f"{_x(step, len(values) - 1):.1f},{_y(float(v), low, high):.1f}" for step, v in enumerate(values))
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" opacity="{opacity}"/>'


def _axes(n_steps: int, low: float, high: float) -> list[str]:
    floor = HEIGHT - BELOW
    text = 'font-size="13" fill="currentColor" font-family="system-ui, sans-serif"'
    found = [
        f'<path d="M{LEFT},{ABOVE} V{floor} H{WIDTH - 10}" fill="none" stroke="currentColor" opacity=".5"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}" {text}>0</text>',
        f'<text x="{WIDTH - 10}" y="{HEIGHT - 8}" text-anchor="end" {text}>step {n_steps}</text>',
    ]
    found += [
        f'<text x="{LEFT - 6}" y="{_y(v, low, high) + 4:.0f}" text-anchor="end" {text}>{number(v, 4)}</text>'
        for v in (low, high)
    ]
    return found


def _x(step: int, n_steps: int) -> float:
    return LEFT + (WIDTH - 10 - LEFT) * step / max(n_steps, 1)


def _y(value: float, low: float, high: float) -> float:
    return ABOVE + (HEIGHT - BELOW - ABOVE) * (high - value) / (high - low)
