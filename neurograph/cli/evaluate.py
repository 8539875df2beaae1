"""`neurograph evaluate`: how well a trained network does, class by class."""

from __future__ import annotations

import json
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from neurograph.cli.options import JsonOption, SpecArgument
from neurograph.errors import RunError, UsageError

if TYPE_CHECKING:
    from neurograph.engine import Batch
    from neurograph.training import Run
    from neurograph.training.loop import Trainable
    from neurograph.training.samples import Samples

EXAMPLES = """
neurograph evaluate digits --run runs/digits
neurograph evaluate digits --run runs/digits --train --json
neurograph evaluate lenet5 --run runs/lenet5 --validation
neurograph evaluate lenet5 --run runs/lenet5 --data mnist --checkpoint best
"""

RUN = typer.Option(metavar="DIR", help="The run folder that holds the weights.")
DATA = typer.Option(
    help="A data set (`neurograph list --data`), folder or .npz. Default: what the run was trained with."
)
CHECKPOINT = typer.Option(
    help="last, previous, or best (by its score on what was watched). Default: what the run was told to keep."
)
THREADS = typer.Option(min=1, help="Default: every core the process may use.")


def command(
    spec: SpecArgument,
    run: Annotated[Path, RUN],
    data: Annotated[str | None, DATA] = None,
    train: Annotated[bool, typer.Option("--train", help="Evaluate the training samples instead.")] = False,
    validation: Annotated[bool, typer.Option("--validation", help="Evaluate the held-out samples instead.")] = False,
    checkpoint: Annotated[str | None, CHECKPOINT] = None,
    engine: Annotated[str, typer.Option(help="compiled, or textbook: neuron by neuron.")] = "compiled",
    threads: Annotated[int | None, THREADS] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate a trained network on the test samples: loss, accuracy, and which classes it takes for which."""
    from neurograph.cli.engines import make_engine
    from neurograph.training import load_run
    from neurograph.training.settings import ENGINES

    if engine not in ENGINES:
        raise UsageError(f"--engine: unknown engine '{engine}' (known: {', '.join(ENGINES)})")
    found = load_run(run, checkpoint)
    _check_spec(spec, found)
    samples = samples_of(found, data)
    which, (x, y) = part_of(samples, train, validation)
    network = make_engine(found.topology, found.parameters, engine, threads)
    result = {"run": str(run), "checkpoint": found.name, "data": samples.name}
    result |= {"samples": which, **judge(network, x, y)}
    print(json.dumps(result, indent=2) if as_json else text(result))


def part_of(samples: Samples, train: bool, validation: bool) -> tuple[str, tuple[Batch, Batch]]:
    """Which samples are asked for, in a word, and they.

    Raises
    ------
    UsageError
        If two parts are asked for, or validation samples where none were held out.
    """
    if train and validation:
        raise UsageError("--train, --validation: found both; ask for one of them, or for neither: the test samples.")
    if validation and samples.validation is None:
        raise UsageError("--validation: no samples were held out of this training; [data] validation = 0.1 does so.")
    if validation and samples.validation is not None:
        return "validation", samples.validation
    if train or samples.test is None:
        return "training", (samples.x, samples.y)
    return "test", samples.test


def judge(network: Trainable, x: Batch, y: Batch) -> dict[str, Any]:
    """Loss and accuracy; with classes, also the counts of true (rows) against predicted (columns)."""
    from neurograph.training.fit import evaluate

    judged = evaluate(network, x, y)
    result: dict[str, Any] = {
        "n": judged.n_samples,
        "loss": judged.loss,
        "accuracy": judged.accuracy,
        "confusion": None,
    }
    head = network.layout.heads[0]
    if len(network.layout.heads) == 1 and len(head.shape) == 1 and head.size > 1 and _are_classes(y):
        result["confusion"] = confusion(network, x, np.asarray(y), head.size).tolist()
    if isinstance(y, dict):
        result["heads"] = {name: _share_of_right(network, x, name, labels) for name, labels in y.items()}
        result["confusions"] = {
            head.name: confusion(network, x, np.asarray(y[head.name]), head.size, head.name).tolist()
            for head in network.layout.heads
            if len(head.shape) == 1 and head.size > 1 and _are_classes(y[head.name])
        }
    return result


def _share_of_right(network: Any, x: Batch, head: str, labels: Any, portion: int = 1_000) -> float | None:
    """Accuracy of one of several heads; None where it has no classes."""
    from neurograph.training.batches import take

    if not _are_classes(labels):
        return None
    rows = [slice(start, start + portion) for start in range(0, len(labels), portion)]
    return float(sum(int(np.sum(network.predict(take(x, r))[head] == labels[r])) for r in rows) / len(labels))


def confusion(
    network: Any, x: Batch, y: NDArray[Any], n_classes: int, head: Hashable | None = None, portion: int = 1_000
) -> NDArray[np.int64]:
    """Counts, shape (n_classes, n_classes): samples of class i that were taken for class j, by one of several heads or the only one."""
    from neurograph.training.batches import take

    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    for start in range(0, len(y), portion):
        rows = slice(start, start + portion)
        said = network.predict(take(x, rows))
        np.add.at(counts, (y[rows], said if head is None else said[head]), 1)
    return counts


def text(result: dict[str, Any]) -> str:
    """The result as lines: totals, then a row for each class."""
    accuracy = "" if result["accuracy"] is None else f"accuracy {100 * result['accuracy']:.2f} %, "
    lines = [f"{result['data']}, {result['n']:,} {result['samples']} samples: {accuracy}loss {result['loss']:.5f}"]
    for head, share in result.get("heads", {}).items():
        lines += [f"  {head}: accuracy {100 * share:.2f} %"] if share is not None else []
    for head, counts in result.get("confusions", {}).items():
        lines += ["", f"{head}:", *table(np.array(counts))]
    if result["confusion"] is not None:
        lines += ["", *table(np.array(result["confusion"]))]
    return "\n".join(lines)


def table(counts: NDArray[np.int64]) -> list[str]:
    """Per class: how many, how many right, and what it was taken for."""
    n_classes = len(counts)
    width = max(5, len(f"{counts.max():,}") + 1)
    heads = "".join(f"{c:>{width}}" for c in range(n_classes)) if n_classes <= 16 else "  most often taken for"
    lines = [f"{'class':>5}  {'n':>6}  {'right':>8}  {heads}"]
    for label, row in enumerate(counts):
        right = f"{100 * row[label] / row.sum():.2f} %" if row.sum() else "-"
        lines.append(f"{label:>5}  {row.sum():>6,}  {right:>8}  {_row(row, label, width)}")
    return lines


def _row(row: NDArray[np.int64], label: int, width: int) -> str:
    if len(row) <= 16:
        return "".join(f"{n if n else '.':>{width}}" for n in row)
    wrong = np.where(np.arange(len(row)) == label, 0, row)
    return f"  {int(wrong.argmax())} ({wrong.max():,} times)" if wrong.any() else "  -"


def _are_classes(y: Batch) -> bool:
    array = np.asarray(y) if not isinstance(y, dict) else np.zeros(0)
    return array.ndim == 1 and array.dtype.kind in "iu"


def _check_spec(name: str, run: Run) -> None:
    """Raise RunError where the run is of another network than the one named; how to train it does not matter."""
    from neurograph.spec import load

    parts = {"input", "layers", "neurons", "edges", "parameters", "losses"}
    if load(name).model_dump(include=parts) != run.spec.model_dump(include=parts):
        raise RunError(
            f"{run.folder}: the network of this run, '{run.spec.name}', is not {name}, or {name} has changed since. The run's own "
            f"spec is {run.folder / 'spec.toml'}; name that one."
        )


def samples_of(run: Run, data: str | None) -> Samples:
    """What a run was trained and tested on, or another data set brought to its input."""
    from neurograph.graph.lay_out import lay_out
    from neurograph.graph.layout import layout_of
    from neurograph.training.samples import samples_for
    from neurograph.training.settings import Settings

    settings, learned = Settings.from_dict(run.arguments["settings"]), run.arguments.get("normaliser")
    layout, prepare, limit = layout_of(lay_out(run.spec)), dict(settings.prepare), settings.limit
    if data not in (None, settings.data):
        prepare.pop("validation", None)
        limit = None
    return samples_for(
        run.spec, layout, data or settings.data, prepare, seed=settings.seed, limit=limit, normaliser=learned
    )
