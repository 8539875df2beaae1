"""What a training is about to do, and what came of it: in words, and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.engine import Evaluation
    from neurograph.training import Epoch


def headline(job: Job) -> str:
    """What a training is about to do, on a line."""
    settings, samples = job.settings, job.samples
    others = [(samples.n_validation, "validation"), (samples.n_test, "test")]
    groups = [f"{samples.n:,} training"] + [f"{n:,} {name}" for n, name in others if n]
    plural = "s" * (samples.n != 1 or len(groups) > 1)
    counted = f"{', '.join(groups[:-1])}{' and ' * (len(groups) > 1)}{groups[-1]} sample{plural}"
    said = str(settings.make_schedule())
    schedule = {"constant": "", "linear(floor=0.0)": ", rate falling to 0"}.get(said, f", schedule {said}")
    return (
        f"{job.spec.name} on {samples.name}: {counted}, {epochs(settings.epochs)}, batches of {settings.batch_size}, "
        f"{job.optimizer!r}{schedule}{_augmented(job)}, {settings.engine} engine, seed {settings.seed}{_going_on(job)}"
    )


def _augmented(job: Job) -> str:
    if job.samples.augment is None:
        return ""
    return f", augmented ({', '.join(f'{key}={value}' for key, value in job.settings.augment.items())})"


def _going_on(job: Job) -> str:
    if job.begun is None:
        return f", going on after {epochs(len(job.history))}" if len(job.history) else ""
    batches = f"{job.begun.batch:,} batch{'es' * (job.begun.batch != 1)}"
    return f", going on after {epochs(len(job.history))} and {batches}"


def closing(job: Job, tested: Evaluation | None) -> str:
    """What came of it, on a line or two.

    Parameters
    ----------
    job : Job
    tested : Evaluation or None
        On the test samples, where other samples were watched.
    """
    if not job.history.epochs:
        return "No step was asked for; nothing was trained."
    history, last = job.history, final(job)
    seconds, steps = sum(epoch.seconds for epoch in history.epochs), history.step
    parts = [f"best of {epochs(len(history))}: epoch {last.epoch}"] if job.settings.keeps_best else []
    if tested is not None:
        parts += _scores("test ", tested.loss, tested.accuracy, job.samples.n_test)
    if last.validation_loss is None:
        parts += _scores("", last.loss, last.accuracy, job.samples.n)
    else:
        n = job.samples.n_test if job.judged == "test" else job.samples.n_validation
        parts += _scores(f"{job.judged} ", last.validation_loss, last.validation_accuracy, n)
    parts.append(f"{steps:,} step{'s' * (steps != 1)} in {seconds:.1f} s")
    kept = f"kept in {job.run.folder}" if job.run is not None else "weights not kept (--out DIR keeps them)"
    early = ""
    if history.is_exhausted(job.settings.patience) and steps < job.n_steps:
        early = f"Stopped early after {epochs(len(history))}: none since epoch {history.best.epoch} was better.\n"
    return f"{early}{', '.join(parts)}; {kept}"


def _scores(which: str, loss: float, accuracy: float | None, n: int) -> list[str]:
    told = [f"{which}loss {loss:.5f}"]
    if accuracy is not None:
        told.insert(0, f"{which}accuracy {100 * accuracy:.2f} % ({round(accuracy * n):,} of {n:,})")
    return told


def final(job: Job) -> Epoch:
    """The epoch whose weights the training ended with."""
    return job.history.best if job.settings.keeps_best else job.history.epochs[-1]


def result(job: Job, tested: Evaluation | None) -> dict[str, Any]:
    """What came of it, as plain data."""
    rows = [asdict(epoch) for epoch in job.history.epochs]
    last = asdict(final(job)) if rows else {}
    judged = {f"{job.judged}_{score}": last.get(f"validation_{score}") for score in ("loss", "accuracy")}
    if tested is not None:
        judged |= {"test_loss": tested.loss, "test_accuracy": tested.accuracy}
    return {
        "name": job.spec.name,
        "settings": job.settings.as_dict(),
        **({} if job.transfer is None else {"transfer": dict(job.transfer)}),
        "steps": job.history.step,
        "epoch": last.get("epoch"),
        "loss": last.get("loss"),
        "accuracy": last.get("accuracy"),
        **judged,
        "run": None if job.run is None else str(job.run.folder),
        "epochs": rows,
    }


def epochs(n: int) -> str:
    """So many epochs.

    Examples
    --------
    >>> epochs(1), epochs(3)
    ('1 epoch', '3 epochs')
    """
    return f"{n} epoch{'s' * (n != 1)}"
