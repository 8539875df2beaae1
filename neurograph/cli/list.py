"""`neurograph list`: the bundled networks."""

from __future__ import annotations

import json
from typing import Any

from neurograph.cli.options import JsonOption

EXAMPLES = """
neurograph list
neurograph list --json
"""


def command(as_json: JsonOption = False) -> None:
    """List the bundled networks: counts and a line about each. Nothing is written out; the counts are closed forms."""
    from neurograph.spec import bundled

    entries = [entry(name) for name in bundled()]
    print(json.dumps(entries, indent=2, ensure_ascii=False) if as_json else text(entries))


def entry(name: str) -> dict[str, Any]:
    """One network: name, description, input shapes and counts."""
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load

    spec = load(name)
    topology = lay_out(spec)
    return {
        "name": name,
        "description": spec.description,
        "source": spec.source,
        "inputs": {port: list(shape) for port, shape in spec.inputs.items()} or {"input": [topology.n_inputs]},
        "neurons": topology.n_neurons,
        "edges": topology.n_edges,
        "connections": topology.n_connections,
        "parameters": topology.n_parameters,
        "samples": len(spec.samples),
    }


def text(entries: list[dict[str, Any]]) -> str:
    """One aligned line a network."""
    rows = [("name", "parameters", "edges", "")]
    rows += [(e["name"], f"{e['parameters']:,}", f"{e['edges']:,}", _first_line(e["description"])) for e in entries]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{name:<{wide[0]}}  {p:>{wide[1]}}  {e:>{wide[2]}}  {about}".rstrip() for name, p, e, about in rows]
    return "\n".join(
        [*lines, "", "Next: neurograph summary NAME, neurograph train NAME, neurograph draw NAME -o picture.svg"]
    )


def _first_line(description: str) -> str:
    return description.strip().split("\n")[0]
