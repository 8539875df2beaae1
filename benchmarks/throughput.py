"""Training and inference throughput beside PyTorch eager, in alternation in one run, as ratios: `python benchmarks/throughput.py`.

Machines drift, so only the ratio of neighbours counts: each round times one network on neurograph, then on PyTorch; the table shows
the median of the rounds, and their range. Without PyTorch installed, neurograph's own figures are printed alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import neurograph as ng

NETWORKS = ("lenet5", "mlp")


def ours(name: str, batch: int, threads: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """One training step and one inference of the compiled network."""
    topology = ng.lay_out(ng.load(name))
    program = ng.compile(topology, ng.initialise(topology), dtype="float32", threads=threads)
    optimizer = ng.SGD(learning_rate=0.01, momentum=0.9)
    x, y = data(name, batch)
    return lambda: program.train_step(x, y, optimizer), lambda: program.forward(x)


def theirs(name: str, batch: int, threads: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """The same in PyTorch eager."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    if name == "lenet5":
        convolutions = [
            nn.Conv2d(1, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        dense = [nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
        model, loss = nn.Sequential(*convolutions, nn.Flatten(), *dense), nn.CrossEntropyLoss()
    else:
        model, loss = (
            nn.Sequential(nn.Flatten(), nn.Linear(784, 30), nn.Sigmoid(), nn.Linear(30, 10), nn.Sigmoid()),
            nn.MSELoss(),
        )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    inputs, labels = data(name, batch)
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    wanted = y if name == "lenet5" else nn.functional.one_hot(y, 10).float()

    def step() -> None:
        optimizer.zero_grad()
        loss(model(x), wanted).backward()
        optimizer.step()

    def infer() -> None:
        with torch.inference_mode():
            model(x)

    return step, infer


def data(name: str, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of the right shape, and labels."""
    random = np.random.default_rng(0)
    shape = next(iter(ng.load(name).inputs.values()))
    return random.random((batch, *shape), dtype=np.float32), random.integers(0, 10, batch)


def rate(run: Callable[[], object], batch: int, seconds: float) -> float:
    """Samples per second over about so many seconds."""
    run()
    begin, n = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        run()
        n += 1
    return n * batch / (time.perf_counter() - begin)


def compare(name: str, batch: int, threads: int, rounds: int, seconds: float) -> None:
    """Print a line for training and one for inference."""
    mine = ours(name, batch, threads)
    try:
        peer = theirs(name, batch, threads)
    except ImportError:
        peer = None
    for kind, what in enumerate(("train", "infer")):
        own, other = [], []
        for _ in range(rounds):
            own.append(rate(mine[kind], batch, seconds))
            if peer:
                other.append(rate(peer[kind], batch, seconds))
        line = f"{name:8} {what:6} batch {batch:4}  {threads} threads  {statistics.median(own):10,.0f} samples/s"
        if other:
            ratios = sorted(a / b for a, b in zip(own, other, strict=True))
            line += f"  PyTorch {statistics.median(other):10,.0f}  ratio {statistics.median(ratios):5.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})"
        print(line, flush=True)


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 1])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="per measurement")
    options = parser.parse_args()
    for name in options.networks:
        for batch in options.batches:
            for threads in options.threads:
                compare(name, batch, threads, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
