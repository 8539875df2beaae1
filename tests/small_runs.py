"""Small run folders for tests: a spec of one layer, its parameters, histories of made-up scores."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from softmax_regression import SoftmaxRegression

from neurograph.parameters import Parameters
from neurograph.training import Epoch, History, Run
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.optimizers import Optimizer

ROOT = Path(__file__).resolve().parent.parent
PATHS = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
"""The environment of a child process that imports what tests import."""


def spec_text(n_inputs: int = 3, n_units: int = 2) -> str:
    """A layer 'out' of weights (n_units, n_inputs) and as many biases: what a `SoftmaxRegression` has."""
    layer = f'[[layer]]\nname = "out"\nkind = "dense"\nunits = {n_units}\n[loss]\nkind = "cross_entropy"\n'
    return f'name = "small"\r\ninput = [{n_inputs}]\n{layer}'


def params(value: float = 0.0) -> Parameters:
    weights = np.arange(6.0).reshape(2, 3) + value
    return Parameters({"out.weight": weights, "out.bias": [value, 0.5]}, {"out.bias": False})


def history(*accuracies: float) -> History:
    return History([Epoch(i + 1, 10 * (i + 1), 1.0 / (i + 1), validation_accuracy=a) for i, a in enumerate(accuracies)])


def run_at(folder: Path, **arguments: Any) -> Run:
    return Run.create(folder, spec_text(), arguments, params())


def content(checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything in a checkpoint but times, to be compared bit by bit."""
    timeless = [{**asdict(epoch), "seconds": 0} for epoch in checkpoint.history.epochs]
    begun = None if checkpoint.begun is None else {**vars(checkpoint.begun), "seconds": 0}
    arrays = {
        f"{kind}/{name}": (str(array.dtype), array.shape, np.ascontiguousarray(array).tobytes())
        for kind, group in (("value", checkpoint.values), ("state", checkpoint.optimizer))
        for name, array in group.items()
    }
    return {**arrays, "history": timeless, "begun": begun, "frozen": checkpoint.frozen, "spec": checkpoint.spec}


def trained(engine: SoftmaxRegression, optimizer: Optimizer, seen: Any = None) -> dict[str, Any]:
    """Everything a training ends with, to be compared bit by bit."""
    return content(Checkpoint.of(engine.params, optimizer.state(), seen or History(), ""))
