"""Well over a hundred wrong inputs: each ends in one clear message, kept here (and in data/wrong_specs.txt) as a whole.

Broken graphs that only `validate` can see are in test_validate.py, IDX files in test_idx.py.
"""

# ruff: noqa: E501 (a message stands on one line, as it is printed)
from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import neurograph as ng
from neurograph.cli import main
from neurograph.errors import BatchError, GraphError, LossError, NeurographError, ParameterError, SpecError, UnknownName

# -- specs -------------------------------------------------------------------------------------------------------------
CASES = (Path(__file__).parent / "data" / "wrong_specs.txt").read_text(encoding="utf-8").split("#### ")[1:]


def parts(case: str) -> tuple[str, str]:
    """Text and message of a case."""
    _, _, rest = case.partition("\n")
    text, _, message = rest.partition("\n----\n")
    return text.strip("\n") + "\n", message.strip("\n")


def written(text: str, folder: Path) -> str:
    """The text as a file in the current folder; its name."""
    name = "bad.json" if text.startswith("{") else "bad.toml"
    (folder / name).write_text(text, encoding="utf-8")
    return name


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_there_are_more_than_a_hundred() -> None:
    assert len(CASES) > 130
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.partition("\n")[0] for case in CASES])
def test_a_wrong_spec_says_all_that_is_wrong(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, message = parts(case)
    name = written(text, tmp_path)
    with pytest.raises(SpecError) as raised:
        ng.load(name)
    assert str(raised.value) == message
    assert main(["summary", name]) == 2
    assert capsys.readouterr() == ("", message + "\n")


@pytest.mark.parametrize("case", CASES, ids=[case.partition("\n")[0] for case in CASES])
def test_a_message_names_the_file_and_fits_on_a_screen(case: str) -> None:
    _, message = parts(case)
    assert len(message.splitlines()) <= 20
    for line in message.splitlines():
        assert re.match(r"bad\.(toml|json)(:\d+)?: \S", line)
        assert len(line) < 400


def test_faults_come_in_file_order() -> None:
    lines = [int(number) for number in re.findall(r"^bad.toml:(\d+)", parts(CASES[-1])[1], re.MULTILINE)]
    assert lines == sorted(lines)
    assert len(lines) == 8


def test_of_many_faults_the_first_hundred_are_listed() -> None:
    layers = [f'[[layer]]\nname = "a{n}"\nkind = "dense"\nunits = 0\n' for n in range(150)]
    with pytest.raises(SpecError) as raised:
        ng.load("input = [4]\n" + "".join(layers))
    lines = str(raised.value).splitlines()
    assert len(lines) == 101
    assert lines[0] == "<text>:5: dense 'a0': units must be a whole number ≥ 1; found 0."
    assert lines[99] == "<text>:401: dense 'a99': units must be a whole number ≥ 1; found 0."
    assert lines[100] == "<text>: more than 99 faults; these are the first that were found."


FILES: list[tuple[str, bytes, str]] = [
    ("latin1.toml", b'name = "caf\xe9"\n', "latin1.toml:1: byte 0xe9 at offset 11 is not UTF-8 text. Save the file as UTF-8."),
    ("utf16.toml", "name = 1".encode("utf-16"), "utf16.toml:1: byte 0xff at offset 0 is not UTF-8 text. Save the file as UTF-8."),
    ("digits.toml", b"\ninput = [" + b"9" * 5000 + b"]\n", "digits.toml:2: a number of more than 4,300 digits; whole numbers end at 2⁶³ − 1."),
    ("hex.toml", b"input = [0x" + b"f" * 5000 + b"]\n[[layer]]\nname = 'a'\nkind = 'dense'\nunits = 1\n", "hex.toml:1: input must be 1 to 3 whole numbers ≥ 1, such as [1, 28, 28] (channels, rows, columns); found [a number of thousands of digits]."),
    ("large.toml", b"#" * (2**20 + 1), "large.toml: more than 1 MiB of text; a spec is far smaller."),
    ("list.json", b"[1, 2]", "list.json: a list; a spec is a table of keys such as name, input and layer."),
    ("empty.toml", b"", "empty.toml: no network: add [[layer]] tables, or [[neuron]] and [[edge]] tables for one drawn by hand."),
    ("dots.toml", b".".join([b"a"] * 50_000) + b" = 1", "dots.toml:1: a key of more than 8 parts; no spec needs that."),
    ("deep.json", b'{"layer": ' + b"[" * 100_000, "deep.json:1: brackets nested deeper than 16; no spec needs that."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "message"), FILES, ids=[name for name, *_ in FILES])
def test_a_damaged_file_is_refused_at_once(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    started = time.perf_counter()
    with pytest.raises(SpecError) as raised:
        ng.load(name)
    assert str(raised.value) == message
    assert time.perf_counter() - started < 1.0


NOT_FOUND = [
    ("lenet", "no spec 'lenet'; did you mean 'lenet5'? (bundled: alexnet, digits, four, lenet1, lenet5, lenet5-1998, linear, mazur, mlp, mlp300, mlp800, sixteen, vgg19, xor, zipcode-1989; or give a path such as ./my.toml)"),
    ("", "no spec '' (bundled: alexnet, digits, four, lenet1, lenet5, lenet5-1998, linear, mazur, mlp, mlp300, mlp800, sixteen, vgg19, xor, zipcode-1989; or give a path such as ./my.toml)"),
    ("no/such.toml", "no/such.toml: no such file."),
    ("lenet5.toml", "lenet5.toml: no such file; did you mean the bundled 'lenet5'?"),
    ("./mine.toml", "./mine.toml: no such file; did you mean 'mine2.toml'?"),
    ("folder/", "folder/: a folder; a spec is a file."),
    ("./nul\0\x1b[31m.toml", "neurograph: an argument holds a null character; none may."),
    ("x" * 5000 + ".toml", "x" * 5000 + ".toml: cannot be read (File name too long)."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "message"), NOT_FOUND, ids=[repr(source) for source, _ in NOT_FOUND])
def test_a_spec_that_is_not_there(
    source: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "mine2.toml").touch()
    assert main(["summary", source]) == 2
    assert capsys.readouterr() == ("", message + "\n")


def test_an_unreadable_device_is_refused() -> None:
    with pytest.raises(NeurographError, match=r"^/dev/zero: not an ordinary file\.$"):
        ng.load("/dev/zero")


ENORMOUS = [
    "[[layer]]\nname = 'a'\nkind = 'conv'\nfilters = 1_000_000_000_000\nkernel = 3\n",
    "[[layer]]\nname = 'a'\nkind = 'dense'\nunits = 9_223_372_036_854_775_807\n",
    "[[layer]]\nname = 'a'\nkind = 'conv'\nfilters = 9\nkernel = 3\npadding = 1_000_000_000_000\n",
    "[[layer]]\nname = 'a'\nkind = 'conv'\nfilters = 9\nkernel = 3\npadding = 'full'\ndilation = 1_000_000_000\n",
]


@pytest.mark.parametrize("layer", ENORMOUS)
def test_enormous_layers_are_refused_fast_and_in_little_memory(layer: str) -> None:
    ng.load("xor")
    tracemalloc.start()
    started = time.perf_counter()
    with pytest.raises(SpecError, match="a layer may have at most 100,000,000,000") as raised:
        ng.load(f"input = [1, 28, 28]\n{layer}")
    seconds, (_, peak) = time.perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert re.search(r" = [\d,]+ neurons", str(raised.value))
    assert seconds < 0.1
    assert peak < 50e6


def test_many_edges_are_merely_counted() -> None:
    spec = "input = [1, 500, 500]\n[[layer]]\nname = 'a'\nkind = 'dense'\nunits = 100_000_000\n"
    assert ng.lay_out(ng.load(spec)).n_edges == 25 * 10**12


# -- command lines -----------------------------------------------------------------------------------------------------
def usage(command: str, arguments: str) -> str:
    return f"\nUsage: neurograph {command} [OPTIONS] {arguments}\nTry 'neurograph {command} --help'."


COMMAND_LINES: list[tuple[list[str], str]] = [
    (["summary", "lenet5", "--jsn"], "neurograph summary: no such option '--jsn'; did you mean '--json'?"),
    (["list", "--jsonn"], "neurograph list: no such option '--jsonn'; did you mean '--json'?"),
    (["train"], "neurograph train: found neither SPEC nor --resume DIR. Say what to train, such as: train digits"),
    (["train", "--resume", "nowhere"], "nowhere: not a run folder: spec.toml and arguments.json are expected in it."),
    (["train", "xor", "--engine", "gpu"], "--engine: unknown engine 'gpu' (known: compiled, textbook)"),
    (["train", "four"], "four: sample 0 has no target, so there is no loss to train on. Add one to the spec, or name a data set: --data digits|mnist|FOLDER|FILE.npz."),
    (["train", "lenet5", "--data", "./nowhere"], "lenet5, data ./nowhere: no data set './nowhere' (known: digits, mnist, fashion-mnist, kmnist, cifar-10, or the path of an .npz file or of a folder of IDX or CIFAR-10 files)."),
    (["explain", "mazur"], "neurograph explain: WHAT of mazur? A neuron, a weight, a layer, or the loss. Layers: i1, i2, h1, h2, o1, o2. Weights: w1, w2, w3, w4, w5, w6, w7, w8, b1, b2. Try:\n  neurograph explain mazur \"h1\"\n  neurograph explain mazur \"w1\""),
    (["explain", "four"], "neurograph explain: WHAT of four? A neuron, a weight, a layer, or the loss. Layers: input, conv, pool, outputs. Weights: conv.weight, outputs.weight. Try:\n  neurograph explain four \"conv[0,3,3]\"\n  neurograph explain four \"conv.weight[0,0,1,1]\""),
    (["explain", "four", "conv[0,9,9]"], "no neuron conv[0,9,9]: 'conv' has neurons conv[0…0,0…5,0…5]. The nearest is conv[0,5,5]."),
    (["explain", "four", "convv[0,1,1]"], "four: no neuron or weight 'convv[0,1,1]'; did you mean 'conv'? (layers and parameters: input, conv, pool, outputs, conv.weight, outputs.weight)"),
    (["explain", "four", "conv.weight[0,0,5,5]"], "no weight 'conv.weight[0,0,5,5]': 'conv.weight' has slots conv.weight[0…0,0…0,0…2,0…2]. The nearest is conv.weight[0,0,2,2]."),
    (["explain", "four", "conv[0,1,1]", "--sample", "7"], "--sample 7: four carries the samples 0…0."),
    (["draw", "four", "-o", "picture.bmp"], "picture.bmp: the ending '.bmp'; a picture ends in .svg, .png, .pdf or .dot."),
    (["draw", "four", "--view", "sideways"], "--view sideways: unknown view (known: layers, maps, neurons, pipeline, around, group, windows, tied, toeplitz)"),
    (["explain", "nope", "a[0]"], NOT_FOUND[0][1].replace("'lenet'; did you mean 'lenet5'?", "'nope'")),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), COMMAND_LINES, ids=[" ".join(line) for line, _ in COMMAND_LINES])
def test_a_wrong_command_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.split("\nUsage: ")[0].rstrip("\n") == message
    assert "Traceback" not in err


@pytest.mark.parametrize(("line", "near"), [("sumary lenet5", "summary"), ("trian digits", "train"), ("xyzzy", None)])
def test_an_unknown_command_gets_the_overview(line: str, near: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    hint = f"; did you mean '{near}'?" if near else ""
    first, _, rest = capsys.readouterr().err.partition("\n")
    assert first == f"neurograph: no command '{line.split(maxsplit=1)[0]}'{hint}"
    assert rest.lstrip().startswith("Usage: neurograph COMMAND [ARGUMENTS]")


# -- graphs and engines ------------------------------------------------------------------------------------------------
def hand_made() -> ng.NeuronGraph:
    g = ng.NeuronGraph()
    g.add_input("x")
    g.add_neuron("h", activation="relu", bias="b")
    g.connect("x", "h", weight="w")
    g.set_outputs(["h"], loss="mse")
    return g


def mixed_maximum() -> ng.NeuronGraph:
    """A maximum over an input, a neuron behind it, and a constant that pads the input."""
    text = 'name = "c"\ninput = [1, 3]\nlayer = [{ name = "conv", kind = "conv", filters = 1, kernel = 1, padding = 1, padding_value = -1 }]'
    g = ng.build(ng.lay_out(ng.load(text)))
    g.add_pool("top", op="max")
    constant = next(node for node, kind in g.nodes(data="kind") if kind == "constant")
    for source in (("input", 0, 1), ("conv", 0, 1), constant):
        g.connect(source, "top")
    return g


Attempt = Callable[[], object]
GRAPHS: list[tuple[Attempt, str]] = [
    (lambda: hand_made().add_input("x"), "x is in the graph already; every neuron needs an id of its own."),
    (lambda: hand_made().add_neuron("n", kind="wieghted"), "unknown kind 'wieghted'; did you mean 'weighted'? (known: input, weighted, max, mean, l2, sum, rbf, constant)"),
    (lambda: hand_made().add_neuron("n", activation="Relu"), "unknown activation 'Relu'; did you mean 'relu'? (known: identity, relu, leaky_relu, elu, softplus, gelu, silu, sigmoid, tanh, scaled_tanh, softmax)"),
    (lambda: hand_made().add_neuron("n", kind="max", bias="b2"), "n: a max neuron has no bias; only weighted neurons have one."),
    (lambda: hand_made().add_pool("p", op="median"), "unknown op 'median'; did you mean 'mean'? (known: max, mean, l2)"),
    (lambda: hand_made().connect("x", "hh", weight="w"), "no neuron hh; did you mean 'h'? Add it before connecting it."),
    (lambda: hand_made().connect("x", "h", weight="w2"), "x and h are connected already; a second edge between a pair is not kept. Use one edge, or put a sum neuron between them."),
    (lambda: hand_made().set_outputs(["h", "y"]), "outputs that are not in the graph: y."),
    (lambda: hand_made().set_outputs(["h", "h"]), "an output is listed twice."),
    (lambda: ng.plan(mixed_maximum()), "top: a maximum over a constant and neurons of several layers. Put a sum neuron between."),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "message"), GRAPHS, ids=[message[:50] for _, message in GRAPHS])
def test_a_wrong_step_in_making_a_graph(attempt: Attempt, message: str) -> None:
    with pytest.raises(GraphError) as raised:
        attempt()
    assert str(raised.value) == message


def test_an_edge_that_could_not_be_made_leaves_the_graph_as_it_was() -> None:
    g = hand_made()
    g.add_pool("p")
    with pytest.raises(GraphError, match="a value without a weight; name the weight too"):
        g.connect("x", "p", value=1.0)
    assert not g.has_edge("x", "p")


def engine(name: str = "xor") -> ng.ReferenceEngine:
    topology = ng.lay_out(ng.load(name))
    return ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))


ENGINES: list[tuple[Attempt, type[Exception], str]] = [
    (lambda: engine().forward([[1, 2, 3]]), BatchError, "x: shape (1, 3); 'input' needs (batch, 2)."),
    (lambda: engine().forward([1, 2]), BatchError, "x: shape (2,); 'input' needs (batch, 2)."),
    (lambda: engine().forward(np.zeros((0, 2))), BatchError, "x: the batch is empty."),
    (lambda: engine().forward([["a", "b"]]), BatchError, "x: input: expected an array of numbers, found list."),
    (lambda: engine().forward({"image": [[1, 2]]}), BatchError, "x: found ['image']; expected input."),
    (lambda: engine().backprop([[1, 2]], [[1], [2]]), BatchError, "target: shape (2, 1); the batch has 1 samples."),
    (lambda: engine().backprop([[1, 2]], [[1.0, 2.0]]), BatchError, "target: shape (1, 2); 'out' needs (batch, 1)."),
    (lambda: engine("digits").backprop(np.zeros((1, 1, 8, 8)), np.array([10])), BatchError, "target: class 10 at position 0; 'out' has classes 0…9."),
    (lambda: engine("digits").backprop(np.zeros((1, 1, 8, 8)), np.zeros((1, 9))), BatchError, "target: shape (1, 9); 'out' needs (batch, 10) or integer classes of shape (batch,)."),
    (lambda: engine("digits").backprop(np.zeros((1, 1, 8, 8)), np.zeros(1)), BatchError, "target: shape (1,); 'out' needs (batch, 10) or integer classes of shape (batch,); found float64. Classes: y.astype(int)."),
    (lambda: engine().backprop([[1, 2]], [[1]], reduction="avg"), LossError, "unknown reduction 'avg' (known: mean, sum)"),
    (lambda: engine().predict_proba([[1, 2]]), LossError, "'out' has no probabilities (activation identity, loss mse); they need activation softmax, or loss cross_entropy or binary_cross_entropy. Use forward for the outputs, or predict for the labels."),
    (lambda: engine().params["out.wieght"], UnknownName, "no parameter 'out.wieght'; did you mean 'out.weight'? (known: hidden.weight, hidden.bias, out.weight, out.bias)"),
    (lambda: engine().params.update({"out.weight": [1, 2, 3]}), ParameterError, "out.weight: values of shape (3,); its shape is (1, 2)."),
    (lambda: ng.Parameters.load("nowhere.safetensors"), ParameterError, "nowhere.safetensors: no such file."),
    (lambda: ng.build(ng.lay_out(ng.load("alexnet"))), NeurographError, "alexnet has 672,424,832 edges; written out they need about 223 GB (limit 2,000,000 edges). Compile the topology, or build(topology, around=\"conv2[128,13,13]\")."),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "kind", "message"), ENGINES, ids=[message[:50] for *_, message in ENGINES])
def test_a_wrong_input_of_an_engine(attempt: Attempt, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as raised:
        attempt()
    assert str(raised.value) == message


def test_a_reported_loss_needs_to_be_declared() -> None:
    spec = "input = [2]\n[[layer]]\nname = 'out'\nkind = 'dense'\nunits = 2\n"
    topology = ng.lay_out(ng.load(spec))
    textbook = ng.ReferenceEngine(ng.build(topology), ng.initialise(topology))
    with pytest.raises(LossError) as raised:
        textbook.backprop([[1, 2]], [0])
    assert str(raised.value) == "'out' has no loss; add [loss] to the spec, or pass upstream instead of a target."
