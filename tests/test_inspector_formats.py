"""Cards as HTML and as LaTeX: the same words and numbers as the text, whole, escaped, and the same every time."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from html.parser import HTMLParser
from math import fsum
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neurograph as ng
import neurograph.inspector
from neurograph.cli import main
from neurograph.inspector import Inspector, NeuronCard, WeightCard
from neurograph.inspector.html import as_fragment, as_page
from neurograph.inspector.latex import as_latex, escape
from neurograph.inspector.sheets import Grid, HeatMap
from neurograph.inspector.shown import Shown
from tests.kept import check_kept
from tests.test_inspector import inspect

VOID = {"meta"}


class Tags(HTMLParser):
    """Collects what is open, and fails on what is closed in the wrong order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}, "the page asks for something outside it"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def all_cards() -> list[NeuronCard | WeightCard]:
    four, mazur = inspect("four"), inspect("mazur")
    neurons = [four.neuron(name) for name in ("input[0,3,1]", "conv[0,3,1]", "pool[0,0,0]", "outputs[1]")]
    return [*neurons, mazur.neuron("o1"), mazur.weight("b1"), four.weight("conv.weight[0,0,1,1]")]


def words(text: str) -> list[str]:
    return re.findall(r"[^\s]+", text)


def test_html_is_as_on_the_page() -> None:
    card = inspect("four").neuron("pool[0,1,0]")
    check_kept("card-pool.html", as_fragment(card.sheet()))
    assert card._repr_html_() == as_fragment(card.sheet())


@pytest.mark.parametrize("card", all_cards(), ids=lambda card: card.name)
def test_page_is_whole_and_says_what_the_text_says(card: NeuronCard | WeightCard) -> None:
    page = as_page(card.sheet(), "a <b> & c")
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert '<p class="about">a &lt;b&gt; &amp; c</p>' in page
    said = words(" ".join(tags.words))
    assert not [word for word in words(card.text()) if word not in said]
    assert page == as_page(card.sheet(), "a <b> & c")


def test_latex_is_as_on_the_page() -> None:
    check_kept("card-weight.tex", as_latex(inspect("four").weight("conv.weight[0,0,1,1]").sheet(), "four"))


@pytest.mark.parametrize("card", all_cards(), ids=lambda card: card.name)
def test_latex_of_a_card_has_only_commands_and_ascii(card: NeuronCard | WeightCard) -> None:
    latex = as_latex(card.sheet())
    assert latex.isascii()
    assert (
        latex.count(r"\begin{tabular}")
        == latex.count(r"\end{tabular}")
        == sum(isinstance(part, Grid | HeatMap) for part in card.sheet())
    )
    for table in re.findall(r"tabular\}\{(\w+)\}\n(.*?)\\end", latex, re.S):
        assert {row.count(" & ") + 1 for row in table[1].splitlines() if row.endswith(r"\\")} <= {
            len(table[0]), len(table[0]) - 1
        }  # fmt: skip


@given(st.text(st.characters(codec="latin-1")))
def test_escaped_text_has_nothing_that_latex_would_take_for_a_command(text: str) -> None:
    bare = re.sub(
        r"\\[a-z]+\{\}|\\[{}$&#%_]|\{[\[\]]\}|\$[<>|']\$|\$-\$|\$\\[a-z]+\$|\$\{\}\^2\$|\$\\frac\{1\}\{2\}\$",
        "",
        escape(text),
    )
    assert not set(bare) & set('\\{}$&#%_^~[]<>|"²·×')


def test_latex_has_a_word_for_every_sign_that_the_inspector_writes() -> None:
    written: set[str] = set()
    for path in Path(next(iter(neurograph.inspector.__path__))).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        comments = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in comments:
                written |= {sign for sign in node.value if not sign.isascii()}
    assert len(written) > 15
    assert sorted(sign for sign in written if not escape(sign).isascii()) == ["─"]  # rules off frames in a terminal


def test_cells_too_long_for_a_line_may_break_it() -> None:
    path = "input[0,2,1] → conv[0,3,1] → pool[0,1,0] → outputs[0]"
    page = as_fragment(["paths", Grid("the paths", ("rank", "path"), (("1", path), ("2", "h1 → o1")), 0)])
    assert f'<td class="long">{path}</td>' in page
    assert "<td>h1 → o1</td>" in page


# -- what a TeX says to it -----------------------------------------------------------------------------------------------
@pytest.mark.skipif(which("pdflatex") is None, reason="needs a TeX")
def test_every_card_compiles_with_latex(tmp_path: Path) -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    program = Inspector(
        ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0)), np.ones((1, 1, 28, 28)), [3]
    )
    mazur, four = inspect("mazur"), inspect("four")
    cards: list[Shown] = [
        *all_cards(),
        four.fractions().neuron("conv[0,3,1]"),
        four.layer("conv"),
        four.layer("conv[0]"),
        mazur.loss(),
        mazur.weight("w5", ng.SGD(0.5, momentum=0.9)),
        mazur.weight("w5", ng.Adam()),
        program.weight("conv1.weight[0,0,2,1]", ng.SGD(0.1)),
        program.neuron("conv2[3,5,5]"),
        program.loss(),
    ]
    body = "\n\n".join(as_latex(card.sheet(), "about it: 50 % & more") for card in cards)
    mathematics = "\n\n".join(found for card in cards if (found := card._repr_latex_()) is not None)
    document = "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n" + body + "\n\n" + mathematics
    (tmp_path / "cards.tex").write_text(document + "\n\\end{document}\n", encoding="ascii")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "cards.tex"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, errors="replace",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in done.stdout + (tmp_path / "cards.log").read_text(errors="replace")
    assert (tmp_path / "cards.pdf").stat().st_size > 10_000


# -- in a notebook -------------------------------------------------------------------------------------------------------
def test_a_notebook_gets_text_html_and_mathematics() -> None:
    card = inspect("mazur").neuron("h1")
    bundle = card._repr_mimebundle_()
    assert bundle == {"text/plain": str(card), "text/html": card._repr_html_(), "text/latex": card._repr_latex_()}
    assert r"\mathtt{w1}\cdot \mathtt{i1} + \mathtt{w2}\cdot \mathtt{i2} + \mathtt{b1}" in bundle["text/latex"]
    assert list(card._repr_mimebundle_(include=["text/html"])) == ["text/html"]
    assert "text/html" not in card._repr_mimebundle_(exclude=["text/html"])
    assert "text/latex" not in inspect("mazur").loss()._repr_mimebundle_()


# -- maps for eyes and ears ----------------------------------------------------------------------------------------------
def test_a_wide_map_is_digits_for_the_eye_and_numbers_for_the_ear() -> None:
    topology = ng.lay_out(ng.load("lenet5"))
    engine = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology, seed=0))
    x = np.random.default_rng(0).random((1, 1, 28, 28))
    card = Inspector(engine, x, [3]).weight("conv1.weight[0,0,2,1]")
    (asked,) = card.maps
    page, text = as_fragment(card.sheet()), str(card)
    largest = max(abs(value) for row in asked.sums for value in row if value)
    assert asked.name == "conv1[0]"
    assert all(row[0] is None and None not in row[1:] for row in asked.sums)  # the tap reads nothing in column 0
    assert f"9 is up to ±{largest:.6g}, 1 a ninth of it; . is exactly 0" in text
    signed = [value for row in asked.sums for value in row if value]
    assert page.count("background: rgba(230") == sum(value > 0 for value in signed)
    assert page.count("background: rgba(41") == sum(value < 0 for value in signed)
    assert all(f'aria-label="{value:.6g}"' in page for value in signed)
    assert fsum(signed) == pytest.approx(card.sum, rel=1e-12)


# -- the command -------------------------------------------------------------------------------------------------------
def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_command_prints_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = said(capsys, "four", "conv[0,3,1]", "--format", "html")
    assert page.startswith("<!doctype html>\n")
    assert '<p class="about">four, sample 0 (a four), weights as given</p>' in page
    assert "<caption>It sees rows 2…4, columns 0…2 of input.</caption>" in page
    assert page.endswith("</section>\n</main>\n</body>\n</html>\n")
    assert str(tmp_path.parent) not in page


def test_command_prints_latex_with_digits_and_rows(capsys: pytest.CaptureFixture[str]) -> None:
    latex = said(capsys, "four", "outputs[0]", "--format", "latex", "--rows", "2", "--digits", "3")
    assert latex.startswith(
        "\\paragraph{outputs{[}0{]}: weighted neuron}\n(four, sample 0 (a four), weights as given)\n"
    )
    assert r"\dots{} and 7 smaller in$-$edges, together $-$25.5 (6 of them exactly 0)" in latex


def test_command_prints_json_by_either_name(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = (said(capsys, "mazur", "h1", *form) for form in (["--json"], ["--format", "json"]))
    assert one == other
    assert json.loads(one)["neuron"] == "h1"
