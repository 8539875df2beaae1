"""The page on data: its ten lines make a file that the network beside them learns from, word for word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from neurograph.cli import main

PAGE = Path(__file__).parent.parent / "docs" / "data.md"


def test_ten_lines_and_their_commands_work_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text(encoding="utf-8").split("## Your own data in ten lines")[1].split("\n## ")[0]
    python, shell = re.findall(r"^```(?:python)?\n(.+?)^```", section, flags=re.M | re.S)[:2]
    exec(python, {})
    commands = [shlex.split(line, comments=True)[1:] for line in shell.splitlines()]
    assert [words[0] for words in commands] == ["new", "train"]
    for words in commands:
        more = ["--steps", "1", "--engine", "textbook", "--out", "run"] if words[0] == "train" else []
        assert main([*words, *more]) == 0
    assert (tmp_path / "run" / "spec.toml").is_file()
