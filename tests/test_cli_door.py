"""The command line's door: help, unknown words, and every kind of error as one plain message with the right exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import types
from typing import Annotated, Any

import pytest
import typer

from neurograph.cli import commands, main
from neurograph.cli.options import SpecArgument
from neurograph.errors import DataError


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A command `probe` whose behaviour a test sets as `probe.act`."""
    module: Any = types.ModuleType("probe_command")
    module.EXAMPLES = "neurograph probe four --epochs 3"
    module.act = lambda: None

    def command(spec: SpecArgument, epochs: Annotated[int, typer.Option(help="How many.", min=0)] = 1) -> int | None:
        """Probe the door."""
        return module.act()

    module.command = command
    monkeypatch.setitem(sys.modules, "probe_command", module)
    monkeypatch.setitem(commands.COMMANDS, "probe", commands.Entry("probe_command", "Probe."))
    return module


def raising(error: BaseException) -> Any:
    def act() -> None:
        raise error

    return act


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["-h"], []):
        assert main(arguments) == 0
        shown = capsys.readouterr().out
        assert all(f"\n  {name} " in shown for name in commands.COMMANDS)


def test_help_fits_a_screen() -> None:
    assert len(commands.overview().splitlines()) <= 40
    assert max(map(len, commands.overview().splitlines())) <= 110


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from neurograph.cli import main; main(['--help']); print({'numpy', 'numba', 'typer', 'networkx'} & set(sys.modules))"
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert time.perf_counter() - begin < 3  # 0.05 s on an idle machine; the promise of 0.3 s rests on the line above


def test_unknown_command_suggests_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    shown = capsys.readouterr()
    assert shown.err == f"neurograph: no command 'trian'; did you mean 'train'?\n\n{commands.overview()}\n"
    assert shown.out == ""


def test_unknown_option_before_a_command_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--epochs", "3"]) == 2
    assert capsys.readouterr().err.startswith("neurograph: no such option '--epochs' before a command.\n")


def test_command_help_shows_options_and_examples(probe: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Probe the door." in shown
    assert "\n    neurograph probe four --epochs 3" in shown
    assert "--epochs " in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["four", "--epoch", "3"], "no such option '--epoch'; did you mean '--epochs'?"),
        (["four", "--epochs", "many"], "Invalid value for '--epochs': "),
        (["four", "--epochs", "-1"], "Invalid value for '--epochs': "),
        (["four", "--epochs"], "Option '--epochs' requires an argument."),
        ([], "Missing argument 'SPEC'."),
        (["four", "five"], "Got unexpected extra argument"),
    ],
)
def test_wrong_arguments_exit_2_with_usage(
    probe: types.ModuleType, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["probe", *arguments]) == 2
    first, *rest = capsys.readouterr().err.splitlines()
    assert first.startswith(f"neurograph probe: {complaint}")
    assert rest[-1] == "Try 'neurograph probe --help'."
    assert len(rest) == 1 or "Usage: neurograph probe [OPTIONS]" in rest[0]


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (DataError("labels.gz: truncated."), "labels.gz: truncated.", 2),
        (KeyboardInterrupt(), "Interrupted.", 130),
        (FileNotFoundError(2, "No such file or directory", "a.toml"), "a.toml: No such file or directory.", 2),
        (OSError(28, "No space left on device"), "No space left on device.", 2),
        (
            ImportError("liblapack.so: failed to map segment from shared object"),
            "Not enough memory. Try a smaller batch (--batch-size), or fewer samples (--limit).",
            2,
        ),
        (MemoryError(), "Not enough memory. Try a smaller batch (--batch-size), or fewer samples (--limit).", 2),
    ],
)
def test_errors_become_one_message(
    probe: types.ModuleType, capsys: pytest.CaptureFixture[str], error: BaseException, message: str, code: int
) -> None:
    probe.act = raising(error)
    assert main(["probe", "four"]) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", message + "\n")


def test_a_fault_of_the_program_says_so(probe: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    probe.act = raising(ZeroDivisionError("division by zero"))
    assert main(["probe", "four"]) == 1
    assert capsys.readouterr().err.startswith(
        "neurograph: a fault of the program, not yours: ZeroDivisionError: division by zero\n"
    )
    with pytest.raises(ZeroDivisionError):
        main(["--traceback", "probe", "four"])


def test_long_messages_are_cut_to_a_screen(probe: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    probe.act = raising(DataError("\n".join(f"fault {i}" for i in range(100))))
    assert main(["probe", "four"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 40
    assert lines[-1] == "… and 61 more lines."


def test_an_exit_code_of_a_command_is_returned(probe: types.ModuleType) -> None:
    probe.act = lambda: 1
    assert main(["probe", "four"]) == 1


def test_a_closed_pipe_is_not_an_error() -> None:
    code = "from neurograph.cli import main; import sys; sys.exit([main(['--help']) for _ in range(500)][-1])"
    done = subprocess.run(
        f'"{sys.executable}" -c "{code}" | head -c 10', shell=True, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr


def test_an_output_without_greek_letters_gets_escapes_and_no_fault() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "neurograph", "explain", "mazur", "w5"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert r"\u03b4\xb7a" in done.stdout
