"""`verify`: both engines on integers, each engine's floats against itself, and both against finite differences."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

import numpy as np

from neurograph.errors import UsageError, check_type
from neurograph.graph.balancing import balanced
from neurograph.graph.build import build
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out
from neurograph.graph.layout import layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.parameters import Parameters
from neurograph.reference import ReferenceEngine
from neurograph.spec import Spec
from neurograph.verification import draws
from neurograph.verification.consistency import Given, Whose, check_pass, check_weights
from neurograph.verification.differences import check_differences
from neurograph.verification.exact import compare, draw
from neurograph.verification.report import Report
from neurograph.verification.twin import twin_of
from neurograph.verification.wires import Network, Numbers, Wires, every_wire, number

WHOLE = 1_000_000
"""Most edges of a topology that are written out and checked one by one; larger ones are checked on samples."""

TEXTBOOK_MOVES = 20_000
"""Most edges times samples for finite differences of the textbook engine, which walks all edges for every move."""

DTYPES = ("float64", "float32")


def verify(
    network: Spec | Topology | NeuronGraph, samples: int = 4, seed: int = 0, *, dtypes: Iterable[str] = DTYPES
) -> Report:
    """Verify that both engines compute the same network.

    Three parts. *Integers*: small integer weights and inputs, on which every sum is exact in any order; z, a, δ, gradients and
    the weights after one training step must be equal. *Floats*: every number of a pass recomputed from its own neighbours, within
    the error bound of its sum. *Finite differences*: gradients against the loss itself.

    Parameters
    ----------
    network : Spec, Topology or NeuronGraph
        Topologies of more than a million edges are not written out: the program is checked alone, on sampled neurons.
    samples : int
        Size of the batch.
    seed : int
        Of all draws.
    dtypes : iterable of str
        Float types the program is bound in.

    Returns
    -------
    Report
        `.ok`, `.worst`, `.rows`; printable.

    Raises
    ------
    UsageError
        If `samples` is not positive or a dtype is unknown.
    """
    dtypes = tuple(dtypes)
    _check_arguments(samples, dtypes)
    network = lay_out(network) if isinstance(network, Spec) else network
    check_type("verify", network, Topology, NeuronGraph)
    report = Report(_name(network))
    random = np.random.default_rng(seed)
    network = _with_numbers(network, report)
    if isinstance(network, Topology) and network.n_edges > WHOLE:
        _sampled(report, network, samples, random, dtypes)
        return report
    graph = build(network) if isinstance(network, Topology) else network
    numbers = number(graph)
    wires = every_wire(numbers)
    _integers(report, network, wires, samples, random, dtypes)
    _floats(report, network, graph, numbers, wires, samples, random, dtypes)
    return report


def _with_numbers(network: Topology | NeuronGraph, report: Report) -> Topology | NeuronGraph:
    """The network with numbers where class weights wait for labels: those of made-up labels, class c occurring c + 1 times."""
    layout = layout_of(network)
    if all(head.loss is None or head.loss.is_resolved for head in layout.heads):
        return network
    report.note("class_weights = balanced waits for training labels: verified with numbers of made-up ones.")
    labels = draws.uneven_labels(layout)
    return cast("Topology | NeuronGraph", balanced(cast(Any, network), labels))


def _check_arguments(samples: int, dtypes: tuple[str, ...]) -> None:
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        raise UsageError(f"samples: found {samples!r}; it is an integer of at least 1.")
    wrong = [dtype for dtype in dtypes if dtype not in DTYPES]
    if wrong or not dtypes:
        raise UsageError(f"dtypes: found {wrong or dtypes!r}; known are {', '.join(DTYPES)}.")


def _name(network: Network) -> str:
    return network.name if isinstance(network, Topology) else str(network.graph.get("name") or "graph")


def _n_edges(network: Network) -> int:
    return network.n_edges if isinstance(network, Topology) else int(network.number_of_edges())


def bound_program(
    network: Network, dtype: str, params: Parameters, threads: int | None = None, innermost: str = "auto"
) -> Any:
    """The compiled network as an engine."""
    from neurograph.compiler import compile

    return compile(network, params, dtype=dtype, threads=threads, innermost=innermost)


# -- integers ---------------------------------------------------------------------------------------------------------
def _integers(
    report: Report,
    network: Network,
    wires: Wires,
    samples: int,
    random: np.random.Generator,
    dtypes: tuple[str, ...],
) -> None:
    """The twin has the network's own wires: the same edges between neurons of the same numbers."""
    twin, replaced = twin_of(network)
    if replaced:
        report.note(f"Integers ran on the integer twin: the same wiring, with {', '.join(replaced)}.")
    graph = build(twin) if isinstance(twin, Topology) else twin
    engine, numbers = ReferenceEngine(graph, initialise(graph)), number(graph)
    for dtype in dtypes:
        for by_target in (True, False):
            drawn = draw(engine, numbers, wires, dtype, samples, random, _scales(len(wires), dtype), by_target)
            if drawn is None:
                report.note(
                    f"Integers: no draw fits {dtype}, whose mantissa is too short for the sums of this network."
                )
                break
            report.add(compare(drawn, partial(bound_program, twin, dtype)))


def _scales(n_edges: int, dtype: str) -> tuple[draws.Scale, ...]:
    """Large networks start with thinner weights: richer ones never fit, and every attempt is a pass of the textbook engine."""
    skipped = (n_edges > 2_000) + (n_edges > 100_000)
    return draws.SCALES[(skipped if dtype == "float64" else skipped + (n_edges > 500)) :]


# -- floats -----------------------------------------------------------------------------------------------------------
def _floats(
    report: Report,
    network: Network,
    graph: NeuronGraph,
    numbers: Numbers,
    wires: Wires,
    samples: int,
    random: np.random.Generator,
    dtypes: tuple[str, ...],
) -> None:
    params = draws.float_parameters(network, random)
    textbook = ReferenceEngine(graph, params.copy())
    for given in _givens(numbers, samples, random):
        _local(report, numbers, wires, textbook, given, Whose("textbook", np.float64))
        for dtype in dtypes:
            program = bound_program(network, dtype, params.copy())
            _local(report, numbers, wires, program, given, Whose("program", np.dtype(dtype).type))
        _differences(report, network, textbook, given, params, random)


def _givens(numbers: Numbers, samples: int, random: np.random.Generator) -> list[Given]:
    """What the engines are given: targets where every head has a loss, else an upstream gradient; masks where there is dropout."""
    layout = numbers.layout
    x = draws.inputs(layout, random, samples)
    seed = int(random.integers(2**31)) if numbers.dropouts else None
    targets = draws.targets(layout, random, samples)
    by_upstream = Given(x, upstream=draws.upstream(layout, random, samples), reduction="sum", seed=seed)
    return [by_upstream] if targets is None else [Given(x, targets, seed=seed), by_upstream]


def _local(report: Report, numbers: Numbers, wires: Wires | None, engine: Any, given: Given, whose: Whose) -> None:
    trace = given.run(engine)
    report.add(check_weights(trace, engine.params, whose))
    report.add(check_pass(numbers, wires, trace, given, whose, np.random.default_rng(0)))


def _differences(
    report: Report,
    network: Network,
    textbook: ReferenceEngine,
    given: Given,
    params: Parameters,
    random: np.random.Generator,
) -> None:
    program = bound_program(network, "float64", params.copy())
    report.add(check_differences(program, given, random, "program"))
    n_samples = len(next(iter(given.x.values())))
    if _n_edges(network) * n_samples <= TEXTBOOK_MOVES:
        report.add(check_differences(textbook, given, random, "textbook"))


# -- networks too large to write out ----------------------------------------------------------------------------------
def _sampled(
    report: Report, network: Topology, samples: int, random: np.random.Generator, dtypes: tuple[str, ...]
) -> None:
    report.note(
        f"{network.n_edges:,} edges are too many to write out (limit {WHOLE:,}): the program was checked alone, by local error "
        f"bounds, on sampled neurons and weights of every layer."
    )
    numbers = number(network)
    params = draws.float_parameters(network, random)
    given = _givens(numbers, samples, random)[0]
    for dtype in dtypes:
        program = bound_program(network, dtype, params)
        _local(report, numbers, None, program, given, Whose("program", np.dtype(dtype).type))
