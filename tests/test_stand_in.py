"""The sample that is looked at where nobody named one: a bundled digit, with the target that a training on the digits would give it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurograph.cli import main

LAYERS = {
    "autoencoder": ("[1, 8, 8]", 'units = 64 }\n]\nloss = { kind = "mse", labels = "input" }'),
    "renamed classes": ("[1, 8, 8]", "units = 10 }\n]\nloss = { labels = [1, 1, 1, 1, 1, 1, 1, 1, 1, 0] }"),
    "odd or even": ("[1, 12, 12]", "units = 2 }\n]\nloss = { labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1] }"),
    "a dense input": ("[64]", "units = 10 }\n]\nloss = { }"),
    "ten classes": ("[1, 8, 8]", "units = 10 }\n]\nloss = { }"),
}


def spec_at(folder: Path, name: str) -> str:
    shape, rest = LAYERS[name]
    text = f'name = "net"\ninput = {shape}\nlayer = [\n  {{ name = "out", kind = "dense", {rest}\n'
    kind = "" if 'kind = "mse"' in rest else 'kind = "cross_entropy", '
    (folder / "net.toml").write_text(text.replace("loss = { ", "loss = { " + kind).replace(", }", " }"))
    return str(folder / "net.toml")


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["explain", *arguments, "--rows", "100", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("name", list(LAYERS))
@pytest.mark.parametrize("sample", ["0", "3"])
def test_target_is_that_of_a_training_on_the_digits(
    name: str, sample: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = spec_at(tmp_path, name)
    prepared = spec if "12, 12" not in LAYERS[name][0] else str(tmp_path / "resized.toml")
    Path(prepared).write_text(Path(spec).read_text() + ("[data]\nresize = 12\n" if prepared != spec else ""))
    asked = told(capsys, prepared, "loss", "--sample", sample, "--data", "digits")
    assert told(capsys, spec, "loss", "--sample", sample)["heads"] == asked["heads"]


def test_classes_that_nothing_speaks_of_are_the_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = Path(spec_at(tmp_path, "odd or even"))
    spec.write_text(spec.read_text().replace(", labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]", ""))
    assert main(["explain", str(spec), "loss", "--sample", "3"]) == 0
    assert capsys.readouterr().out.startswith("net, digits sample 3 (a 3), resized, target: the first class, untrained")
    assert main(["explore", str(spec), "-o", str(tmp_path / "net.html"), "--samples", "2"]) == 0
    assert "net, target: first class; 2 samples, untrained" in capsys.readouterr().out
    assert '"about":"target: first class; 2 samples; untrained' in (tmp_path / "net.html").read_text()


@pytest.mark.parametrize(
    ("units", "loss", "header"),
    [
        (64, 'kind = "mse", labels = "input"', "net, digits sample 3, untrained"),
        (10, 'kind = "mse"', "net, digits sample 3 (a 3), "),
    ],
)
def test_a_header_names_a_class_and_no_picture(
    units: int, loss: str, header: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = tmp_path / "net.toml"
    spec.write_text(
        f'name = "net"\ninput = [1, 8, 8]\nlayer = [{{ name = "out", kind = "dense", units = {units} }}]\nloss = {{ {loss} }}\n'
    )
    assert main(["explain", str(spec), "out[0]", "--sample", "3", "--data", "digits"]) == 0
    assert capsys.readouterr().out.startswith(header)


def test_a_single_value_is_told_rounded(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec, data = tmp_path / "net.toml", tmp_path / "own.npz"
    spec.write_text(
        'name = "net"\ninput = [2]\nlayer = [{ name = "out", kind = "dense", units = 1 }]\nloss = { kind = "mse" }\n'
    )
    np.savez(data, x=np.ones((4, 2)), y=np.full(4, 7.58105469))
    assert main(["explain", str(spec), "out[0]", "--data", str(data)]) == 0
    assert " sample 0 (target 7.581), " in capsys.readouterr().out


def passed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_input_is_prepared_as_the_spec_says(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zip codes go from −1 to 1."""
    asked = passed(capsys, "zipcode-1989", "input", "--data", "digits")
    monkeypatch.setattr("neurograph.data.folders.is_here", lambda known: False)
    assert passed(capsys, "zipcode-1989", "input") == asked
    assert "-1" in asked


def test_digits_that_are_asked_for_are_resized_where_they_do_not_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    spec = spec_at(tmp_path, "odd or even")
    assert passed(capsys, spec, "loss", "--sample", "3", "--data", "digits") == passed(
        capsys, spec, "loss", "--sample", "3"
    )
    assert main(["explore", spec, "--data", "digits", "--samples", "2", "-o", str(tmp_path / "net.html")]) == 0


def test_a_yes_or_no_is_not_asked_for_a_digit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    spec = tmp_path / "net.toml"
    spec.write_text(
        'name = "net"\ninput = [1, 8, 8]\nlayer = [{ name = "out", kind = "dense", units = 1 }]\n'
        'loss = { kind = "binary_cross_entropy" }\n'
    )
    assert passed(capsys, str(spec), "loss", "--sample", "3").startswith(
        "net, digits sample 3 (a 3), target: the first class, untrained"
    )


def test_only_one_of_several_is_numbered(capsys: pytest.CaptureFixture[str]) -> None:
    assert "sample" not in passed(capsys, "digits", "loss", "--sample", "3", "--data", "digits").split("\n\n", 1)[1]
