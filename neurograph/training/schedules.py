"""Schedules: the factor that lies over the learning rate at each step."""

from __future__ import annotations

from neurograph.errors import UsageError, suggest

SCHEDULES = ("constant", "linear")


def factor(schedule: str, step: int, n_steps: int) -> float:
    """Factor for step `step` of `n_steps`: 1 throughout, or falling linearly from 1 to 0 behind the last step.

    Raises
    ------
    UsageError
        If there is no such schedule.

    Examples
    --------
    >>> [factor("linear", step, 4) for step in range(4)]
    [1.0, 0.75, 0.5, 0.25]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1.0 - step / n_steps
    raise UsageError(f"unknown schedule '{schedule}'{suggest(schedule, SCHEDULES)} (known: {', '.join(SCHEDULES)})")
