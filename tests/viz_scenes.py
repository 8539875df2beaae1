"""Scenes for the picture tests: bundled networks and written ones, with and without numbers, made once."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from typing import Any

import numpy as np
from neurograph.viz.scene import Scene
from neurograph.viz.subject import Subject
from neurograph.viz.views import Wish, make_scene

import neurograph as ng
from neurograph.cli.examined import engine_for
from neurograph.inspector import Inspector

TWO_HEADS = """
name = "two-heads"
input = [1, 12, 12]
layer = [
  {name = "conv1", kind = "conv", filters = 4, kernel = 3, padding = 1, activation = "relu"},
  {name = "conv2", kind = "conv", filters = 4, kernel = 3, padding = 1, activation = "relu"},
  {name = "sum", kind = "add", from = ["conv1", "conv2"], activation = "relu"},
  {name = "pool", kind = "maxpool", window = 2},
  {name = "drop", kind = "dropout", keep = 0.5},
  {name = "classes", kind = "dense", units = 10, activation = "softmax"},
  {name = "side", kind = "conv", from = "conv1", filters = 1, kernel = 12, activation = "sigmoid"},
]
loss = [{of = "classes", kind = "cross_entropy"}, {of = "side", kind = "binary_cross_entropy", weight = 0.5}]
"""
RESIDUAL = 'name = "residual"\ninput = [2, 8, 8]\n' + "".join(
    f'[[layer]]\nname = "a{i}"\nkind = "conv"\nfilters = 2\nkernel = 3\npadding = 1\nactivation = "relu"\n'
    f'[[layer]]\nname = "sum{i}"\nkind = "add"\nfrom = ["a{i}", "{f"sum{i - 1}" if i else "input"}"]\n'
    for i in range(6)
)
ODD = """
name = "odd"
input = [1, 4, 4]
layer = [
  {name = "conv1", kind = "conv", filters = 2, kernel = 3, padding = 1, activation = "relu"},
  {name = "pool", kind = "avgpool", window = 2},
  {name = "hidden", kind = "dense", units = 3, activation = "tanh"},
  {name = "classes", kind = "dense", units = 4, activation = "softmax"},
  {name = "side", kind = "dense", from = "input", units = 1, activation = "sigmoid"},
]
loss = [{of = "classes", kind = "cross_entropy"}, {of = "side", kind = "binary_cross_entropy", weight = 0.5}]
"""
SEQUENCE = """
name = "sequence"
input = [2, 8]
layer = [
  {name = "conv1", kind = "conv", filters = 3, kernel = 3, activation = "leaky_relu"},
  {name = "pool", kind = "maxpool", window = 2},
  {name = "out", kind = "dense", units = 2},
]
"""
SKIPPING = """
name = "skipping"
neuron = [
  {id = "x1", kind = "input"}, {id = "x2", kind = "input"}, {id = "h1", activation = "tanh", bias = "b"},
  {id = "h2", activation = "tanh", bias = "b"}, {id = "p", kind = "max"}, {id = "out", output = true},
]
edge = [
  {from = "x1", to = "h1", weight = "w", value = 0.5}, {from = "x2", to = "h2", weight = "w"}, {from = "h1", to = "p"},
  {from = "h2", to = "p"}, {from = "p", to = "out", weight = "v", value = -1.2}, {from = "x1", to = "out", weight = "s", value = 0.3},
  {from = "x2", to = "out", weight = "s"},
]
loss = {kind = "mse"}
sample = [{input = [1, -2], target = [1]}]
"""
SMALL = ("four", "mazur", "xor")
ALSO_SMALL = (ODD, SEQUENCE, SKIPPING)
LAYERED = ("four", "xor", "digits", "lenet5", "lenet1", "lenet5-1998", "zipcode-1989", "alexnet", "vgg19", "mlp")
AROUND = (
    ("four", "conv[0,3,1]"),
    ("four", "pool[0,1,0]"),
    ("four", "outputs[1]"),
    ("mazur", "h1"),
    ("mazur", "i1"),
    ("digits", "conv2[3,4,4]"),
    ("lenet5", "conv2[3,5,5]"),
    ("lenet5", "fc1[7]"),
    ("lenet5", "fc3[2]"),
    ("lenet5", "input[0,10,10]"),
    ("zipcode-1989", "h1[0,0,0]"),
    ("alexnet", "conv2[3,5,5]"),
    ("vgg19", "fc6[0]"),
    (TWO_HEADS, "sum[0,5,5]"),
)


@cache
def topology_of(spec: str) -> Any:
    return ng.lay_out(ng.load(spec))


@cache
def inspector_of(spec: str) -> Inspector | None:
    """A pass through a network of moderate size: its own first sample, else random numbers."""
    topology = topology_of(spec)
    if topology.n_edges > 500_000:
        return None
    engine = engine_for(topology, ng.initialise(topology, seed=0))
    samples = ng.load(spec).samples
    if samples:
        x = np.array([samples[0].input], dtype=float).reshape(1, *engine.layout.inputs[0].shape)
        target = None if samples[0].target is None else [samples[0].target]
        upstream = None if samples[0].upstream is None else [samples[0].upstream]
        return Inspector(engine, x, target, upstream=upstream)
    random = np.random.default_rng(0)
    given = {port.name: random.random((1, *port.shape)) for port in engine.layout.inputs}
    return Inspector(engine, given, upstream={h.name: random.normal(size=(1, *h.shape)) for h in engine.layout.heads})


def subject_of(spec: str, values: str = "a") -> Subject:
    return Subject(topology_of(spec), inspector_of(spec), values=values, note="sample 0")


@cache
def scene_of(
    spec: str,
    view: str,
    around: str | None = None,
    values: str = "a",
    group: str | None = None,
    layer: str | None = None,
    depth: int = 1,
    folded: bool = False,
) -> Scene:
    subject = Subject(topology_of(spec)) if view in ("layers", "tied") else subject_of(spec, values)
    return make_scene(subject, Wish(view, around, group, layer, depth, folded))


def all_scenes() -> list[Any]:
    """(name, arguments of `scene_of`) for every kind of picture there is."""
    found: list[tuple[str, ...]] = [(spec, "neurons") for spec in (*SMALL, *ALSO_SMALL)]
    found += [(ODD, "neurons", "conv1[1,2,2]"), (SEQUENCE, "around", "conv1[1,2]"), (SKIPPING, "around", "out")]
    found += [("four", "neurons", "conv[0,3,1]"), ("four", "neurons", "outputs[0]"), ("mazur", "neurons", "h1")]
    found += [("four", "neurons", None, values) for values in ("z", "delta", "none")]  # type: ignore[list-item]
    found += [(spec, "layers") for spec in (*LAYERED, TWO_HEADS, RESIDUAL, "mazur")]
    found += [(spec, "around", neuron) for spec, neuron in AROUND]
    return found + more_scenes()


def more_scenes() -> list[Any]:
    """The other views, each on networks that ask something of it."""
    found: list[Any] = [(spec, "layers", None, "a", None, None, 1, True) for spec in ("vgg19", RESIDUAL)]
    found += [(spec, "maps") for spec in ("zipcode-1989", "mlp", SEQUENCE, TWO_HEADS)]
    found += [("zipcode-1989", "maps", None, "none", None, "h2"), ("sixteen", "neurons"), ("zipcode-1989", "neurons")]
    found += [("four", "neurons", None, values) for values in ("weight", "gradient")]
    found += [(spec, "pipeline") for spec in ("four", "xor", "zipcode-1989", SEQUENCE, TWO_HEADS)]
    found += [("sixteen", "pipeline", None, "delta")]
    found += [(spec, "group") for spec in ("sixteen", "zipcode-1989", "mazur", SEQUENCE)]
    found += [("zipcode-1989", "group", None, "a", "h2[3]"), (SKIPPING, "group", None, "a", "w")]
    found += [(spec, "windows") for spec in ("four", "zipcode-1989", SEQUENCE, TWO_HEADS)]
    found += [("four", "windows", None, "a", None, "pool"), ("alexnet", "windows", None, "a", None, "pool1")]
    found += [(spec, "tied") for spec in ("sixteen", "zipcode-1989", "alexnet", SEQUENCE)]
    found += [(spec, "toeplitz") for spec in ("sixteen", "mazur", "vgg19", SEQUENCE)]
    found += [("four", "toeplitz", None, "gradient"), ("four", "toeplitz", None, "a", None, "pool")]
    return [
        *found,
        ("four", "around", "conv[0,3,1]", "a", None, None, 2),
        (SKIPPING, "around", "h1", "a", None, None, 2),
    ]


def large_scenes() -> list[Any]:
    """Pictures of thousands of shapes."""
    found: list[Any] = [(spec, "maps") for spec in ("lenet5-1998", "alexnet", "vgg19")]
    found += [(spec, "neurons") for spec in ("lenet5", "mlp", "alexnet", TWO_HEADS)]
    found += [("lenet5", "neurons", "conv2[3,5,5]"), ("vgg19", "neurons", "conv5_1[0,3,3]")]
    found += [(spec, "pipeline") for spec in ("lenet5", "alexnet")]
    found += [(spec, "group") for spec in ("four", "lenet5", "alexnet")]
    found += [
        ("lenet5", "group", None, "a", "conv2[3]"),
        ("lenet5", "tied"),
        ("lenet5", "toeplitz"),
        ("mlp", "toeplitz"),
    ]
    found += [("lenet5", "around", "conv2[3,5,5]", "a", None, None, 3)]
    return [*found, ("alexnet", "around", "conv2[3,5,5]", "a", None, None, 2)]


def name_of(arguments: tuple[Any, ...]) -> str:
    arguments = tuple(part for part in arguments if part is not None)
    return " ".join(str(part).split('"')[1] if "\n" in str(part) else str(part) for part in arguments)


def texts_of(svg: bytes | str) -> list[str]:
    """Every piece of text that an SVG shows, in order."""
    root = ET.fromstring(svg)
    return ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
