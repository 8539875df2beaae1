"""Every interaction of the explorer page in a browser, at desktop and phone width: no error, no request, and Python's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.explorer_pages import DESKTOP, PHONE, Visit, agrees, close, trace_of

SIZES = {"desktop": DESKTOP, "phone": PHONE}
STROKES = [[(0.3, 0.2), (0.7, 0.2), (0.45, 0.8)], [(0.3, 0.5), (0.65, 0.5)]]
"""A seven with a bar."""


everywhere = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
phones_slowly = pytest.mark.parametrize(
    "size", [DESKTOP, pytest.param(PHONE, marks=pytest.mark.slow)], ids=["desktop", "phone"]
)
"""What differs less on a phone is tested there under `slow`."""


# -- clicking ---------------------------------------------------------------------------------------------------------
@everywhere
def test_clicked_neuron_shows_its_card_and_lights_its_field(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("four", size)
    trace = trace_of("four")
    page.click_neuron("conv", 19)
    assert page.text("#card h2") == "conv[0,3,1]"
    for symbol, values in (("z", trace.z), ("a", trace.a), ("δ", trace.delta)):
        assert page.chip(symbol) == pytest.approx(values["conv"][0, 0, 3, 1], abs=1e-12)
    lit = surrounded(page, "input")
    assert lit == {6 * y + x for y in (2, 3, 4) for x in (0, 1, 2)}


def surrounded(page: Visit, layer: str) -> set[int]:
    """Cells of a layer that are not veiled while others are: the field that is lit up."""
    return {cell for cell, alphas in enumerate(overlay_alphas(page, layer)) if min(alphas) == 0}


def overlay_alphas(page: Visit, layer: str) -> list[list[int]]:
    """For every cell of a layer, how opaque the overlay is at some points near the cell's lower edge."""
    found: list[list[int]] = page.page.evaluate(
        """(name) => {
          const { stage, model } = explorer;
          const copy = document.createElement("canvas"); // reading the page's own canvas often would be warned about
          Object.assign(copy, { width: stage.overlay.width, height: stage.overlay.height });
          const pen = copy.getContext("2d", { willReadFrequently: true });
          pen.drawImage(stage.overlay, 0, 0);
          const layer = model.net.layers.find((one) => one.name === name);
          const block = stage.blocks[stage.home[layer.at[0]]];
          return Array.from(layer.at, (i) => {
            const { left, top } = block.grid.where(stage.seat[i]);
            const y = block.top + top + 0.85 * block.grid.cell;
            return [0.2, 0.35, 0.5, 0.65, 0.8].map((share) => {
              const x = block.left + left + share * block.grid.cell;
              return pen.getImageData(x * devicePixelRatio, y * devicePixelRatio, 1, 1).data[3];
            });
          });
        }""",
        layer,
    )
    return found


def test_card_has_the_sums_as_mathematics(open_page: Any) -> None:
    page = open_page("mazur")
    page.click_neuron("h1", 0)
    math = page.page.locator("#card math").first
    assert math.evaluate("(one) => one.namespaceURI") == "http://www.w3.org/1998/Math/MathML"
    written = math.evaluate("(one) => one.textContent")
    assert written == "z=w1·i1+w2·i2+b1=0.15·0.05+0.2·0.1+0.35=0.3775"
    page.page.click("#card table button:text-is('i1')")
    assert page.text("#card h2") == "i1"


@phones_slowly
def test_clicked_weight_lights_all_its_uses_and_their_sum(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("four", size)
    trace = trace_of("four")
    page.click_neuron("conv", 19)
    page.page.locator("[data-what=w] canvas").first.click(position={"x": 5, "y": 5})
    assert page.text("#card h2") == "conv.weight[0,0,0,0]"
    assert "one weight on 25 edges" in page.text("#card")
    card = page.page.evaluate("() => explorer.stage.selection.card")
    uses = trace.contributions("conv.weight[0,0,0,0]")
    close([use["product"] for use in card["uses"]], [use.product for use in uses], "δ·a of every use")
    assert card["sum"] == pytest.approx(float(trace.gradient["conv.weight"][0, 0, 0, 0]), abs=1e-9)
    painted = {
        ("conv", 0, *divmod(k, 6)) for k, alphas in enumerate(overlay_alphas(page, "conv")) if min(alphas) == 255
    }
    assert painted == {use.target for use in uses}
    page.page.locator("#card table .link").first.click()
    assert page.text("#card h2").startswith("input[")


def test_layer_card_shows_filters_whose_weights_open(open_page: Any) -> None:
    page = open_page("digits")
    page.page.click(".title:text-is('conv1')")
    assert page.text("#card h2") == "conv1"
    assert "16×1×3×3" in page.text("#card")
    page.page.locator("#card .grid canvas").first.click(position={"x": 3, "y": 3})
    assert page.text("#card h2") == "conv1.weight[0,0,0,0]"


# -- changing ---------------------------------------------------------------------------------------------------------
@phones_slowly
def test_edited_weight_is_followed_by_every_number(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("mazur", size)
    page.click_neuron("h1", 0)
    page.page.click("#card .weight:text-is('0.15')")
    page.page.fill("#edit", "-1.25")
    agrees(page, trace_of("mazur", weights={"w1": -1.25}))
    page.page.click("#undo")
    agrees(page, trace_of("mazur"))
    page.page.click("#redo")
    agrees(page, trace_of("mazur", weights={"w1": -1.25}))
    page.page.click("#reset")
    agrees(page, trace_of("mazur"))


def test_slider_is_dragged(open_page: Any) -> None:
    """While it is dragged, everything follows, and the slider itself stays under the hand; one drag is undone at once."""
    page = open_page("mazur")
    page.click_neuron("h1", 0)
    page.page.click("#card .weight:text-is('0.15')")
    box = page.page.locator("#slide").bounding_box()
    y = box["y"] + box["height"] / 2
    page.page.mouse.move(box["x"] + box["width"] * 0.6, y)
    page.page.mouse.down()
    values = []
    for share in (0.7, 0.8, 0.9):
        page.page.mouse.move(box["x"] + box["width"] * share, y)
        values.append(float(page.page.input_value("#slide")))
    page.page.mouse.up()
    assert values == sorted(set(values))
    agrees(page, trace_of("mazur", weights={"w1": values[-1]}))
    assert float(page.page.input_value("#edit")) == pytest.approx(values[-1])
    page.page.click("#undo")
    agrees(page, trace_of("mazur"))


@phones_slowly
def test_edited_pixel_is_followed_by_every_number(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("four", size)
    page.click_neuron("input", 0)
    page.page.fill("#edit", "255")
    after = page.state("a", "conv")
    assert page.state("a", "input")[0] == 255
    assert after[1] == 0
    assert page.state("z", "conv")[7] == pytest.approx(float(trace_of("four").z["conv"][0, 0, 1, 1]) - 255)
    page.page.keyboard.press("Escape")
    page.page.click("#undo")
    agrees(page, trace_of("four"))


@phones_slowly
def test_samples_are_switched(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("xor", size)
    for number in (1, 2, 0):
        page.page.locator("#samples [role=radio]").nth(number).click()
        agrees(page, trace_of("xor", number))
        assert page.page.locator("#samples [aria-checked=true]").count() == 1


@phones_slowly
def test_target_is_chosen(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("digits", size)
    page.page.select_option("#target", "7")
    head = page.state("delta", "out")
    assert np.argmin(head) == 7
    page.page.select_option("#target", "")
    assert not page.state("delta", "conv1").any()
    page.click_neuron("conv1", 3)
    assert "choose a target" in page.text("#card")


# -- drawing ----------------------------------------------------------------------------------------------------------
def draw(page: Visit, strokes: list[list[tuple[float, float]]], touch: bool) -> None:
    """Draw strokes on the pad, in shares of its sides: with the mouse, or with a finger."""
    page.page.locator("#ink").scroll_into_view_if_needed()
    box = page.page.locator("#ink").bounding_box()
    places = [[(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke] for stroke in strokes]
    session = page.page.context.new_cdp_session(page.page) if touch else None
    for stroke in places:
        for k, (x, y) in enumerate(stroke):
            if session is not None:
                kind = "touchStart" if k == 0 else "touchMove"
                session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
            elif k == 0:
                page.page.mouse.move(x, y)
                page.page.mouse.down()
            else:
                page.page.mouse.move(x, y, steps=4)
        if session is not None:
            session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        else:
            page.page.mouse.up()
        page.frames()


@everywhere
def test_drawing_is_followed_live_and_undone_stroke_by_stroke(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("digits", size)
    before = page.state("z", "out")
    page.page.click("#draw")
    draw(page, STROKES[:1], touch=size == PHONE)
    first = page.state("a", "input")
    assert first.max() == pytest.approx(1, abs=0.01)
    assert first.min() == 0
    assert page.page.input_value("#target") == ""
    assert page.text("#verdict strong") == str(np.argmax(page.state("a", "out")))
    draw(page, STROKES[1:], touch=size == PHONE)
    assert (page.state("a", "input") != first).any()
    page.page.click("#undo")
    close(page.state("a", "input"), first, "the first stroke alone")
    page.page.click("#clear")
    page.frames()
    assert not page.state("a", "input").any()
    page.page.click("#reset")
    close(page.state("z", "out"), before, "as it was")


# -- the steps --------------------------------------------------------------------------------------------------------
@phones_slowly
def test_steps_go_forward_and_back_and_end_with_an_update(open_page: Any, size: tuple[int, int]) -> None:
    page = open_page("mazur", size)
    titles = []
    for _ in range(9):
        page.page.click("#next")
        titles.append(page.text("#frame h2"))
    assert titles == [
        "What goes in: i1, i2",
        "Forward: h1, h2",
        "Forward: o1, o2",
        "The loss",
        "δ: o1, o2",
        "δ: h1, h2",
        "The sums: the weights into o1, o2",
        "The sums: the weights into h1, h2",
        "The update",
    ]
    before = float(trace_of("mazur").loss)
    page.page.fill("#rate", "0.5")
    page.page.click("#take")
    close(page.page.evaluate("() => [explorer.model.state.loss]"), [0.2910277737], "Mazur's loss after one step")
    assert page.page.evaluate("() => explorer.model.state.loss") < before
    page.page.click("#back")
    assert page.text("#frame h2") == titles[-2]


def test_steps_show_only_what_is_known(open_page: Any) -> None:
    page = open_page("mazur")
    page.page.select_option("#by", "neuron")
    assert page.text("#frame h2") == "What goes in: i1, i2"
    assert known(page) == {"i1", "i2"}
    page.page.keyboard.press("n")
    assert (page.text("#frame h2"), known(page)) == ("Forward: h1", {"i1", "i2", "h1"})
    page.page.select_option("#steps", label="6/13 The loss")
    assert known(page) == {"i1", "i2", "h1", "h2", "o1", "o2"}
    page.page.keyboard.press("n")
    assert (page.text("#frame h2"), known(page)) == ("δ: o1", {"o1"})
    assert page.page.locator("#views [aria-checked=true]").inner_text() == "δ"
    page.page.keyboard.press("Escape")
    assert not page.page.locator("#frame").is_visible()


def known(page: Visit) -> set[str]:
    """Neurons whose number is shown."""
    return set(
        page.page.evaluate(
            "() => explorer.model.net.layers.filter((one) => explorer.stage.valueOf(one.at[0]) !== null).map((one) => one.name)"
        )
    )


def test_steps_play_by_themselves(open_page: Any) -> None:
    page = open_page("xor")
    page.page.click("#play")
    assert page.text("#frame .count") == "1 of 9"
    page.page.locator("#frame .count:text-is('2 of 9')").wait_for(timeout=10_000)
    page.page.click("#play")
    assert page.page.get_attribute("#play", "aria-pressed") == "false"


# -- keys, screen readers, light and dark -----------------------------------------------------------------------------
def test_keyboard_reaches_everything(open_page: Any) -> None:
    page = open_page("four")
    page.page.locator("[role=grid][aria-label^='input'] .cursor").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.page.keyboard.press(key)
    assert page.page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith(
        "input[0,2,1]: a = 255"
    )
    page.page.keyboard.press("Enter")
    assert page.text("#card h2") == "input[0,2,1]"
    page.page.locator("#live:has-text('input[0,2,1] chosen')").wait_for(state="attached")
    page.page.keyboard.press("e")
    page.page.keyboard.type("7")
    assert page.state("a", "input")[13] == 7
    page.page.keyboard.press("Escape")
    assert page.page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith("input[0,2,1]")
    page.page.keyboard.press("Control+z")
    agrees(page, trace_of("four"))
    page.page.keyboard.press("End")
    page.page.keyboard.press("Control+Home")
    assert "input[0,0,0]" in page.page.evaluate("() => document.activeElement.getAttribute('aria-label')")
    page.page.keyboard.press("d")
    assert page.page.locator("#views [aria-checked=true]").inner_text() == "δ"
    page.page.keyboard.press("?")
    assert page.page.locator("#keys").is_visible()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Tab")
    ring = page.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_everything_has_a_name_and_every_grid_one_stop(open_page: Any) -> None:
    page = open_page("digits")
    page.click_neuron("conv2", 100)
    nameless = page.page.evaluate(
        """() => [...document.querySelectorAll("button, select, input, [role=grid], [role=gridcell], [role=img], [role=radiogroup]")]
          .filter((one) => one.checkVisibility() && !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length)).length"""
    )
    assert nameless == 0
    stops = page.page.evaluate(
        "() => [...document.querySelectorAll('[role=grid]')].map((one) => one.querySelectorAll('[tabindex=\"0\"]').length)"
    )
    assert stops
    assert set(stops) == {1}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark_follow_the_system_and_the_button(open_page: Any, scheme: str) -> None:
    page = open_page("xor", scheme=scheme)
    light = page.page.evaluate(BRIGHTNESS) > 128
    assert light == (scheme == "light")
    page.page.click("#theme")
    assert (page.page.evaluate(BRIGHTNESS) > 128) != light


BRIGHTNESS = "() => Math.max(...getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number))"


@pytest.mark.parametrize("name", ["mazur", "four", "digits"])
def test_page_is_no_wider_than_a_phone(open_page: Any, name: str) -> None:
    page = open_page(name, PHONE)
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= PHONE[0]
