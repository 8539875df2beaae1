"""A training about to run: the network, its weights and its samples, put together from a command line or a run folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.errors import RunError

if TYPE_CHECKING:
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters
    from neurograph.spec import Spec
    from neurograph.training import History, Run
    from neurograph.training.fit import Trainable
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

    @property
    def n_steps(self) -> int:
        """Updates in all."""
        all_epochs = self.settings.epochs * -(-self.samples.n // self.settings.batch_size)
        return all_epochs if self.settings.steps is None else min(all_epochs, self.settings.steps)

    @property
    def is_finished(self) -> bool:
        """True for a run that has done all its steps."""
        return self.run is not None and len(self.history) > 0 and self.history.step >= self.n_steps

    @property
    def where(self) -> str:
        """The run folder, as it was given."""
        return "" if self.run is None else str(self.run.folder)


def begin(name: str, assignments: list[str], options: dict[str, Any], out: Path | None) -> Job:
    """A training from its start; with `out`, its run folder is made."""
    from neurograph.graph.initialise import initialise
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load
    from neurograph.training import History, Run
    from neurograph.training.settings import Settings

    spec = load(name)
    settings = Settings.of(spec, assignments, **options)
    topology = lay_out(spec)
    samples = _samples(spec, topology, settings)
    settings = settings.for_samples(samples.n)
    params = initialise(topology, settings.seed)
    run = None
    if out is not None:
        arguments = {"settings": settings.as_dict(), "data_sha256": samples.digest}
        run = Run.create(out, spec.origin.text, arguments, params)
    return _job(spec, topology, settings, samples, params, run, History())


def resume(folder: Path) -> Job:
    """A training as its run folder left it.

    Raises
    ------
    RunError
        If the run cannot be used, or its data has changed.
    """
    from neurograph.graph.lay_out import lay_out
    from neurograph.training import load_run
    from neurograph.training.settings import Settings

    run = load_run(folder)
    if run.notice:
        print(run.notice, file=sys.stderr)
    settings = Settings.from_dict(run.arguments["settings"])
    topology = lay_out(run.spec)
    samples = _samples(run.spec, topology, settings)
    if samples.digest != run.arguments["data_sha256"]:
        raise RunError(
            f"{folder}: the data is not what the run began with (SHA-256 of '{samples.name}' differs). Put it back, or begin a new run."
        )
    job = _job(run.spec, topology, settings, samples, run.parameters, run, run.history)
    job.optimizer.load_state(run.checkpoint.optimizer)
    return job


def _samples(spec: Spec, topology: Topology, settings: Settings) -> Samples:
    from neurograph.graph.layout import layout_of
    from neurograph.training.samples import samples_for

    layout, s = layout_of(topology), settings
    return samples_for(spec, layout, s.data, s.prepare, s.augment, seed=s.seed, limit=s.limit)


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
