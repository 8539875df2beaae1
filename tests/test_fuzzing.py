"""Whatever a spec, a data file, a checkpoint or a command line says, it is read or refused: in time, in little memory, in words.

The inputs are made by the grammars in `fuzzing/`; each is a function of its number, so a failure shows how to make it again.
What was found is kept in `test_fuzzing_findings.py`.
"""

from __future__ import annotations

import os
import sys
from itertools import chain, count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fuzzing import networks, targets, watch
from fuzzing.words import VALUES

from neurograph.errors import UsageError
from neurograph.ops import KINDS
from neurograph.spec.tables import LISTS, TABLES
from neurograph.spec.wording import fields_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="time and memory are watched as Unix has it")

FEW = {"specs": 300, "idx": 300, "npz": 60, "cifar": 30, "checkpoints": 200}
MANY = {"specs": 1_000_000, "data": 1_000_000, "checkpoints": 20_000, "commands": 20_000}
MEAN = {"specs": 3, "idx": 2, "npz": 2, "cifar": 2, "checkpoints": 1, "data": 3, "commands": 2}
"""Outcomes that must be met with at least: inputs that are all refused prove little."""


@pytest.mark.parametrize("name", FEW)
def test_a_few_inputs_are_read_or_refused(name: str) -> None:
    tally = watch.campaign(name, range(FEW[name]))
    assert not tally.failures, str(tally)
    assert tally.n_inputs == FEW[name]
    assert len(tally.outcomes) >= MEAN[name], str(tally)


def test_a_few_command_lines_are_refused_in_words(tmp_path: Path) -> None:
    made = targets.CommandLines(tmp_path, warm=False)
    lines = [["draw", "pipe"], ["train", "xor", "--set", "train.epochs=" + "[" * 5000], ["\0"], ["summary", "loop"]]
    lines += [["explain", "small.toml", "conv[99999999999999999999]"], ["what-if", "xor", "=", "--input", "/dev/zero"]]
    lines += [["evaluate", "garbage"], ["plan", "xor", "--batch", "9" * 5000], ["schema", "-o", "no/such/folder.json"]]
    with watch.fenced():
        outcomes = [made.run(line) for line in lines]
    assert outcomes == ["exit code 2"] * len(lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_many_inputs_are_read_or_refused(name: str) -> None:
    """About 20, 8, 1 and 20 minutes on two cores; a share of it by NEUROGRAPH_FUZZ=0.1."""
    n = int(MANY[name] * float(os.environ.get("NEUROGRAPH_FUZZ", "1")))
    tally = watch.in_processes(name, n, processes=2)
    assert not tally.failures, str(tally)
    assert tally.n_inputs == n
    assert len(tally.outcomes) >= MEAN[name], str(tally)


def test_every_word_of_the_language_has_values_to_try() -> None:
    tables = chain(KINDS, LISTS.values(), TABLES.values())
    assert {key for table in tables for key in fields_of(table)} - {"kind"} == VALUES.keys() - {"input"} | {"input"}


def test_an_input_is_a_function_of_its_number() -> None:
    first, again = (networks.written(networks.network(Random("specs 7"))) for _ in range(2))
    assert first == again


class Bad:
    """A target of which every input goes wrong in its own way."""

    def __init__(self, folder: Path) -> None:
        pass

    def make(self, random: Random) -> float:
        return random.random()

    def run(self, made: float) -> str:
        if made < 0.3:
            raise KeyError("not ours")
        if made < 0.9:
            raise UsageError(" ")
        return "read"

    def shown(self, made: Any) -> str:
        return f"Bad({made})"


def test_the_watch_tells_what_goes_wrong_and_how_to_make_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(targets.TARGETS, "bad", Bad)
    peaks = count(0, 2**26)
    monkeypatch.setattr(watch, "_most_memory", lambda: next(peaks))
    told = str(watch.campaign("bad", range(20)))
    for what in ("KeyError: 'not ours'", "UsageError without a message", "memory: the process has grown", "--only"):
        assert what in told


def test_the_watch_tells_what_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LONGEST", 0.0)
    assert "time: " in str(watch.campaign("idx", range(1)))
