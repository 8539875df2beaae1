"""The smallest engine there is: softmax regression in NumPy. It lets the trainer be tested without either real engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurograph.engine import Evaluation
from neurograph.parameters import Parameters


class SoftmaxRegression:
    """p = softmax(W·x + b), with dropout of inputs by the step's seed so that seeds matter."""

    def __init__(self, n_inputs: int, n_classes: int, keep: float = 1.0, dtype: type = np.float32) -> None:
        self.params = Parameters({"out.weight": np.zeros((n_classes, n_inputs)), "out.bias": np.zeros(n_classes)})
        self.keep, self.dtype = keep, dtype
        self.seen: list[list[int]] = []
        self.seeds: list[int | None] = []

    def forward(self, x: Any) -> Any:
        z = np.asarray(x, np.float64).reshape(len(x), -1) @ self.params["out.weight"].T + self.params["out.bias"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def train_step(
        self, x: Any, target: Any, optimizer: Any, reduction: str = "mean", seed: int | None = None
    ) -> float:
        self.seen.append([int(label) for label in target])
        self.seeds.append(seed)
        x = np.asarray(x, np.float64).reshape(len(x), -1)
        if self.keep < 1:
            x = x * (np.random.default_rng(seed).random(x.shape) < self.keep) / self.keep
        p = self.forward(x)
        share = len(x) if reduction == "mean" else 1
        loss = float(-np.log(p[np.arange(len(x)), target]).sum() / share)
        delta = p - np.eye(p.shape[1])[target]
        values = {name: self.params[name].astype(self.dtype) for name in self.params}
        gradients = {"out.weight": delta.T @ x / share, "out.bias": delta.sum(axis=0) / share}
        optimizer.step(values, {name: g.astype(self.dtype) for name, g in gradients.items()})
        self.params.update(values)
        return loss

    def evaluate(self, x: Any, target: Any) -> Evaluation:
        p = self.forward(x)
        right = float(np.mean(p.argmax(axis=1) == target))
        return Evaluation(float(-np.log(p[np.arange(len(p)), target]).mean()), right, len(p))
