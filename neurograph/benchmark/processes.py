"""What only a process of its own can tell: how long it takes to start, and how much memory it needs at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import neurograph
from neurograph.benchmark.results import Quantity
from neurograph.errors import UsageError

START = """
import time, numpy as np, neurograph as ng
topology = ng.lay_out(ng.load("lenet5"))
program = ng.compile(topology, ng.initialise(topology), threads={threads})
x, y = np.ones((64, 1, 28, 28), np.float32), np.zeros(64, np.int64)
program.train_step(x, y, ng.SGD(0.01, momentum=0.9))
print(time.time())
"""
START_TORCH = """
import time, torch
from torch import nn
torch.set_num_threads({threads})
maps = [nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
dense = [nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
model, x, y = nn.Sequential(*maps, *dense), torch.ones(64, 1, 28, 28), torch.zeros(64, dtype=torch.long)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
nn.functional.cross_entropy(model(x), y).backward()
optimizer.step()
print(time.time())
"""
MEMORY = """
import json, resource, numpy as np, neurograph as ng
def most():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return 1024 * int(line.split()[1])
try:
    most()
except OSError:
    import sys
    most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
random = np.random.default_rng(0)
topology = ng.lay_out(ng.load("lenet5"))
program = ng.compile(topology, ng.initialise(topology), threads={threads})
before = most()
x, y = random.random(({samples}, 1, 28, 28), dtype=np.float32), random.integers(0, 10, {samples})
ng.fit(program, x, y, epochs=1, batch_size=64, optimizer=ng.SGD(0.01, momentum=0.9))
print(json.dumps([most(), x.nbytes + y.nbytes, before]))
"""
TARGETS = {"warm": 0.7, "cold": 4.5, "memory": 250.0}


def start(threads: int, peers: tuple[str, ...], times: int = 3) -> list[Quantity]:
    """Seconds from the start of a process to its first training step: with an empty cache of kernels, and with a full one."""
    script = START.format(threads=threads)
    with tempfile.TemporaryDirectory() as folder:
        private = {"XDG_CACHE_HOME": folder}
        cold = seconds_to_print(script, private)
        warm = min(seconds_to_print(script, private) for _ in range(times))
    found = [
        Quantity("start-cold", "process start to first training step, first ever", cold, "s", TARGETS["cold"]),
        Quantity("start-warm", "process start to first training step, warm", warm, "s", TARGETS["warm"]),
    ]
    if "pytorch" in peers:
        took = min(seconds_to_print(START_TORCH.format(threads=threads), {}) for _ in range(times))
        found.append(Quantity("start-pytorch", "the same in PyTorch, warm", took, "s"))
    return found


def memory(threads: int, samples: int = 60_000) -> list[Quantity]:
    """Megabytes that training LeNet-5 needs beyond its images, Python and the compiler included."""
    run(MEMORY.format(threads=threads, samples=64), {})  # so that the kernels are there
    most, data, before = json.loads(run(MEMORY.format(threads=threads, samples=samples), {}))
    note = f"peak {most / 1e6:,.0f} MB, images {data / 1e6:,.0f} MB; {before / 1e6:,.0f} MB before there are any"
    what = f"peak memory of training lenet5 on {samples:,} images, beyond the images"
    return [Quantity("memory", what, (most - data) / 1e6, "MB", TARGETS["memory"], note=note)]


def seconds_to_print(script: str, environment: Mapping[str, str]) -> float:
    """Run a script in a new process; seconds from its start to the time that it prints at the end."""
    begin = time.time()
    return float(run(script, environment)) - begin


def run(script: str, environment: Mapping[str, Any]) -> str:
    """What a script prints in a new process.

    Raises
    ------
    UsageError
        If it fails; with its last line.
    """
    home = os.fspath(Path(neurograph.__file__).parent.parent)
    path = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, **environment, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise UsageError(f"bench: a process of its own failed: {last[0]}")
    return done.stdout.strip().splitlines()[-1]
