"""Dropout masks for a program: drawn as the contract says, laid out as its instructions read them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurograph.compiler.image import Image
from neurograph.graph.layout import Layout
from neurograph.masks import dropout_mask, join_masks, mask_seed

Array = NDArray[Any]


@dataclass(frozen=True)
class Lookup:
    """Where the masks of one dropout layer over one plan population come from: layers, and for each a place by column."""

    dropout: str
    first_column: int
    sources: dict[Hashable, tuple[Array, Array]]
    """Layer → (columns, row-major places in the layer)."""


@dataclass(frozen=True)
class Masks:
    """The masks of one pass."""

    layout: Layout
    n_columns: int
    lookups: tuple[Lookup, ...]
    drawn: dict[str, dict[Hashable, Array]]
    """Dropout layer → layer it reads → mask; empty without dropout."""

    def columns(self, dtype: Any) -> Array | None:
        """One row a sample, as the instructions read them."""
        if not self.drawn:
            return None
        batch = len(next(iter(next(iter(self.drawn.values())).values())))
        rows = np.ones((batch, self.n_columns), dtype)
        for lookup in self.lookups:
            for name, (columns, places) in lookup.sources.items():
                rows[:, lookup.first_column + columns] = self.drawn[lookup.dropout][name].reshape(batch, -1)[:, places]
        return rows

    def shown(self) -> dict[str, Array]:
        """As a trace shows them."""
        return {dropout: join_masks(found, self.layout.shapes) for dropout, found in self.drawn.items()}


class Masking:
    """Draws the masks of a program's dropout layers."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._lookups = tuple(_lookup(image, dropout, name, first) for (dropout, name), first in image.masks.items())

    def draw(self, batch: int, training: bool, seed: int | None) -> Masks:
        """Masks for a batch; none unless training."""
        drawn: dict[str, dict[Hashable, Array]] = {}
        if training and (self._lookups or seed is not None):
            number = mask_seed(seed)
            for lookup in self._lookups:
                keep = self._image.plan.dropouts[lookup.dropout]
                for name in lookup.sources:
                    shape = self._image.layout.shapes[name]
                    mask = dropout_mask(number, lookup.dropout, name, batch, shape, keep)
                    drawn.setdefault(lookup.dropout, {})[name] = mask
        return Masks(self._image.layout, self._image.n_mask_columns, self._lookups, drawn)


def _lookup(image: Image, dropout: str, name: Hashable, first: int) -> Lookup:
    population = image.plan.population(name)
    layout = image.layout
    read = image.dropped[dropout, name]
    if population.nodes is None:
        return Lookup(dropout, first, {name: (np.arange(population.size), np.arange(population.size))})
    by_node = layout.renamed or {}
    found: dict[Hashable, tuple[list[int], list[int]]] = {}
    for column in read.tolist():
        node = population.nodes[column]
        layer, index = by_node.get(node) or layout.place(node)
        assert node is not None
        shape = layout.shapes[layer]
        place = int(np.ravel_multi_index(index, shape)) if index else 0
        columns, places = found.setdefault(layer, ([], []))
        columns.append(column)
        places.append(place)
    return Lookup(dropout, first, {layer: (np.array(a), np.array(b)) for layer, (a, b) in found.items()})
