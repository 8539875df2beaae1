"""Results as text: a table for every group, printed as soon as it is measured."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import astuple

from neurograph.benchmark.agreeing import LIMIT, N_STEPS
from neurograph.benchmark.peak import Machine
from neurograph.benchmark.peers.registry import PEERS, YARDSTICK
from neurograph.benchmark.results import Against, Quantity, Result, Speed
from neurograph.benchmark.rows import GROUPS
from neurograph.benchmark.stopwatch import Pace, Spread

WIDE, NARROW, FIRST = 19, 11, 34
"""Columns: a ratio with its range, a number, and what was measured."""


def headline(machine: Machine | None, threads: int, peers: Sequence[str], pace: Pace) -> str:
    """What is measured, on what, and how to read it."""
    limits = "no peak: nothing is compiled here"
    if machine is not None:
        limits = (
            f"{machine.cpu}; measured with a compiled loop of fused multiply-adds: {machine.core_flops / 1e9:.0f} GFLOP/s a "
            f"core, {machine.flops / 1e9:.0f} on {machine.threads} threads; reading {machine.bandwidth / 1e9:.0f} GB/s"
        )
    beside = ", ".join(PEERS[name].title for name in peers) or "nobody"
    lines = [
        f"neurograph bench: float32, {threads} thread{'s' if threads > 1 else ''}, beside {beside}",
        limits,
        f"Every round runs each for {pace.seconds:g} s, one after the other. Figures are medians of {pace.rounds} rounds; a ratio is how many",
        "times as fast neurograph is (lowest–highest round). % of peak counts the dense network's operations. Inputs are noise",
        "without zeros; small batches train as `fit` takes them, 1024 samples in one call. Only ratios carry over to another day.",
    ]
    return "\n".join(lines)


def table(group: str, results: Sequence[Result], heading: bool = True) -> str:
    """The results of a group, under its title unless they continue a table."""
    speeds = [result for result in results if isinstance(result, Speed)]
    columns = list(dict.fromkeys(other.peer for speed in speeds for other in speed.against))
    lines = ["", f"{GROUPS[group]}"] if heading else []
    if speeds and heading:
        lines.append(_heading(columns))
    lines += [_speed(speed, columns) for speed in speeds]
    lines += [_quantity(result) for result in results if isinstance(result, Quantity)]
    return "\n".join([*lines, *_remarks(speeds)])


def summary(results: Sequence[Result]) -> str:
    """How many targets are met, which are not, and how well the peers' losses agree with ours."""
    judged = [result for result in results if result.verdict]
    missed = [f"{result.key} ({result.verdict})" for result in judged if result.verdict != "met"]
    said = []
    if judged:
        said.append(f"{len(judged) - len(missed)} of {len(judged)} targets met.")
    if missed:
        said.append(f"Not met: {', '.join(missed)}.")
    found = [other.difference for other in _beside(results) if other.difference is not None]
    if found:
        same = "Everybody computes the same" if max(found) <= LIMIT else "NOT everybody computes the same"
        said.append(
            f"{same}: over the first {N_STEPS} steps from the same weights the peers' losses are ours to within "
            f"{max(found):.1g} (limit {LIMIT:g})."
        )
    return (
        "\n".join(["", *(textwrap.fill(line, 118, subsequent_indent="  ", break_on_hyphens=False) for line in said)])
        if said
        else ""
    )


def _beside(results: Sequence[Result]) -> list[Against]:
    return [other for result in results if isinstance(result, Speed) for other in result.against]


def _heading(columns: Sequence[str]) -> str:
    cells = [f"{'':<{FIRST}}", f"{'samples/s':>{NARROW}}", f"{'% of peak':>{NARROW}}"]
    for name in columns:
        title = PEERS[name].title if name in PEERS else name
        wide = f"{title:>{NARROW}}{'ratio':>{WIDE}}"
        cells.append(wide if _is_wide(name) else f"{'to ' + title:>{NARROW + 5}}")
    return "".join(cells).rstrip()


def _is_wide(name: str) -> bool:
    """Peers that targets are about show their own figure and the range of the ratio; others the ratio alone."""
    return name == YARDSTICK or name not in PEERS


def _speed(speed: Speed, columns: Sequence[str]) -> str:
    what = f"  {speed.network} {speed.mode} {speed.batch}"
    share = "" if speed.peak is None else f"{100 * speed.peak:.0f}"
    cells = [f"{what:<{FIRST}}", f"{number(speed.samples_per_second.median):>{NARROW}}", f"{share:>{NARROW}}"]
    by_name = {other.peer: other for other in speed.against}
    for name in columns:
        other = by_name.get(name)
        figure = "-" if other is None or other.samples_per_second is None else number(other.samples_per_second.median)
        quotient = "-" if other is None or other.ratio is None else _ratio(other.ratio, _is_wide(name))
        cells.append(f"{figure:>{NARROW}}{quotient:>{WIDE}}" if _is_wide(name) else f"{quotient:>{NARROW + 5}}")
    demands = [f"≥ {speed.target:g}"] if speed.target is not None else []
    rivals = [PEERS[name].title for name in speed.ahead if name in by_name and by_name[name].ratio is not None]
    demands += [f"ahead of {' and '.join(rivals)}"] if rivals else []
    return ("".join(cells) + _mark(", ".join(demands), speed.verdict)).rstrip()


def _quantity(quantity: Quantity) -> str:
    shown = (
        f"{quantity.value:.3g} {quantity.unit}" if quantity.value < 1000 else f"{quantity.value:,.0f} {quantity.unit}"
    )
    demand = f"{'≥' if quantity.at_least else '≤'} {quantity.target:g} {quantity.unit}" if quantity.target else ""
    mark = _mark(demand, quantity.verdict)
    note = f"   ({quantity.note})" if quantity.note else ""
    return f"  {quantity.what:<72}{shown:>12}{mark}{note}"


def _mark(demand: str, reached: str) -> str:
    return f"   {demand}  {'✓' if reached == 'met' else '✗'} {reached}" if reached else ""


def _remarks(speeds: Sequence[Speed]) -> list[str]:
    """What must be known of a peer's figures, each once."""
    notes = dict.fromkeys(f"{other.peer}: {other.note}" for speed in speeds for other in speed.against if other.note)
    return [f"      {note}" for note in notes]


def _ratio(ratio: Spread, ranged: bool) -> str:
    middle, low, high = (f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}" for value in astuple(ratio))
    return f"{middle} ({low}–{high})" if ranged else middle


def number(value: float) -> str:
    """Three digits at least, with commas.

    Examples
    --------
    >>> number(104512.3), number(7.4123)
    ('104,512', '7.41')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
