"""`neurograph plan`: what the compiler made of a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurograph.cli.options import JsonOption, SpecArgument

if TYPE_CHECKING:
    from neurograph.benchmark.profile import Profile
    from neurograph.compiler.plan import Plan, PlanProjection, Step
    from neurograph.graph.neuron_graph import NeuronGraph
    from neurograph.graph.topology import Topology

EXAMPLES = """
neurograph plan lenet5
neurograph plan lenet5 --time
neurograph plan lenet5 --time --batch 1
neurograph plan lenet5 --until fold
neurograph plan four --graph
neurograph plan alexnet --json
"""


def command(
    spec: SpecArgument,
    until: Annotated[
        str, typer.Option("--until", metavar="PASS", help="Stop after fold, pad, fuse or route (default: all).")
    ] = "route",
    graph: Annotated[
        bool, typer.Option("--graph", help="Write the network out and discover the plan from its edges; same answer.")
    ] = False,
    time: Annotated[bool, typer.Option("--time", help="Run it, and show how long every step takes.")] = False,
    batch: Annotated[int, typer.Option("--batch", help="Samples of a batch, for the costs.", min=1)] = 64,
    as_json: JsonOption = False,
) -> None:
    """Show what the compiler made of a network: its steps, what is shared along which axis, how each runs, and what it costs.

    The compiler reads neurons, edges and ties, and knows no layers. Lanes: neurons that read the same sources through other weights
    (filters at one place). Tied: the same weights elsewhere (one filter at many places). Parallel: other weights elsewhere.

    Costs are of one sample on one core: operations, bytes moved, and the time in which this machine could do that, by its peak and
    bandwidth (measured once, and kept). --time trains on noise and adds the time it takes, and how much of the peak that is.
    """
    from neurograph.compiler import PASSES
    from neurograph.errors import UsageError

    made, network = make(spec, until, graph)
    whole = until == PASSES[-1]
    if time and not whole:
        raise UsageError("plan: --time runs the network, which needs every pass; leave out --until.")
    found = _costs(made, network, batch, time) if whole else None
    if found is None:
        print(json.dumps(as_dict(made), indent=2) if as_json else made)
        return
    from neurograph.compiler.innermost import choose
    from neurograph.compiler.told import how_it_runs

    if as_json:
        chosen = choose(made)
        print(json.dumps(as_dict(made) | {"innermost": chosen.word, "why": chosen.reason} | found.as_dict(), indent=2))
    else:
        print(f"{made}\n\n{found}\n\n{how_it_runs(made)}")


def make(spec: str, until: str = "route", graph: bool = False) -> tuple[Plan, Topology | NeuronGraph]:
    """The plan of a network, up to a pass; and what it was made from.

    Raises
    ------
    UsageError
        If there is no such pass.
    """
    from neurograph.compiler import plan
    from neurograph.graph.build import build
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load

    topology = lay_out(load(spec))
    network = build(topology) if graph else topology
    return plan(network, until), network


def _costs(plan: Plan, network: Topology | NeuronGraph, batch: int, time: bool) -> Profile:
    """What every step costs, and takes if asked."""
    from neurograph.benchmark.peak import kept
    from neurograph.benchmark.profile import profile

    measured = None
    if time:
        from neurograph.benchmark.steps import seconds_a_sample

        measured = seconds_a_sample(plan, network, batch)
    return profile(plan, batch, kept(1), measured)


def as_dict(plan: Plan) -> dict[str, Any]:
    """Steps, projections and nests in plain numbers and words."""
    return {"name": plan.name, "steps": [_step(plan, step) for step in plan.steps]}


def _step(plan: Plan, step: Step) -> dict[str, Any]:
    from neurograph.compiler import counting
    from neurograph.compiler.plan import ONE

    edges = sum(counting.n_edges(plan, projection) for projection in step.projections if projection.source != ONE)
    return {
        "population": str(step.population),
        "shape": list(plan.population(step.population).shape),
        "op": step.op,
        "activation": step.activation,
        "neurons": counting.n_neurons(plan, step),
        "edges": edges,
        "weights": counting.n_weights(step),
        "flop": counting.n_flop(step),
        "projections": [_projection(projection) for projection in step.projections],
    }


def _projection(projection: PlanProjection) -> dict[str, Any]:
    return {
        "source": str(projection.source),
        "nests": [
            {
                "taps": len(nest.taps.source),
                "axes": [{"along": axis.along, "count": axis.count, "kind": axis.word} for axis in nest.axes],
            }
            for nest in projection.nests
        ],
        "neurons_alone": projection.table.n_neurons if projection.table else 0,
        "edges_alone": projection.table.n_edges if projection.table else 0,
    }
