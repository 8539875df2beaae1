"""Cards as HTML and as LaTeX: the same words and numbers as the text, whole, escaped, and the same every time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurograph.cli import main
from neurograph.inspector import NeuronCard, WeightCard
from neurograph.inspector.html import as_fragment, as_page
from neurograph.inspector.latex import as_latex, escape
from neurograph.inspector.sheets import Grid, HeatMap
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


# -- the command -------------------------------------------------------------------------------------------------------
def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_command_prints_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    page = said(capsys, "four", "conv[0,3,1]", "--format", "html")
    assert page.startswith("<!doctype html>\n")
    assert '<p class="about">four, sample 0 (a four), weights as given</p>' in page
    assert '<p class="formula">It sees rows 2…4, columns 0…2 of input.</p>' in page
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
