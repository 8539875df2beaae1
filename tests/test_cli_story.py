"""`neurograph story`: keys, a real terminal, files, and faults with their messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neurograph.cli import main
from neurograph.cli.keys import named
from neurograph.cli.stepping import walk
from tests.test_story import mazur


# -- the terminal -----------------------------------------------------------------------------------------------------
def walked(*keys: str) -> list[str]:
    """The numbers of the frames that these keys bring to the screen."""
    screens: list[str] = []
    walk(mazur(), 6, "mazur", iter(keys), screens.append)
    return [screen.splitlines()[2].split("/")[0] for screen in screens]


def test_keys_go_forth_and_back_and_jump() -> None:
    assert walked("n", "right", "p", "left", "left", "q", "n") == ["1", "2", "3", "2", "1", "1"]
    assert walked("1", "2", "enter", "end", "n", "home") == ["1", "1", "1", "12", "13", "13", "1"]
    assert walked("9", "9", "enter") == ["1", "1", "1", "13"]
    assert walked("0", "enter", "x") == ["1", "1", "1", "1"]
    assert walked() == ["1"]


def test_keys_come_one_by_one_from_what_a_terminal_sends() -> None:
    assert list(named(b"\x1b[D\x1bOCq")) == ["left", "right", "q"]
    assert list(named(b"\x1b")) == [""]
    assert list(named("δ".encode())) == ["\ufffd", "\ufffd"]


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal of Unix")
def test_story_in_a_real_terminal_takes_keys_and_puts_the_terminal_back() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    command = [sys.executable, "-m", "neurograph", "story", "mazur"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent), "TERM": "xterm"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        shown = "".join(_until(ours, "1/13"))
        os.write(ours, b"\x1b[C")
        shown += "".join(_until(ours, "2/13"))
        os.write(ours, b"q")
        assert process.wait(timeout=30) == 0
    assert "Forward: h1, h2" in shown
    assert termios.tcgetattr(theirs)[3] == before[3]
    os.close(ours)
    os.close(theirs)


def _until(terminal: int, wanted: str) -> Iterator[str]:
    """What a terminal shows, up to the end of the screen that says what is waited for."""
    import select

    seen, end = "", time.monotonic() + 60
    while wanted not in seen or "q leave" not in seen.rsplit(wanted, maxsplit=1)[-1]:
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 0.2)[0]:
            piece = os.read(terminal, 65536).decode("utf-8", errors="replace")
            seen += piece
            yield piece


# -- the command ------------------------------------------------------------------------------------------------------
def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["story", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_command_lists_all_frames_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "mazur", "--digits", "9")
    assert shown.startswith("mazur, sample 0, weights as given\n\n1/13  [i1, i2] → h1, h2 → o1, o2 → E\n")
    assert "0.291027774" in shown
    assert shown.count("─" * 96) == 12


def test_command_writes_what_the_files_name_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page, data, text = (tmp_path / f"story.{suffix}" for suffix in ("html", "json", "txt"))
    for path in (page, data, text):
        assert said(capsys, "mazur", "-o", str(path)) == f"{path}: mazur, layer by layer, 13 frames\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(json.loads(data.read_text(encoding="utf-8"))["frames"]) == 13
    assert text.read_text(encoding="utf-8").count("E = 0.274811 + 0.02356 = 0.298371") == 1


def test_command_takes_fractions_ways_and_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert "outputs[0]: z = 1/5·255 + 1/10·255 + (-1/10)·255 = 51" in said(capsys, "four", "--fractions")
    told = json.loads(said(capsys, "xor", "--by", "neuron", "--set", "train.learning_rate=0.25", "--json"))
    assert told["network"] == "xor"
    assert (told["by"], told["stages"]) == ("neuron", ["input", "hidden", "out", "E"])
    assert any("η = 0.25" in frame["equation"] for frame in told["frames"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mazur", "-o", "story.pdf"], "--out story.pdf: no format '.pdf'; use a name ending in .html, .htm, .json, .txt, or --format.\n"),
        (["mazur", "--sample", "0", "--input", "x.csv"], "--sample and --input: give one of them.\n"),
        (["mazur", "--sample", "3"], "--sample 3: mazur carries the samples 0…0.\n"),
    ],
)  # fmt: skip
def test_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["story", *arguments]) == 2
    assert capsys.readouterr().err == message
