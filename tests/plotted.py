"""Networks and passes for the tests of plots, made once; and what can be read back from a figure."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

import neurograph as ng

TWO_HEADS = """
name = "two heads"
input = [1, 6, 6]
layer = [
  {name = "conv1", kind = "conv", filters = 3, kernel = 3, padding = 1, activation = "relu"},
  {name = "pool", kind = "maxpool", window = 2},
  {name = "conv2", kind = "conv", filters = 2, kernel = 2, activation = "tanh"},
  {name = "classes", kind = "dense", units = 4, activation = "softmax"},
  {name = "side", kind = "dense", from = "pool", units = 1, activation = "sigmoid"},
]
loss = [{of = "classes", kind = "cross_entropy"}, {of = "side", kind = "binary_cross_entropy", weight = 0.5}]
"""
SEQUENCE = """
name = "cost in $x^2$"
input = [2, 9]
layer = [
  {name = "conv1", kind = "conv", filters = 3, kernel = 3, activation = "relu"},
  {name = "pool", kind = "maxpool", window = 2},
  {name = "out", kind = "dense", units = 3},
]
loss = {kind = "cross_entropy"}
"""
SUBJECTS = {"layers": TWO_HEADS, "sequence": SEQUENCE, "drawn by hand": "mazur"}


class Subject(NamedTuple):
    """A network, its weights, samples, targets, the textbook engine, and a pass."""

    topology: Any
    params: Any
    x: Any
    y: Any
    engine: Any
    trace: Any


@cache
def subject(name: str, n: int = 5) -> Subject:
    topology = ng.lay_out(ng.load(SUBJECTS[name]))
    params = ng.initialise(topology, seed=1)
    engine = ng.ReferenceEngine(ng.build(topology), params)
    draw = np.random.default_rng(2)
    x = draw.normal(size=(n, *engine.layout.inputs[0].shape))
    targets = {head.name: _targets(draw, head, n) for head in engine.layout.heads}
    y = targets if len(targets) > 1 else next(iter(targets.values()))
    return Subject(topology, params, x, y, engine, engine.backprop(x, y))


def _targets(draw: np.random.Generator, head: Any, n: int) -> Any:
    if head.loss.kind == "mse":
        return draw.normal(size=(n, *head.shape))
    return draw.integers(0, 2 if head.size == 1 else head.shape[0], n)


def named(figure: Any, gid: str) -> Any:
    """The one artist of that name."""
    found = figure.findobj(lambda artist: artist.get_gid() == gid)
    assert len(found) == 1, (gid, [artist.get_gid() for artist in figure.findobj() if artist.get_gid()])
    return found[0]


def texts(figure: Any) -> list[str]:
    """Everything that can be read, as matplotlib will write it."""
    from matplotlib.text import Text

    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    return [text.get_text().replace(r"\$", "$") for text in shown]
