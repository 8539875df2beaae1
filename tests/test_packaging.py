"""What the wheel carries, read from a wheel built here. (`make wheel-test` also installs and uses it elsewhere.)"""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling", reason="needs hatchling (extra dev) to build the wheel")

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_wheel_has_every_module_of_the_package(wheel: set[str]) -> None:
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "neurograph").rglob("*.py")}
    assert modules - {"neurograph/viz.py"} <= wheel


def test_wheel_has_every_spec(wheel: set[str]) -> None:
    specs = {f"neurograph/specs/{p.name}" for p in (ROOT / "specs").glob("*.toml")}
    assert specs
    assert specs <= wheel


def test_wheel_has_viz_inside_the_package(wheel: set[str]) -> None:
    viz = {f"neurograph/viz/{p.relative_to(ROOT / 'viz').as_posix()}" for p in (ROOT / "viz").rglob("*.py")}
    assert "neurograph/viz/__init__.py" in viz
    assert viz <= wheel
    assert "neurograph/viz.py" not in wheel


def test_wheel_has_the_digits(wheel: set[str]) -> None:
    assert "neurograph/data/digits.npz" in wheel


def test_wheel_has_the_type_marker(wheel: set[str]) -> None:
    assert "neurograph/py.typed" in wheel


def test_wheel_installs_nothing_else_at_the_top(wheel: set[str]) -> None:
    assert {name.split("/")[0] for name in wheel} == {"neurograph", "neurograph_sim-0.1.0.dist-info"}


def test_wheel_carries_no_caches(wheel: set[str]) -> None:
    assert [name for name in wheel if "__pycache__" in name or name.endswith((".pyc", ".nbi", ".nbc"))] == []


def test_wheel_carries_licence_and_notice(wheel: set[str]) -> None:
    folder = "neurograph_sim-0.1.0.dist-info/licenses"
    assert {f"{folder}/LICENSE", f"{folder}/NOTICE"} <= wheel


def test_sdist_builds_the_same_wheel(wheel: set[str], tmp_path: Path) -> None:
    import tarfile

    (built,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.2, Debian's, has none yet
        archive.extractall(tmp_path, **safely)
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    (second,) = WheelBuilder(str(unpacked)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(second) as archive:
        assert set(archive.namelist()) == wheel


def test_version_is_told_once_and_the_same() -> None:
    import neurograph

    assert neurograph.__version__ == PROJECT["project"]["version"]


def test_distribution_has_a_name_of_its_own() -> None:
    assert PROJECT["project"]["name"] == "neurograph-sim"
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "neurograph").rglob("*.py")]
    telling = [
        p for p in texts if "pip install neurograph" in p.read_text(encoding="utf-8").replace("neurograph-sim", "")
    ]
    assert telling == [], "the name neurograph belongs to another project on PyPI"
