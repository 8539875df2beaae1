"""`neurograph summary`: layers, shapes, counts, how often each weight is used, what a neuron sees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from neurograph.cli.options import JsonOption, SpecArgument

if TYPE_CHECKING:
    from neurograph.graph.summary import LayerSummary, Summary

EXAMPLES = """
neurograph summary lenet5
neurograph summary alexnet --json
neurograph summary ./mynet.toml
"""

HEADER = ("layer", "kind", "shape", "neurons", "edges", "connections", "parameters", "uses/weight", "sees")
LEFT = (0, 1)
"""Columns that hold words; the others are aligned to the right."""


def command(spec: SpecArgument, as_json: JsonOption = False) -> None:
    """Count a network layer by layer, without writing it out.

    connections = edges, and one for each neuron with a bias (LeCun's count). uses/weight = how many of the layer's edges carry the
    same weight. sees = rows × columns of the input in the reach of the layer's middle neuron.
    """
    from neurograph.graph.lay_out import lay_out
    from neurograph.graph.summary import summarise
    from neurograph.spec import load

    summary = summarise(lay_out(load(spec)))
    print(json.dumps(summary.as_dict(), indent=2) if as_json else text(summary))


def text(summary: Summary) -> str:
    """The table and the totals."""
    rows = [HEADER, *(_row(layer) for layer in summary.layers), _totals(summary)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(_cell(word, i, widths[i]) for i, word in enumerate(row)).rstrip() for row in rows]
    rule = "-" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *_remarks(summary)])


def _cell(word: str, column: int, width: int) -> str:
    return f"{word:<{width}}" if column in LEFT else f"{word:>{width}}"


def _row(layer: LayerSummary) -> tuple[str, ...]:
    from neurograph.graph.sharing import written
    from neurograph.shapes import times

    kind = layer.kind if layer.activation == "identity" else f"{layer.kind} {layer.activation}"
    if layer.kind == "input":
        return (layer.name, kind, times(layer.shape), "", "", "", "", "", "")
    counts = (layer.neurons, layer.edges, layer.connections)
    return (
        layer.name,
        kind,
        times(layer.shape),
        *(f"{n:,}" for n in counts),
        _parameters(layer),
        written(layer.uses),
        _sees(layer),
    )


def _parameters(layer: LayerSummary) -> str:
    if layer.parameters or not (layer.fixed or layer.shares):
        return f"{layer.parameters:,}"
    return f"{layer.fixed:,} fixed" if layer.fixed else "shared"


def _sees(layer: LayerSummary) -> str:
    """Spatial extents (an input without any: how many of its values); several inputs are named."""
    from neurograph.shapes import times

    if all(extents == () for extents in layer.sees.values()):
        return f"{len(layer.sees)} of the inputs" if len(layer.sees) != 1 else next(iter(layer.sees))
    boxes = {name: times(extents[1:]) if len(extents) > 1 else str(extents[0]) for name, extents in layer.sees.items()}
    return ", ".join(box if len(boxes) == 1 else f"{name} {box}" for name, box in boxes.items())


def _totals(summary: Summary) -> tuple[str, ...]:
    counts = (summary.neurons, summary.edges, summary.connections, summary.parameters)
    return ("total", "", "", *(f"{n:,}" for n in counts), "", "")


def _remarks(summary: Summary) -> list[str]:
    from neurograph.graph.build import EDGE_LIMIT, memory_text

    size = f"{summary.edges:,} edges × 332 bytes ≈ {memory_text(summary.edges)}"
    way = (
        "neurograph.build writes it out."
        if summary.fits
        else f"more than build's limit of {EDGE_LIMIT:,} edges; compile the topology, or build(topology, around=NEURON)."
    )
    remarks = ["", f"{summary.name}: {summary.inputs:,} inputs, {summary.units:,} units (neurons without fixed pools)."]
    if summary.fixed:
        what = "number is" if summary.fixed == 1 else "numbers are"
        remarks.append(f"{summary.fixed:,} fixed {what} not counted as parameters.")
    remarks += [f"{layer.name} shares {', '.join(layer.shares)}." for layer in summary.layers if layer.shares]
    remarks += [
        f"{name}: in training a value is kept with probability {keep:g}, and divided by it."
        for name, keep in summary.dropouts.items()
    ]
    return [*remarks, f"As an explicit graph: {size}; {way}"]
