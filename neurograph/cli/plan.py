"""`neurograph plan`: what the compiler made of a network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurograph.cli.options import JsonOption, SpecArgument

if TYPE_CHECKING:
    from neurograph.compiler.plan import Plan, PlanProjection, Step

EXAMPLES = """
neurograph plan lenet5
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
    as_json: JsonOption = False,
) -> None:
    """Show what the compiler made of a network: its steps, and what is shared along which axis.

    The compiler reads neurons, edges and ties, and knows no layers. Lanes: neurons that read the same sources through other weights
    (filters at one place). Tied: the same weights elsewhere (one filter at many places). Parallel: other weights elsewhere.
    """
    made = make(spec, until, graph)
    print(json.dumps(as_dict(made), indent=2) if as_json else made)


def make(spec: str, until: str = "route", graph: bool = False) -> Plan:
    """The plan of a network, up to a pass.

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
    return plan(build(topology) if graph else topology, until)


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
