"""Whether a training can be carried out at all, asked before its folder is made; its samples were checked as they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurograph.errors import LossError, UsageError

if TYPE_CHECKING:
    from neurograph.cli.job import Job


def check(job: Job) -> None:
    """Raise what the first step would.

    Raises
    ------
    LossError
        If a head has no loss.
    UsageError
        If nothing will have the score that is to be watched.
    """
    _check_losses(job)
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
