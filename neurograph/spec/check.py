"""Everything that can be wrong with a spec whose tables could be read."""

from __future__ import annotations

from itertools import islice

from neurograph.errors import Fault
from neurograph.spec.drawn import faults_of_drawing
from neurograph.spec.model import MOST_FAULTS, Spec
from neurograph.spec.names import faults_of_parts
from neurograph.spec.resolve import Resolved, resolve
from neurograph.spec.samples import faults_of_samples, ports_of_drawing, ports_of_layers


def faults_of(spec: Spec, unread: frozenset[str] = frozenset()) -> list[Fault]:
    """Every fault of a spec: names, wiring, shapes, sizes, losses, samples.

    Parameters
    ----------
    spec : Spec
    unread : frozenset of str
        Keys of the file of which something could not be read; what depends on them is not checked.
    """
    if spec.is_hand_drawn and not spec.layers:
        faults = [*faults_of_parts(spec, unread), *islice(faults_of_drawing(spec, unread), MOST_FAULTS)]
        ports = None if faults or unread else ports_of_drawing(spec)
    else:
        resolved: Resolved = resolve(spec, unread)
        faults = resolved.faults
        ports = None if unread else ports_of_layers(spec, resolved)
    return [*faults, *(islice(faults_of_samples(spec, ports), MOST_FAULTS) if ports else ())]
