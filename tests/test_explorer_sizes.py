"""Every bundled network that fits opens as a page and tells its steps; LeNet-5's page is small, and quick to answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.explorer_pages import DESKTOP, PHONE, agrees, page_of, trace_of

SMALL = (
    "xor", "mazur", "four", "sixteen", "zipcode-1989", "linear", "mlp", "lenet1", "digits", "lenet5", "lenet5-1998",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", SMALL)
def test_every_bundled_page_opens_and_tells_its_steps(open_page: Any, size: tuple[int, int], name: str) -> None:
    page = open_page(name, size)
    agrees(page, trace_of(name))
    n = page.page.evaluate("() => explorer.frames.length")
    for _ in range(n):
        page.page.click("#next")
    assert page.text("#frame .count") == f"{n} of {n}"


def test_lenet5_page_is_small() -> None:
    assert len(page_of("lenet5").html.encode()) < 3_000_000


TOUCHES = {
    "a neuron": "(k) => explorer.go.neuron(explorer.model.net.layers[3].at[50 + k])",
    "a weight": "(k) => explorer.go.weight(k)",
    "a sample": "(k) => explorer.take(k % 2)",
    "a view": "(k) => explorer.look(['a', 'z', 'delta'][k % 3])",
    "an edit": "(k) => explorer.go.setWeight(3, 0.1 * k)",
    "a step": "() => explorer.step(1)",
}


@pytest.mark.slow
def test_lenet5_answers_every_touch_in_50_ms(open_page: Any) -> None:
    """What a touch takes until it is painted: handler, layout and painting, in processor time, so that other programs do not count."""
    page = open_page("lenet5")
    assert page.page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime") <= 1000
    session = page.page.context.new_cdp_session(page.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    for what, act in TOUCHES.items():
        repeat = f"""async (n) => {{
          for (let k = 0; k < n; k++) {{
            ({act})(k);
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          }}
        }}"""
        page.page.evaluate(repeat, 4)
        before = spent()
        page.page.evaluate(repeat, 12)
        taken = 1000 * (spent() - before) / 12
        assert taken <= 50, f"{what}: {taken:.0f} ms"
