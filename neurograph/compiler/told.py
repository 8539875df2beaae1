"""How a bound plan will run, in words: what is innermost and why, and which kernels each step became."""

from __future__ import annotations

from collections.abc import Hashable

from neurograph.compiler.assemble import make_image
from neurograph.compiler.bind import layout_of_plan
from neurograph.compiler.image import Image
from neurograph.compiler.innermost import CHANNELS, choose
from neurograph.compiler.plan import Plan
from neurograph.kernels import code as c

WORDS = {
    "forward": {
        c.LANES_POOLED: "tiles that take the maximum behind",
        c.LANES_DOT: "tiles",
        c.RUN_DOT: "runs",
        c.DOT: "one neuron in many samples",
        c.STRIPS_DOT: "strips of neurons that share what they load",
        c.MAX: "maxima",
        c.SQUARES: "roots of squares",
        c.DISTANCE: "distances",
    },
    "backward": {
        c.WINNERS: "lists of winners",
        c.LANES_GATHER: "errors gathered",
        c.LANES_SOURCES: "errors spread",
        c.LANES_SOURCES_ONE_BY_ONE: "errors along the lanes",
        c.KEEP: "weights changed once, without a gradient in memory",
        c.LANES_WEIGHTS: "gradients in tiles",
        c.RUN_SOURCES: "errors in runs",
        c.RUN_WEIGHTS: "gradients in runs",
        c.MAX_BACK: "δ to winners",
        c.STRIPS_WEIGHTS: "gradients in strips",
        c.STRIPS_SOURCES: "errors in strips",
        c.DOT_SOURCES: "errors neuron by neuron",
        c.DOT_WEIGHTS: "gradients neuron by neuron",
    },
}
INSTEAD = {c.KEEP: c.LANES_WEIGHTS, c.LANES_POOLED: c.LANES_DOT, c.WINNERS: c.MAX_BACK}
"""Where the first is there, the second runs for traces or other optimisers only."""


def how_it_runs(plan: Plan, asked: str = "auto") -> str:
    """A paragraph: what is innermost and why, then a line for every step.

    Examples
    --------
    >>> import neurograph as ng
    >>> print(how_it_runs(ng.plan(ng.lay_out(ng.load("mlp")))))
    runs with channels innermost: 100 % of the weighted edges lie in lanes, which fill vectors.
      hidden  tiles; back: weights changed once, without a gradient in memory
      out     tiles; back: errors along the lanes, weights changed once, without a gradient in memory
    """
    chosen = choose(plan, asked)
    image = make_image(plan, layout_of_plan(plan), {}, chosen.word == CHANNELS)
    lines = [f"runs with {chosen.word} innermost: {chosen.reason}"]
    names = [str(step.population) for step in plan.steps]
    width = max(map(len, names), default=0)
    for step, name in zip(plan.steps, names, strict=True):
        forward, back = (", ".join(_words(image, step.population, phase)) for phase in ("forward", "backward"))
        told = "; back: ".join(part for part in (forward, back) if part)
        lines.append(f"  {name:<{width}}  {told or 'with the step before'}")
    return "\n".join(lines)


def _words(image: Image, population: Hashable, phase: str) -> list[str]:
    """What a step's instructions do in training, without those that only traces want."""
    wanted = [i for i, mark in enumerate(image.marks) if mark == (population, phase)]
    found = {int(image.code[i, c.OP]) % c.N_OPERATIONS for i in wanted if not image.code[i, c.WHEN] & c.TRACE}
    for first, second in INSTEAD.items():
        if first in found:
            found.discard(second)
    return [word for op, word in WORDS[phase].items() if op in found]
