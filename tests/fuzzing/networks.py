"""A grammar of spec texts that mostly load: small networks of any kinds of layers, or drawn by hand, with everything a spec may say."""

from __future__ import annotations

from random import Random

from fuzzing.words import NAMES, VALUES

from neurograph.ops import KIND_NAMES, KINDS
from neurograph.spec.tables import LISTS, TABLES
from neurograph.spec.wording import choices_of, fields_of

Line = tuple[str, str]
"""A key and its value as written; a header has no value."""

OPTIONS = {
    kind: [key for key in fields_of(model) if key != "kind"] for kind, model in zip(KIND_NAMES, KINDS, strict=True)
}
NEEDED = {
    kind: [key for key, field in fields_of(model).items() if field.is_required() and key != "kind"]
    for kind, model in zip(KIND_NAMES, KINDS, strict=True)
}
KINDS_OF = {key: choices_of(model, "kind") for key, model in LISTS.items() if "kind" in fields_of(model)}
KEYS = {key: [option for option in fields_of(model) if option != "kind"] for key, model in {**LISTS, **TABLES}.items()}
FITTING = {
    "3": [
        "dense",
        "conv",
        "depthwise",
        "maxpool",
        "avgpool",
        "l2pool",
        "globalpool",
        "subsample",
        "flatten",
        "activation",
        "dropout",
    ]
}
FITTING["2"] = FITTING["3"]
FITTING["1"] = ["dense", "rbf", "activation", "dropout", "flatten", "dense", "dense"]


def network(random: Random) -> list[Line]:
    """The lines of a spec."""
    lines = _drawn(random) if random.random() < 0.2 else _layered(random)
    for key, chance in (("loss", 0.4), ("train", 0.25), ("data", 0.06), ("augment", 0.06), ("sample", 0.06)):
        if random.random() < chance:
            lines += _table(random, key)
    return lines


def _layered(random: Random) -> list[Line]:
    """A chain of layers that ends in one with neurons, with an option of any kind now and then."""
    shape = random.choice(("[1, 4, 4]", "[2, 5, 5]", "[2, 5]", "[4]", "[3]", "[1, 8, 8]"))
    lines: list[Line] = [("input", shape)]
    rank = str(shape.count(",") + 1)
    n = random.choice((1, 1, 2, 2, 3, 5))
    for number in range(n):
        kind = random.choice(FITTING[rank] if random.random() < 0.95 else KIND_NAMES)
        if number == n - 1 and kind in ("flatten", "dropout"):
            kind = "dense"
        lines += [("[[layer]]", ""), ("name", NAMES[number] if number < 4 else f'"l{number}"'), ("kind", f'"{kind}"')]
        lines += [(key, _plain(random, key)) for key in NEEDED[kind] if key != "name"]
        if kind == "dropout":
            lines.append(("keep", "0.5"))
        elif random.random() < 0.25:
            key = random.choice([key for key in OPTIONS[kind] if key not in (*NEEDED[kind], "name", "from")])
            lines.append((key, random.choice(VALUES[key])))
        if kind in ("add", "concat") and number > 1:
            lines.append(("from", f"[{NAMES[number - 1]}, {NAMES[number - 2]}]"))
        rank = "1" if kind in ("dense", "globalpool", "flatten", "rbf") else rank
    return lines


def _plain(random: Random, key: str) -> str:
    """A value that fits nearly always."""
    return random.choice(VALUES[key] if random.random() < 0.05 else VALUES[key][:2])


def _drawn(random: Random) -> list[Line]:
    """Inputs, and others that read some of those before them."""
    n = random.randint(3, 5)
    lines: list[Line] = []
    weighted = set()
    for number in range(n):
        kind = "input" if number < 2 else random.choice(("weighted", "weighted", "max", "sum", "rbf", "l2", "mean"))
        weighted |= {number} if kind in ("weighted", "rbf") else set()
        lines += [("[[neuron]]", ""), ("id", f'"n{number}"'), ("kind", f'"{kind}"')]
        if number == n - 1:
            lines.append(("output", "true"))
    for number in range(2, n):
        for source in {number - 1, *random.sample(range(number), min(number, 2))}:
            lines += [("[[edge]]", ""), ("from", f'"n{source}"'), ("to", f'"n{number}"')]
            if (number in weighted) == (random.random() < 0.99):
                lines += [("weight", f'"w{random.randint(0, 4)}"')]
    return lines


def _table(random: Random, key: str) -> list[Line]:
    """One of the other tables, with a few of its keys."""
    lines: list[Line] = [(f"[[{key}]]" if key == "sample" else f"[{key}]", "")]
    if key in KINDS_OF:
        lines.append(("kind", f'"{random.choice([*KINDS_OF[key], "mse"])}"'))
    chosen = dict.fromkeys(random.choice(KEYS[key]) for _ in range(random.randint(0, 2)))
    if key == "sample":
        chosen = {"input": None, **chosen}
    return lines + [(option, random.choice(VALUES[option])) for option in chosen]


def written(lines: list[Line]) -> str:
    r"""The text of lines.

    Examples
    --------
    >>> written([("input", "[4]"), ("[[layer]]", ""), ("units", "2")])
    'input = [4]\n[[layer]]\nunits = 2\n'
    """
    return "".join(f"{key} = {value}\n" if value or key[:1] != "[" else f"{key}\n" for key, value in lines)
