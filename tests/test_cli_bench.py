"""`neurograph bench`: help, one quick row, the JSON document, and mistakes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from neurograph.benchmark.peers import registry
from neurograph.cli import main

QUICK = ("--peers", "none", "--threads", "1", "--rounds", "1", "--seconds", "0.001")


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--help"]) == 0
    assert "neurograph bench --quick" in capsys.readouterr().out


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="takes minutes without the JIT")
def test_one_row_without_peers_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("neurograph.benchmark.peak.SECONDS", 0.001)
    path = tmp_path / "found.json"
    assert main(["bench", "--rows", "mlp-train-1", *QUICK, "--json", str(path)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "neurograph bench: float32, 1 thread, beside nobody"
    assert [line.split()[:3] for line in shown if line.startswith("  784")] == [["784-128-10", "train", "1"]]
    assert shown[-1] == f"Written to {path}."
    found = json.loads(path.read_text(encoding="utf-8"))
    assert set(found) == {"neurograph", "date", "versions", "machine", "settings", "results"}
    assert found["settings"] == {"threads": 1, "peers": [], "rounds": 1, "seconds": 0.001}
    assert set(found["machine"]) == {"cpu", "vector", "threads", "core_flops", "flops", "bandwidth"}
    (row,) = found["results"]
    assert set(row) == {
        "type",
        "key",
        "network",
        "mode",
        "batch",
        "threads",
        "samples_per_second",
        "peak",
        "against",
        "target",
        "ahead",
        "verdict",
    }
    assert (row["key"], row["target"], row["verdict"]) == ("mlp-train-1", 20, "")
    assert row["samples_per_second"]["median"] > 0


def test_a_quantity_needs_no_peers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("neurograph.benchmark.peak.SECONDS", 0.001)
    assert main(["bench", "--rows", "counts", *QUICK]) == 0
    shown = capsys.readouterr().out
    assert "  counting vgg19's 18,963,942,144 edges" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rows", "lenet"],
            "bench: no row 'lenet'; did you mean 'lenet5'? (known: lenet5, mlp, odd, edited, sparse, convolution, drawn, start, "
            "memory, build, textbook, counts, forward, batch, width, depth, edge; and one row of a group, such as lenet5-train-64)\n",
        ),
        (
            ["--rows", " ,", "--odd", "1"],
            "bench: --rows names nothing; leave it out for all rows (known: lenet5, mlp, odd, edited, sparse, convolution, drawn, start, "
            "memory, build, textbook, counts, forward, batch, width, depth, edge)\n",
        ),
        (
            ["--peers", "numpy,pytroch"],
            "bench: no peer 'pytroch'; did you mean 'pytorch'? (known: pytorch, torch.compile, jax, numpy, none)\n",
        ),
        (
            ["--json", "nowhere/found.json"],
            "--json: nowhere/found.json: no such folder 'nowhere'. Make it first.\n",
        ),
    ],
    ids=["row", "no row", "peer", "folder"],
)
def test_mistakes_end_in_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *arguments]) == 2
    assert capsys.readouterr() == ("", message)


def test_a_peer_that_is_not_installed_is_left_out_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: name == "numpy" or None)
    assert registry.chosen(None) == ("numpy",)
    assert main(["bench", "--peers", "jax,numpy"]) == 2
    assert capsys.readouterr().err == (
        "bench: peer 'jax' needs jax, which is not installed; installed: numpy. Install it, or leave it out of --peers.\n"
    )
