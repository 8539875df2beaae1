"""The first steps of a run, taken once more from its first weights: the same samples, order, rates and seeds, so the same updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters
    from neurograph.training import Run
    from neurograph.training.samples import Samples

BUDGET = 6_000_000_000
"""Edges times samples that are run through at most, unless steps are asked for: some seconds."""
MOST = 2_000


def replay(
    run: Run,
    topology: Topology,
    samples: Samples,
    steps: int | None,
    watch: Callable[[Parameters], Callable[[int], None]],
) -> tuple[int, int]:
    """Take steps of a run once more; the run itself stays as it is.

    Parameters
    ----------
    steps : int, optional
        So many; default: all that the run has done, within BUDGET.
    watch : callable
        Given the first weights, returns who is told the number of each step when it is done.

    Returns
    -------
    (int, int)
        Steps taken, and steps of the run.
    """
    from neurograph.compiler import compile
    from neurograph.graph.initialise import initialise
    from neurograph.training import History
    from neurograph.training.batches import batches, dropout_seed, take
    from neurograph.training.settings import Settings

    settings = Settings.from_dict(run.arguments["settings"])
    samples = samples.limited(settings.limit)
    settings = settings.for_samples(samples.n)
    params = initialise(topology, settings.seed)
    told = watch(params)
    program = compile(topology, params, dtype="float32", threads=settings.threads)
    optimizer, schedule = settings.make_optimizer(), settings.make_schedule()
    size = samples.n if isinstance(settings.batch_size, str) else min(settings.batch_size, samples.n)
    a_pass = -(-samples.n // size)
    n_steps = settings.epochs * a_pass if settings.steps is None else min(settings.epochs * a_pass, settings.steps)
    done = run.history.step
    most = steps or max(1, min(MOST, BUDGET // max(1, topology.n_edges * size)))
    last = min(most, done)
    step = 0
    for epoch in range(-(-last // a_pass)):
        so_far = History(run.history.epochs[:epoch])
        for rows in batches(samples.n, size, settings.seed, epoch):
            if step == last:
                break
            optimizer.scale = schedule(step, n_steps, epoch, so_far)
            x, y = take(samples.x, rows), take(samples.y, rows)
            program.train_step(x, y, optimizer, settings.reduction, dropout_seed(settings.seed, step))
            step += 1
            told(step)
    return step, done
