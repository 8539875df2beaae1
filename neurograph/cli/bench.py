"""`neurograph bench`: how fast this machine is with neurograph, beside whatever else is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from neurograph.benchmark.peak import Machine
    from neurograph.benchmark.race import Setting
    from neurograph.benchmark.results import Result
    from neurograph.benchmark.rows import Selection
    from neurograph.benchmark.run import Sizes

EXAMPLES = """
neurograph bench --quick
neurograph bench
neurograph bench --rows lenet5,mlp-train --peers pytorch
neurograph bench --rows lenet5-train-64 --threads 1 --rounds 11
neurograph bench --rows batch,width,depth,edge --json results.json
neurograph bench --peers none --rows start,memory,build
"""


def command(
    rows: Annotated[
        str | None,
        typer.Option(
            "--rows",
            metavar="ROW,…",
            help="Only these: lenet5, mlp, odd, edited, sparse, convolution, drawn, start, memory, build, textbook, counts, "
            "forward, batch, width, depth, edge; or a row of the first four, such as lenet5-train-64.",
        ),
    ] = None,
    peers: Annotated[
        str | None,
        typer.Option(
            "--peers",
            metavar="PEER,…",
            help="pytorch, torch.compile, jax, numpy, or none. Default: all that are installed (--quick: pytorch and numpy).",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The most telling rows, in about two minutes.")] = False,
    large: Annotated[
        bool, typer.Option("--large", help="Also bind AlexNet and VGG-19 and run them; needs 6 GB and minutes.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads of everybody (default: all cores).", min=1)
    ] = None,
    edges: Annotated[
        int | None, typer.Option("--edges", help="Edges of the random sparse graph (default 1,000,000).", min=1000)
    ] = None,
    odd: Annotated[int | None, typer.Option("--odd", help="Odd networks to draw (default 10).", min=1)] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", help="Rounds (default 5, quick 3).", min=1)] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", help="Seconds each has in a round (default 0.4, quick 0.2).", min=0.001)
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write everything measured to a file as well.")
    ] = None,
) -> None:
    """Measure speed on this machine: samples a second, % of the machine's peak, and how many times as fast as its peers.

    Everybody trains the same network from the same weights on the same batches, takes turns, and is checked to compute the same
    losses. Start times, memory and compile times are measured in processes of their own. Close other programs first.
    """
    from neurograph.benchmark import libraries

    threads = threads or libraries.available()
    libraries.limit(threads)

    from neurograph.benchmark.peers.registry import chosen
    from neurograph.benchmark.rows import selection
    from neurograph.benchmark.run import Sizes

    also = {"drawn": odd, "sparse": edges, "forward": large}
    selected = selection(_words(rows), quick, [group for group, asked in also.items() if asked])
    asked = _words(peers) if peers is not None or not quick else _quick_peers()
    _check_file(json_file)
    sizes = Sizes(edges or 1_000_000, odd or 10, large)
    pace = (rounds or (3 if quick else 5), seconds or (0.2 if quick else 0.4))
    _measure(selected, chosen(asked), threads, pace, sizes, json_file)


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _quick_peers() -> list[str]:
    from neurograph.benchmark.peers.registry import is_installed

    return [name for name in ("pytorch", "numpy") if is_installed(name)]


def _check_file(path: Path | None) -> None:
    """Refuse before anything is measured what could not be written afterwards."""
    from neurograph.errors import UsageError

    if path is not None and not Path(os.path.realpath(path)).parent.is_dir():
        raise UsageError(f"--json: {path}: no such folder '{path.parent}'. Make it first.")


def _measure(
    selected: Selection, peers: tuple[str, ...], threads: int, pace: tuple[int, float], sizes: Sizes, path: Path | None
) -> None:
    from neurograph.benchmark import report
    from neurograph.benchmark.peak import best
    from neurograph.benchmark.race import Setting
    from neurograph.benchmark.run import run
    from neurograph.benchmark.stopwatch import Pace

    status = Status()
    status.say("the machine's peak")
    machine = best(threads)
    setting = Setting(peers, threads, Pace(*pace), machine, status.say)
    status.print(report.headline(machine, threads, peers, setting.pace))
    found: list[Result] = []
    before = None
    try:
        for group, results in run(selected, setting, sizes):
            status.print(report.table(group, results, heading=group != before))
            found += results
            before = group
        status.print(report.summary(found))
    finally:  # an interrupted run keeps what it has
        status.clear()
        _write(path, setting, found, machine)


def _write(path: Path | None, setting: Setting, found: list[Result], machine: Machine | None) -> None:
    if path is None:
        return
    from neurograph.benchmark.document import document, write

    write(path, document(setting, found, machine))
    print(f"Written to {path}.")


class Status:
    """A line in the terminal that says what is being measured; nothing where errors do not go to a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def say(self, what: str) -> None:
        if self._shown:
            print(f"\r\x1b[K… {what}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def print(self, text: str) -> None:
        self.clear()
        print(text, flush=True)
