"""PyTorch's side of the optimisers: 100 steps on the same gradients, kept as numbers in ``tests/data/optimizer_steps.json``.

``python -m tests.torch_steps`` makes the file anew, where PyTorch is installed. Weights and a bias are stepped together; penalties and
decay are given to the weights only. PyTorch's `weight_decay` of SGD and Adam adds d·w to the gradient: our L2 with d = 2λ/m.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = Path(__file__).resolve().parent / "data" / "optimizer_steps.json"
STEPS = 100
SHOWN = (1, 2, 10, 100)
"""Steps behind which numbers are kept."""

Array = NDArray[np.float64]


def start() -> dict[str, Array]:
    """First values; one weight is 0, where the penalty |w| has no slope."""
    return {"w": np.array([[-1.0, -0.5, 0.0], [0.25, 0.5, 1.0]]), "b": np.array([0.5, -0.25])}


def gradients() -> list[dict[str, Array]]:
    """The gradients of all steps: noise around a slope, so that some weights drift and some cross 0."""
    random = np.random.default_rng(0)
    slope = {name: random.normal(size=value.shape) for name, value in start().items()}
    return [{name: s + random.normal(size=s.shape) for name, s in slope.items()} for _ in range(STEPS)]


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "sgd": ("SGD", {}, {}),
    "momentum": ("SGD", {"momentum": 0.9}, {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9, "nesterov": True}),
    "adagrad": ("AdaGrad", {}, {}),
    "rmsprop": ("RMSProp", {}, {}),
    "rmsprop-momentum": ("RMSProp", {"rho": 0.9, "momentum": 0.5}, {"alpha": 0.9, "momentum": 0.5}),
    "adam": ("Adam", {}, {}),
    "adam-betas": ("Adam", {"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3}, {"betas": (0.5, 0.9), "eps": 1e-3}),
    "adamw": ("AdamW", {}, {}),
    "adamw-decay": ("AdamW", {"weight_decay": 0.3}, {"weight_decay": 0.3}),
    "sgd-l2": ("SGD", {"momentum": 0.9, "l2": 1.5, "n_samples": 10}, {"momentum": 0.9, "weight_decay": 0.3}),
    "adam-l2": ("Adam", {"l2": 1.5, "n_samples": 10}, {"weight_decay": 0.3}),
    "adagrad-l2": ("AdaGrad", {"l2": 1.5, "n_samples": 10}, {"weight_decay": 0.3}),
    "rmsprop-l2": ("RMSProp", {"l2": 1.5, "n_samples": 10}, {"weight_decay": 0.3}),
    "sgd-l1": ("SGD", {"l1": 2.0, "n_samples": 10}, {"l1": 0.2}),
    "sgd-decay": ("SGD", {"momentum": 0.9, "weight_decay": 0.3}, {"momentum": 0.9, "apart": 0.3}),
    "rmsprop-decay": ("RMSProp", {"weight_decay": 0.3}, {"apart": 0.3}),
    "sgd-clip-norm": ("SGD", {"momentum": 0.9, "clip_norm": 2.0}, {"momentum": 0.9, "clip_norm": 2.0}),
    "sgd-clip-value": ("SGD", {"momentum": 0.9, "clip_value": 0.5}, {"momentum": 0.9, "clip_value": 0.5}),
    "adam-clip-norm": ("Adam", {"clip_norm": 1.0}, {"clip_norm": 1.0}),
    "adamw-all": (
        "AdamW",
        {"l1": 2.0, "n_samples": 10, "weight_decay": 0.3, "clip_value": 1.0},
        {"l1": 0.2, "weight_decay": 0.3, "clip_value": 1.0},
    ),
}
"""Name → our optimiser, what it is given, what PyTorch's is given (`l1`, `apart` and `clip_…` are done by hand there)."""

RATES = {"SGD": 0.05, "AdaGrad": 0.1, "RMSProp": 0.01, "Adam": 0.01, "AdamW": 0.01}


def by_torch(case: str) -> dict[str, dict[str, Any]]:
    """Step → name → values, as PyTorch computes them in double precision."""
    import torch

    ours, _, given = CASES[case]
    given = dict(given)
    l1, apart = given.pop("l1", 0.0), given.pop("apart", 0.0)
    clips = {name: given.pop(name, None) for name in ("clip_norm", "clip_value")}
    kind = getattr(torch.optim, {"AdaGrad": "Adagrad", "RMSProp": "RMSprop"}.get(ours, ours))
    w, b = (torch.tensor(value, requires_grad=True) for value in start().values())
    groups = [{"params": [w]}, {"params": [b], "weight_decay": 0.0}]
    optimizer, found = kind(groups, lr=RATES[ours], **given), {}
    for step, g in enumerate(gradients(), 1):
        w.grad, b.grad = torch.tensor(g["w"]) + l1 * torch.sign(w.detach()), torch.tensor(g["b"])
        if clips["clip_norm"] is not None:
            torch.nn.utils.clip_grad_norm_([w, b], clips["clip_norm"])
        if clips["clip_value"] is not None:
            torch.nn.utils.clip_grad_value_([w, b], clips["clip_value"])
        with torch.no_grad():
            w.mul_(1 - RATES[ours] * apart)
        optimizer.step()
        if step in SHOWN:
            found[str(step)] = {"w": w.detach().tolist(), "b": b.detach().tolist()}
    return found


def kept() -> dict[str, dict[str, dict[str, Any]]]:
    """Case → step → name → values, as the file has them."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    rows = [f"{json.dumps(case)}: {json.dumps(by_torch(case))}" for case in CASES]
    FILE.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
