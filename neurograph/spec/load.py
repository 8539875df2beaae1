"""Read a spec: TOML or JSON, as text, a file or a bundled name; every fault at once, with file and line."""

from __future__ import annotations

import os
import re

from neurograph.errors import Fault, SpecError
from neurograph.spec.check import faults_of
from neurograph.spec.model import MOST_FAULTS, Spec
from neurograph.spec.source import find
from neurograph.spec.tables import read_tables


def load(source: str | os.PathLike[str]) -> Spec:
    r"""Load a spec.

    Parameters
    ----------
    source : str or path
        In this order: TOML text (has a newline) or JSON text (begins with a brace); a path (has a separator, or ends in
        ``.toml`` or ``.json``); the name of a bundled spec; an existing path.

    Returns
    -------
    Spec

    Raises
    ------
    SpecNotFound
        If there is no such file or bundled spec.
    SpecError
        With everything that is wrong in the spec, in file order: its language, its shapes, its losses, its samples.

    Examples
    --------
    >>> load("lenet5").inputs
    {'input': (1, 28, 28)}
    >>> load('input = [4]\n[[layer]]\nname = "out"\nkind = "dense"\nunit = 2')
    Traceback (most recent call last):
    neurograph.errors.SpecError: ...
    """
    data, origin = find(source).parse()
    reading = read_tables(data, origin)
    spec = reading.spec()
    faults = reading.faults
    if len(faults) < MOST_FAULTS:
        faults = in_file_order([*faults, *faults_of(spec, frozenset(reading.unread))])
    if len(faults) >= MOST_FAULTS:
        more = f"more than {MOST_FAULTS - 1} faults; these are the first that were found."
        faults = [*in_file_order(faults[:MOST_FAULTS]), Fault(origin.path, more)]
    if faults:
        raise SpecError(faults)
    return spec


def in_file_order(faults: list[Fault]) -> list[Fault]:
    """Faults by line; those of one line, and those without, in the order found."""
    return sorted(dict.fromkeys(faults), key=_line)


def _line(fault: Fault) -> int:
    at = re.search(r":(\d+)$", fault.where)
    return int(at[1]) if at else 0
