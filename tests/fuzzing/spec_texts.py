"""Spec texts: networks with nothing, one or several things wrong; most are refused at once, many read, some large."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from random import Random

from fuzzing.networks import Line, network, written
from fuzzing.watch import demand
from fuzzing.words import LETTERS, WRONG

import neurograph as ng
from neurograph.errors import SpecError
from neurograph.spec.library import find_bundled, names
from neurograph.training.settings import Settings

BUNDLED = [path.read_text(encoding="utf-8") for path in map(find_bundled, names()) if path is not None]
SMALL = 300
"""Edges of a network that is written out and compiled as well."""


class SpecTexts:
    """Made from the grammar in `networks`, then harmed; what loads is laid out, and small networks are compiled."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "fuzzed.toml"

    def make(self, random: Random) -> str:
        """A text."""
        if random.random() < 0.005:
            return _harmed_text(random, random.choice(BUNDLED), 2)
        if random.random() < 0.0005:
            return _large(random)
        lines = network(random)
        for _ in range(random.choice((0, 0, 1, 1, 1, 2, 2))):
            _harm(random, lines)
        text = written(lines)
        chance = random.random()
        if chance < 0.2:
            text = _harmed_text(random, text, random.choice((1, 1, 2)))
        elif chance < 0.24:
            text = _as_json(random, text)
        return text

    def run(self, made: str) -> str:
        """Load it, as text or as a file; count, plan and choose an optimiser where it loads."""
        try:
            spec = ng.load(made if "\n" in made else f"{made}\n")
        except SpecError as error:
            demand(error.faults, "refused without a fault")
            first = str(error.faults[0])
            return "not TOML or JSON" if ": not TOML" in first or ": not JSON" in first else "faults named"
        topology = ng.lay_out(spec)
        assert topology.n_neurons >= 0, "fewer than no neurons"
        assert topology.n_parameters >= 0, "fewer than no parameters"
        settings = Settings.of(spec)
        settings.make_optimizer()
        settings.make_schedule()
        if topology.n_edges <= SMALL and len(made) % 32 == 0:
            assert ng.plan(topology) == ng.plan(ng.build(topology)), "the two roads to a plan differ"
            ng.initialise(topology, seed=0)
            return "loads, planned on both roads"
        return "loads"

    def shown(self, made: str) -> str:
        """The text as Python."""
        return f"ng.load({made!r})"


def _harm(random: Random, lines: list[Line]) -> None:
    """Change one line for the worse."""
    if not lines:
        return
    at = random.randrange(len(lines))
    key, value = lines[at]
    match random.randrange(10):
        case 0 | 1 | 2 | 3 if value:
            lines[at] = key, random.choice(WRONG)
        case 4:
            del lines[at]
        case 5:
            lines.insert(random.randrange(len(lines)), lines[at])
        case 6 if key:
            lines[at] = _misspelt(random, key), value
        case 7:
            lines.insert(random.randrange(len(lines)), lines.pop(at))
        case 8:
            lines[at:at] = random.choices(lines, k=random.randint(1, 4))
        case _:
            lines[at] = key, random.choice(lines)[1]


def _misspelt(random: Random, word: str) -> str:
    at = random.randrange(len(word))
    return random.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + random.choice(LETTERS) + word[at:],
            word.upper(),
            f'"{word}"',
            f"{word}.{word}",
            f"x.y.{word}",
            ".".join([word] * 9),
            word[::-1],
        )
    )


def _harmed_text(random: Random, text: str, times: int) -> str:
    """Change characters without regard to lines."""
    for _ in range(times):
        at = random.randrange(len(text) + 1)
        match random.randrange(12):
            case 0:
                text = text[:at]
            case 1:
                text = text[at:]
            case 2 | 3:
                text = text[:at] + random.choice(LETTERS) + text[at:]
            case 4:
                text = text[:at] + text[at + 1 :]
            case 5:
                text = text.replace("\n", random.choice(("\r\n", "\r", "\n\r", "\n\n", "\u2028")))
            case 6:
                text = "\ufeff" * random.randint(1, 2) + text
            case 7:
                bracket = random.choice(("[", "{a=", "[[", "{", '["'))
                text = text[:at] + bracket * random.choice((3, 15, 17, 400, 5000)) + text[at:]
            case 8:
                part = random.choice(("a.", "'a' . ", '"\\u0061".', "[a.", "a\t.\t"))
                text += part * random.choice((3, 7, 8, 9, 900)) + "a = 1\n"
            case 9:
                text += f"x = {random.choice(('', '-', '0x', '1e', '0.', '1_'))}{'9' * random.choice((30, 4300, 4301, 9000))}\n"
            case 10:
                end = random.randrange(at, len(text) + 1)
                text = text[:at] + text[at:end] * 2 + text[end:]
            case _:
                text = "".join(random.choice(LETTERS) if random.random() < 0.02 else letter for letter in text)
    return text


def _as_json(random: Random, text: str) -> str:
    try:
        made = json.dumps(tomllib.loads(text), default=str)
    except (ValueError, RecursionError):
        return "{" + text
    if random.random() < 0.7:
        at = random.randrange(len(made))
        wrong = (
            "NaN",
            "-Infinity",
            "null",
            '"\\ud800"',
            "1e999",
            "[" * 20,
            '{"a":' * 20,
            "9" * 5000,
            "\x00",
            "",
            ",",
            "}",
            "true",
        )
        made = made[:at] + random.choice(wrong) + made[at + random.choice((0, 1, 2)) :]
    return made


def _large(random: Random) -> str:
    """Up to a mebibyte of one thing."""
    times = random.choice((300, 3_000))
    head = "input = [4]\n"
    match random.randrange(9):
        case 0:
            return head + "".join(f'[[layer]]\nname = "l{i}"\nkind = "dense"\nunits = 2\n' for i in range(times))
        case 1:
            return head + '[[layer]]\nname = "l"\nkind = "dense"\nunits = 2\n' * times
        case 2:
            return (
                "".join(f'[[neuron]]\nid = "n{i}"\n' for i in range(times))
                + '[[edge]]\nfrom = "n0"\nto = "n1"\n' * times
            )
        case 3:
            return head + f'[[layer]]\nname = "l"\nkind = "dense"\nunits = 4\nweights = [{"1, " * 50 * times}]\n'
        case 4:
            return head + "[[sample]]\ninput = [1, 2, 3, 4]\n" * times
        case 5:
            return head + '"' * (100 * times)
        case 6:
            return head + "".join(f"unknown{i} = 1\n" for i in range(times))
        case 7:
            return "{" + '"a": [' * 8 + "1," * 50 * times + "]" * 8 + "}"
        case _:
            return random.choice((" ", "#", "a", "[", "=", "\n", "'", "1", "x = 1\n")) * (100 * times)
