"""Whatever happens to a run, in any order: what is loaded is a state that was acknowledged, and from there come the same bits."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from small_runs import content, spec_text
from softmax_regression import SoftmaxRegression
from test_run_failures import failing_at
from test_run_kills import killed_at

import neurograph as ng
from neurograph.data import digits
from neurograph.errors import RunError, SaveError
from neurograph.kernels.jit import COMPILED
from neurograph.training import SGD, History, Run, fit, load_run
from neurograph.training.checkpoints import Checkpoint
from neurograph.training.history import Begun
from neurograph.training.interruption import Interruption

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nobody is killed here: no fork")

(X, Y), TEST = digits()
X, Y, TEST = X[:120].reshape(120, 64), Y[:120], (TEST[0][:40].reshape(40, 64), TEST[1][:40])
OPTIONS: dict[str, Any] = {"batch_size": 16, "seed": 7, "validation": TEST, "epochs": 5, "schedule": "linear"}
FILES = ("last", "previous", "best")


SPEC = spec_text(64, 10).replace("[64]\n", '[64]\n[[layer]]\nname = "drop"\nkind = "dropout"\nkeep = 0.8\n')


class Trained:
    """An engine and its optimizer, as a checkpoint left them; without the JIT one that is quick all the same."""

    def __init__(self, checkpoint: Checkpoint | None = None, threads: int = 1) -> None:
        if COMPILED:
            topology = ng.lay_out(ng.load(SPEC))
            self.engine: Any = ng.compile(topology, ng.initialise(topology, seed=0), threads=threads)
        else:
            self.engine = SoftmaxRegression(64, 10, keep=0.8)
        self.optimizer = SGD(0.3, momentum=0.9)
        self.history, self.begun = History(), None if checkpoint is None else checkpoint.begun
        if checkpoint is not None:
            self.engine.params.update(checkpoint.values)
            self.optimizer.load_state(checkpoint.optimizer)
            self.history = checkpoint.history

    def train(self, steps: int | None) -> None:
        """So many steps further, or to the end."""
        asked, kept = Interruption(), []
        left = [steps]

        def step(_: object) -> None:
            if left[0] is not None:
                left[0] -= 1
                asked.asked = int(left[0] <= 0)

        def pause(history: History, begun: Begun | None) -> None:
            kept.append(begun)

        hooks: dict[str, Any] = {"on_step": step, "on_pause": pause, "interruption": asked, "pause_every": 1e9}
        if steps != 0:
            past, begun = self.history, self.begun
            self.history = fit(
                self.engine, X, Y, optimizer=self.optimizer, history=past, begun=begun, **hooks, **OPTIONS
            )
            self.begun = kept[-1] if kept else None

    def state(self) -> dict[str, Any]:
        found = Checkpoint.of(self.engine.params, self.optimizer.state(), self.history, SPEC, self.begun)
        return content(found)


def every_state() -> list[dict[str, Any]]:
    """The states of one training, after every step, from the first to the last."""
    whole, states = Trained(), []
    states.append(whole.state())
    while not states[1:] or states[-1] != states[-2]:
        whole.train(1)
        states.append(whole.state())
    return states[:-1]


class Runs(RuleBasedStateMachine):
    """One run folder, one process that trains, and everything that can befall them."""

    states: list[dict[str, Any]]

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp()) / "run"
        if not hasattr(type(self), "states"):
            type(self).states = every_state()
        self.now = Trained()
        self.run = Run.create(self.folder, SPEC, {}, self.now.engine.params)
        self.acknowledged = [self.now.state()]

    @rule(steps=st.integers(1, 13))
    def train(self, steps: int) -> None:
        self.now.train(steps)
        assert self.now.state() in self.states  # the same bits, by whatever road

    @rule()
    def save(self) -> None:
        self._save()
        self.acknowledged.append(self.now.state())

    @rule(call=st.integers(1, 20))
    def be_killed_while_saving(self, call: int) -> None:
        was_killed = killed_at(call, self._save)
        self._may_have_written(not was_killed)
        self.load(1)

    @rule(call=st.integers(1, 12))
    def find_the_disk_full(self, call: int) -> None:
        was_full = False
        with failing_at(call):
            try:
                self._save()
            except SaveError:
                was_full = True
        self._may_have_written(not was_full)

    @rule(threads=st.sampled_from([1, 2, 4, 8]))
    def load(self, threads: int) -> None:
        """A new process, with other threads: it has nothing but the folder."""
        self.run = Run(self.folder, "last")
        with self.run.lock():
            self.now = Trained(self.run.checkpoint, threads)
        assert not list(self.folder.glob(".*"))

    @rule(name=st.sampled_from(FILES), bit=st.integers(0, 1 << 20), cut=st.booleans())
    def corrupt(self, name: str, bit: int, cut: bool) -> None:
        """A flipped bit or a lost end is noticed; if all is lost, all that can be done is to say so."""
        path = self.folder / f"{name}.safetensors"
        if not path.exists():
            return
        whole = path.read_bytes()
        damaged = bytearray(whole)
        damaged[bit // 8 % len(whole)] ^= 1 << bit % 8
        os.unlink(path)  # a link of another name stays whole
        path.write_bytes(whole[: bit % len(whole)] if cut else damaged)
        with pytest.raises(RunError):
            Checkpoint.read(path)
        if name == "last" and (self.folder / "previous.safetensors").exists():
            assert load_run(self.folder).notice is not None
        path.write_bytes(whole)

    @precondition(lambda self: len(self._readable()) == 2)
    @rule()
    def lose_the_last(self) -> None:
        (self.folder / "last.safetensors").unlink()
        self.load(1)
        assert self.run.notice is not None

    @invariant()
    def what_is_there_was_acknowledged(self) -> None:
        if not hasattr(self, "folder"):
            return
        readable = self._readable()
        assert readable, "everything is lost"
        assert all(state in self.acknowledged for state in readable.values())

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.load(1)
            self.now.train(None)
            assert self.now.state() == self.states[-1]
            shutil.rmtree(self.folder.parent)

    # -- inner --------------------------------------------------------------------------------------------------------
    def _save(self) -> None:
        self.run.save(self.now.engine.params, self.now.optimizer.state(), self.now.history, self.now.begun)

    def _may_have_written(self, surely: bool) -> None:
        is_there = self._readable().get("last") == self.now.state()
        assert is_there or not surely
        if is_there:
            self.acknowledged.append(self.now.state())

    def _readable(self) -> dict[str, dict[str, Any]]:
        if not hasattr(self, "folder"):
            return {}
        there = [name for name in FILES[:2] if (self.folder / f"{name}.safetensors").exists()]
        return {name: content(Checkpoint.read(self.folder / f"{name}.safetensors")) for name in there}


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=8, stateful_step_count=15, deadline=None)


@pytest.mark.slow
class TestManyRuns(Runs.TestCase):
    settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
