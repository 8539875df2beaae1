"""Every lesson runs, and prints what its page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from neurograph.cli import main
from neurograph.kernels.jit import COMPILED
from tests.lessons import BLOCK, FOLDER, PAGES, PLOT, pictures, refreshed

LARGEST_PICTURE = 60_000
"""Bytes."""
LARGEST_PLOT = 200_000
"""Bytes: hundreds of points, each with its coordinates."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_lesson_prints_what_its_page_says(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert len(BLOCK.findall(page)) >= 3
    if "ng.fit(" in page and not COMPILED:
        pytest.skip("trains networks, which takes minutes without the JIT")
    if PLOT.search(page) or "neurograph.viz." in page:
        pytest.importorskip("matplotlib", reason="draws plots; matplotlib is not installed")
    assert refreshed(page, str(path)) == page, "python -m tests.lessons --write"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pictures_are_small_and_their_commands_run(path: Path, tmp_path: Path) -> None:
    for number, (command, file) in enumerate(pictures(path.read_text(encoding="utf-8"))):
        assert (FOLDER / file).stat().st_size < LARGEST_PICTURE
        assert main([*command, "-o", str(tmp_path / f"{number}.svg")]) == 0
    for plot in PLOT.finditer(path.read_text(encoding="utf-8")):
        assert (FOLDER / plot["file"]).stat().st_size < LARGEST_PLOT


def test_every_lesson_is_listed_and_has_a_title() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    titles = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in PAGES}
    assert len(titles) >= 6
    assert [name for name, title in titles.items() if f"[{title.removeprefix('# ')}]({name})" not in index] == []


def test_every_python_block_is_run() -> None:
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        assert len(BLOCK.findall(page)) == len(re.findall(r"^```python", page, re.M))


PAGE = """\
# A lesson

```python
a = 1
```

Words.

```python
print(a + 1)
```

```text
{output}
```
"""


def test_refreshed_pages_can_differ() -> None:
    assert refreshed(PAGE.format(output="2")) == PAGE.format(output="2")
    assert refreshed(PAGE.format(output="3")) == PAGE.format(output="2")
    with pytest.raises(NameError):
        refreshed(PAGE.replace("a = 1", "b = 1"))
