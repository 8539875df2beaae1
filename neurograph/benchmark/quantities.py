"""Single numbers: how long building and compiling take, and the textbook engine; counting and compiling the largest networks."""

from __future__ import annotations

import numpy as np

from neurograph.benchmark import networks
from neurograph.benchmark.race import Setting, race
from neurograph.benchmark.results import Quantity, Result
from neurograph.benchmark.stopwatch import seconds_of
from neurograph.compiler import compile, plan
from neurograph.graph.build import build
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out
from neurograph.reference import ReferenceEngine
from neurograph.spec import load

LARGE = ("alexnet", "vgg19")
TARGETS = {"build": 0.8, "textbook": 0.3, "count": 0.1, "compile": 1.0, "forward": 1.0}


def build_and_compile(threads: int, times: int = 3) -> list[Quantity]:
    """Seconds to write LeNet-5 out, and to compile the graph, kernels in the cache."""
    topology = lay_out(load("lenet5"))
    params = initialise(topology)
    x, y = np.ones((64, 1, 28, 28), np.float32), np.zeros(64, np.int64)
    compile(topology, params, threads=threads).evaluate(x, y)  # so that the kernels are there
    building = seconds_of(lambda: build(topology), times)
    graph = build(topology)
    compiling = seconds_of(lambda: compile(graph, params, threads=threads), times)
    both = building.median + compiling.median
    note = f"build {building.median:.2f} s, compile {compiling.median:.2f} s"
    what = "building lenet5's graph (412,960 edges) and compiling it"
    closed = seconds_of(lambda: compile(lay_out(load("lenet5")), params, threads=threads), times)
    return [
        Quantity("build", what, both, "s", TARGETS["build"], note=note),
        Quantity("build-topology", "loading lenet5 and compiling it from its topology", closed.median, "s"),
    ]


def textbook(times: int = 3) -> list[Quantity]:
    """Seconds the textbook engine takes for one sample of LeNet-5, forward and backward."""
    topology = lay_out(load("lenet5"))
    engine = ReferenceEngine(build(topology), initialise(topology))
    x, y = np.random.default_rng(0).random((1, 1, 28, 28)), np.array([3])
    took = seconds_of(lambda: engine.backprop(x, y), times)
    return [Quantity("textbook", "textbook engine, one sample of lenet5", took.median, "s", TARGETS["textbook"])]


def counts(large: bool, threads: int, times: int = 3) -> list[Quantity]:
    """Seconds to count the largest networks, and to compile them (bound to weights only where `large`: that needs gigabytes)."""
    found = []
    for name in LARGE:
        counting = seconds_of(lambda name=name: lay_out(load(name)).n_edges, times)  # type: ignore[misc]
        topology = lay_out(load(name))
        what = f"counting {name}'s {topology.n_edges:,} edges"
        found.append(Quantity(f"counts-{name}-count", what, counting.median, "s", TARGETS["count"]))
        planning = seconds_of(lambda topology=topology: plan(topology), times)  # type: ignore[misc]
        found.append(Quantity(f"counts-{name}-plan", f"planning {name}", planning.median, "s", TARGETS["compile"]))
        if large:
            params = initialise(topology)
            compiling = seconds_of(lambda: compile(topology, params, threads=threads), 1)  # noqa: B023
            what = f"compiling {name} (planning, and binding it to its weights)"
            found.append(Quantity(f"counts-{name}-compile", what, compiling.median, "s", TARGETS["compile"]))
    return found


def forward(setting: Setting) -> list[Result]:
    """The largest networks' forward pass at batch 1, beside the peers."""
    found: list[Result] = []
    for name in LARGE:
        modes = {"infer": TARGETS["forward"]}
        found += race(f"forward-{name}", networks.bundled(name), modes, 1, setting)
    return found
