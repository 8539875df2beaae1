"""What a training reads: split, normalised and augmented as [data] and [augment] say, and never copied more than need be."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.data.normalise import Normaliser
from neurograph.errors import DataError
from neurograph.graph.layout import layout_of
from neurograph.training import History
from neurograph.training.fit import Progress
from neurograph.training.interruption import Interruption
from neurograph.training.samples import Samples, samples_for

TRAINS = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="trains, which takes minutes without the JIT"
)
DIGITS = ng.load("digits")
LAYOUT = layout_of(ng.lay_out(DIGITS))


def of_digits(
    augment: dict[str, Any] | None = None, seed: int = 0, limit: int | None = None, **prepare: Any
) -> Samples:
    return samples_for(DIGITS, LAYOUT, "digits", prepare, augment, seed=seed, limit=limit)


# -- validation --------------------------------------------------------------------------------------------------------
def test_validation_is_held_out_of_the_training_samples_class_by_class() -> None:
    whole, split = of_digits(), of_digits(validation=0.1)
    assert (split.n, split.n_validation, split.n_test) == (1437 - 144, 144, 360)
    assert split.validation is not None
    counts = np.bincount(np.asarray(split.validation[1]))
    assert set(counts.tolist()) <= {14, 15}
    together = np.concatenate([split.x, split.validation[0]]).reshape(1437, -1)
    assert {row.tobytes() for row in together} == {row.tobytes() for row in np.asarray(whole.x).reshape(1437, -1)}
    assert split.watched is split.validation
    assert whole.watched is whole.test


def test_the_split_is_a_function_of_the_seed() -> None:
    first, again, other = of_digits(validation=100), of_digits(validation=100), of_digits(validation=100, seed=1)
    assert first.n_validation == 100
    assert first.digest == again.digest
    assert first.digest != other.digest != of_digits().digest


def test_a_limit_is_laid_before_the_split() -> None:
    few = of_digits(validation=0.25, limit=40)
    assert (few.n, few.n_validation, few.n_test) == (30, 10, 360)


@pytest.mark.parametrize("wanted", [1437, 5000])
def test_more_than_there_is_cannot_be_held_out(wanted: int) -> None:
    with pytest.raises(DataError) as caught:
        of_digits(validation=wanted)
    assert str(caught.value) == (
        f"digits, data digits: [data]: validation = {wanted}; expected fewer than the 1,437 training samples, or a fraction such as 0.1."
    )


# -- normalisation -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["standard", "pixel", "centre"])
def test_normalisation_is_learned_from_the_training_samples_alone(kind: str) -> None:
    plain, found = of_digits(validation=0.2), of_digits(validation=0.2, normalise=kind)
    assert plain.test is not None
    assert found.test is not None
    assert found.normaliser is not None
    learned = Normaliser.of(np.asarray(plain.x), kind)
    np.testing.assert_array_equal(Normaliser.from_dict(found.normaliser).mean, learned.mean)
    np.testing.assert_allclose(np.asarray(found.x).mean(), 0, atol=1e-5)
    assert abs(np.asarray(found.test[0]).mean()) > 1e-4, "test samples have a mean of their own"
    np.testing.assert_allclose(learned.undo(np.asarray(found.test[0])), plain.test[0], atol=1e-5)


def test_what_a_run_learned_is_used_again() -> None:
    learned = of_digits(normalise="standard").normaliser
    other = samples_for(DIGITS, LAYOUT, "digits", {"normalise": "standard"}, limit=50, normaliser=learned)
    np.testing.assert_array_equal(other.x, np.asarray(of_digits(normalise="standard").x)[:50])
    assert other.normaliser == learned


# -- augmentation ------------------------------------------------------------------------------------------------------
def test_augmentation_comes_ready_for_fit_with_what_does_not_fit() -> None:
    samples = of_digits({"preset": "lecture", "fill": 0.0}, low=-1.0, seed=4)
    assert samples.augment is not None
    assert samples.augment.augment.seed == 4
    changed = samples.augment(np.asarray(samples.x)[:5], np.arange(5), 0)
    assert changed.shape == (5, 1, 8, 8)
    assert changed.min() == -1.0, "what comes in from outside is background"
    assert len(samples.cautions) == 3
    assert of_digits({"fill": 0.0}).augment is None
    assert of_digits().augment is None


# -- own data ----------------------------------------------------------------------------------------------------------
@TRAINS
def test_values_to_predict_reach_a_head_of_their_size(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((40, 3))
    np.savez(tmp_path / "line.npz", x=x, y=x @ [1.0, -2.0, 0.5])
    text = 'name="line"\ninput=[3]\n[[layer]]\nname="out"\nkind="dense"\nunits=1\n[loss]\nkind="mse"\n'
    spec = ng.load(text)
    samples = samples_for(spec, layout_of(ng.lay_out(spec)), str(tmp_path / "line.npz"), {})
    assert np.asarray(samples.y).shape == (32, 1)
    topology = ng.lay_out(spec)
    program = ng.compile(topology, ng.initialise(topology, seed=0), threads=1)
    history = ng.fit(program, samples.x, samples.y, epochs=60, batch_size=8, optimizer=ng.SGD(0.2))
    assert history.epochs[-1].loss < 1e-3
    np.savez(tmp_path / "two.npz", x=x, y=x[:, :2])
    with pytest.raises(
        DataError, match=r"2 values to predict a sample; 'out' has 1\. Give it as many units; labels of"
    ):
        samples_for(spec, layout_of(ng.lay_out(spec)), str(tmp_path / "two.npz"), {})


def test_too_many_classes_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "many.npz", x=np.zeros((12, 8, 8), np.uint8), y=np.arange(12))
    with pytest.raises(DataError, match="12 classes; 'out' has 10 units"):
        samples_for(DIGITS, LAYOUT, str(tmp_path / "many.npz"), {})


def test_labels_counted_from_1_are_told_apart_from_a_class_too_many(tmp_path: Path) -> None:
    np.savez(tmp_path / "ones.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 10 + 1)
    with pytest.raises(DataError) as caught:
        samples_for(DIGITS, LAYOUT, str(tmp_path / "ones.npz"), {})
    assert str(caught.value).endswith(
        "labels 1…10; classes are counted from 0, and 'out' has 0…9. Subtract 1 from the labels, or give it 11 units."
    )


# -- memory ------------------------------------------------------------------------------------------------------------
def folder_of_zeros(folder: Path, n: int) -> Path:
    """A folder of n training images of 28×28, of a few kB."""
    folder.mkdir()
    for kind, m in (("train", n), ("t10k", 10)):
        images = struct.pack(">IIII", 0x0803, m, 28, 28) + bytes(m * 784)
        (folder / f"{kind}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images, 1))
        (folder / f"{kind}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x0801, m) + bytes(m))
    return folder


MEASURE = """
import sys, tracemalloc, numpy as np, neurograph as ng
from neurograph.graph.layout import layout_of
from neurograph.training.samples import samples_for
spec = ng.load("lenet5")
layout = layout_of(ng.lay_out(spec))
tracemalloc.start()
samples = samples_for(spec, layout, sys.argv[1], {"low": -0.1, "validation": 0.1, "normalise": "standard"})
samples.digest
print(tracemalloc.get_traced_memory()[1])
"""


def test_images_are_floats_once(tmp_path: Path) -> None:
    """At most: the bytes twice (while they are split), floats once (four times as large), and the portions worked on."""
    folder, n = folder_of_zeros(tmp_path / "data", 12_000), 12_000
    command = [sys.executable, "-c", MEASURE, str(folder)]
    peak = int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout)
    assert peak < n * 784 * (4 + 2) + (20 << 20)


SHORT = """
import resource, sys
import neurograph as ng
from neurograph.cli import main
import numpy, neurograph.training.samples, neurograph.compiler, neurograph.cli.train, neurograph.cli.job
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (150 << 20),) * 2)
sys.exit(main(["train", "lenet5", "--data", sys.argv[1], "--epochs", "1"]))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux, to know how much memory a process has")
def test_short_memory_is_one_line(tmp_path: Path) -> None:
    folder = folder_of_zeros(tmp_path / "data", 60_000)
    command = [sys.executable, "-c", SHORT, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert found.returncode == 2, found.stderr
    assert found.stderr == (
        f"lenet5, data {folder}: not enough memory for its samples: 784 values each, of 4 bytes. Use fewer (--limit), or close other "
        f"programs.\n"
    )


# -- from the command line ---------------------------------------------------------------------------------------------
OPTIONS = [
    "digits", "--data", "digits", "--batch-size", "64", "--threads", "1", "--limit", "300", "--set", "train.schedule=constant",
    "--set", "data.validation=0.2", "--set", "data.normalise=standard", "--set", "augment.preset=digits",
]  # fmt: skip


def trained(samples: Samples, stop_at: int | None) -> dict[str, bytes]:
    """Weights after two epochs; with a stop at some step, and gone on from there by a new program and optimizer."""
    topology, params = ng.lay_out(DIGITS), ng.initialise(ng.lay_out(DIGITS), seed=0)
    state: dict[str, Any] = {}
    stands: list[Any] = [History(), None]
    for _ in range(1 if stop_at is None else 2):
        program, optimizer = ng.compile(topology, params, dtype="float32", threads=1), ng.SGD(0.05, momentum=0.9)
        optimizer.load_state(state)
        interruption = Interruption()

        def stop(progress: Progress, asked: Interruption = interruption) -> None:
            asked.asked = int(progress.step == stop_at)

        def keep(history: Any, begun: Any) -> None:
            stands[:] = [history.copy(), begun]

        ng.fit(
            program, samples.x, samples.y, epochs=2, batch_size=64, optimizer=optimizer, seed=3, augment=samples.augment,
            history=stands[0], begun=stands[1], interruption=interruption, on_step=stop, on_pause=keep,
        )  # fmt: skip
        params, state = program.params, optimizer.state()
    return {name: params[name].tobytes() for name in params}


@TRAINS
def test_training_with_all_of_it_goes_on_to_the_same_bits_from_any_batch() -> None:
    samples = of_digits({"preset": "digits", "noise": 0.05}, limit=300, validation=0.2, normalise="standard")
    whole = trained(samples, None)
    for step in (1, 3, 4, 6, 7):
        assert trained(samples, step) == whole


@TRAINS
def test_evaluate_uses_what_the_run_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["train", *OPTIONS, "--epochs", "1", "--out", str(folder), "--quiet"]) == 0
    kept = ng.load_run(folder).arguments["normaliser"]
    assert kept == of_digits(validation=0.2, normalise="standard", limit=300).normaliser
    found = {}
    for part in ("--train", "--validation", "--json"):
        capsys.readouterr()
        assert main(["evaluate", "digits", "--run", str(folder), part, "--json"]) == 0
        result = json.loads(capsys.readouterr().out)
        found[result["samples"]] = result["n"]
    assert found == {"training": 240, "validation": 60, "test": 360}
    assert main(["explain", "digits", "out[3]", "--run", str(folder), "--data", "digits"]) == 0


@TRAINS
def test_evaluate_refuses_parts_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["train", "digits", "--data", "digits", "--steps", "1", "--out", str(folder), "--quiet"]) == 0
    for options, message in (
        (
            ["--validation"],
            "--validation: no samples were held out of this training; [data] validation = 0.1 does so.\n",
        ),
        (
            ["--validation", "--train"],
            "--train, --validation: found both; ask for one of them, or for neither: the test samples.\n",
        ),
    ):
        assert main(["evaluate", "digits", "--run", str(folder), *options]) == 2
        assert capsys.readouterr().err == message


@TRAINS
def test_cautions_are_said_before_training(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "digits", "--data", "digits", "--steps", "1", "--quiet", "--set", "augment.rotation=180"]
    assert main(arguments) == 0
    assert capsys.readouterr().err == "augment: rotation up to 180° makes a 9 of a 6 (digits): stay within 20°.\n"
