"""`neurograph compare`: what trainings did differently, and what came of it, side by side."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurograph.cli.options import JsonOption
from neurograph.errors import UsageError

if TYPE_CHECKING:
    from neurograph.training import Epoch, Run

EXAMPLES = """
neurograph compare runs/sgd runs/adam
neurograph compare runs/* --plot curves.svg
neurograph compare runs/sgd runs/adam --json
"""

RUNS = typer.Argument(metavar="RUN RUN …", help="Run folders.")
PLOT = typer.Option(metavar="FILE", help="Draw their curves together: .png, .svg or .pdf (extra: plot).")
SCORES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


def command(
    runs: Annotated[list[Path], RUNS], plot: Annotated[Path | None, PLOT] = None, as_json: JsonOption = False
) -> None:
    """Compare training runs: settings that differ, scores of the best and the last epoch, time, samples per second.

    Runs that are still going on are compared as far as they have come.
    """
    from neurograph.training import load_run

    if len(runs) < 2:
        raise UsageError(f"compare: found one run, {runs[0]}; name at least two.")
    opened = [load_run(folder, "last") for folder in runs]
    told = [described(run) for run in opened]
    differing = differences(told)
    for one in told:
        del one["spec"]
    if plot is not None:
        from neurograph.viz import plots

        plots.save(plots.curves(*opened, labels=names(runs)), plot)
    if as_json:
        print(json.dumps({"differing": differing, "runs": told}, indent=2))
        return
    print("\n".join(table(told, differing, names(runs))))
    for run in opened:
        if run.notice:
            print(f"\n{run.notice}")
    if plot is not None:
        print(f"\nCurves: {plot}")


def described(run: Run) -> dict[str, Any]:
    """Everything that is compared, as plain data."""
    from dataclasses import asdict

    from neurograph.graph.lay_out import lay_out

    history, arguments = run.history, run.arguments
    settings = arguments.get("settings", {})
    seconds = sum(epoch.seconds for epoch in history.epochs)
    samples = sum(epoch.samples for epoch in history.epochs)
    return {
        "run": str(run.folder),
        "network": run.spec.name,
        "spec": run.spec_text,
        "n_parameters": lay_out(run.spec).n_parameters,
        "data": arguments.get("data", {}),
        "settings": settings,
        "transfer": arguments.get("transfer"),
        "judged": _judged(history.epochs, settings),
        "state": _state(run, settings),
        "epochs": len(history),
        "steps": history.step,
        "best": asdict(history.best) if history.epochs else None,
        "last": asdict(history.epochs[-1]) if history.epochs else None,
        "seconds": seconds,
        "samples_per_second": samples / seconds if seconds else None,
    }


def _judged(epochs: list[Epoch], settings: dict[str, Any]) -> str:
    """Whose scores they are."""
    if not any(epoch.validation_loss is not None for epoch in epochs):
        return "training"
    return "validation" if settings.get("prepare", {}).get("validation") else "test"


def _state(run: Run, settings: dict[str, Any]) -> str:
    from neurograph.training.locks import NAME

    history, of = run.history, settings.get("epochs", 0)
    if len(history) >= of or (settings.get("steps") and history.step >= settings["steps"]):
        return "finished"
    if history.is_exhausted(settings.get("patience")):
        return "stopped early"
    return f"going on, of {of}" if (run.folder / NAME).exists() else f"unfinished, of {of}"


def differences(told: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What was not the same for all, by name: the network, the data, every setting, and what they began with."""
    rows = [
        {
            "network": run["network"],
            "parameters": run["n_parameters"],
            "data": run["data"].get("name"),
            "training samples": run["data"].get("n"),
            **_flat(run["settings"]),
            **_transferred(run["transfer"] or {}),
        }
        for run in told
    ]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    found = {key: [row.get(key) for row in rows] for key in keys}
    found.pop("limit", None)  # seen in the number of training samples
    found = {key: values for key, values in found.items() if any(value != values[0] for value in values)}
    if len({run["data"].get("sha256") for run in told}) > 1 and not {"data", "training samples"} & found.keys():
        found["data (SHA-256)"] = [run["data"].get("sha256", "")[:8] for run in told]
    if len({run["spec"] for run in told}) > 1 and not {"network", "parameters"} & found.keys():
        from neurograph.training.checkpoints import first_difference

        first = told[0]["spec"]
        found["spec"] = [first_difference(run["spec"], first) if run["spec"] != first else "" for run in told]
    return found


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with the keys of tables written as table.key."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= {f"{'data' if key == 'prepare' else key}.{inner}": some for inner, some in value.items()}
        elif key != "data":
            flat[key] = value
    return flat


def _transferred(record: dict[str, Any]) -> dict[str, str]:
    """The run that another began with, and what stayed frozen."""
    told = {"init-from": f"{record['from']} ({record['checkpoint']})"} if "from" in record else {}
    return told | ({"freeze": ", ".join(record["frozen"])} if record.get("frozen") else {})


def names(runs: list[Path]) -> list[str]:
    """The folders' names, with as much of their paths as tells them apart.

    Examples
    --------
    >>> names([Path("runs/a"), Path("runs/b")]), names([Path("x/a"), Path("y/a")])
    (['a', 'b'], ['x/a', 'y/a'])
    """
    own = [os.path.basename(os.path.realpath(run)) for run in runs]
    return own if len(set(own)) == len(own) else [str(run) for run in runs]


def table(told: list[dict[str, Any]], differing: dict[str, list[Any]], heads: list[str]) -> list[str]:
    """A column a run; where the screen is too narrow, a row."""
    rows: dict[str, list[str]] = {key: [_value(value) for value in values] for key, values in differing.items()}
    n_settings = len(rows)
    rows["epochs done"] = [f"{run['epochs']} ({run['state']})" for run in told]
    rows["steps"] = [f"{run['steps']:,}" for run in told]
    judged = {run["judged"] for run in told}
    whose = judged.pop() if len(judged) == 1 else "held-out"
    for which in ("best", "last"):
        if which == "best":
            rows["best epoch"] = ["-" if run["best"] is None else str(run["best"]["epoch"]) for run in told]
        for key in SCORES:
            if any(run[which] is not None and run[which][key] is not None for run in told):
                name = f"{key.replace('validation_', f'{whose} ')} at {which} epoch"
                rows[name] = [_score(run[which], key) for run in told]
    if whose == "held-out":
        rows["held out are"] = [f"{run['judged']} samples" for run in told]
    rows["time"] = [_time(run["seconds"]) for run in told]
    rows["samples/s"] = ["-" if not run["samples_per_second"] else f"{run['samples_per_second']:,.0f}" for run in told]
    columns = [["", *rows], *([head, *(row[i] for row in rows.values())] for i, head in enumerate(heads))]
    width = shutil.get_terminal_size((100, 24)).columns
    if sum(max(map(len, column)) + 2 for column in columns) <= width or len(told) <= 3:
        lines = _aligned(list(zip(*columns, strict=True)))
        return [lines[0], *lines[1 : 1 + n_settings], *([""] if n_settings else []), *lines[1 + n_settings :]]
    return _aligned(columns)


def _aligned(rows: list[Any]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in rows
    ]


def _value(value: Any) -> str:
    return "-" if value is None or value == "" else f"{value:,}" if isinstance(value, int) else f"{value!s:.60}"


def _score(epoch: dict[str, Any] | None, key: str) -> str:
    value = None if epoch is None else epoch[key]
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if key.endswith("accuracy") else f"{value:.5f}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{rest:.1f} s" if not minutes else f"{int(minutes)} min {rest:.0f} s"
