"""`neurograph train`: train a network on data or on its own samples, keep the run, or go on with one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurograph.cli.options import JsonOption, QuietOption
from neurograph.errors import UsageError

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.cli.progress import Silent
    from neurograph.training import History

EXAMPLES = """
neurograph train digits --data digits --out runs/digits
neurograph train --resume runs/digits
neurograph train lenet5 --data mnist --epochs 5 --set train.learning_rate=0.05
neurograph train lenet5 --data mnist --limit 500 --epochs 1 --engine textbook
neurograph train mazur --engine textbook --steps 1
"""

SPEC = typer.Argument(metavar="SPEC", help="A bundled network (see `neurograph list`) or the path of a spec.")
DATA = typer.Option(help="digits, mnist, or a folder of IDX files. Default: the spec's [data], else its samples.")
ENGINE = typer.Option(help="compiled (default), or textbook: neuron by neuron.")
SET = typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the spec's [train] or [data].")


def command(
    spec: Annotated[str | None, SPEC] = None,
    data: Annotated[str | None, DATA] = None,
    epochs: Annotated[int | None, typer.Option(min=0, help="Passes over the training samples.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Samples a step.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of weights, order of samples, dropout.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: every core the process may use.")] = None,
    engine: Annotated[str | None, ENGINE] = None,
    steps: Annotated[int | None, typer.Option(min=0, help="Stop after so many updates.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Use only the first so many training samples.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the run in this new folder.")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="DIR", help="Go on with the run in this folder.")] = None,
    assign: Annotated[list[str] | None, SET] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network, or go on with a run.

    Without --out the weights are not kept. The test accuracy after the last epoch is the result; best.safetensors in the run
    folder is the epoch that did best on the test samples, so its accuracy is an optimistic one.
    """
    from neurograph.cli import job

    options = {"data": data, "epochs": epochs, "batch_size": batch_size, "seed": seed, "threads": threads}
    options |= {"engine": engine, "steps": steps, "limit": limit}
    if resume is not None:
        given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value is not None]
        given += ["--set"] * bool(assign) + ["--out"] * (out is not None) + ["SPEC"] * (spec is not None)
        if given:
            raise UsageError(
                f"--resume: goes on as the run began, which its folder remembers; drop {', '.join(given)}."
            )
        carry_out(job.resume(resume), quiet or as_json, as_json)
    elif spec is None:
        raise UsageError(
            "neurograph train: found neither SPEC nor --resume DIR. Say what to train, such as: train digits"
        )
    else:
        carry_out(job.begin(spec, assign or [], options, out), quiet or as_json, as_json)


def carry_out(job: Job, quiet: bool, as_json: bool) -> None:
    """Train as the job says, and show what came of it."""
    from neurograph.cli.progress import reporter

    if job.is_finished:
        if not quiet:
            print(f"{job.where}: finished after {_epochs(len(job.history))}; there is nothing to resume.")
    else:
        with reporter(job.settings.epochs, quiet) as show:
            show.say(_headline(job))
            _train(job, show, quiet)
    if as_json:
        print(json.dumps(_result(job), indent=2))
    elif not quiet:
        print(_closing(job))


def _train(job: Job, show: Silent, quiet: bool) -> None:
    from neurograph.cli.lesson import Lesson, is_lesson
    from neurograph.training import fit

    def keep(history: History) -> None:
        job.history = history
        if job.run is not None:
            job.run.save(job.engine.params, job.optimizer.state(), history)
        if not is_told:
            show.epoch(history)

    settings, samples = job.settings, job.samples
    is_told = is_lesson(job) and not quiet
    engine: Any = Lesson(job.engine, show.say) if is_told else job.engine
    try:
        job.history = fit(
            engine,
            samples.x,
            samples.y,
            settings.epochs,
            settings.batch_size,
            job.optimizer,
            settings.seed,
            samples.test,
            schedule=settings.make_schedule(),
            reduction=settings.reduction,
            steps=settings.steps,
            history=job.history,
            on_step=show.step,
            on_epoch=keep,
        )
    except KeyboardInterrupt:
        if job.run is not None:
            print(
                f"Kept: {_epochs(len(job.history))}. Go on with: neurograph train --resume {job.run.folder}",
                file=sys.stderr,
            )
        raise


def _headline(job: Job) -> str:
    settings, samples = job.settings, job.samples
    tested = f" and {samples.n_test:,} test samples" if samples.n_test else f" sample{'s' * (samples.n != 1)}"
    going_on = f", going on after {_epochs(len(job.history))}" if len(job.history) else ""
    plain = settings.schedule == "constant" and not settings.warmup_steps
    schedule = "" if plain else f", schedule {settings.make_schedule()}"
    return (
        f"{job.spec.name} on {samples.name}: {samples.n:,} training{tested}, {_epochs(settings.epochs)}, batches of "
        f"{settings.batch_size}, {job.optimizer!r}{schedule}, {settings.engine} engine, seed {settings.seed}{going_on}"
    )


def _closing(job: Job) -> str:
    if not job.history.epochs:
        return "No step was asked for; nothing was trained."
    last, seconds = job.history.epochs[-1], sum(epoch.seconds for epoch in job.history.epochs)
    which, loss, accuracy, n = "", last.loss, last.accuracy, job.samples.n
    if last.validation_loss is not None:
        which, loss, accuracy, n = "test ", last.validation_loss, last.validation_accuracy, job.samples.n_test
    parts = [f"{which}loss {loss:.5f}", f"{last.step:,} step{'s' * (last.step != 1)} in {seconds:.1f} s"]
    if accuracy is not None:
        parts.insert(0, f"{which}accuracy {100 * accuracy:.2f} % ({round(accuracy * n):,} of {n:,})")
    kept = f"kept in {job.run.folder}" if job.run is not None else "weights not kept (--out DIR keeps them)"
    return f"{', '.join(parts)}; {kept}"


def _result(job: Job) -> dict[str, Any]:
    from dataclasses import asdict

    epochs = [asdict(epoch) for epoch in job.history.epochs]
    last = epochs[-1] if epochs else {}
    return {
        "name": job.spec.name,
        "settings": job.settings.as_dict(),
        "steps": job.history.step,
        "loss": last.get("loss"),
        "accuracy": last.get("accuracy"),
        "test_loss": last.get("validation_loss"),
        "test_accuracy": last.get("validation_accuracy"),
        "run": None if job.run is None else str(job.run.folder),
        "epochs": epochs,
    }


def _epochs(n: int) -> str:
    return f"{n} epoch{'s' * (n != 1)}"
