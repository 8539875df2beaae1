"""What every test may rely on: hypothesis profiles, the slow marker, and where the real data is."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parent.parent

# A profile is chosen by HYPOTHESIS_PROFILE, else by the run: slow under -m slow, nojit without the JIT, ci under CI.
COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("default", max_examples=100, **COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **COMMON)
settings.register_profile("nojit", max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate), **COMMON)
settings.register_profile("slow", max_examples=2_000, **COMMON)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or _profile(config))
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # ignored where a shell started the suite in the background
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


def _profile(config: pytest.Config) -> str:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return "nojit"
    if _asked_for_slow(config):
        return "slow"
    return "ci" if os.environ.get("CI") else "default"


def _asked_for_slow(config: pytest.Config) -> bool:
    return "slow" in (config.getoption("markexpr") or "")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked slow, unless the command line speaks of slow."""
    if _asked_for_slow(config):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of MNIST's four IDX files; the test is skipped where it is not found."""
    named = os.environ.get("NEUROGRAPH_MNIST")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST in {folder}; set NEUROGRAPH_MNIST to a folder with its four IDX files")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's chromium, driven by Playwright; the test is skipped where one of them is missing."""
    from tests.explorer_pages import chromium

    yield from chromium()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens explorer pages of bundled networks; in the end there was no error and no request."""
    from tests.explorer_pages import visits

    yield from visits(browser, tmp_path)
