"""The trainer on the compiled program: the bundled digits, runs, and resuming to the same bits."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import content

import neurograph as ng
from neurograph.cli import main
from neurograph.kernels.jit import COMPILED
from neurograph.training import History
from neurograph.training.loop import Loop

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="training takes the kernels compiled"
)


def trained(seed: int, epochs: int | None = None, threads: int | None = None) -> History:
    """The bundled digits network after its own [train]."""
    spec = ng.load("digits")
    train, topology = spec.train, ng.lay_out(spec)
    (x, y), test = ng.data.digits()
    program = ng.compile(topology, ng.initialise(topology, seed=seed), dtype="float32", threads=threads)
    optimizer = ng.SGD(learning_rate=train.learning_rate, momentum=train.momentum)
    shape = {"epochs": epochs or train.epochs, "batch_size": train.batch_size, "schedule": train.schedule}
    return ng.fit(program, x, y, optimizer=optimizer, seed=seed, validation=test, **shape)


def test_digits_learn_quickly() -> None:
    history = trained(seed=0, epochs=3, threads=1)
    assert history.validation_accuracy[-1] >= 0.95
    assert history.loss[0] > 2 * history.loss[-1]


@pytest.mark.slow
def test_digits_are_98_percent_right_in_the_mean_of_5_seeds() -> None:
    accuracies = [trained(seed, threads=1).validation_accuracy[-1] for seed in range(5)]
    assert np.mean(accuracies) >= 0.98, accuracies


def test_the_same_seed_gives_the_same_bits_whatever_the_threads() -> None:
    first, again, more = trained(1, 1, threads=1), trained(1, 1, threads=1), trained(1, 1, threads=2)
    assert first.loss == again.loss == more.loss
    assert first.validation_loss == again.validation_loss == more.validation_loss


def test_a_compiled_run_goes_on_to_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two epochs at a stretch, or stopped after the first and resumed: one checkpoint, to the last bit."""
    arguments = ["train", "digits", "--data", "digits", "--limit", "320", "--epochs", "2", "--threads", "1", "--quiet"]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    whole = ng.load_run(tmp_path / "whole")

    from neurograph.training import Run

    real, stopped = Run.write, tmp_path / "stopped"

    def save_and_stop(*state: object) -> None:
        real(*state)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "write", save_and_stop)
        assert main([*arguments, "--out", str(stopped)]) == 130
    assert len(ng.load_run(stopped).history) == 1
    assert main(["train", "--resume", str(stopped), "--quiet"]) == 0
    found = ng.load_run(stopped)
    for ours, theirs in (
        (found.checkpoint.values, whole.checkpoint.values),
        (found.checkpoint.optimizer, whole.checkpoint.optimizer),
    ):
        assert {name: array.tobytes() for name, array in ours.items()} == {n: a.tobytes() for n, a in theirs.items()}
    assert found.history.validation_loss == whole.history.validation_loss
    capsys.readouterr()


PLAIN = """
name = "plain"
input = [1, 8, 8]
[[layer]]
name = "hidden"
kind = "dense"
units = 12
activation = "relu"
[[layer]]
name = "out"
kind = "dense"
units = 10
[loss]
kind = "cross_entropy"
[data]
set = "digits"
[train]
momentum = 0.9
learning_rate = 0.02
schedule = "step"
schedule_every = 1
"""


@pytest.mark.parametrize(("batch", "at"), [("1", 1), ("32", 1), ("32", 20)])
def test_a_compiled_run_stopped_amid_an_epoch_goes_on_to_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, batch: str, at: int
) -> None:
    """Asked to stop from step `at` on, amid a call of many steps; then with more threads."""
    monkeypatch.setattr("neurograph.training.loop.AT_ONCE", 256)
    (tmp_path / "plain.toml").write_text(PLAIN)
    few = ["--limit", "640", "--epochs", "2", "--threads", "1", "--batch-size", batch, "--quiet"]
    arguments = ["train", str(tmp_path / "plain.toml"), *few]
    assert main([*arguments, "--out", str(tmp_path / "whole")]) == 0
    real, asked = Loop._train, []

    def interrupted(self: Loop, rows: Any) -> Any:
        if self.row.step >= at and not asked:
            asked.append(self.row.step)
            signal.raise_signal(signal.SIGINT)
        return real(self, rows)

    stopped = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Loop, "_train", interrupted)
        assert main([*arguments, "--out", str(stopped)]) == 130
    capsys.readouterr()
    begun = ng.load_run(stopped).checkpoint.begun
    assert begun is not None
    assert 0 < begun.batch < 640 // int(batch)
    assert not COMPILED or begun.step > asked[0] + 1
    assert main(["train", "--resume", str(stopped), "--quiet", "--threads", "2"]) == 0
    found, whole = ng.load_run(stopped).checkpoint, ng.load_run(tmp_path / "whole").checkpoint
    assert content(found) == content(whole)


def test_a_loaded_run_answers_as_it_did_when_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["train", "digits", "--limit", "160", "--epochs", "1", "--quiet", "--out", str(out)]) == 0
    run = ng.load_run(out)
    xt, yt = ng.data.digits()[1]
    judged = run.program.evaluate(xt, yt)
    last = run.history.epochs[-1]
    assert (judged.accuracy, judged.loss) == (last.validation_accuracy, pytest.approx(last.validation_loss, rel=1e-6))
    assert run.spec.name == "digits"
    capsys.readouterr()
