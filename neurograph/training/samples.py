"""What a training reads: a data set brought to the network's input and split, or the samples that the spec carries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.data import Augment, Dataset, load_data
from neurograph.data import prepare as prepare_images
from neurograph.data.augment_prepared import PreparedAugment
from neurograph.data.normalise import Normaliser
from neurograph.data.prepare import made_shape
from neurograph.data.sets import prepare_options
from neurograph.data.stratify import held_out
from neurograph.engine import Batch
from neurograph.errors import DataError
from neurograph.graph.layout import Layout
from neurograph.shapes import times
from neurograph.training.batches import count, take
from neurograph.training.spec_samples import spec_samples
from neurograph.training.targets import Labels, check_labels, labels_by_head, targets_of

if TYPE_CHECKING:
    from neurograph.spec import Spec

Array = NDArray[Any]
Pair = tuple[Batch, Batch]

SPLIT = 3
"""Keeps the random numbers of the split apart from others of the same seed (0 order, 1 dropout, 2 augmentation)."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs and targets to train on, and others to watch and to test on, if there are any.

    Attributes
    ----------
    name : str
        The data set.
    x, y : Batch
        To train on.
    test : (x, y), optional
        To judge the network by, once.
    validation : (x, y), optional
        Held out of the training samples, to watch training by.
    normaliser : mapping, optional
        What was learned from the training samples and laid over all (`Normaliser.as_dict`); a run keeps it.
    augment : callable, optional
        ``augment(x, rows, epoch)`` changes training samples; what `fit` takes.
    cautions : tuple of str
        What of the augmentation does not fit these data, a line each.
    """

    name: str
    x: Batch
    y: Batch
    test: Pair | None = None
    validation: Pair | None = None
    normaliser: Mapping[str, Any] | None = None
    augment: PreparedAugment | None = None
    cautions: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of training samples."""
        return count(self.x, self.y)

    @property
    def n_test(self) -> int:
        """Number of test samples."""
        return 0 if self.test is None else count(*self.test)

    @property
    def n_validation(self) -> int:
        """Number of validation samples."""
        return 0 if self.validation is None else count(*self.validation)

    @property
    def watched(self) -> Pair | None:
        """What is judged after every epoch: validation samples; where none are held out, the test samples."""
        return self.validation or self.test

    @property
    def digest(self) -> str:
        """SHA-256 over everything a training reads."""
        sha = hashlib.sha256()
        for batch in (self.x, self.y, *(self.test or ()), *(self.validation or ())):
            for name, part in batch.items() if isinstance(batch, Mapping) else [("", batch)]:
                array = np.ascontiguousarray(part)
                sha.update(f"{name} {array.dtype} {array.shape}".encode())
                sha.update(array.reshape(-1).view(np.uint8).data)
        return sha.hexdigest()

    def limited(self, n: int | None) -> Samples:
        """The first `n` training samples; the others stay."""
        return self if n is None else replace(self, x=take(self.x, slice(n)), y=take(self.y, slice(n)))


def samples_for(
    spec: Spec,
    layout: Layout,
    data: str | None,
    prepare: Mapping[str, Any],
    augment: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    limit: int | None = None,
    normaliser: Mapping[str, Any] | None = None,
) -> Samples:
    """The samples of a data set, or of the spec where `data` is None.

    Parameters
    ----------
    spec : Spec
    layout : Layout
        Of the network that is to be fed.
    data : str or None
        A data set (see `neurograph.data.load_data`).
    prepare : mapping
        The keys of [data]: pad, resize, low, high; validation, a fraction of the training samples or a number of them, stratified;
        normalise.
    augment : mapping, optional
        The keys of [augment].
    seed : int
        Decides which samples are held out, and how images are changed.
    limit : int, optional
        Use the first so many training samples only; of these, the validation samples are held out.
    normaliser : mapping, optional
        What a run has learned, to be used again instead of learning it from these samples.

    Raises
    ------
    DataError
        If there are none, they do not fit the network, or memory does not hold them.
    """
    if data is None:
        x, y = spec_samples(spec, layout)
        return Samples("its samples", x, y).limited(limit)
    if len(layout.inputs) != 1:
        raise DataError(
            f"{spec.name}: a network of {len(layout.inputs)} inputs cannot be fed from '{data}'; use samples in the spec."
        )
    shape = layout.inputs[0].shape
    try:
        found = load_data(data).limited(limit)
        labels = labels_by_head(spec, layout)
        found = _with_targets_for(layout, found, labels)
        return _told(layout, labels, _fed(found, shape, prepare, augment, seed, normaliser))
    except DataError as error:
        raise DataError(f"{spec.name}, data {data}: {error}") from None
    except MemoryError:
        raise DataError(
            f"{spec.name}, data {data}: not enough memory for its samples: {prod(shape):,} values each, of 4 bytes. Use fewer (--limit), "
            f"or close other programs."
        ) from None


def _fed(
    found: Dataset,
    shape: tuple[int, ...],
    prepare: Mapping[str, Any],
    augment: Mapping[str, Any] | None,
    seed: int,
    normaliser: Mapping[str, Any] | None,
) -> Samples:
    """Prepared, split, normalised by the training samples alone, and given the input's shape."""
    options = prepare_options(prepare)
    picture = made_shape(found.x.shape[1:], shape, **options)
    parts = [(found.x, found.y), (found.xt, found.yt)]
    if prepare.get("validation") is not None:  # before bytes become floats, four times as large
        marked = held_out(found.y, _n_held_out(prepare["validation"], len(found.y)), [SPLIT, seed])
        parts = [(found.x[~marked], found.y[~marked]), parts[1], (found.x[marked], found.y[marked])]
    images = [prepare_images(x, None, **options) for x, _ in parts]
    learned = _learned(images[0], prepare.get("normalise"), normaliser)
    if learned is not None:
        for x in images:
            learned.apply(x)
    train, test, *validation = [(x.reshape(len(x), *shape), y) for x, (_, y) in zip(images, parts, strict=True)]
    changes = _changes(augment, picture, options, learned, seed)
    return Samples(
        found.name,
        *train,
        test,
        validation[0] if validation else None,
        None if learned is None else learned.as_dict(),
        changes,
        () if changes is None else tuple(changes.augment.cautions(found.name, (picture[1], picture[2]))),
    )


def _n_held_out(wanted: float, n: int) -> int:
    """How many samples a fraction or a number asks for; at least one, and at least one is left to train on."""
    number = wanted if isinstance(wanted, int) else max(1, round(wanted * n))
    if number >= n:
        raise DataError(
            f"[data]: validation = {wanted}; expected fewer than the {n:,} training samples, or a fraction such as 0.1."
        )
    return int(number)


def _learned(x: Array, kind: str | None, kept: Mapping[str, Any] | None) -> Normaliser | None:
    if kept is not None:
        normaliser = Normaliser.from_dict(kept)
        normaliser.check(x.shape[1:])
        return normaliser
    return None if kind is None else Normaliser.of(x, kind)


def _changes(
    augment: Mapping[str, Any] | None,
    picture: tuple[int, ...],
    options: Mapping[str, Any],
    learned: Normaliser | None,
    seed: int,
) -> PreparedAugment | None:
    if not augment:
        return None
    changes = Augment.of(augment, seed)
    if changes.changes_nothing:
        return None
    return PreparedAugment(changes, picture, options.get("low", 0.0), options.get("high", 1.0), learned)


def _told(layout: Layout, labels: Labels, fed: Samples) -> Samples:
    """Every head with its own targets."""
    if not labels and len(layout.heads) < 2:
        return fed
    test, validation = (
        None if part is None else (part[0], targets_of(layout, labels, *part)) for part in (fed.test, fed.validation)
    )
    return replace(fed, y=targets_of(layout, labels, fed.x, fed.y), test=test, validation=validation)


def _with_targets_for(layout: Layout, found: Dataset, labels: Labels) -> Dataset:
    """The data set, with values to predict in the head's shape.

    Raises
    ------
    DataError
        If the targets are none that the heads can have.
    """
    heads, y, yt = layout.heads, found.y, found.yt
    if y.dtype.kind in "iu":
        n_classes = int(max(y.max(), yt.max())) + 1
        check_labels(layout, labels, n_classes)
        own = [head for head in heads if head.name not in labels]
        few = next((head for head in own if head.size > 1 and head.shape[0] < n_classes), None)
        if few is not None:
            least = int(min(y.min(), yt.min()))
            if least > 0 and n_classes - least <= few.shape[0]:
                raise DataError(
                    f"labels {least}…{n_classes - 1}; classes are counted from 0, and '{few.name or 'the output'}' has "
                    f"0…{few.shape[0] - 1}. Subtract {least} from the labels, or give it {n_classes} units."
                )
            raise DataError(
                f"{n_classes} classes; '{few.name or 'the output'}' has {few.shape[0]} units. Give it {n_classes}, or say in its [loss] "
                f"with labels which of its classes each of them is."
            )
        return found
    if labels:
        raise DataError("[loss] labels: the data has values to predict, and no classes. Leave labels out.")
    n_values = prod(y.shape[1:])
    wrong = next((head for head in heads if head.size != n_values), None)
    if wrong is not None:
        raise DataError(
            f"{n_values} value{'s' * (n_values != 1)} to predict a sample; '{wrong.name or 'the output'}' has {times(wrong.shape)}. "
            f"Give it as many units; labels of classes are integers (y.astype(int))."
        )
    shape = heads[0].shape if heads else ()
    return replace(found, y=y.reshape(len(y), *shape), yt=yt.reshape(len(yt), *shape))
