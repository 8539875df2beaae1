"""Watching a training: how large each update is beside the weights it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels import Network

Array = NDArray[Any]


class Ratios:
    r"""A callback for `fit` that keeps ‖new w − w‖ / ‖w‖ of every layer's weights, step by step.

    Parameters
    ----------
    network : Topology or NeuronGraph
    weights : mapping of str to ndarray
        The `Parameters` that are trained: they are read after every step. Biases do not count; they begin at 0. Single
        weights of hand-drawn networks count together.

    Attributes
    ----------
    steps : list of int
        Updates done when each ratio was taken.
    rows : dict of str to list of float
        Parameter → its ratios; NaN where all weights were 0.

    Notes
    -----
    Reading costs a copy of all weights a step. `fit` with batches of one calls back every few hundred steps, and a ratio is
    then that of all of them together.

    Examples
    --------
    >>> import neurograph as ng, numpy as np
    >>> text = 'input = [2]\nlayer = [{name = "out", kind = "dense", units = 2}]\nloss.kind = "cross_entropy"'
    >>> topology = ng.lay_out(ng.load(text))
    >>> params = ng.initialise(topology)
    >>> watch = Ratios(topology, params)
    >>> history = ng.fit(ng.ReferenceEngine(ng.build(topology), params), np.eye(2), np.array([1, 1]), 3, 2, on_step=watch)
    >>> watch.steps, all(0 < ratio < 1 for row in watch.rows.values() for ratio in row)
    ([1, 2, 3], True)
    """

    def __init__(self, network: Network, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        specs = {name: spec for name, spec in network.parameters.items() if spec.role == "weight"}
        self._groups = {name: [name] for name, spec in specs.items() if spec.shape != ()}
        alone = [name for name, spec in specs.items() if spec.shape == ()]
        if alone:
            self._groups["weights"] = alone
        self._last = self._read()
        self.name = str(getattr(network, "name", "") or "network")
        self.steps: list[int] = []
        self.rows: dict[str, list[float]] = {name: [] for name in self._groups}

    def __call__(self, progress: Any) -> None:
        """Take the ratios of the step just done; `progress` is what `fit` tells, or the number of the step."""
        now = self._read()
        self.steps.append(int(getattr(progress, "step", progress)))
        for name, before in self._last.items():
            size = float(np.linalg.norm(before))
            self.rows[name].append(float(np.linalg.norm(now[name] - before)) / size if size else float("nan"))
        self._last = now

    def _read(self) -> dict[str, Array]:
        return {
            name: np.concatenate(
                [np.asarray(self._weights[member], dtype=np.float64).reshape(-1) for member in members]
            )
            for name, members in self._groups.items()
        }
