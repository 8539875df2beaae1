"""The planted bugs still fit the code; and (slow) the tests notice every one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant
from tests.mutants.planted import MUTANTS
from tests.mutants.run import ROOT, copy_tree, main, plant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_bug_can_be_planted_in_exactly_one_place(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert mutant.old != mutant.new
    compile(text.replace(mutant.old, mutant.new), mutant.file, "exec")


def test_there_are_enough_bugs_and_each_has_a_name() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_planting_changes_the_copy_only(tmp_path: Path) -> None:
    copy_tree(tmp_path)
    before = (ROOT / MUTANTS[0].file).read_text(encoding="utf-8")
    assert plant(MUTANTS[0], tmp_path) == before
    assert (ROOT / MUTANTS[0].file).read_text(encoding="utf-8") == before
    assert (tmp_path / MUTANTS[0].file).read_text(encoding="utf-8") != before
    with pytest.raises(ValueError, match="has 0 places to change"):
        plant(MUTANTS[0], tmp_path)


@pytest.mark.slow
def test_every_bug_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([])
    assert code == 0, capsys.readouterr().out
