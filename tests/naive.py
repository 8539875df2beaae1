"""Every layer kind once more, neuron by neuron, with nothing but loops: what the closed forms are compared with.

`edges_of` writes out the edges of one layer over channels that may come from several populations.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

Shape = tuple[int, ...]
Node = tuple[Any, ...]
Edge = tuple[Node, Node, tuple[str, int] | None]
Channel = tuple[str, int]
"""Population and channel in it."""


def sides(layer: dict[str, Any], sizes: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> list[tuple[int, int]]:
    """Padding before and after, per axis, as the documentation says it."""
    padding = layer.get("padding", 0)
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if padding == "full":
        return [(r, r) for r in reach]
    if padding == "same":
        wanted = [-(-n // s) for n, s in zip(sizes, stride, strict=True)]
        columns = zip(wanted, stride, reach, sizes, strict=True)
        totals = [max(0, (w - 1) * s + r + 1 - n) for w, s, r, n in columns]
        return [(t // 2, t - t // 2) for t in totals]
    if isinstance(padding, int):
        return [(padding, padding)] * len(sizes)
    return [(p, p) if isinstance(p, int) else tuple(p) for p in padding]


def each(value: Any, rank: int) -> Shape:
    """One number per axis."""
    return (value,) * rank if isinstance(value, int) else tuple(value)


def windows(
    layer: dict[str, Any], sizes: Shape, word: str
) -> tuple[Shape, list[tuple[Shape, list[tuple[int, Shape]]]]]:
    """Output extents, and for each output position its (tap number, input position) pairs, outside positions included."""
    rank = len(sizes)
    kernel = each(layer[word], rank)
    default = layer[word] if word == "window" else 1
    stride, dilation = each(layer.get("stride", default), rank), each(layer.get("dilation", 1), rank)
    padding = sides(layer, sizes, kernel, stride, dilation)
    out = tuple(
        (n + a + b - d * (k - 1) - 1) // s + 1
        for n, (a, b), d, k, s in zip(sizes, padding, dilation, kernel, stride, strict=True)
    )
    found = []
    for place in itertools.product(*map(range, out)):
        taps = []
        for number, tap in enumerate(itertools.product(*map(range, kernel))):
            columns = zip(place, tap, stride, dilation, padding, strict=True)
            taps.append((number, tuple(s * v + d * i - a for v, i, s, d, (a, _) in columns)))
        found.append((place, taps))
    return out, found


def inside(place: Shape, sizes: Shape) -> bool:
    return all(0 <= i < n for i, n in zip(place, sizes, strict=True))


def edges_of(layer: dict[str, Any], channels: Sequence[Channel], sizes: Shape) -> Iterator[Edge]:
    """Edges into a layer that reads these channels, each of the extents `sizes`."""
    kind = layer["kind"]
    if kind in ("dense", "rbf"):
        yield from _dense(layer, channels, sizes)
    elif kind == "conv":
        yield from _conv(layer, channels, sizes)
    elif kind in ("maxpool", "avgpool", "l2pool", "subsample", "depthwise"):
        yield from _by_map(layer, channels, sizes)
    elif kind == "globalpool":
        for c, (source, local) in enumerate(channels):
            for place in itertools.product(*map(range, sizes)):
                yield (source, local, *place), (layer["name"], c), None
    else:
        raise AssertionError(f"no naive form of {kind}")


def _dense(layer: dict[str, Any], channels: Sequence[Channel], sizes: Shape) -> Iterator[Edge]:
    places = [(source, c, *place) for source, c in channels for place in itertools.product(*map(range, sizes))]
    for unit in range(layer["units"]):
        for number, node in enumerate(places):
            yield node, (layer["name"], unit), (f"{layer['name']}.weight", unit * len(places) + number)


def _conv(layer: dict[str, Any], channels: Sequence[Channel], sizes: Shape) -> Iterator[Edge]:
    out, found = windows(layer, sizes, "kernel")
    filters, groups = layer["filters"], layer.get("groups", 1)
    per_group, taps = len(channels) // groups, len(found[0][1])
    for f in range(filters):
        first = f // (filters // groups) * per_group
        reads = layer["connections"][f] if "connections" in layer else range(first, first + per_group)
        for position, (place, window) in enumerate(found):
            row = f if layer.get("tie", "map") == "map" else f * prod(out) + position
            for c in reads:
                for tap, at in window:
                    slot = (row * per_group + (c - first)) * taps + tap
                    source, local = channels[c]
                    reference = (f"{layer['name']}.weight", slot)
                    if inside(at, sizes):
                        yield (source, local, *at), (layer["name"], f, *place), reference
                    elif "padding_value" in layer:
                        yield (f"{layer['name']}.padding", local, *at), (layer["name"], f, *place), reference


def _by_map(layer: dict[str, Any], channels: Sequence[Channel], sizes: Shape) -> Iterator[Edge]:
    word = "kernel" if layer["kind"] == "depthwise" else "window"
    _, found = windows(layer, sizes, word)
    multiplier, taps = layer.get("multiplier", 1), len(found[0][1])
    for f in range(len(channels) * multiplier):
        source, local = channels[f // multiplier]
        for place, window in found:
            for tap, at in window:
                slot = {"depthwise": f * taps + tap, "subsample": f}.get(layer["kind"])
                if inside(at, sizes):
                    reference = None if slot is None else (f"{layer['name']}.weight", slot)
                    yield (source, local, *at), (layer["name"], f, *place), reference
