"""`neurograph new`: every template is a network that works, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from neurograph.cli import main
from neurograph.cli.new import FOLDER, TEMPLATES
from neurograph.graph.lay_out import lay_out
from neurograph.spec import load
from neurograph.training.settings import Settings

CREATED = """\
Wrote mynet.toml (convolution, pooling and a dense head, for the bundled digits). Next:
    neurograph summary mynet.toml
    neurograph train mynet.toml
    neurograph verify mynet.toml
    neurograph draw mynet.toml -o mynet.svg
For completion in your editor:
    neurograph schema -o neurograph.schema.json
"""


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_new_says_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mynet"]) == 0
    assert capsys.readouterr() == (CREATED, "")
    assert [path.name for path in Path().iterdir()] == ["mynet.toml"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_are_networks(template: str) -> None:
    assert main(["new", "net.toml", "--template", template]) == 0
    text = Path("net.toml").read_text()
    assert text.splitlines()[0] == "#:schema neurograph.schema.json"
    assert "{name}" not in text
    assert "{file}" not in text
    spec = load("./net.toml")
    assert spec.name == "net"
    assert lay_out(spec).n_parameters > 0
    assert Settings.of(spec).data == "digits" or spec.samples, (
        "what comes next is a training, and it has something to learn"
    )


def test_every_template_is_offered() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(TEMPLATES)


def test_names_are_written_as_toml_strings() -> None:
    assert main(["new", 'a "quoted" \\ name']) == 0
    assert load('./a "quoted" \\ name.toml').name == 'a "quoted" \\ name'


def test_new_never_overwrites(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.toml").write_text("precious")
    assert main(["new", "mine"]) == 2
    message = "mine.toml: there already, and not overwritten. Choose another name, or remove it first.\n"
    assert capsys.readouterr() == ("", message)
    assert Path("mine.toml").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/net"], "no/net.toml: the folder 'no' does not exist. Create it first, or choose another.\n"),
        (
            ["net", "-t", "covn"],
            "new: no template 'covn'; did you mean 'conv'? (known: conv, dense, branches, neurons)\n",
        ),
        ([".toml"], "new: '.toml' names no file. Say for example: neurograph new mynet.toml\n"),
        (["n" * 65], "new: a name of 65 characters; use at most 64.\n"),
    ],
    ids=["folder", "template", "nothing", "long"],
)
def test_mistakes_end_in_one_message(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", *arguments]) == 2
    assert capsys.readouterr() == ("", message)
    assert list(Path().iterdir()) == []
