"""A loss that is no number: the first neuron and sample that left the finite range are named, and the weights are good ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import TrainingError
from neurograph.training import fit, load_run

NET = """
name = "net"
input = [3]
[[layer]]
name = "h"
kind = "dense"
units = 4
activation = "relu"
[[layer]]
name = "o"
kind = "dense"
units = 2
[loss]
kind = "mse"
"""
ADVICE = "Lower the learning rate, or look for values that are not numbers in the data."
random = np.random.default_rng(0)
X, Y = random.normal(size=(40, 3)), random.normal(size=(40, 2))


def engine(kind: str) -> Any:
    topology = ng.lay_out(ng.load(NET))
    params = ng.initialise(topology, seed=0)
    if kind == "textbook":
        return ng.ReferenceEngine(ng.build(topology), params)
    return ng.compile(topology, params, dtype=kind, threads=1)


def told(trained: Any, x: Any = X, y: Any = Y, **options: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        fit(trained, x, y, **{"epochs": 20, "batch_size": 8, "optimizer": ng.SGD(3.0), **options})
    message = str(caught.value)
    assert message.endswith(ADVICE)
    assert all(np.isfinite(trained.params[name]).all() for name in trained.params)  # the last good ones are put back
    return message.removesuffix(f" {ADVICE}")


def test_the_first_neuron_and_sample_are_named() -> None:
    assert told(engine("float32")) == (
        "epoch 2, batch 1 of 5: the loss is inf, no longer a finite number. Neuron o[0] left the finite range first: z = inf "
        "for sample 0 of the batch (number 22 of the training samples)."
    )


def test_both_engines_tell_the_same() -> None:
    assert told(engine("float64")) == told(engine("textbook"))


def test_samples_one_by_one_are_told_apart() -> None:
    """In one compiled call some hundred updates are made; the very one is found."""
    message = told(engine("float32"), batch_size=1)
    assert message.startswith("epoch 1, batch 6 of 40: the loss is inf")
    assert "Neuron o[0] left the finite range first: z = inf for sample 0 of the batch" in message


def test_a_sample_that_is_too_large_is_found() -> None:
    x = X.copy()
    x[17] = 3e38
    message = told(engine("float32"), x, optimizer=ng.SGD(0.01), epochs=1)
    assert "(number 17 of the training samples)" in message or "the gradient of h.weight" in message


def test_weights_that_were_spoilt_before_are_traced_to_their_update() -> None:
    message = told(engine("float32"), optimizer=ng.SGD(1e30), batch_size=1)
    assert message.startswith(
        "epoch 1, batch 3 of 40: the loss is nan, no longer a finite number. Weight h.weight[0,0] became"
    )
    assert (
        "in the update after batch 2 of epoch 1. There neuron h[0] left the finite range first: δ = nan for" in message
    )


def test_weights_that_are_not_finite_at_an_epochs_end_stop_training_too() -> None:
    """The last update of the epoch spoils them; no loss has shown it yet."""
    message = told(engine("float32"), X[:8], Y[:8], optimizer=ng.SGD(3.4e38), epochs=1)
    assert message.startswith(
        "epoch 1, batch 1 of 1: weights are no longer finite. Weight o.weight[1,3] became inf. There every"
    )


def test_a_program_that_left_the_finite_range_and_was_put_back_is_as_good_as_new() -> None:
    for optimizer, batch_size in ((ng.SGD(3.0, momentum=0.9), 1), (ng.Adam(1e30), 8)):
        spoilt, fresh = engine("float32"), engine("float32")
        with pytest.raises(TrainingError):
            fit(spoilt, X, Y, epochs=20, batch_size=batch_size, optimizer=optimizer)
        spoilt.params.update(dict(fresh.params))
        for trained in (spoilt, fresh):
            fit(trained, X, Y, epochs=2, batch_size=batch_size, optimizer=ng.SGD(0.01, momentum=0.5))
        assert all(spoilt.params[n].tobytes() == fresh.params[n].tobytes() for n in fresh.params)


def test_a_command_says_which_checkpoint_is_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    (tmp_path / "net.toml").write_text(
        NET + "".join(f"[[sample]]\ninput = {x.tolist()}\ntarget = [9, -9]\n" for x in X[:4])
    )
    arguments = ["train", str(tmp_path / "net.toml"), "--engine", "textbook", "--epochs", "9", "--quiet"]
    assert main([*arguments, "--set", "train.learning_rate=1e60", "--out", str(folder)]) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("epoch ")
    assert message.endswith(
        f"{ADVICE} The last good weights are kept: 2 epochs, {folder / 'last.safetensors'}. From there the same steps would come "
        f"to the same end; begin anew with other settings."
    )
    assert all(np.isfinite(value).all() for value in load_run(folder).parameters.values())
