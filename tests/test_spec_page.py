"""docs/spec.md names every word of the language and every default, and nothing that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neurograph.ops import KINDS, LayerSpec
from neurograph.ops.words import ACTIVATIONS, INITIALISATIONS, LOSSES, NEURON_KINDS
from neurograph.spec.data import AugmentSpec, DataSpec
from neurograph.spec.model import EdgeSpec, LossSpec, NamedParameter, NeuronSpec, SampleSpec, Spec, TrainSpec

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "spec.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE.split("## Layers")[1].split("## Losses")[0], re.M))
SAID_ONCE = {"name", "kind", "label", "from", "activation", "bias", "init", "weights", "trainable", "weights_from"}


def word_of(kind: type[LayerSpec]) -> str:
    return str(kind.model_fields["kind"].default)


def keys_of(model: type) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}  # type: ignore[attr-defined]


def test_the_page_has_a_row_for_every_kind() -> None:
    assert list(ROWS) == [word_of(kind) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=word_of)
def test_rows_name_the_options_of_their_kind(kind: type[LayerSpec]) -> None:
    options = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", ROWS[word_of(kind)])))
    assert keys_of(kind) - SAID_ONCE <= options
    assert options <= keys_of(kind)


@pytest.mark.parametrize("kind", KINDS, ids=word_of)
def test_rows_tell_the_defaults_of_their_kind(kind: type[LayerSpec]) -> None:
    told = dict(re.findall(r'`(\w+)` \("?(\w+)"?', ROWS[word_of(kind)]))
    for option, default in told.items():
        field = kind.model_fields[option]
        if default not in ("the", "as"):  # "the window", "as tie": decided when laid out
            assert str(field.default).lower() == default, option
        else:
            assert field.default is None, option


@pytest.mark.parametrize(
    "model", [Spec, LossSpec, DataSpec, AugmentSpec, TrainSpec, SampleSpec, NeuronSpec, EdgeSpec, NamedParameter]
)
def test_the_page_names_every_key(model: type) -> None:
    missing = {key for key in keys_of(model) if not re.search(rf"`\[*{key}\]*(`| =)", PAGE)}
    assert missing == set()


@pytest.mark.parametrize("words", [ACTIVATIONS, INITIALISATIONS, LOSSES, [k for k in NEURON_KINDS if k != "constant"]])
def test_the_page_names_every_word(words: tuple[str, ...]) -> None:
    assert [word for word in words if f"`{word}`" not in PAGE] == []


def test_the_example_on_the_page_is_a_network() -> None:
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load

    example = PAGE.split("```toml\n")[1].split("```")[0]
    assert lay_out(load(example)).n_parameters == 6 * 25 + 6 + 6 * 784 * 10 + 10
