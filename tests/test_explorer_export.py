"""What the explorer page is made of: packed numbers, samples of a spec or a data set, and networks that are too large."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from neurograph.viz.explorer.packing import pack

import neurograph as ng
from neurograph.cli.explore import command, in_turn
from neurograph.errors import BatchError, DrawingError
from neurograph.graph.layout import layout_of
from neurograph.viz import Sample, explore, paper_for

numbers = st.one_of(st.floats(width=32, allow_nan=False), st.floats(allow_nan=False), st.integers(0, 255).map(float))


def unpacked(packed: dict[str, str]) -> list[float]:
    ((kind, text),) = packed.items()
    return np.frombuffer(b64decode(text), dtype=f"<{kind}").astype(float).tolist()


@given(st.lists(numbers, max_size=20))
def test_packing_loses_nothing(values: list[float]) -> None:
    assert struct.pack(f"{len(values)}d", *unpacked(pack(values))) == struct.pack(f"{len(values)}d", *values)


def test_packing_is_no_larger_than_needed() -> None:
    assert list(pack([0.0, 255.0])) == ["u1"]
    assert list(pack([-0.0])) == ["f4"]
    assert list(pack([0.5])) == ["f4"]
    assert list(pack([0.1])) == ["f8"]
    assert list(pack([0.1], lossy=True)) == ["f4"]


def test_large_network_is_refused_with_what_to_do_instead(capsys: Any) -> None:
    with pytest.raises(DrawingError) as caught:
        command("alexnet")
    assert str(caught.value) == (
        "alexnet: too large for a page: 672,424,832 edges and 60,965,224 weights. The page computes every neuron itself, forward "
        "and backward, at every touch; it holds at most 2,000,000 edges and 1,500,000 weights. Look at one neuron instead: "
        'neurograph explain alexnet "fc8[0]", or neurograph draw alexnet --around "fc8[0]" -o neuron.svg.'
    )


def test_page_without_samples_is_refused() -> None:
    topology = ng.lay_out(ng.load("xor"))
    with pytest.raises(DrawingError, match="xor: no sample to explore"):
        explore(topology, ng.initialise(topology, seed=0), [])
    with pytest.raises(BatchError):
        explore(topology, ng.initialise(topology, seed=0), [Sample([[1.0, 2.0, 3.0]])])


def test_command_writes_the_page_and_says_so(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "four.html"
    command("four", out)
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: four, 1 sample of the spec, weights as given; 0.")
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    command("digits", tmp_path / "digits.html", samples=12, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"page": str(tmp_path / "digits.html"), "network": "digits", "samples": 12, "bytes": told["bytes"]}
    held = data_of(tmp_path / "digits.html")
    assert [sample["label"].rsplit(" ", 1)[1] for sample in held["samples"]] == [*"0123456789", "0", "1"]
    assert held["about"] == "12 held-out samples of digits; untrained weights, seed 0"
    assert held["paper"]["rows"] == 8


def test_command_tells_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="missing"):
        command("xor", tmp_path / "missing" / "page.html")


def data_of(page: Path) -> Any:
    text = page.read_text(encoding="utf-8")
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def test_classes_come_in_turn() -> None:
    assert in_turn([3, 3, 1, 2, 1], 10) == [2, 3, 0, 4, 1]


@pytest.mark.parametrize(
    ("name", "data", "prepare", "size"),
    [
        ("lenet5", "mnist", {}, (28, 28)),
        ("lenet5-1998", "mnist", {"pad": 2, "low": -0.1, "high": 1.175}, (28, 28)),
        ("zipcode-1989", "mnist", {"resize": [16, 16], "low": -1, "high": 1}, (28, 28)),
        ("digits", "digits", {}, (8, 8)),
        ("lenet5", None, {}, (28, 28)),
        ("lenet5", "digits", {}, None),
        ("four", None, {}, None),
        ("mazur", None, {}, None),
    ],
)
def test_drawing_fits_the_input_or_is_not_offered(
    name: str, data: str | None, prepare: dict[str, Any], size: tuple[int, int] | None
) -> None:
    paper = paper_for(layout_of(ng.lay_out(ng.load(name))), data, prepare)
    assert (None if paper is None else (paper.rows, paper.columns)) == size
