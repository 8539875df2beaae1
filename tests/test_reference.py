"""What holds for the textbook engine alone; what every engine promises is in test_engines."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from written import graph_of

import neurograph as ng
from neurograph.errors import GraphError, NeurographError, ParameterError, UnknownName

REFERENCE = Path(ng.__file__).parent / "reference"


def message(kind: type[NeurographError], network: Any, params: ng.Parameters) -> str:
    with pytest.raises(kind) as raised:
        ng.ReferenceEngine(network, params)
    return str(raised.value)


def test_what_it_needs_is_checked_before_anything_runs() -> None:
    graph = graph_of([2], [{"kind": "dense", "name": "out", "units": 1}])
    assert message(UnknownName, graph, ng.Parameters({"out.weight": [[1, 2]]})) == (
        "no parameter 'out.bias' (known: out.weight)"
    )
    assert message(ParameterError, graph, ng.Parameters({"out.weight": [[1, 2]], "out.bias": 1.0})) == (
        "out.bias: values of shape (); the graph declares (1,)."
    )
    topology = ng.lay_out(ng.load("lenet5"))
    assert message(GraphError, topology, ng.initialise(topology)) == (
        "the textbook engine runs a NeuronGraph; found Topology. Write it out with build."
    )


def test_its_formulas_are_plain_python() -> None:
    """The oracle must not lean on what it is the oracle of: NumPy stands only at its doors, math everywhere else."""
    for name in ("rules", "activations", "losses", "heads", "passes"):
        tree = ast.parse((REFERENCE / f"{name}.py").read_text(encoding="utf-8"))
        roots = {
            node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
        }
        assert not any(isinstance(node, ast.Import) for node in ast.walk(tree))
        assert roots <= {"__future__", "collections", "itertools", "math", "operator", "typing", "neurograph"}
