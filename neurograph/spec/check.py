"""Everything that can be wrong with a spec whose tables could be read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from neurograph.errors import Fault
from neurograph.spec.drawn import faults_of_drawing
from neurograph.spec.model import MOST_FAULTS, Spec
from neurograph.spec.names import faults_of_parts
from neurograph.spec.resolve import Resolved, resolve
from neurograph.spec.samples import faults_of_samples, ports_of_drawing, ports_of_layers
from neurograph.spec.update import wrong_together


def faults_of(spec: Spec, unread: frozenset[str] = frozenset()) -> list[Fault]:
    """Every fault of a spec: names, wiring, shapes, sizes, losses, training, samples.

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
    faults = [*faults, *_faults_of_training(spec)]
    return [*faults, *(islice(faults_of_samples(spec, ports), MOST_FAULTS) if ports else ())]


def _faults_of_training(spec: Spec) -> Iterator[Fault]:
    train = spec.train
    for key, what in wrong_together(train.model_dump(), frozenset(train.model_fields_set)):
        yield Fault(spec.origin.where("train", key), f"[train] {what}")
