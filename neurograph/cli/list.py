"""`neurograph list`: the bundled networks; with --data, the data sets known by name."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from neurograph.cli.options import JsonOption

EXAMPLES = """
neurograph list
neurograph list --json
neurograph list --data
"""

DATA = typer.Option("--data", help="The data sets known by name, and where each is looked for.")


def command(data: Annotated[bool, DATA] = False, as_json: JsonOption = False) -> None:
    """List the bundled networks: counts and a line about each. Nothing is written out; the counts are closed forms."""
    from neurograph.spec import bundled

    entries = data_sets() if data else [entry(name) for name in bundled()]
    if as_json:
        print(json.dumps(entries, indent=2, ensure_ascii=False))
    else:
        print(text_of_data(entries) if data else text(entries))


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


def data_sets() -> list[dict[str, Any]]:
    """The known data sets: what they are, whether they are here, and where they are looked for."""
    from neurograph.data.folders import folder_of, is_here
    from neurograph.data.known import KNOWN

    entries = []
    for known in KNOWN.values():
        folder, who = folder_of(known) if known.variable else (None, "bundled")
        entries.append(
            {
                "name": known.name,
                "description": known.about,
                "shape": list(known.shape),
                "classes": list(known.classes),
                "here": is_here(known),
                "folder": None if folder is None else str(folder),
                "named_by": who,
                "variable": known.variable or None,
                "download_bytes": known.size,
                "mirrors": list(known.mirrors),
                "licence": known.licence,
            }
        )
    return entries


def text_of_data(entries: list[dict[str, Any]]) -> str:
    """One aligned line a data set, and what else --data takes."""
    rows = [("name", "shape", "here", "", "looked for in")]
    rows += [
        (e["name"], "×".join(map(str, e["shape"])), _here(e), _first_line(e["description"]), _looked_for(e))
        for e in entries
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, [*wide, 0], strict=True)).rstrip() for row in rows]
    more = [
        "",
        "What is not here is downloaded when it is first asked for, and believed only if its published SHA-256 is right.",
        "Also: --data FOLDER (IDX files named as MNIST's, or CIFAR-10's binary files), --data FILE.npz (arrays x, y, xt, yt).",
        "Next: neurograph train lenet5 --data fashion-mnist",
    ]
    return "\n".join([*lines, *more])


def _here(entry: dict[str, Any]) -> str:
    return "yes" if entry["here"] else f"no ({entry['download_bytes'] / 1e6:,.0f} MB)"


def _looked_for(entry: dict[str, Any]) -> str:
    if entry["folder"] is None:
        return "the package"
    if entry["named_by"] == "cache":
        return f"{entry['variable']} (not set), else {entry['folder']}"
    return f"{entry['folder']} ({entry['variable']})"


def _first_line(description: str) -> str:
    return description.strip().split("\n")[0]
