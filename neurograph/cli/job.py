"""A training about to run: the network, its weights and its samples, put together from a command line or a run folder."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.errors import DataError, RunError, UsageError
from neurograph.version import __version__

if TYPE_CHECKING:
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters
    from neurograph.spec import Spec
    from neurograph.training import History, Run
    from neurograph.training.history import Begun
    from neurograph.training.loop import Trainable
    from neurograph.training.optimizers import Optimizer
    from neurograph.training.samples import Samples
    from neurograph.training.settings import Settings


@dataclass
class Job:
    """A training about to run."""

    spec: Spec
    topology: Topology
    settings: Settings
    samples: Samples
    engine: Trainable
    optimizer: Optimizer
    run: Run | None
    history: History
    begun: Begun | None = None
    best: Mapping[str, Any] | None = None
    """Weights of the best epoch so far, where the training is to end with them."""
    transfer: Mapping[str, Any] | None = None
    """What it began with of another run, and what it leaves as it is (`neurograph.cli.transfer`)."""

    @property
    def n_steps(self) -> int:
        """Updates in all."""
        n_batches = -(-self.samples.n // self.settings.batch_size)
        return self.history.steps_in_all(self.settings.epochs, n_batches, self.settings.steps)

    @property
    def is_finished(self) -> bool:
        """True for a run that has done all its steps, or stopped early."""
        if self.run is None or not self.history.epochs or self.begun is not None:
            return False
        return self.history.step >= self.n_steps or self.history.is_exhausted(self.settings.patience)

    @property
    def judged(self) -> str:
        """What the samples are called that are judged after every epoch."""
        return "test" if self.samples.validation is None else "validation"

    @property
    def where(self) -> str:
        """The run folder, as it was given."""
        return "" if self.run is None else str(self.run.folder)


def begin(
    name: str,
    assignments: list[str],
    options: dict[str, Any],
    out: Path | None,
    init_from: str | None = None,
    freeze: Sequence[str] = (),
) -> Job:
    """A training from its start; with `out`, its run folder is made, after all that can be checked before the first step."""
    from neurograph.cli import ready
    from neurograph.cli.transfer import transferred
    from neurograph.graph.balancing import balanced, counted_weights
    from neurograph.graph.initialise import initialise
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load
    from neurograph.training import History, Run
    from neurograph.training.runs import check_free
    from neurograph.training.settings import Settings

    spec = load(name)
    if out is not None:
        check_free(out)
    settings = Settings.of(spec, assignments, **options)
    topology = lay_out(spec)
    samples = _samples(spec, topology, settings)
    settings = settings.for_samples(samples.n)
    for line in samples.cautions:
        _notice(line)
    declared, topology = topology, balanced(topology, samples.y)
    params = initialise(topology, settings.seed)
    transfer = transferred(topology, params, init_from, freeze)
    job = _job(spec, topology, settings, samples, params, None, History())
    job.transfer = transfer
    ready.check(job)
    if out is not None:
        data = {"name": samples.name, "n": samples.n, "n_test": samples.n_test, "sha256": samples.digest}
        arguments = {"settings": settings.as_dict(), "data": data, "version": __version__}
        if samples.normaliser is not None:
            arguments["normaliser"] = samples.normaliser
        if topology is not declared:
            arguments["class_weights"] = counted_weights(declared, topology)
        if transfer is not None:
            arguments["transfer"] = transfer
        job.run = Run.create(out, spec.origin.text, arguments, params)
    return job


def resume(run: Run, changes: Mapping[str, Any]) -> Job:
    """A training as its run folder left it.

    Parameters
    ----------
    run : Run
        Its last checkpoint.
    changes : mapping
        Settings that are other than the run began with; they are kept with it.

    Raises
    ------
    RunError
        If the run cannot be used, or its data has changed.
    UsageError
        If it has done more epochs than it is to have in all.
    """
    from neurograph.training.settings import Settings

    checkpoint = run.checkpoint
    _check_epochs(run, changes.get("epochs"))
    _notice(run.notice)
    if checkpoint.version != __version__:
        _notice(f"{run.folder}: written by neurograph {checkpoint.version}; this is {__version__}, so bits may differ.")
    settings = Settings.from_dict({**run.arguments["settings"], **changes})
    try:
        samples = _samples(run.spec, run.topology, settings, run.arguments.get("normaliser"))
    except DataError as error:
        raise DataError(f"{error} If it lies elsewhere now: train --resume {run.folder} --data …") from None
    _check_data(run, samples)
    job = _job(run.spec, run.topology, settings, samples, run.parameters, run, checkpoint.history)
    job.transfer = run.arguments.get("transfer")
    job.optimizer.load_state(checkpoint.optimizer)
    job.begun, job.best = checkpoint.begun, _best(run) if settings.keeps_best and checkpoint.history.epochs else None
    if changes:
        run.change_arguments({**run.arguments, "settings": settings.as_dict()})
    run.write_history(checkpoint.history)
    return job


def _check_epochs(run: Run, wanted: int | None) -> None:
    """Raise UsageError where more epochs are done, or begun, than there are to be in all."""
    from neurograph.cli.outcome import epochs

    begun, done = run.checkpoint.begun, len(run.checkpoint.history)
    if wanted is None or wanted >= done + (begun is not None):
        return
    another = " and a part of another" if begun is not None else ""
    raise UsageError(
        f"--epochs {wanted}: {run.folder} has done {epochs(done)}{another}; --epochs says how many in all. Five more: "
        f"--epochs {done + 5}."
    )


def _notice(line: str | None) -> None:
    if line:
        print(line, file=sys.stderr)


def _best(run: Run) -> Mapping[str, Any]:
    """Weights of the best epoch so far; where they are lost, training goes on all the same, from the last ones."""
    from neurograph.training import Run

    try:
        return Run(run.folder, "best").checkpoint.values
    except RunError as error:
        _notice(f"{error} Unless a later epoch is better, the last weights take its place.")
        return run.checkpoint.values


def _check_data(run: Run, samples: Samples) -> None:
    """Raise RunError where these are other samples than the run began with, and say how they differ."""
    began = run.arguments["data"]
    if began["sha256"] == samples.digest:
        return
    there, here = (began["n"], began["n_test"]), (samples.n, samples.n_test)
    counts = "as many samples, but other values"
    if there != here:
        counts = f"{there[0]:,} training and {there[1]:,} test samples then, {here[0]:,} and {here[1]:,} now"
    raise RunError(
        f"{run.folder}: the data is not what the run began with: '{samples.name}': {counts} (SHA-256 {began['sha256']:.8}… then, "
        f"{samples.digest:.8}… now). Put it back, or begin a new run."
    )


def _samples(
    spec: Spec, topology: Topology, settings: Settings, normaliser: Mapping[str, Any] | None = None
) -> Samples:
    from neurograph.graph.layout import layout_of
    from neurograph.training.samples import samples_for

    layout, s = layout_of(topology), settings
    return samples_for(spec, layout, s.data, s.prepare, s.augment, seed=s.seed, limit=s.limit, normaliser=normaliser)


def _job(
    spec: Spec,
    topology: Topology,
    settings: Settings,
    samples: Samples,
    params: Parameters,
    run: Run | None,
    history: History,
) -> Job:
    from neurograph.cli.engines import make_engine

    engine = make_engine(topology, params, settings.engine, settings.threads)
    return Job(spec, topology, settings, samples, engine, settings.make_optimizer(), run, history)
