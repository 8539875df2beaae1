"""Train the bundled networks on MNIST, and write what came of it into docs/mnist.json and the table of docs/mnist.md.

    python benchmarks/mnist.py                                  everything, three seeds each: one to two hours on two cores
    python benchmarks/mnist.py --rows lenet5,linear --seeds 0   some rows, one seed
    python benchmarks/mnist.py --train nothing                  the table anew, from docs/mnist.json

Each training is one public command, ``neurograph train``, with a run folder of its own (``runs/mnist/ROW-SEED``). Runs that are
finished are not trained again, those that were interrupted go on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neurograph as ng

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "mnist.json"
PAGE = ROOT / "docs" / "mnist.md"
BEGIN, END = "<!-- table: benchmarks/mnist.py -->", "<!-- end of the table -->"
TESTED = 10_000
"""Test samples of MNIST."""


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes
    ----------
    label, published : str
        The network, and the error that its authors report, in Markdown.
    spec : str
        A bundled network.
    options : tuple of str
        Of ``neurograph train``, beyond the spec's own ``[train]``.
    seeds : tuple of int
    """

    label: str
    published: str
    spec: str
    options: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0, 1, 2)

    def command(self) -> str:
        """The command that trains it, without seed and folder."""
        return " ".join(("neurograph train", self.spec, *self.options))


COSINE = ("--epochs", "25", "--set", "train.schedule=cosine")
ROWS: Mapping[str, Row] = {
    "linear": Row("linear", "12.0; 8.4 deslanted [1]", "linear"),
    "mlp": Row("784-30-10, sigmoid", "4.58 at its best [2]", "mlp"),
    "mlp300": Row("784-300-10", "4.7 [1]", "mlp300"),
    "mlp800": Row("784-800-10", "1.6 [3]", "mlp800"),
    "zipcode-1989": Row("the zip code network", "5.0, of zip codes [4]", "zipcode-1989"),
    "lenet1": Row("LeNet-1", "1.7 [1]", "lenet1"),
    "lenet5-1998": Row("LeNet-5 of 1998", "0.95 [1]", "lenet5-1998"),
    "lenet5": Row("LeNet-5 of today", "", "lenet5"),
    "lenet5-plain": Row("the same, longer", "", "lenet5", COSINE, seeds=(0,)),
    "lenet5-augmented": Row(
        "the same, **augmented**",
        "0.8, 1998's with distortions [1]",
        "lenet5",
        (*COSINE, "--set", "augment.preset=digits"),
    ),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", choices=("missing", "nothing"), default="missing", help="default: missing")
    parser.add_argument("--rows", help="default: all", metavar=",".join(ROWS))
    parser.add_argument("--seeds", help="default: those of each row")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/mnist"), help="where runs are kept")
    asked = parser.parse_args(arguments)
    names = asked.rows.split(",") if asked.rows else list(ROWS)
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        parser.error(f"--rows: unknown row {', '.join(unknown)} (known: {', '.join(ROWS)})")
    seeds = tuple(int(seed) for seed in asked.seeds.split(",")) if asked.seeds else None
    if asked.train == "missing":
        for seed in seeds or range(3):
            for name in names:
                if seeds or seed in ROWS[name].seeds:
                    train(ROWS[name], seed, asked.runs / f"{name}-{seed}", asked.threads)
    collect(asked.runs, names)
    write_table()


def train(row: Row, seed: int, folder: Path, threads: int) -> None:
    """Train one network, or go on with it, by the public command."""
    folder = folder.resolve()
    anew = [row.spec, *row.options, "--data", "mnist", "--seed", str(seed), "--out", str(folder)]
    words = ["--resume", str(folder)] if folder.exists() else anew
    command = [sys.executable, "-m", "neurograph", "train", *words, "--threads", str(threads)]
    print(" ".join(command[1:]), flush=True)
    subprocess.run(command, check=True, cwd=ROOT)


def collect(runs: Path, names: Iterable[str]) -> None:
    """Take finished runs into docs/mnist.json; what is there already stays."""
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names:
        kept = {run["seed"]: run for run in results.get(name, {}).get("runs", [])}
        for folder in sorted(runs.glob(f"{name}-[0-9]")):
            run = summary(folder)
            if run is not None:
                kept[run["seed"]] = run
        if kept:
            results[name] = {"command": ROWS[name].command(), "runs": [kept[seed] for seed in sorted(kept)]}
    ordered = [name for name in ROWS if name in results]
    rows = ",\n".join(f"{json.dumps(name)}: {_lines(results[name])}" for name in ordered)
    RESULTS.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


def _lines(row: dict[str, Any]) -> str:
    runs = ",\n    ".join(json.dumps(run) for run in row["runs"])
    return f'{{\n  "command": {json.dumps(row["command"])},\n  "runs": [\n    {runs}\n  ]\n}}'


def summary(folder: Path) -> dict[str, Any] | None:
    """What came of a run, in one line of JSON; None if it is not finished."""
    settings = json.loads((folder / "arguments.json").read_text())["settings"]
    epochs = ng.load_run(folder).history.epochs
    if len(epochs) < settings["epochs"]:
        return None
    seconds = sum(epoch.seconds for epoch in epochs)
    return {
        "seed": settings["seed"],
        "wrong": round(TESTED * (1 - (epochs[-1].validation_accuracy or 0.0))),
        "epochs": len(epochs),
        "threads": settings["threads"],
        "seconds": round(seconds, 1),
        "samples_per_second": round(sum(epoch.samples for epoch in epochs) / seconds),
        "wrong_after": [round(TESTED * (1 - (epoch.validation_accuracy or 0.0))) for epoch in epochs],
        "loss": [round(epoch.loss, 5) for epoch in epochs],
    }


def table(results: Mapping[str, Any]) -> str:
    """The table of results, in Markdown.

    Parameters
    ----------
    results : mapping
        As docs/mnist.json.
    """
    lines = [
        "| network | parameters | published, % wrong | ours, % wrong | each seed | epochs | minutes | samples/s | command |",
        "|---|---:|---|---:|---|---:|---:|---:|---|",
    ]
    for name, row in ROWS.items():
        if name not in results:
            continue
        runs = results[name]["runs"]
        errors = [100 * run["wrong"] / TESTED for run in runs]
        parameters = ng.lay_out(ng.load(row.spec)).n_parameters
        cells = (
            row.label,
            f"{parameters:,}",
            row.published or "–",
            f"**{sum(errors) / len(errors):.2f}**",
            ", ".join(f"{error:.2f}" for error in errors),
            str(runs[0]["epochs"]),
            f"{sum(run['seconds'] for run in runs) / len(runs) / 60:.1f}",
            f"{sum(run['samples_per_second'] for run in runs) / len(runs):,.0f}",
            f"`{row.command()}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_table() -> None:
    """Put the table of docs/mnist.json into docs/mnist.md."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table(json.loads(RESULTS.read_text()))}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
