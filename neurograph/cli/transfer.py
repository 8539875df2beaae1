"""`train --init-from RUN --freeze NAMES`: what a training begins with of another run, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters

CHECKPOINTS = ("last", "best", "previous")
MOST = 8
"""Parameters told of one kind at most; `--json` has them all."""


def transferred(
    topology: Topology, params: Parameters, init_from: str | None, freeze: Sequence[str]
) -> dict[str, Any] | None:
    """Take and freeze what was asked for; what came of it, as plain data that is kept with the run. None: nothing was asked for.

    Raises
    ------
    RunError
        If there is no such run.
    UsageError
        If nothing of it fits, a name to freeze is unknown, or nothing is left to train.
    """
    if init_from is None and not freeze:
        return None
    record: dict[str, Any] = {}
    if init_from is not None:
        record |= _taken(topology, params, init_from)
    names = [name.strip() for part in freeze for name in part.split(",") if name.strip()]
    record["frozen"] = _frozen(topology, params, names)
    return record


def _taken(topology: Topology, params: Parameters, init_from: str) -> dict[str, Any]:
    from neurograph.training import load_run

    folder, checkpoint = where(init_from)
    run = load_run(folder, checkpoint)
    declared = topology.parameters
    given = "the spec gives its values"
    leave = {name: given for name, found in declared.items() if found.values is not None and not found.trainable}
    used = {name: found.used for name, found in declared.items() if found.used is not None}
    found = params.take_from(run.parameters, leave, used)
    if not found.taken:
        mine = ", ".join(list(found.fresh)[:MOST])
        raise UsageError(
            f"--init-from {init_from}: nothing in it has the name and the shape of a parameter of {topology.name} ({mine}). "
            f"Give layers that are to be taken over the names they have in {run.folder / 'spec.toml'}."
        )
    record = {"from": str(folder), "checkpoint": run.name, "epochs": len(run.history)}
    return {**record, "taken": list(found.taken), "fresh": dict(found.fresh), "unused": list(found.unused)}


def where(text: str) -> tuple[Path, str | None]:
    """Folder and checkpoint; without one, what that run's training was told to keep.

    Examples
    --------
    >>> where("runs/a:best")
    (PosixPath('runs/a'), 'best')
    >>> where("runs/a")
    (PosixPath('runs/a'), None)
    """
    folder, colon, name = text.rpartition(":")
    if colon and folder and name in CHECKPOINTS and not Path(text).exists():
        return Path(folder), name
    return Path(text), None


def _frozen(topology: Topology, params: Parameters, names: list[str]) -> list[str]:
    try:
        frozen = list(params.freeze(*names))
    except UnknownName as error:
        raise UsageError(f"--freeze: {error}") from None
    if not any(params.trainable.values()):
        raise UsageError(
            f"--freeze {','.join(names)}: nothing of {topology.name} is left to train. Leave one layer out of the list."
        )
    return frozen


def told(record: Mapping[str, Any] | None) -> Iterator[str]:
    """The same in words."""
    if record is None:
        return
    if "from" in record:
        epochs = f"after {record['epochs']} epoch{'s' * (record['epochs'] != 1)}"
        yield f"From {record['from']} ({record['checkpoint']}, {epochs}): {_some(record['taken'])}."
        fresh = [f"{name} ({why})" for name, why in record["fresh"].items()]
        if fresh:
            yield f"Fresh: {_some(fresh)}."
    if record["frozen"]:
        yield f"Frozen: {_some(record['frozen'])}."


def _some(words: list[str]) -> str:
    return ", ".join(words[:MOST]) + (f" and {len(words) - MOST:,} more" if len(words) > MOST else "")
