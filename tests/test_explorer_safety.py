"""The explorer page is safe to open: its policy holds, names are text whatever they are, and in a notebook it stays in its frame."""

from __future__ import annotations

import json
import random
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neurograph.viz.explorer.script import FOLDER, MODULES, needs, program

import neurograph as ng
from neurograph.viz import Sample, explore
from tests.explorer_pages import page_of, trace_of, visit

HOSTILE = [
    "</script><script>globalThis.pwned = 1</script>",
    "<img src=x onerror='globalThis.pwned = 1'>",
    "<svg onload=globalThis.pwned=1>",
    "\u2028globalThis.pwned = 1;\u2029",
    "`${globalThis.pwned = 1}`",
    "'; globalThis.pwned = 1; '",
    '"}]};globalThis.pwned=1;//',
    "<!--<script>",
    "-->]]>",
    "&lt;b&gt;&amp;&#60;",
    "__proto__",
    "constructor",
    "javascript:globalThis.pwned=1",
    "<math><mtext></mtext><script>globalThis.pwned=1</script></math>",
    "\u202eabc\u0000\u0007",
    "\\u003cscript\\u003e",
    "😀" * 40,
]


def hostile_names(n: int) -> list[str]:
    """So many different names, each with something in it that a careless page would run."""
    dice = random.Random(0)
    letters = "<>&\"'`\\/${}()[];=\n\t\u2028 aé😀"
    return [
        f"{dice.choice(HOSTILE)}{''.join(dice.choices(letters, k=dice.randrange(12)))}{number}" for number in range(n)
    ]


def tiny(inputs: list[str], name: str = "tiny") -> ng.NeuronGraph:
    """A graph of named inputs and one neuron that reads them all."""
    graph = ng.NeuronGraph(name=name)
    for name_of_input in inputs:
        graph.add_input(name_of_input)
    graph.add_neuron("h", bias=HOSTILE[0])
    for number, name_of_input in enumerate(inputs):
        graph.connect(name_of_input, "h", weight=f"{HOSTILE[1]}{number}", value=0.5)
    graph.set_outputs(["h"], loss="mse")
    return graph


def unharmed(page: Any) -> None:
    """Nothing ran, nothing was inserted, nothing was asked for."""
    assert page.page.evaluate("() => globalThis.pwned ?? null") is None
    assert page.page.evaluate("() => document.querySelectorAll('script').length") == 2
    assert page.page.evaluate("() => document.querySelectorAll('img, svg, iframe, object, link').length") == 0
    page.clean()


def test_ten_thousand_hostile_names_are_text(browser: Any, tmp_path: Path) -> None:
    names = hostile_names(10_000)
    graph = tiny(["x"])
    samples = [Sample([[0.0]], [[0.0]], label=name) for name in names]
    page = visit(browser, tmp_path, explore(graph, ng.initialise(graph, seed=0), samples).html)
    shown = page.page.evaluate("() => [...document.querySelectorAll('#samples button')].map((one) => one.textContent)")
    assert shown == names
    unharmed(page)
    page.page.context.close()


def test_hostile_neurons_weights_and_titles_are_text(browser: Any, tmp_path: Path) -> None:
    graph = tiny(HOSTILE, name=HOSTILE[0])
    page = visit(
        browser,
        tmp_path,
        explore(
            graph, ng.initialise(graph, seed=0), [Sample(np.ones((1, len(HOSTILE))), [[0.0]])], about=HOSTILE[1]
        ).html,
    )
    assert page.page.title() == f"{HOSTILE[0]}: explorer"
    assert page.page.evaluate("() => document.getElementById('name').textContent") == HOSTILE[0]
    assert page.page.evaluate("() => document.getElementById('about').textContent") == HOSTILE[1]
    for number, name in enumerate(HOSTILE):
        page.page.evaluate("(i) => explorer.go.neuron(i)", number)
        assert page.page.evaluate("() => document.querySelector('#card h2').textContent") == name
        page.page.evaluate("(k) => explorer.go.weight(k)", number)
    for _ in range(6):
        page.page.keyboard.press("n")
    unharmed(page)
    page.page.context.close()


def test_policy_stops_scripts_styles_and_requests_that_are_not_the_page_s(browser: Any, tmp_path: Path) -> None:
    inserted = (
        "<script>globalThis.pwned = 1</script><style>#name { color: rgb(1, 2, 3) }</style>"
        "<img src='https://example.org/x.png'><link rel=stylesheet href='https://example.org/x.css'>"
    )
    page = visit(browser, tmp_path, page_of("xor").html.replace("<main>", f"{inserted}<main>"))
    page.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "globalThis.pwned = 2";
          document.body.append(script);
          fetch("https://example.org/").catch(() => {});
        }"""
    )
    page.frames()
    assert page.page.evaluate("() => globalThis.pwned ?? null") is None
    assert page.page.evaluate("() => getComputedStyle(document.getElementById('name')).color") != "rgb(1, 2, 3)"
    assert page.requests == []
    assert len([said for said in page.errors if "Content Security Policy" in said]) >= 5
    page.page.context.close()


def test_policy_names_the_page_s_own_style_and_script_alone() -> None:
    html = page_of("xor").html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert policy
    assert script
    assert style
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style[1], script[1])]
    assert policy[1] == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"
    )
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert held
    assert json.loads(held[1])["name"] == "xor"


def test_page_in_a_notebook_runs_in_a_frame_of_its_own(browser: Any, tmp_path: Path) -> None:
    graph = ng.build(ng.lay_out(ng.load("mazur")))
    inspector = ng.Inspector(
        ng.ReferenceEngine(graph, ng.initialise(graph, seed=0)),
        [[0.5, 0.5], [0.05, 0.1]],
        [[0, 1], [0.01, 0.99]],
        sample=1,
    )
    made = inspector.explore()._repr_html_()
    assert 'sandbox="allow-scripts"' in made
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html><body>{made}</body>", encoding="utf-8")
    page = browser.new_page()
    page.goto(file.as_uri())
    frame = page.frame_locator("iframe")
    frame.locator("#card h2").wait_for()
    frame.locator("#next").click()
    assert frame.locator("#frame h2").inner_text() == "What goes in: i1, i2"
    shown = page.frames[1].evaluate("() => Array.from(explorer.model.state.z.slice(2))")
    assert shown == pytest.approx([float(trace_of("mazur").z[name][0]) for name in ("h1", "h2", "o1", "o2")])
    page.close()


def test_program_has_every_module_once_and_after_those_it_needs() -> None:
    assert sorted(f"{name}.js" for name in MODULES) == sorted(file.name for file in FOLDER.glob("*.js"))
    for number, name in enumerate(MODULES):
        assert set(needs(name)) <= set(MODULES[:number]), name
    made = program()
    assert "import " not in re.sub(r"//.*", "", made).replace("important ", "")
    assert "innerHTML" not in made
    assert "eval(" not in made
