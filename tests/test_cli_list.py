"""`neurograph list`: the bundled networks with their counts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from neurograph.cli import main
from neurograph.cli.list import text

SCREEN = """\
name   parameters        edges
alpha      61,706      412,960  First line.
b              27  672,424,832

Next: neurograph summary NAME, neurograph train NAME, neurograph draw NAME -o picture.svg"""


def test_list_is_one_aligned_line_a_network() -> None:
    entries = [
        {"name": "alpha", "parameters": 61706, "edges": 412960, "description": "First line.\nSecond line."},
        {"name": "b", "parameters": 27, "edges": 672424832, "description": ""},
    ]
    assert text(entries) == SCREEN


def test_list_names_every_bundled_network_with_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    expected = {
        "four",
        "mazur",
        "sixteen",
        "xor",
        "mlp",
        "digits",
        "lenet5",
        "lenet1",
        "linear",
        "mlp300",
        "mlp800",
        "lenet5-1998",
        "zipcode-1989",
        "alexnet",
        "vgg19",
    }
    assert expected <= set(entries)
    counts = {name: (entries[name]["parameters"], entries[name]["edges"]) for name in ("lenet5", "alexnet", "mlp")}
    assert counts == {"lenet5": (61706, 412960), "alexnet": (60965224, 672424832), "mlp": (23860, 23820)}
    assert entries["vgg19"]["parameters"] == 143667240
    assert all(entry["description"] for entry in entries.values())


def test_list_and_its_json_name_the_same_networks(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--json"])
    names = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(names) + 1]] == names


def test_list_counts_in_closed_form(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"])
    start = time.perf_counter()
    main(["list"])
    assert time.perf_counter() - start < 2.0, "672 million edges are counted, not enumerated"


def test_data_sets_are_listed_with_where_they_are_looked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEUROGRAPH_MNIST", str(tmp_path / "mine"))
    for variable in ("NEUROGRAPH_KMNIST", "NEUROGRAPH_FASHION_MNIST", "NEUROGRAPH_CIFAR_10"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("neurograph.data.folders.cache_folder", (tmp_path / "cache").joinpath)
    assert main(["list", "--data", "--json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert list(found) == ["digits", "mnist", "fashion-mnist", "kmnist", "cifar-10"]
    assert [entry["here"] for entry in found.values()] == [True, True, False, False, False]
    assert found["cifar-10"]["shape"] == [3, 32, 32]
    assert all(len(entry["classes"]) == 10 for entry in found.values())
    assert main(["list", "--data"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith(f"{tmp_path / 'mine'} (NEUROGRAPH_MNIST)")
    assert lines[4].endswith(f"NEUROGRAPH_KMNIST (not set), else {tmp_path / 'cache' / 'kmnist'}")
    assert lines[5].split()[:4] == ["cifar-10", "3×32×32", "no", "(170"]
