"""A slow command says what it works on: in a terminal, once, and never where a machine reads or quiet was asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from neurograph.cli import main
from neurograph.cli import working as module
from neurograph.cli.working import working
from neurograph.verification import Report, Row


def sit_at_a_terminal(monkeypatch: pytest.MonkeyPatch, patience: float = 0.0) -> None:
    """Make stderr a terminal (in the test itself: pytest has another stderr for fixtures)."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "PATIENCE", patience)


def wait(capsys: pytest.CaptureFixture[str]) -> str:
    """What stderr has got, after a second at most."""
    end, said = monotonic() + 1, ""
    while not said and monotonic() < end:
        sleep(0.01)
        said = capsys.readouterr().err
    return said


def test_a_slow_command_says_what_it_works_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sit_at_a_terminal(monkeypatch)
    with working("both engines on 4 samples"):
        assert wait(capsys) == "still working: both engines on 4 samples …\n"


def test_a_quick_command_says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    sit_at_a_terminal(monkeypatch, patience=0.05)
    with working("nothing much"):
        pass
    sleep(0.1)
    assert capsys.readouterr().err == ""


def test_pipes_and_the_quiet_hear_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with working("into a pipe"):
        sleep(0.05)
    sit_at_a_terminal(monkeypatch)
    with working("quietly", quiet=True):
        sleep(0.05)
    assert capsys.readouterr().err == ""


class AtOnce:
    """A timer that does not wait."""

    def __init__(self, _: float, function: Callable[[], None]) -> None:
        self.start = function

    def cancel(self) -> None:
        """It is over already."""

    join = cancel


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("verify four --samples 1", "four, both engines on 1 sample"),
        ("explain four conv[0,3,1]", "four, a pass forward and back for conv[0,3,1]"),
        ("untie four conv[0] --steps 1", "four, 1 step with conv[0] tied and untied"),
        ("what-if four x[0,2,3]=0", "four, a pass as it is and one with the change"),
        ("paths four input[0,2,1] outputs[0]", "four, the paths from input[0,2,1] to outputs[0]"),
        ("census four --samples 2", "four, a pass forward and back for every sample"),
        ("draw four --view layers -o four.svg", "four, its numbers and their picture"),
    ],
)
def test_commands_that_may_be_slow_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str, said: str
) -> None:
    sit_at_a_terminal(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "Timer", AtOnce)
    agreed = Report("four", [Row("conv", "z", "integer", 0.0)])
    monkeypatch.setattr("neurograph.verification.verify", lambda *_, **__: agreed)
    assert main(line.split()) == 0
    assert capsys.readouterr().err == f"still working: {said} …\n"
    assert main([*line.split(), "--json"]) == 0
    assert capsys.readouterr().err == ""
