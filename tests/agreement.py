"""What agreement of the two engines means, said once: exact on integers, bounded on floats, plans equal, edges equal.

Every agreement test, drawn or deterministic, calls these functions; the bounds themselves are `neurograph.verification`'s.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import partial
from typing import Any

import numpy as np

from neurograph.compiler import PASSES, plan
from neurograph.compiler.plan import ONE
from neurograph.graph.build import build
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.reference import ReferenceEngine
from neurograph.training import SGD
from neurograph.verification import draws
from neurograph.verification.consistency import Given, Whose, check_pass, check_weights, is_finite
from neurograph.verification.differences import check_differences
from neurograph.verification.exact import compare, draw
from neurograph.verification.report import Row
from neurograph.verification.run import bound_program
from neurograph.verification.twin import twin_of
from neurograph.verification.update import check_update
from neurograph.verification.wires import every_wire, number
from tests.editing import edit
from tests.strategies import Case

Networks = tuple[Topology | NeuronGraph, ...]
JIT = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
DTYPES = ("float64", "float32") if JIT else ("float64",)
"""Without the JIT kernels are plain Python, some thousand times slower: one float type, one step."""

STEPS = 5 if JIT else 1
INNERMOST = ("channels", "samples")
"""Both orders of a program's memory, whatever suits the network."""


def networks_of(case: Case) -> tuple[NeuronGraph, Networks]:
    """The graph of a case, and the networks that must compile to it: the topology too, where nothing was edited."""
    topology = lay_out(case.spec)
    graph = build(topology)
    if case.edits:
        graph = edit(graph, case.edits)
        return graph, (graph,)
    return graph, (topology, graph)


def threads_of(case: Case) -> int:
    """One thread, which is quick for tiny networks on a busy machine; now and then two."""
    return 2 if case.seed % 8 == 7 else 1


def expect_all(rows: list[Row], about: object) -> None:
    """Fail with the rows that are beyond their limit, the worst first."""
    failed = sorted((row for row in rows if not row.ok), key=lambda row: -row.worst)
    assert not failed, "\n".join([f"{about}", *map(str, failed[:12])])


# -- exact ------------------------------------------------------------------------------------------------------------
def agree_exactly(case: Case, dtypes: tuple[str, ...] = DTYPES) -> set[tuple[str, bool]]:
    """Both engines on the integer twin: z, a, δ, gradients, outputs, and the weights after one step of the fused plan.

    Returns
    -------
    set of (dtype, whether by target)
        What could be compared; a draw that does not fit its float type is no comparison.
    """
    graph, networks = networks_of(case)
    twin, _ = twin_of(graph)
    assert isinstance(twin, NeuronGraph)
    numbers = number(twin)
    engine, wires = ReferenceEngine(twin, initialise(twin)), every_wire(numbers)
    compared = set()
    for dtype in dtypes:
        for by_target in (True, False):
            random = np.random.default_rng(case.seed)
            drawn = draw(engine, numbers, wires, dtype, case.batch, random, by_target=by_target)
            if drawn is None:
                continue
            compared.add((dtype, by_target))
            for which, network in enumerate(networks):
                innermost = INNERMOST[(case.seed + which + by_target) % 2]
                bound = partial(bound_program, twin_of(network)[0], dtype)
                made = partial(bound, threads=threads_of(case), innermost=innermost)
                expect_all(compare(drawn, made), (case, dtype, type(network).__name__, innermost))
    return compared


# -- close ------------------------------------------------------------------------------------------------------------
def agree_closely(case: Case, dtypes: tuple[str, ...] = DTYPES, steps: int = STEPS) -> None:
    """Every number of the program within the bound of its own neighbours, at first and after every one of some training steps."""
    graph, networks = networks_of(case)
    numbers = number(graph)
    wires = every_wire(numbers)
    random = np.random.default_rng(case.seed)
    params = draws.float_parameters(graph, random)
    for which, network in enumerate(networks):
        for dtype in dtypes:
            innermost = INNERMOST[(case.seed + which + DTYPES.index(dtype)) % 2]
            program = bound_program(network, dtype, params.copy(), threads_of(case), innermost)
            trainee = bound_program(
                network, dtype, params.copy(), threads_of(case), innermost
            )  # never traces: stores what training stores
            whose = Whose(f"program of the {type(network).__name__}", np.dtype(dtype).type)
            for step in range(steps):
                given = given_to(case, program.layout, random)
                trace = given.run(program)
                if step and not is_finite(trace):
                    break  # training may diverge; agreement is claimed for finite values
                rows = check_weights(trace, program.params, whose) + check_pass(numbers, wires, trace, given, whose)
                expect_all(rows, (case, innermost, f"step {step}"))
                if given.targets is None:
                    break
                train_one_step(case, trainee, given, numbers, wires, trace, whose)
                program.params.update(dict(trainee.params))


def train_one_step(case: Case, program: Any, given: Given, numbers: Any, wires: Any, trace: Any, whose: Whose) -> None:
    """One step of the fused plan, which must change every weight by its own gradient."""
    rate = 0.0625
    before = {name: program.params[name] for name in program.params}
    seed = given.seed if given.seed is not None else 0
    program.train_step(given.x, given.targets, SGD(rate), reduction=given.reduction, seed=seed)
    expect_all(check_update(numbers, wires, trace, given, before, program.params, rate, whose), (case, "update"))


def given_to(case: Case, layout: Any, random: np.random.Generator) -> Given:
    """Inputs and targets (where every head has a loss) or an upstream gradient; always with masks."""
    x, targets = draws.inputs(layout, random, case.batch), draws.targets(layout, random, case.batch)
    seed = int(random.integers(2**31))
    if targets is None:
        return Given(x, upstream=draws.upstream(layout, random, case.batch), reduction="sum", seed=seed)
    return Given(x, targets, reduction=("mean", "sum")[seed % 2], seed=seed)


def textbook_is_consistent(case: Case) -> None:
    """The textbook engine against its own neighbours, and against finite differences of its loss."""
    graph, _ = networks_of(case)
    numbers = number(graph)
    random = np.random.default_rng(case.seed)
    engine = ReferenceEngine(graph, draws.float_parameters(graph, random))
    given = given_to(case, engine.layout, random)
    rows = check_pass(numbers, every_wire(numbers), given.run(engine), given, Whose("textbook", np.float64))
    expect_all(rows + check_differences(engine, given, random, "textbook", slots=1), case)


def program_is_the_gradient(case: Case) -> None:
    """The program's gradients and input δ against finite differences of its own loss, in float64."""
    graph, networks = networks_of(case)
    random = np.random.default_rng(case.seed)
    params = draws.float_parameters(graph, random)
    program = bound_program(networks[0], "float64", params, threads_of(case), INNERMOST[case.seed % 2])
    given = given_to(case, program.layout, random)
    expect_all(check_differences(program, given, random, "program"), case)


# -- plans ------------------------------------------------------------------------------------------------------------
def plans_agree(case: Case) -> None:
    """Equal plans from topology and graph, after fold."""
    topology = lay_out(case.spec)
    assert plan(topology, until="fold") == plan(build(topology), until="fold"), case


def edges_agree(case: Case) -> None:
    """`plan.edges()` is the graph's edges and one from 1 per bias, with and without the passes that only make things faster."""
    graph, networks = networks_of(case)
    expected = edges_of(graph)
    for network in networks:
        for until in PASSES:
            found = Counter(plan(network, until).edges())
            assert found == expected, (case, type(network).__name__, until, _difference(found, expected))


def edges_of(graph: NeuronGraph) -> Counter[Any]:
    """(target, source, weight reference, op) of every edge, and one from `ONE` per neuron with a bias."""
    kind = dict(graph.nodes(data="kind"))
    edges: list[Any] = [(v, u, data.get("param"), kind[v]) for u, v, data in graph.edges(data=True)]
    edges += [(node, ONE, bias, kind[node]) for node, bias in graph.nodes(data="bias") if bias is not None]
    return Counter(edges)


def _difference(found: Counter[Any], expected: Counter[Any]) -> str:
    return f"missing {list((expected - found).elements())[:5]}, too many {list((found - expected).elements())[:5]}"
