"""The documentation names things that exist, and the map of the code leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lessons import BLOCK, COMPILER, refreshed

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = ROOT / "docs" / "architecture.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_text_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:neurograph|viz|specs|tests|docs|benchmarks|\.ci)/[\w./-]*)`", page.read_text(encoding="utf-8")
    )
    assert [name for name in named if not (ROOT / name).exists() and name != "neurograph/specs"] == []


def test_the_map_names_every_unit_of_the_package() -> None:
    units = {
        p.name
        for p in (ROOT / "neurograph").iterdir()
        if not p.name.startswith("__") and p.name not in ("viz.py", "py.typed", "specs")
    }
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert [unit for unit in sorted(units) if f"neurograph/{unit}" not in text] == []


@pytest.mark.parametrize("folder", ["graph", "compiler", "kernels", "inspector", "benchmark"])
def test_the_map_names_files_that_exist(folder: str) -> None:
    section = ARCHITECTURE.read_text(encoding="utf-8").split(f"`neurograph/{folder}`")[1].split("\n## ")[0]
    named = re.findall(r"`(\w+\.py)`", section)
    assert named
    assert [name for name in named if not (ROOT / "neurograph" / folder / name).exists()] == []


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    pages = [path for path in sorted(folder.glob("*.md")) if path.name != "README.md"]
    assert [
        p.name for p in pages if f"- [{p.read_text(encoding='utf-8').splitlines()[0][2:]}]({p.name})" not in index
    ] == []


def test_the_compilers_page_prints_what_it_says() -> None:
    page = COMPILER.read_text(encoding="utf-8")
    assert len(BLOCK.findall(page)) == len(re.findall(r"^```python", page, re.M)) >= 10
    assert refreshed(page, str(COMPILER)) == page, "python -m tests.lessons --write"


@pytest.mark.parametrize("name", ["fold", "pad", "fuse", "route"])
def test_the_compilers_page_shows_lenet5_after_every_pass(name: str) -> None:
    import neurograph as ng

    def plain(text: str) -> str:
        return "\n".join(line.strip() for line in text.splitlines() if line.strip())

    shown = re.findall(r"^```text\n(.*?)^```", COMPILER.read_text(encoding="utf-8"), re.M | re.S)
    left = (
        "\n".join(line.removeprefix("+") for line in block.splitlines() if not line.startswith("- ")) for block in shown
    )
    assert plain(str(ng.plan(ng.lay_out(ng.load("lenet5")), until=name))) in map(plain, left)


def test_the_changelog_speaks_of_this_version() -> None:
    import neurograph

    assert f"## {neurograph.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
