"""Whether a training can be carried out at all: whatever can be known before its first step, asked before its folder is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurograph.errors import BatchError, LossError, UsageError

if TYPE_CHECKING:
    from neurograph.cli.job import Job
    from neurograph.engine import Batch

PORTION = 4096
"""Targets looked at together."""


def check(job: Job) -> None:
    """Raise what the first step would.

    Raises
    ------
    LossError
        If a head has no loss.
    BatchError
        If targets do not fit the network, or a sample holds a value that is not finite.
    UsageError
        If nothing will have the score that is to be watched.
    """
    from neurograph.training.batches import check_finite

    _check_losses(job)
    check_finite(job.samples.x, job.samples.y)
    for whose, pair in (("training", (job.samples.x, job.samples.y)), (job.judged, job.samples.watched)):
        if pair is not None:
            _check_targets(job, whose, pair[1])
    _check_watch(job)


def _check_losses(job: Job) -> None:
    from neurograph.graph.layout import layout_of

    for head in layout_of(job.topology).heads:
        if head.loss is None:
            names = [layer.name for layer in job.spec.layers]
            place = ("layer", names.index(str(head.name))) if head.name in names else ()
            raise LossError(
                f"{job.spec.origin.where(*place)}: '{head.name or 'the output'}' has no loss, so there is nothing to train by. "
                f'Add [loss] to the spec, such as kind = "cross_entropy" for classes, kind = "mse" for values.'
            )


def _check_targets(job: Job, whose: str, y: Batch) -> None:
    from neurograph.engine import read_targets
    from neurograph.graph.layout import layout_of
    from neurograph.training.batches import take

    heads, n = layout_of(job.topology).heads, job.samples.n if whose == "training" else _n_judged(job)
    try:
        for start in range(0, n, PORTION):
            rows = slice(start, min(n, start + PORTION))
            read_targets(take(y, rows), heads, rows.stop - start)
    except BatchError as error:
        raise BatchError(f"{job.spec.name} on {job.samples.name}, {whose} samples: {error}") from None


def _n_judged(job: Job) -> int:
    return job.samples.n_validation or job.samples.n_test


def _check_watch(job: Job) -> None:
    from neurograph.training.fit import check_watch

    samples, watch = job.samples, job.settings.watch
    stand_in = " (here the test samples stand in for them)" if job.judged == "test" else ""
    try:
        check_watch(watch, job.engine, samples.watched or (samples.x, samples.y), samples.watched is not None, stand_in)
    except UsageError as error:
        is_spec = watch == job.spec.train.watch
        where = job.spec.origin.where("train", "watch") if is_spec else f"--set train.watch={watch}"
        raise UsageError(f"{where}: {str(error).removeprefix('watch: ')}") from None
