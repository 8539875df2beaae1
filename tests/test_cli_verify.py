"""`neurograph verify`: what it prints, and that it can say no."""

from __future__ import annotations

import json
import os

import pytest

from neurograph.cli import main
from neurograph.verification import Report, Row

pytestmark = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="takes minutes without the JIT")


def test_verify_says_that_the_engines_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "xor", "--samples", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["layer", "integer", "float64", "float32", "differences"]
    columns = {line.split()[0]: line.split()[1:] for line in lines[2:] if line.startswith(("input", "hidden", "out"))}
    assert list(columns) == ["input", "hidden", "out"]
    assert all(numbers[0] == "0" for numbers in columns.values()), "integers must be equal"
    assert all(float(number) <= 1 for numbers in columns.values() for number in numbers)
    assert "xor: the engines agree on " in lines[-1] + lines[-2]


def test_json_has_a_row_for_each_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "mazur", "--samples", "1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["name"], report["ok"]) == ("mazur", True)
    assert {row["part"] for row in report["rows"]} == {"integer", "float64", "float32", "differences"}
    assert all(row["ok"] and row["checked"] > 0 for row in report["rows"] if row["quantity"] in ("z", "a", "delta"))


def test_a_disagreement_is_named_and_ends_in_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = Report("xor", [Row("out", "delta", "integer", 2.0, "out[0], sample 1", 4)])
    monkeypatch.setattr("neurograph.verification.verify", lambda *_, **__: wrong)
    assert main(["verify", "xor"]) == 1
    out = capsys.readouterr().out
    assert "xor: the engines DISAGREE.\nprogram, integer: delta of out at out[0], sample 1, off by 2\n" in out


@pytest.mark.parametrize("name", ["xor", "alexnet"])
def test_a_network_too_large_for_every_edge_is_announced_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(
        "neurograph.verification.verify", lambda *_, **__: seen.append(capsys.readouterr().err) or Report(name)
    )
    main(["verify", name])
    announced = (
        "alexnet: 672,424,832 edges, too many to check one by one (limit 1,000,000): the program is checked on sampled neurons and "
        "weights, which may take minutes. Sooner done: --samples 1 --dtype float32\n"
    )
    assert seen == ([announced] if name == "alexnet" else [""])
    main(["verify", name, "--json"])
    assert seen[1:] == [""]


@pytest.mark.parametrize("samples", ["0", "-1", "two"])
def test_samples_must_be_a_positive_number(samples: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "xor", "--samples", samples]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("neurograph verify: Invalid value for '--samples': ")
