"""The page of figures: its commands run, make the files that it shows, and show what the text says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from neurograph.cli import main
from tests.viz_scenes import texts_of

PAGE = Path(__file__).parent.parent / "docs" / "figures.md"
COMMANDS = re.findall(r"^neurograph (draw .+)$", PAGE.read_text(encoding="utf-8"), flags=re.M)
SMALL = ("four", "sixteen", "mazur", "alexnet")
"""Networks whose figures are made in a moment, also without the JIT (AlexNet's shows no numbers)."""
QUICK = [command for command in COMMANDS if command.split()[1] in SMALL]


@pytest.fixture(autouse=True)
def _no_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures show what every machine has: the bundled digits."""
    monkeypatch.setattr("neurograph.data.folders.is_here", lambda known: False)


def made(command: str, folder: Path) -> Path:
    """Run a command of the page, writing elsewhere."""
    words = shlex.split(command)
    words[-1] = str(folder / Path(words[-1]).name)
    assert main(words) in (None, 0)
    return Path(words[-1])


@pytest.mark.parametrize("command", QUICK)
def test_commands_of_the_page_make_their_figures(command: str, tmp_path: Path) -> None:
    path = made(command, tmp_path)
    kept = PAGE.parent / "figures" / path.name
    assert kept.is_file(), f"{kept.name} is shown on the page, but not kept"
    now, then = (
        sorted(" ".join(text.split()) for text in texts_of(p.read_bytes()) if text.split()) for p in (path, kept)
    )
    if path.name != "difference-mazur.svg":  # rounding differs from processor to processor
        assert now == then, f"{kept.name} is not what its command makes now; run: neurograph {command}"


def test_networks_that_learn_mnist_are_shown_with_what_every_machine_has() -> None:
    learners = ("lenet5", "lenet5-1998", "zipcode-1989")
    named = [command for command in COMMANDS if command.split()[1] in learners]
    assert len(named) == 6
    assert [command for command in named if "--data digits" not in command] == []


@pytest.mark.parametrize("command", ["zipcode-1989 --view windows", "lenet5 --around"])
def test_the_picture_is_of_the_digit_that_its_command_names(command: str) -> None:
    line = next(line for line in COMMANDS if line.startswith(f"draw {command}") and line.endswith(".svg"))
    kept = " ".join(texts_of((PAGE.parent / "figures" / Path(line.split()[-1]).name).read_bytes()))
    assert "digits sample 0 (a 0)" in kept


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in QUICK])
def test_large_figures_are_made(command: str, tmp_path: Path) -> None:
    assert made(command, tmp_path).stat().st_size > 10_000


def test_every_figure_is_shown_once_and_kept() -> None:
    shown = re.findall(r"\]\(figures/([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    written = [Path(shlex.split(command)[-1]).name for command in COMMANDS]
    assert shown == written
    kept = sorted(path.name for path in (PAGE.parent / "figures").iterdir())
    assert kept == sorted(shown)
    assert sum(path.stat().st_size for path in (PAGE.parent / "figures").iterdir()) < 4_000_000
