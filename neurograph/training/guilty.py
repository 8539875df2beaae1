"""Who left the finite range first: the steps since the last kept moment are taken once more, to the same bits, and looked into.

The batch that gave a loss that is no number is traced with the weights from before its step. Where these were not finite already, it was
an earlier update that spoilt them; that batch is traced instead, and its δ are looked through.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.graph.address import write_node, write_reference
from neurograph.training.interruption import Interrupted
from neurograph.training.loop import Loop, Step, freely, steps_from

ADVICE = "Lower the learning rate, or look for values that are not numbers in the data."


def accuse(loop: Loop, loss: float | None, end: int) -> str:
    """What to tell about a training that left the finite range.

    Parameters
    ----------
    loop : Loop
        With its last good moment, to which it is put back.
    loss : float or None
        The loss that is no number; None: only weights are not.
    end : int
        Steps done when that was seen.
    """
    try:
        with freely(loop.interruption):
            told = _told(loop, loss, end)
    except Interrupted:
        told = f"{_where(loop, _step(loop, end - 1))}: {_what(loss)}."
    loop.moment.restore(loop.engine, loop.optimizer)
    return f"{told} {ADVICE}"


def _told(loop: Loop, loss: float | None, end: int) -> str:
    step = _first(loop, end, lambda loss: not isfinite(loss)) if loss is not None else None
    if step is not None:
        _replay(loop, step.step)
        if _weights_are_finite(loop):
            return f"{_where(loop, step)}: {_what(loss)}. {_in_forward(loop, step)}"
    spoilt = _first(loop, end, lambda _: not _weights_are_finite(loop))
    seen = step or spoilt or _step(loop, end - 1)
    if spoilt is None:
        return f"{_where(loop, seen)}: {_what(loss)}."
    weight, value = _first_weight(loop)
    _replay(loop, spoilt.step)
    where = "" if spoilt.step == seen.step else f" in the update after batch {spoilt.batch} of epoch {spoilt.epoch}"
    return f"{_where(loop, seen)}: {_what(loss)}. Weight {weight} became {value}{where}. {_in_backward(loop, spoilt)}"


# -- going back ---------------------------------------------------------------------------------------------------------
def _replay(loop: Loop, until: int) -> None:
    """Put the loop's engine to where it stood after `until` steps."""
    loop.moment.restore(loop.engine, loop.optimizer)
    for step in steps_from(loop.task, loop.moment.begun):
        if step.step >= until:
            return
        _take(loop, step)


def _take(loop: Loop, step: Step) -> float:
    loop.set_rate(step.step, step.epoch)
    return loop.take_step(step)


def _first(loop: Loop, end: int, is_bad: Callable[[float], bool]) -> Step | None:
    """The first step after which something is bad; the engine stands behind it."""
    loop.moment.restore(loop.engine, loop.optimizer)
    for step in steps_from(loop.task, loop.moment.begun):
        if step.step >= end:
            return None
        if is_bad(_take(loop, step)):
            return step
    return None


def _step(loop: Loop, number: int) -> Step:
    return next(step for step in steps_from(loop.task, loop.moment.begun) if step.step >= number)


# -- looking ------------------------------------------------------------------------------------------------------------
def _in_forward(loop: Loop, step: Step) -> str:
    trace = _trace(loop, step)
    if trace is None:
        return ""
    for name in trace.z:
        for quantity, values in (("z", trace.z[name]), ("a", trace.a[name])):
            found = _first_bad(values)
            if found is not None:
                return f"Neuron {_neuron(name, found[1:])} left the finite range first: {quantity} = {values[found]} {_sample(step, found[0])}."
    name, found = max(
        ((name, _largest(trace.z[name])) for name in trace.delta), key=lambda pair: abs(trace.z[pair[0]][pair[1]])
    )
    largest = f"{_neuron(name, found[1:])}, z = {trace.z[name][found]:.3g} {_sample(step, found[0])}"
    return f"Every neuron was still finite, the loss was not; the largest is {largest}."


def _in_backward(loop: Loop, step: Step) -> str:
    trace = _trace(loop, step)
    if trace is None:
        return ""
    for name in reversed(list(trace.delta)):
        found = _first_bad(trace.delta[name])
        if found is not None:
            value = trace.delta[name][found]
            return f"There neuron {_neuron(name, found[1:])} left the finite range first: δ = {value} {_sample(step, found[0])}."
    for name, gradient in trace.gradient.items():
        if not np.isfinite(gradient).all():
            return f"There every δ was finite, but not the gradient of {name}."
    return "There every gradient was finite, but not what the step made of it."


def _trace(loop: Loop, step: Step) -> Any:
    """The step's pass with everything recorded; None where the engine keeps no record."""
    if not hasattr(loop.engine, "backprop"):
        return None
    x, y, seed = loop.batch_of(step)
    return loop.engine.backprop(x, y, reduction=loop.task.reduction, training=True, seed=seed)


def _first_bad(values: NDArray[Any]) -> tuple[int, ...] | None:
    bad = np.argwhere(~np.isfinite(values))
    return tuple(int(i) for i in bad[0]) if len(bad) else None


def _largest(values: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.argmax(np.abs(values)), values.shape))


def _weights_are_finite(loop: Loop) -> bool:
    return all(np.isfinite(value).all() for value in loop.engine.params.values())


def _first_weight(loop: Loop) -> tuple[str, float]:
    params: Mapping[str, NDArray[Any]] = loop.engine.params
    name = next(name for name, value in params.items() if not np.isfinite(value).all())
    flat = params[name].reshape(-1)
    place = int(np.argmin(np.isfinite(flat)))
    return write_reference((name, place), params[name].shape), float(flat[place])


# -- words --------------------------------------------------------------------------------------------------------------
def _where(loop: Loop, step: Step) -> str:
    return f"epoch {step.epoch}, batch {step.batch:,} of {loop.task.n_batches:,}"


def _what(loss: float | None) -> str:
    return "weights are no longer finite" if loss is None else f"the loss is {loss}, no longer a finite number"


def _neuron(name: Hashable, index: tuple[int, ...]) -> str:
    return write_node((name, *index)) if index else write_node(name)


def _sample(step: Step, sample: int) -> str:
    return f"for sample {sample} of the batch (number {int(step.rows[sample]):,} of the training samples)"
