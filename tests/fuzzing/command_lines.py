"""Command lines, in process: every command with every option, values right and wrong, files of every bad kind, options twice or unknown.

Networks, data and epochs are small, so that what is asked for rightly is done at once: one plot at a time, too. What goes far by design
is asked for wrongly only: `bench`, large data sets, millions of epochs.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from importlib import import_module
from pathlib import Path
from random import Random

import numpy as np
import typer
from fuzzing.words import LETTERS, WRONG

from neurograph.cli.commands import COMMANDS
from neurograph.cli.door import run as run_line

SMALL = """name = "small"
input = [1, 4, 4]
[[layer]]
name = "conv"
kind = "conv"
filters = 2
kernel = 3
activation = "relu"
[[layer]]
name = "out"
kind = "dense"
units = 2
[loss]
kind = "cross_entropy"
[[sample]]
input = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
target = 1
"""
BAD_FILES = [
    "nowhere", "folder", "empty", "pipe", "/dev/null", "/dev/zero", "/dev/full", "garbage", "./x/y/z", "\0", "", ".", "..", "/", "a\nb",
    "é\udcff", "x" * 5000, "loop", "-", "~",
]  # fmt: skip
"""What stands where a file should."""
SPECS = ["xor", "mazur", "small.toml", "./small.toml"]
NETWORK = [
    "conv", "out", "conv[0,1,1]", "out[1]", "conv.weight[0,0,1,1]", "conv.weight", "out.bias[0]", "hidden[0]", "h1", "w1", "input[0,1,1]",
    "hidden.weight[0,1]", "loss", "out.weight[0,0]", "input[0]", "o1", "conv[0]",
]  # fmt: skip
NEURONS = [
    "conv[0,9,9]", "conv[", "conv[]", "conv[-1,0,0]", "conv[0,0,0,0,0]", "conv[99999999999999999999]", "conv[a]", "conv.", ".weight",
    "conv.weight[0]", "Conv[0,1,1]", "conv [0, 1, 1]", "conv[0;1;1]", "[0]", "w1[0]", "input", "conv[0,1,1]=x",
]  # fmt: skip
CHANGES = [
    "conv[0,1,1]=0", "w1=0.5", "hidden.weight[0,1]=2", "input[0]=1", "out.bias[0]=nan", "conv[0,1,1]=", "=", "=1", "w1=1=2", "w1=1e999",
    "conv.weight=0", "x=1", "w1 = 0",
]  # fmt: skip
NUMBERS = ["0", "1", "2", "3"]
KEYS = [
    "train.epochs", "train.learning_rate", "train.optimizer", "train.momentum", "train.schedule", "train.l2", "data.pad", "data.resize",
    "data.validation", "augment.rotation", "train", "train.", ".epochs", "train.epochz", "layer.units", "data.normalise",
    "train.batch_size", "augment.preset", "train.clip_norm",
]  # fmt: skip
SETTINGS = ["sgd", '"adam"', "1", "0.1", "[1, 2]", "true", "standard", "cosine"]

RIGHT: dict[str, list[str]] = {
    "spec": [*SPECS, "run"], "subject": [*SPECS, "run"], "what": NETWORK, "changes": CHANGES, "runs": ["run", "run", "other"],
    "source": NETWORK, "target": NETWORK, "name": ["new", "my-net"], "--run": ["run", "run:best"], "--resume": ["run"],
    "--init-from": ["run", "run:best"], "--data": ["digits", "data.npz", "./data.npz"], "--engine": ["textbook", "compiled"],
    "--keep": ["best", "last"], "--checkpoint": ["last", "best", "previous"], "--freeze": ["conv", "conv,out", "hidden.weight"],
    "--out": ["new-run", "page.html", "figure.svg"], "-o": ["p.svg", "p.dot", "p.html", "p.tex", "p.json"],
    "--input": ["input.csv", "input.npy"], "--target": ["0", "1", "0.5,0.5"], "--format": ["text", "html", "latex", "png", "svg"],
    "--view": ["layers", "neurons", "around", "maps"], "--around": NETWORK, "--group": ["conv[0]", *NETWORK],
    "--layer": ["conv", "hidden", "out"], "--what": ["curves", "filters", "maps", "confusion"], "--dtype": ["float32", "float64"],
    "--until": ["tabulate", "fold", "fuse", "route"], "--optimizer": ["sgd", "adam"], "--by": ["layer", "neuron"], "--plot": ["p.svg"],
    "--template": ["cnn", "mlp"], "--learning-rate": ["0.1"], "--momentum": ["0.9"], "--threshold": ["0", "0.5"], "--seconds": ["0.001"],
    "--save-every": ["0", "60"],
}  # fmt: skip
"""Values by option or argument; what is not listed takes a small number."""
NEVER_RIGHT = {"bench": ("--rows", ["nonsense", "", "lenet5,nope", ",", "start;build"])}
"""Of commands that take minutes: an option that is always given, wrongly."""
WRONG_NUMBERS = [
    "-1",
    "0",
    "1.5",
    "nan",
    "inf",
    "1e3",
    "٣",
    "0x10",
    "9" * 30,
    "9" * 5000,
    "--",
    "1_0",
    "",
    " ",
    "true",
    "None",
    "2147483648",
    "-0",
]


WARM = [
    ["plot", "run", "--what", "curves", "-o", "warm.png", "-q"], ["draw", "small.toml", "-o", "warm.svg"],
    *(["verify", spec] for spec in ("small.toml", "xor", "mazur")), ["evaluate", "small.toml", "--run", "run"],
    *(["train", spec, "--epochs", "1", "-q"] for spec in ("small.toml", "xor", "mazur")), ["census", "small.toml"],
]  # fmt: skip
"""Run once: what is imported late, or compiled the first time, is not an input's fault."""


class CommandLines:
    """Runs them in a folder that is made anew for each."""

    def __init__(self, folder: Path, warm: bool = True) -> None:
        self.fresh, self.folder = folder / "fresh", folder / "work"
        self.parameters = {name: _parameters(name) for name in COMMANDS}
        _furnish(self.fresh, WARM if warm else [])

    def make(self, random: Random) -> list[str]:
        """A command line."""
        name = random.choice(list(COMMANDS))
        parameters = self.parameters[name]
        line = [
            name if random.random() < 0.97 else random.choice((name[:-1], name.upper(), "", "--" + name, "-", "\0"))
        ]
        chance = random.choice((0.0, 0.1, 0.5))
        for argument in [p for p in parameters if not p.is_option]:
            for _ in range(random.choice((1, 1, 1, 1, 2, 0)) if argument.many or random.random() < 0.1 else 1):
                line.append(_value(random, argument.names[0], chance))
        options = [p for p in parameters if p.is_option]
        chosen = random.choices(options, k=random.choice((0, 1, 1, 2, 2, 3)))
        for option in chosen:
            line += _option(random, option, chance)
        if name == "train" and random.random() < 0.9:
            line += [*random.choice((["--epochs", "1"], ["--steps", "1"], ["--steps=0"])), "--limit", "20"]
        if name == "plot" and "--what" not in line:
            line += ["--what", random.choice(RIGHT["--what"])]
        if name in NEVER_RIGHT:
            option_name, values = NEVER_RIGHT[name]
            line += [option_name, random.choice(values)]
        if random.random() < 0.1:
            line.insert(
                random.randrange(len(line) + 1),
                random.choice(
                    ("--help", "--", "-h", "--jsn", "-x", "--out=", "-", "--=", "---", "\ud800", "--set", *WRONG)
                ),
            )
        return line

    def run(self, made: list[str]) -> str:
        """Run it; exit codes are 0, 1 or 2, and whoever fails says why, without a traceback."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(self.fresh, self.folder, symlinks=True, ignore=shutil.ignore_patterns("pipe"))
        os.mkfifo(self.folder / "pipe")
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _no_input(),
        ):
            code = _code(made)
            if "fault of the program" in err.getvalue():
                run_line(["--traceback", *made])
                raise AssertionError(err.getvalue())
        told = err.getvalue()
        assert code in (0, 1, 2), f"exit code {code}: {told}"
        assert "Traceback" not in told, told
        assert code == 0 or told.strip(), f"exit code {code} without a word"
        assert len(told.splitlines()) <= 60, f"more than a screen: {told}"
        return f"exit code {code}"

    def shown(self, made: list[str]) -> str:
        """The line as Python."""
        return f"main({made!r})"


class Parameter:
    """An option or argument of a command."""

    def __init__(self, names: list[str], is_flag: bool, many: bool) -> None:
        self.names, self.is_flag, self.many = names, is_flag, many
        self.is_option = names[0].startswith("-")


def _parameters(name: str) -> list[Parameter]:
    """All that a command takes, as typer has it: new options are fuzzed as soon as they are there."""
    app = typer.Typer(add_completion=False)
    app.command(name)(import_module(COMMANDS[name].module).command)
    command = typer.main.get_command(app)
    return [
        Parameter([*p.opts, *p.secondary_opts], bool(getattr(p, "is_flag", False)), p.nargs == -1)
        for p in command.params
    ]


def _code(line: list[str]) -> int:
    try:
        return run_line(line)
    except SystemExit as error:
        raise AssertionError(f"left by SystemExit({error.code})") from None


@contextlib.contextmanager
def _no_input():  # type: ignore[no-untyped-def]
    import sys

    before, sys.stdin = sys.stdin, io.StringIO("")
    try:
        yield
    finally:
        sys.stdin = before


def _option(random: Random, option: Parameter, chance: float) -> list[str]:
    name = random.choice(option.names)
    if random.random() < 0.03:
        name = random.choice((name[:-1], name + "x", name.upper(), name.replace("--", "-"), name.lstrip("-")))
    if option.is_flag:
        return [name] if random.random() < 0.95 else [f"{name}=1"]
    value = _value(random, "--set" if name == "--set" else option.names[-1 if "-o" in option.names else 0], chance)
    if "--out" in option.names and "-o" in option.names:
        value = _value(random, "-o", chance)
    return random.choice(([name, value], [name, value], [name, value], [f"{name}={value}"], [name]))


def _value(random: Random, name: str, chance: float) -> str:
    """A value for an option or argument, wrong with this chance."""
    if name == "--set":
        return f"{random.choice(KEYS)}{random.choice(('=', '=', '=', '', ' = ', '=='))}{_setting(random, chance)}"
    if random.random() >= chance:
        return random.choice(RIGHT.get(name, NUMBERS))
    pool = random.choice((BAD_FILES, WRONG_NUMBERS, WRONG_NUMBERS, NEURONS, CHANGES, WRONG, LETTERS, SPECS))
    return random.choice(pool)


def _setting(random: Random, chance: float) -> str:
    if random.random() >= chance:
        return random.choice(SETTINGS)
    return random.choice(
        (*WRONG, "[" * 5000, "{a=" * 2000, ".".join(["a"] * 3000), "1\nb = 2", "9" * 5000, '"""', "\0")
    )


def _furnish(folder: Path, lines: list[list[str]]) -> None:
    """Files good and bad, and two runs."""
    folder.mkdir()
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "small.toml").write_text(SMALL)
    (folder / "empty").write_bytes(b"")
    (folder / "garbage").write_bytes(bytes(range(256)) * 4)
    (folder / "input.csv").write_text(",".join(["1"] * 16))
    np.save(folder / "input.npy", np.zeros((1, 4, 4)))
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.random((24, 4, 4), np.float32), y=np.arange(24) % 2)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        for out in ("run", "other"):
            line = [
                "train",
                "small.toml",
                "--data",
                "data.npz",
                "--epochs",
                "2",
                "--out",
                out,
                "--engine",
                "textbook",
                "-q",
            ]
            assert run_line(line) == 0, "the runs could not be made"
        for line in lines:
            assert run_line(line) == 0, f"{line} does not work"
