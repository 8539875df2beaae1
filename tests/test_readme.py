"""Every command and every output of the README is true: it is run, and compared.

In a ``console`` block a line that begins with ``$`` is run, and the lines below it are what it prints; in a ``python`` block the
examples run as doctests. ``…`` stands for what differs from machine to machine; on a line of its own, for lines left out. What
training prints depends on the processor's last bits and on its speed: there a number stands for any number, and the accuracy is
compared apart.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from neurograph.cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
NEEDS_JIT = {"train", "verify", "evaluate"}
NUMBER = re.compile(r" *\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
ACCURACY = re.compile(r"accuracy (\d+\.\d+) %")
POINTS = 3.0
"""How far an accuracy may be from the README's, in per cent."""


class Shown(NamedTuple):
    """A command and what the README says it prints."""

    command: str
    output: str


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def shown() -> list[Shown]:
    found = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, output = part.partition("\n")
            found.append(Shown(command.split("   #")[0].strip(), output.strip("\n")))
    return found


def pattern(output: str, any_number: bool = False) -> re.Pattern[str]:
    """What an output may look like: … is anything within a line, or any number of whole lines."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else _line(line, any_number) + r"\n" for line in output.splitlines()]
    return re.compile("".join(lines))


def _line(line: str, any_number: bool) -> str:
    return ".*?".join(_piece(piece, any_number) for piece in line.split("…"))


def _piece(piece: str, any_number: bool) -> str:
    return NUMBER.pattern.join(map(re.escape, NUMBER.split(piece))) if any_number else re.escape(piece)


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    words = shlex.split(command)
    assert words[0] == "neurograph", command
    capsys.readouterr()
    code = main(words[1:])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return "\n".join(line.rstrip() for line in captured.out.splitlines()) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all commands: later ones use what earlier ones wrote."""
    return tmp_path_factory.mktemp("readme")


@pytest.mark.parametrize("example", shown(), ids=lambda example: example.command)
def test_commands_print_what_the_readme_says(
    example: Shown, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uses_jit = shlex.split(example.command)[1] in NEEDS_JIT
    if (uses_jit or "runs/" in example.command) and os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        pytest.skip("takes minutes without the JIT")
    monkeypatch.chdir(folder)
    output = run(example.command, capsys)
    assert pattern(example.output, any_number=uses_jit).fullmatch(output), f"$ {example.command}\n{output}"
    if uses_jit:
        told, found = ([float(p) for p in ACCURACY.findall(text)[-1:]] for text in (example.output, output))
        assert found == pytest.approx(told, abs=POINTS)


def promised() -> list[str]:
    """The commands in the table of promises; what trains or needs a run is run below the table, and measuring takes minutes."""
    rows = "\n".join(line for line in README.splitlines() if line.startswith("| "))
    named = re.findall(r"`(neurograph [^`]+)`", rows)
    return [c for c in named if c.split()[1] not in ("train", "bench") and "runs/" not in c]


@pytest.mark.parametrize("command", promised())
def test_commands_of_the_table_run(
    command: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" and re.search("verify|--compare|--time|census", command):
        pytest.skip("takes minutes without the JIT")
    monkeypatch.chdir(folder)
    assert run(command, capsys).strip()


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_python_examples_are_true(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    block = re.sub(r"\n(?=\n(?!>>>))", "\n<BLANKLINE>", blocks("python")[number])
    test = doctest.DocTestParser().get_doctest(block, {}, f"README python {number}", "README.md", 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    runner.run(test, out=said.append)
    assert test.examples
    assert not runner.failures, "".join(said)


def test_the_readme_has_a_picture_that_exists() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [path for path in pictures if not (ROOT / path).is_file()] == []


def test_make_targets_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(
        re.findall(r"\bmake ([a-z][a-z-]*)", "\n".join(blocks("sh")) + "\n".join(re.findall(r"`(make [^`]+)`", README)))
    )
    assert {"train", "test", "test-slow"} <= targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.M)] == []


def test_patterns_can_fail() -> None:
    assert pattern("a … c\n…\nlast").fullmatch("a b c\nany\nlines\nlast\n")
    assert not pattern("a … c\nlast").fullmatch("a b c\nmore\nlast\n")
    assert not pattern("a b c").fullmatch("a b d\n")
    assert pattern("loss 0.5, 1,000 steps", any_number=True).fullmatch("loss 0.25e-3, 10 steps\n")
    assert not pattern("loss 0.5, 1,000 steps").fullmatch("loss 0.25, 10 steps\n")
    assert not pattern("loss 0.5, 1,000 steps", any_number=True).fullmatch("loss nan, 10 steps\n")
