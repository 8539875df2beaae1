"""Finding and reading a spec: where it may come from, where its tables stand, and that no text makes the loader stumble."""

from __future__ import annotations

import contextlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import neurograph as ng
from neurograph.errors import SpecError, SpecNotFound
from neurograph.graph.lay_out import lay_out
from neurograph.spec import bundled
from neurograph.spec.library import folder
from neurograph.spec.lines import lines_of, too_deep

NET = 'name = "mine"\ninput = [2]\n\n[[layer]]\nname = "out"\nkind = "dense"\nunits = 3\n'


# -- where a spec may come from ----------------------------------------------------------------------------------------
def test_text_path_bundled_name_and_existing_path_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.toml", "mine", "xor"):
        Path(name).write_text(NET)
    for source in (
        NET,
        "mine.toml",
        "./mine",
        "./xor",
        "mine",
        tmp_path / "mine",
        Path("xor"),
        f"{tmp_path}/mine.toml",
    ):
        assert ng.load(source).name == "mine"
    assert ng.load("xor").name == "xor"  # a bundled name comes before a file that happens to be here


def test_a_path_object_is_never_a_bundled_name() -> None:
    with pytest.raises(SpecNotFound, match=r"^xor: no such file; did you mean the bundled 'xor'\?$"):
        ng.load(Path("xor"))


def test_text_in_one_line_needs_a_newline_unless_it_is_json() -> None:
    with pytest.raises(SpecNotFound, match="no spec 'input"):
        ng.load("input = [2]")
    assert ng.load('{"input": [2], "layer": [{"name": "a", "kind": "dense", "units": 1}]}').inputs == {"input": (2,)}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_byte_order_marks_and_line_ends_do_not_matter(mark: str, line_end: str, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes((mark + NET.replace("\n", line_end)).encode())
    spec = ng.load(path)
    assert spec.model_dump() == ng.load(NET).model_dump()
    assert spec.origin.where("layer", 0, "units") == f"{path}:7"


def test_a_json_file_is_read_by_its_suffix_or_its_brace(tmp_path: Path) -> None:
    for name in ("net.json", "net.toml"):
        (tmp_path / name).write_text(json.dumps(tomllib.loads(NET)))
        assert ng.load(tmp_path / name).model_dump() == ng.load(NET).model_dump()


def test_a_spec_knows_its_text_and_its_path(tmp_path: Path) -> None:
    (tmp_path / "net.toml").write_text(NET)
    spec = ng.load(tmp_path / "net.toml")
    assert (spec.origin.text, spec.origin.path) == (NET, str(tmp_path / "net.toml"))
    assert ng.load(NET).origin.path == "<text>"


@pytest.mark.parametrize("name", bundled())
def test_bundled_specs_are_the_files_beside_the_package(name: str) -> None:
    path = folder() / f"{name}.toml"
    assert ng.load(name).model_dump() == ng.load(path).model_dump()
    assert ng.load(name).origin.text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", bundled())
def test_a_spec_survives_json(name: str) -> None:
    spec = ng.load(name)
    again = ng.load(json.dumps(spec.model_dump(by_alias=True, exclude_unset=True)))
    assert again.model_dump() == spec.model_dump()
    assert repr(lay_out(again)) == repr(lay_out(spec))


# -- where tables stand ------------------------------------------------------------------------------------------------
ODD = (
    '''# [[layer]] in a comment
title = """
[[layer]]
name = "not a layer" \\"""
"""   # the end
'single' = '''
    + """'''
[[layer]]'''
input = [ # [[layer]]
    1,
    28,
]

[[layer]]
name = "a]]"; x = 1
""".replace("; x = 1", "")
    + """  "kind"   =   "conv"
weights = [[1,
  2]]

[ [ layer ] ]
[[layer]]
name = "b"

[loss]
kind = 'mse'
[train]
epochs = 3
schedule = "a = [["
[[ "layer" ]] # quoted
name = "c"
"""
)


def test_lines_are_found_among_strings_comments_and_lists() -> None:
    lines = lines_of(ODD.replace("[ [ layer ] ]\n", ""))
    assert {key: line for key, line in lines.items() if key[0] in ("layer", "loss", "train", "input", "title")} == {
        ("title",): 2,
        ("input",): 8,
        ("layer", 0): 13,
        ("layer", 0, "name"): 14,
        ("layer", 0, "kind"): 15,
        ("layer", 0, "weights"): 16,
        ("layer", 1): 19,
        ("layer", 1, "name"): 20,
        ("loss",): 22,
        ("loss", "kind"): 23,
        ("train",): 24,
        ("train", "epochs"): 25,
        ("train", "schedule"): 26,
        ("layer", 2): 27,
        ("layer", 2, "name"): 28,
    }


@pytest.mark.parametrize("name", bundled())
def test_every_table_and_key_of_a_bundled_spec_has_its_line(name: str) -> None:
    text = (folder() / f"{name}.toml").read_text(encoding="utf-8")
    lines, rows = lines_of(text), text.splitlines()
    for location in _locations(tomllib.loads(text)):
        row = rows[lines[location] - 1]
        assert str(location[-1] if isinstance(location[-1], str) else location[0]) in row


def _locations(data: dict[str, Any]) -> list[tuple[str | int, ...]]:
    found: list[tuple[str | int, ...]] = []
    for key, value in data.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            found += [(key, n) for n in range(len(value))] + [(key, n, k) for n, t in enumerate(value) for k in t]
        else:
            found += [(key,), *((key, k) for k in value)] if isinstance(value, dict) else [(key,)]
    return found


@given(st.text(alphabet="ab=[]{}\"'#\\\n. ", max_size=60))
@example('"""\\"""\n[[layer]]\n"""')
@example("a = '''\n[[layer]]\n''''\nb = 1\n")
def test_scanning_never_fails_and_agrees_with_the_parser(text: str) -> None:
    lines = lines_of(text)
    too_deep(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for key, value in data.items():
        if not isinstance(value, dict | list):
            assert (key,) in lines
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@given(st.integers(1, 30), st.sampled_from(["[", "{a=", "[{a="]))
def test_only_depth_is_refused(depth: int, bracket: str) -> None:
    levels = depth * (bracket.count("[") + bracket.count("{"))
    assert (too_deep("x = " + bracket * depth) is not None) == (levels > 16)
    assert too_deep('x = "' + bracket * depth + '"') is None


@given(st.lists(st.sampled_from(["a", '"q.r"', "'s'", "0"]), min_size=1, max_size=14))
def test_only_long_keys_are_refused(parts: list[str]) -> None:
    assert (too_deep(".".join(parts) + " = 1") is not None) == (len(parts) > 8)
    assert too_deep("x = [1.5, 2.5e3] # " + ".".join(parts)) is None
    assert too_deep(f'x = [\'{"a." * 20}\', "\\"{"b." * 20}"]') is None


# -- nothing makes it stumble ------------------------------------------------------------------------------------------
TEXTS = [(folder() / f"{name}.toml").read_text(encoding="utf-8") for name in bundled() if name != "lenet5-1998"]
WORDS = st.sampled_from(
    [
        *(
            "true",
            "0",
            "-1",
            "1.5",
            "nan",
            "inf",
            "1e400",
            '""',
            '"input"',
            '"conv1"',
            "[]",
            "[[]]",
            "[1, 2]",
            "{}",
            "{a = 1}",
        ),
        *(
            "99999999999999999999",
            "9223372036854775807",
            "1979-05-27",
            "12:30:00",
            '"same"',
            '"\\u0000"',
            "[1, [2]]",
            "[true]",
        ),
        *('["a", "a"]', "1000000000", "[[0, 1], [0, 1]]", "[[1000000, 1]]", '"softmax"', '"rbf_map"', '["weight"]'),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A bundled spec with values replaced, lines dropped, doubled or moved, or characters changed."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        key, sign, _ = lines[at].partition(" = ")
        match draw(st.sampled_from(["value", "value", "value", "drop", "double", "move", "cut"])):
            case "value" if sign:
                lines[at] = f"{key} = {draw(WORDS)}"
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "move":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
            case "cut":
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
        if not lines:
            break
    return "\n".join(lines) + "\n"


@given(damaged())
def test_a_damaged_spec_loads_or_says_what_is_wrong(text: str) -> None:
    try:
        spec = ng.load(text)
    except SpecError as error:
        faults = error.faults
    else:
        topology = lay_out(spec)
        assert topology.n_edges >= 0
        assert topology.n_parameters >= 0
        return
    assert all(fault.where.startswith("<text>") and fault.what for fault in faults)
    assert len(set(faults)) == len(faults) > 0


KEYS = ["name", "input", "layer", "neuron", "edge", "parameter", "loss", "data", "train", "sample", "x"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["conv", "dense", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*KEYS, "kind", "id", "from", "to", "units", "kernel", "weight", "of"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_arbitrary_json_loads_or_says_what_is_wrong(data: dict[str, Any]) -> None:
    with contextlib.suppress(SpecError):
        lay_out(ng.load(json.dumps(data)))
