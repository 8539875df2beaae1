"""`neurograph train`: train a network on data or on its own samples, keep the run, or go on with one."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurograph.cli.options import JsonOption, QuietOption
from neurograph.errors import NeurographError, SaveError, TrainingError, UsageError

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.cli.keeping import Keeping
    from neurograph.cli.progress import Silent
    from neurograph.engine import Evaluation
    from neurograph.training.interruption import Interruption

EXAMPLES = """
neurograph train digits --data digits --out runs/digits
neurograph train --resume runs/digits
neurograph train --resume runs/digits --epochs 20
neurograph train digits --data digits --out runs/early --epochs 100 --patience 5
neurograph train lenet5 --data mnist --epochs 5 --set train.learning_rate=0.05
neurograph train mine.toml --init-from runs/lenet5 --freeze conv1,conv2 --out runs/tuned
neurograph train lenet5 --data mnist --limit 500 --epochs 1 --engine textbook
neurograph train mazur --engine textbook --steps 1
"""

SPEC = typer.Argument(metavar="SPEC", help="A bundled network (see `neurograph list`) or the path of a spec.")
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: the spec's [data], else its samples."
)
ENGINE = typer.Option(help="compiled (default), or textbook: neuron by neuron.")
PATIENCE = typer.Option(min=1, help="Stop after so many epochs without a better one, with the best weights.")
KEEP = typer.Option(help="best or last: the weights to end with. Default: best with --patience, else last.")
SAVE_EVERY = typer.Option(min=0.0, metavar="SECONDS", help="How often a run is kept amid an epoch.")
OUT = typer.Option(metavar="DIR", help="Keep the run in this new folder.")
RESUME = typer.Option(metavar="DIR", help="Go on with the run in this folder.")
INIT_FROM = typer.Option(
    metavar="RUN[:best]", help="Begin with another run's weights, wherever name and shape are equal."
)
FREEZE = typer.Option(metavar="NAMES", help="Layers or parameters that training leaves as they are: conv1,conv2.")
MAY_CHANGE = ("epochs", "steps", "threads", "patience", "data")
"""What may be told anew with --resume; data: where it is now, the samples must be the same."""
SET = typer.Option("--set", metavar="KEY=VALUE", help="Change a value of the spec's [train], [data] or [augment].")


CLOSED = 141
"""128 + SIGPIPE: the exit code where nobody reads the output any more."""


class Stopped(NeurographError):
    """Training was asked to stop, and has; the exit code says by what, as shells have it."""

    def __init__(self, exit_code: int, message: str = "Interrupted.") -> None:
        super().__init__(message)
        self.exit_code = exit_code


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
    patience: Annotated[int | None, PATIENCE] = None,
    keep: Annotated[str | None, KEEP] = None,
    init_from: Annotated[str | None, INIT_FROM] = None,
    freeze: Annotated[list[str] | None, FREEZE] = None,
    out: Annotated[str | None, OUT] = None,
    resume: Annotated[Path | None, RESUME] = None,
    save_every: Annotated[float, SAVE_EVERY] = 60.0,
    assign: Annotated[list[str] | None, SET] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a network, or go on with a run.

    Without --out the weights are not kept. With it, Ctrl-C, a kill or a full disk lose nothing: --resume goes on as if nothing had
    happened, to the same bits; --epochs, --steps, --threads and --patience may then be told anew, and --data if it was moved.

    The test accuracy after the last epoch is the result. With --set data.validation=0.1, samples held out of the training samples
    are watched instead, and the test samples are judged once, at the end. best.safetensors is the epoch that did best on what was
    watched; where that were the test samples, its accuracy is an optimistic one.
    """
    from neurograph.training.interruption import Interrupted, Interruption

    options = {"data": data, "epochs": epochs, "batch_size": batch_size, "seed": seed, "threads": threads}
    options |= {"engine": engine, "steps": steps, "limit": limit, "patience": patience, "keep": keep}
    try:
        with Interruption() as interruption, ExitStack() as held:
            with interruption.freely():
                if resume is not None:
                    others = {"--init-from": init_from, "--freeze": freeze, "--set": assign, "--out": out, "SPEC": spec}
                    going = _resumed(resume, options, others, held)
                else:
                    going = _begun(spec, options, assign or [], _folder(out), init_from, freeze or [], held)
            carry_out(going, interruption, quiet or as_json, as_json, save_every)
    except Interrupted as asked:
        raise Stopped(asked.exit_code) from None


def _folder(out: str | None) -> Path | None:
    if out is not None and not out.strip():
        raise UsageError(f"--out {out!r}: found no name; name a new folder, such as: --out runs/first")
    return None if out is None else Path(out)


def _begun(
    spec: str | None,
    options: dict[str, Any],
    assign: list[str],
    out: Path | None,
    init_from: str | None,
    freeze: list[str],
    held: ExitStack,
) -> Job:
    """A training from its start."""
    from neurograph.cli import job

    if spec is None:
        raise UsageError(
            "neurograph train: found neither SPEC nor --resume DIR. Say what to train, such as: train digits"
        )
    going = job.begin(spec, assign, options, out, init_from, freeze)
    if going.run is not None:
        held.enter_context(going.run.lock())
    return going


def _resumed(folder: Path, options: dict[str, Any], others: dict[str, Any], held: ExitStack) -> Job:
    """A training as its folder has it while nobody else writes to it."""
    from neurograph.cli import job
    from neurograph.training import Run, load_run

    _check_resume(options, others)
    held.enter_context(Run(folder, "last").lock())
    return job.resume(load_run(folder, "last"), {key: value for key, value in options.items() if value is not None})


def _check_resume(options: dict[str, Any], others: dict[str, Any]) -> None:
    given = [
        f"--{key.replace('_', '-')}" for key, value in options.items() if value is not None and key not in MAY_CHANGE
    ]
    given += [name for name, value in others.items() if value]
    if given:
        raise UsageError(f"--resume: goes on as the run began, which its folder remembers; drop {', '.join(given)}.")


def carry_out(job: Job, interruption: Interruption, quiet: bool, as_json: bool, save_every: float) -> None:
    """Train as the job says, and show what came of it."""
    from neurograph.cli.keeping import Keeping
    from neurograph.cli.lesson import is_lesson
    from neurograph.cli.outcome import closing, epochs, headline, result
    from neurograph.cli.progress import reporter
    from neurograph.cli.transfer import told

    if job.is_finished:
        if not quiet:
            print(f"{job.where}: finished after {epochs(len(job.history))}; there is nothing to resume.")
        if job.best is not None:
            job.engine.params.update(job.best)
    else:
        with reporter(job.settings.epochs, quiet, job.judged) as show:
            is_told = is_lesson(job) and not quiet
            keeping = Keeping(job, show.epoch if not is_told else lambda _: None)
            try:
                for line in (headline(job), *told(job.transfer)):
                    show.say(line)
                _train(job, interruption, show, keeping, is_told, save_every)
            except BrokenPipeError:
                raise _closed(keeping) from None
    with interruption.freely():
        tested = _tested(job) if as_json or not quiet else None
    if as_json:
        print(json.dumps(result(job, tested), indent=2))
    elif not quiet:
        print(closing(job, tested))


def _tested(job: Job) -> Evaluation | None:
    """How well the trained network does on test samples that nobody looked at before; None where there are none such."""
    from neurograph.training.fit import evaluate

    if job.samples.validation is None or job.samples.test is None or not job.history.epochs:
        return None
    return evaluate(job.engine, *job.samples.test)


def _closed(keeping: Keeping) -> NeurographError:
    """Nobody reads the output any more, which is a wish to stop; the epoch that was to be shown is kept."""
    try:
        keeping.write()
    except SaveError as error:
        return keeping.explained(error)
    return Stopped(CLOSED, f"The output was closed, so training stopped. {keeping.told()}")


def _train(
    job: Job, interruption: Interruption, show: Silent, keeping: Keeping, is_told: bool, save_every: float
) -> None:
    from neurograph.cli.lesson import Lesson
    from neurograph.training import fit
    from neurograph.training.interruption import Interrupted

    samples = job.samples
    engine: Any = Lesson(job.engine, show.say) if is_told else job.engine
    try:
        history = fit(
            engine,
            samples.x,
            samples.y,
            optimizer=job.optimizer,
            validation=samples.watched,
            augment=samples.augment,
            history=job.history,
            begun=job.begun,
            best=job.best,
            interruption=interruption,
            on_step=show.step,
            on_epoch=keeping.epoch,
            on_pause=keeping.pause,
            pause_every=save_every,
            **job.settings.for_fit(),
        )
        keeping.write()
        job.history, job.begun = history, None if not interruption.asked else job.begun
        if interruption.asked:
            raise Interrupted(interruption.asked)
    except (SaveError, TrainingError) as error:
        raise keeping.explained(error) from None
    except BrokenPipeError:
        raise
    except (KeyboardInterrupt, MemoryError, OSError):
        show.stop()
        print(keeping.told(), file=sys.stderr)
        raise
