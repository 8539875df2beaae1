"""All that was chosen, one result after the other, in the order of `neurograph.benchmark.rows.GROUPS`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neurograph.benchmark import convolution, processes, quantities, scaling, sparse
from neurograph.benchmark.race import Setting, race
from neurograph.benchmark.results import Result
from neurograph.benchmark.rows import AHEAD, GROUPS, Row, Selection, network


@dataclass(frozen=True)
class Sizes:
    """What a few groups are asked: edges of the sparse graph, networks to draw, whether the largest are bound to weights."""

    edges: int = 1_000_000
    odd: int = 10
    large: bool = False


def run(chosen: Selection, setting: Setting, sizes: Sizes) -> Iterator[tuple[str, list[Result]]]:
    """Groups and their results, each as soon as it is measured."""
    for group in GROUPS:
        if chosen.has(group):
            for results in _measured(group, chosen.rows(group), setting, sizes):
                yield group, results


def _measured(group: str, rows: list[Row], setting: Setting, sizes: Sizes) -> Iterator[list[Result]]:
    if rows:
        yield from _races(group, rows, setting)
    elif group in scaling.TABLES:
        yield scaling.TABLES[group](setting)
    elif group == "sparse":
        yield list(sparse.measure(sizes.edges, setting))
    elif group == "convolution":
        yield list(convolution.measure(setting))
    elif group == "drawn":
        yield scaling.drawn(sizes.odd, setting)
    elif group == "forward":
        yield quantities.forward(setting)
    else:
        setting.say(GROUPS[group])
        yield _quantities(group, setting, sizes)


def _quantities(group: str, setting: Setting, sizes: Sizes) -> list[Result]:
    if group == "start":
        return list(processes.start(setting.threads, setting.peers))
    if group == "memory":
        return list(processes.memory(setting.threads))
    if group == "build":
        return list(quantities.build_and_compile(setting.threads))
    if group == "textbook":
        return list(quantities.textbook())
    return list(quantities.counts(sizes.large, setting.threads))


def _races(group: str, rows: list[Row], setting: Setting) -> Iterator[list[Result]]:
    """Rows that differ in mode only are one race."""
    raced = network(group)
    for batch in dict.fromkeys(row.batch for row in rows):
        modes = {row.mode: row.target for row in rows if row.batch == batch}
        yield list(race(group, raced, modes, batch, setting, ahead=AHEAD.get(group, ())))
