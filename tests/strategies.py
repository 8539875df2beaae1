"""Hypothesis strategies: networks over every word of the language, drawn by hand too, and graphs edited with NetworkX calls.

A network is grown layer by layer; a layer that does not fit what it reads is tried again without its riskier options, then left
out. So every draw is a valid network, and shrinking leaves small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from neurograph.graph.lay_out import lay_out
from neurograph.ops import KIND_NAMES
from neurograph.ops.losses import SMOOTHED
from neurograph.ops.view import View
from neurograph.ops.words import ACTIVATIONS
from neurograph.spec import Spec
from neurograph.spec.resolve import Resolved, resolve

Options = dict[str, Any]
Draw = st.DrawFn

HIDDEN_ACTIVATIONS = tuple(word for word in ACTIVATIONS if word != "softmax")
RISKY = ("dilation", "padding", "kernel", "window", "stride", "padding_value", "groups", "connections", "tie")
"""Options that may not fit: a layer is tried again without each of them, then without more and more (windows become 1)."""

KINDS = (*KIND_NAMES, "conv", "conv", "conv", "depthwise", "maxpool", "subsample", "dense")
"""What a layer is drawn from: convolutions have most ways to go wrong."""

FLAT_KINDS = ("dense", "rbf", "add", "concat", "flatten", "activation", "dropout")
"""Kinds that read one axis too."""

WEIGHTED = ("dense", "conv", "depthwise", "subsample")
SHARED = "weights_from"

MOST_EDGES = 2_500


@dataclass
class Growing:
    """A network while it grows: its layers as written, and how they resolve."""

    inputs: list[Options]
    layers: list[Options]
    resolved: Resolved

    def spec(self, losses: list[Options] = []) -> Spec:  # noqa: B006
        """The network so far."""
        body: Options = {"name": "drawn", "layer": self.layers, "loss": losses}
        single = len(self.inputs) == 1
        body["input"] = self.inputs[0]["shape"] if single else self.inputs
        return Spec.model_validate(body)

    @property
    def views(self) -> dict[str, View]:
        """What a further layer may read."""
        from neurograph.ops.view import view_of

        names = ["input"] if len(self.inputs) == 1 else [i["name"] for i in self.inputs]
        found = {name: view_of(name, tuple(i["shape"])) for name, i in zip(names, self.inputs, strict=True)}
        return found | {name: laid.view for name, laid in self.resolved.laid.items()}

    def try_layer(self, layer: Options) -> bool:
        """Add a layer if it fits; without the options that do not, if need be."""
        given = [option for option in RISKY if option in layer]
        attempts = [[], *([option] for option in given), *(given[: n + 1] for n in range(1, len(given)))]
        return any(self._accept(_without(layer, dropped)) for dropped in attempts)

    def _accept(self, layer: Options) -> bool:
        from pydantic import ValidationError

        grown = Growing(self.inputs, [*self.layers, layer], self.resolved)
        try:
            resolved = resolve(grown.spec())
        except ValidationError:
            return False
        if any(
            f"'{layer['name']}'" in str(fault) for fault in resolved.faults if "head needs neurons" not in str(fault)
        ):
            return False
        if layer["name"] not in resolved.laid:
            return False
        self.layers, self.resolved = grown.layers, resolved
        return True


def _without(layer: Options, dropped: list[str]) -> Options:
    """A layer without some options; a window cannot be left out, and becomes 1."""
    kept = {option: value for option, value in layer.items() if option not in dropped}
    return kept | {must: 1 for must in ("kernel", "window") if must in dropped}


# -- options ----------------------------------------------------------------------------------------------------------
def extents(rank: int, least: int, most: int) -> st.SearchStrategy[Any]:
    """One number, or one per axis."""
    number = st.integers(least, most)
    return st.one_of(number, st.lists(number, min_size=rank, max_size=rank))


def paddings(rank: int) -> st.SearchStrategy[Any]:
    """Every form that padding may be written in."""
    side = st.integers(0, 2)
    return st.one_of(
        st.sampled_from(["valid", "same", "full", 0, 1, 2]),
        st.lists(side, min_size=rank, max_size=rank),
        st.lists(st.lists(side, min_size=2, max_size=2), min_size=rank, max_size=rank),
    )


def sometimes(draw: Draw, options: Options, name: str, values: st.SearchStrategy[Any], times: int = 3) -> None:
    """Give an option once in so many times."""
    if draw(st.sampled_from([False] * (times - 1) + [True])):
        options[name] = draw(values)


def weighted_options(draw: Draw, options: Options) -> None:
    """Options of all layers with weights."""
    sometimes(draw, options, "bias", st.just(False), 4)
    sometimes(draw, options, "init", st.sampled_from(["he", "glorot", "lecun", "uniform", 0.5]), 6)
    sometimes(draw, options, "trainable", st.sampled_from([False, ["weight"], ["bias"]]), 6)


def conv_options(draw: Draw, options: Options, view: View) -> None:
    rank, channels = len(view.shape) - 1, view.shape[0]
    options["filters"] = draw(st.integers(1, 4))
    options["kernel"] = draw(extents(rank, 1, 3))
    sometimes(draw, options, "stride", extents(rank, 1, 3))
    sometimes(draw, options, "padding", paddings(rank), 2)
    sometimes(draw, options, "dilation", extents(rank, 1, 2), 4)
    sometimes(draw, options, "tie", st.just("none"), 5)
    sometimes(draw, options, "tie_bias", st.sampled_from(["map", "none"]), 5)
    sometimes(draw, options, "padding_value", st.sampled_from([-1.0, 2.0, 0.0]), 4)
    if draw(st.sampled_from([False, False, True])):
        rows = st.lists(st.integers(0, channels - 1), min_size=1, max_size=channels, unique=True)
        options["connections"] = draw(st.lists(rows, min_size=options["filters"], max_size=options["filters"]))
    elif channels > 1 and draw(st.booleans()):
        options["groups"] = channels
        options["filters"] = channels * draw(st.integers(1, 2))


def pool_options(draw: Draw, options: Options, view: View) -> None:
    rank = len(view.shape) - 1
    options["window"] = draw(extents(rank, 1, 3))
    sometimes(draw, options, "stride", extents(rank, 1, 3), 2)
    sometimes(draw, options, "padding", paddings(rank), 3)


def own_options(draw: Draw, options: Options, view: View) -> None:
    """The options of a kind."""
    kind, rank = options["kind"], len(view.shape) - 1
    match kind:
        case "dense" | "rbf":
            options["units"] = draw(st.integers(1, 4))
        case "conv":
            conv_options(draw, options, view)
        case "depthwise":
            options["kernel"] = draw(extents(rank, 1, 3))
            options["multiplier"] = draw(st.integers(1, 2))
            sometimes(draw, options, "stride", extents(rank, 1, 2))
            sometimes(draw, options, "padding", paddings(rank), 2)
        case "maxpool" | "avgpool" | "l2pool":
            pool_options(draw, options, view)
        case "globalpool":
            options["op"] = draw(st.sampled_from(["max", "mean", "l2"]))
        case "subsample":
            options["window"] = draw(extents(rank, 1, 2))
        case "dropout":
            options[draw(st.sampled_from(["keep", "rate"]))] = draw(st.sampled_from([0.5, 0.25, 0.75]))
    if kind in ("dense", "conv", "depthwise", "subsample"):
        weighted_options(draw, options)


# -- layers -----------------------------------------------------------------------------------------------------------
def sources_of(draw: Draw, growing: Growing, kind: str) -> list[str] | None:
    """What a layer of this kind may read: mostly the layer before, sometimes any; None where nothing fits."""
    views = {name: view for name, view in growing.views.items() if kind in FLAT_KINDS or len(view.shape) > 1}
    if not views:
        return None
    names = list(views)
    first = names[-1] if draw(st.sampled_from([True, True, False])) else draw(st.sampled_from(names))
    if kind not in ("add", "concat"):
        return [first]
    shape = views[first].shape
    alike = [
        n
        for n in names
        if n != first and (views[n].shape == shape if kind == "add" else views[n].shape[1:] == shape[1:])
    ]
    if not alike:
        branch: Options = {
            "name": f"n{len(growing.layers)}",
            "kind": "activation",
            "from": [first],
            "activation": "relu",
        }
        if not growing.try_layer(branch):
            return None
        alike = [branch["name"]]
    others = draw(st.lists(st.sampled_from(alike), min_size=1, max_size=2, unique=True))
    return draw(st.permutations([first, *others]))


def grow(draw: Draw, growing: Growing, kind: str) -> bool:
    """Add a layer of a kind if one can be found that fits."""
    sources = sources_of(draw, growing, kind)
    if sources is None:
        return False
    options: Options = {"name": f"n{len(growing.layers)}", "kind": kind, "from": sources}
    own_options(draw, options, growing.views[sources[0]])
    if kind not in ("flatten", "concat", "dropout"):
        options["activation"] = draw(st.sampled_from(HIDDEN_ACTIVATIONS))
    return growing.try_layer(options)


def share(draw: Draw, growing: Growing) -> bool:
    """Add a layer that shares the weights of an earlier one, over something of the same shape."""
    owners = [layer for layer in growing.layers if layer["kind"] in WEIGHTED and "weights_from" not in layer]
    if not owners:
        return False
    owner = draw(st.sampled_from(owners))
    shape = growing.views[owner["from"][0]].shape
    source = draw(st.sampled_from([name for name, view in growing.views.items() if view.shape == shape]))
    own = {"name": f"n{len(growing.layers)}", "from": [source], "weights_from": owner["name"]}
    return growing.try_layer({**owner, **own, "activation": draw(st.sampled_from(HIDDEN_ACTIVATIONS))})


def finish(draw: Draw, growing: Growing) -> None:
    """Give every input that nobody reads a reader, and every layer that makes no neurons."""
    read = {source for layer in growing.layers for source in layer["from"]}
    for name in [name for name in list(growing.views)[: len(growing.inputs)] if name not in read]:
        options = {"name": f"n{len(growing.layers)}", "kind": "dense", "from": [name], "units": draw(st.integers(1, 3))}
        assert growing.try_layer(options), options
    for layer in list(growing.layers):
        name = layer["name"]
        if name in growing.resolved.heads and growing.resolved.laid[name].kind is None:
            view = growing.views[name]
            kind = "dense" if view.is_flattened or draw(st.booleans()) else "activation"
            options = {"name": f"n{len(growing.layers)}", "kind": kind, "from": [name]}
            if kind == "dense":
                options["units"] = draw(st.integers(1, 4))
            assert growing.try_layer(options), options


def losses_of(draw: Draw, growing: Growing) -> list[Options]:
    """A loss for every head, with an activation that it permits; or none at all."""
    heads = [layer for layer in growing.layers if layer["name"] in growing.resolved.heads]
    if draw(st.sampled_from([False] * 7 + [True])):
        return []
    losses = []
    for head in heads:
        several = growing.resolved.laid[head["name"]].view.shape[0] > 1
        kinds = ["cross_entropy"] * several + ["binary_cross_entropy", "mse", "mse"]
        kinds += ["rbf_map"] * 6 if head["kind"] == "rbf" else []
        loss: Options = {"kind": draw(st.sampled_from(kinds)), "of": head["name"]}
        permitted = {
            "cross_entropy": ["softmax", "identity"],
            "binary_cross_entropy": ["sigmoid", "identity"],
            "rbf_map": ["identity"],
        }.get(loss["kind"], ["softmax", *HIDDEN_ACTIVATIONS])
        head["activation"] = draw(st.sampled_from(permitted))
        sometimes(draw, loss, "weight", st.sampled_from([0.5, 2.0, 0.3]))
        if loss["kind"] == "mse":
            loss["form"] = draw(st.sampled_from(["mean", "half_sum"]))
        if loss["kind"] == "rbf_map":
            loss["j"] = draw(st.sampled_from([1.0, 0.5]))
        counted(draw, loss, growing.resolved.laid[head["name"]].view.shape[0])
        losses.append(loss)
    return losses


def counted(draw: Draw, loss: Options, n_units: int) -> None:
    """Label smoothing and class weights, where the loss has them ("balanced" is only another way to say numbers)."""
    is_binary = loss["kind"] == "binary_cross_entropy"
    if loss["kind"] in SMOOTHED:
        sometimes(draw, loss, "label_smoothing", st.sampled_from([0.1, 0.5, 0.3]))
    if loss["kind"] == "mse":
        sometimes(draw, loss, "targets", st.just([-1.0, 1.0]), 4)
    if n_units > 1 or is_binary:
        numbers = st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.3]), min_size=max(n_units, 2), max_size=max(n_units, 2))
        sometimes(draw, loss, "class_weights", numbers)


@st.composite
def input_tables(draw: Draw) -> list[Options]:
    """One input, sometimes two; features, sequences or maps."""
    maps = st.tuples(st.integers(1, 3), st.integers(3, 7), st.integers(3, 7)).map(list)
    shapes = st.one_of(
        maps,
        maps,
        st.lists(st.integers(1, 6), min_size=1, max_size=1),
        st.tuples(st.integers(1, 3), st.integers(2, 8)).map(list),
    )
    first = draw(shapes)
    if draw(st.sampled_from([True, True, True, False])):
        return [{"name": "input", "shape": first}]
    second = draw(st.one_of(st.just(first), shapes))
    return [{"name": "left", "shape": first}, {"name": "right", "shape": second}]


@st.composite
def specs(draw: Draw, kinds: tuple[str, ...] = KINDS, most_layers: int = 5) -> Spec:
    """A network from layers, of at most `MOST_EDGES` edges."""
    growing = Growing(draw(input_tables()), [], Resolved())
    for _ in range(draw(st.sampled_from([n for n in (1, 2, 3, 4, 5, 3, 4, 5) if n <= most_layers]))):
        has_maps = any(len(view.shape) > 1 for view in growing.views.values())
        kind = draw(st.sampled_from([*(kind for kind in kinds if has_maps or kind in FLAT_KINDS), SHARED]))
        share(draw, growing) if kind == SHARED else grow(draw, growing, kind)
    if not growing.layers or set(growing.resolved.laid) <= {
        n for n, laid in growing.resolved.laid.items() if laid.kind is None
    }:
        first = next(iter(growing.views))
        assert growing.try_layer({"name": "first", "kind": "dense", "units": 2, "from": [first]})
    finish(draw, growing)
    spec = growing.spec(losses_of(draw, growing))
    while lay_out(spec).n_edges > MOST_EDGES:  # rare: cut the network back to its beginning
        growing = Growing(growing.inputs, [], Resolved())
        finish(draw, growing)
        spec = growing.spec()
    return spec


# -- drawn by hand ----------------------------------------------------------------------------------------------------
@st.composite
def hand_drawn(draw: Draw) -> Spec:
    """A network drawn neuron by neuron, with weights and biases shared by name."""
    inputs = [f"x{i}" for i in range(draw(st.integers(1, 4)))]
    neurons: list[Options] = [{"id": name, "kind": "input"} for name in inputs]
    edges: list[Options] = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(["weighted", "weighted", "weighted", "max", "mean", "l2", "sum", "rbf"]))
        neuron: Options = {"id": f"h{number}", "kind": kind, "activation": draw(st.sampled_from(HIDDEN_ACTIVATIONS))}
        if kind == "weighted":
            sometimes(draw, neuron, "bias", st.sampled_from(["b0", "b1", f"b_{number}"]), 2)
        if kind == "mean":
            sometimes(draw, neuron, "divisor", st.sampled_from([2.0, 3.0]), 2)
        names = [n["id"] for n in neurons]
        for source in draw(st.lists(st.sampled_from(names), min_size=1, max_size=5, unique=True)):
            edge: Options = {"from": source, "to": neuron["id"]}
            if kind in ("weighted", "rbf"):
                edge["weight"] = draw(st.sampled_from(["w0", "w1", f"w_{len(edges)}", f"w_{len(edges)}"]))
            edges.append(edge)
        neurons.append(neuron)
    read = {edge["from"] for edge in edges}
    computing = [n for n in neurons if n["kind"] != "input"]
    outputs = [n for n in computing if n["id"] not in read]
    sometimes(draw, computing[0], "output", st.just(True), 4)  # an output that others read
    for neuron in outputs:
        neuron["output"] = True
    return Spec.model_validate({"name": "by_hand", "neuron": neurons, "edge": edges, "loss": draw(hand_loss(neurons))})


@st.composite
def hand_loss(draw: Draw, neurons: list[Options]) -> list[Options]:
    """A loss that fits all outputs."""
    outputs = [n for n in neurons if n.get("output")]
    kind = draw(st.sampled_from(["mse", "mse", "cross_entropy", "binary_cross_entropy", "rbf_map", None]))
    if kind is None:
        return []
    if (kind == "rbf_map" and any(n["kind"] != "rbf" for n in outputs)) or (
        kind == "cross_entropy" and len(outputs) == 1
    ):
        kind = "mse"
    if kind != "mse":
        activation = {
            "cross_entropy": "identity",
            "binary_cross_entropy": draw(st.sampled_from(["identity", "sigmoid"])),
        }
        for neuron in outputs:
            neuron["activation"] = activation.get(kind, "identity")
    loss: Options = {"kind": kind}
    if kind == "mse":
        loss["form"] = draw(st.sampled_from(["mean", "half_sum"]))
    counted(draw, loss, len(outputs))
    return [loss]


any_spec = st.one_of(specs(), specs(), specs(), specs(), hand_drawn())


# -- what runs on them ------------------------------------------------------------------------------------------------
EDITS = (
    "delete edge",
    "delete edge",
    "retie",
    "own weight",
    "remove neuron",
    "add neuron",
    "add edge",
    "set activation",
    "move bias",
    "drop bias",
    "freeze",
    "set divisor",
)


@dataclass(frozen=True)
class Case:
    """A network, what is done to its graph, and how it is run."""

    spec: Spec
    edits: tuple[tuple[str, int], ...]
    batch: int
    seed: int

    def __repr__(self) -> str:
        """Written so that it can be read back: ``Case(Spec.model_validate(…), …)``."""
        body = self.spec.model_dump(by_alias=True, exclude_defaults=True)
        for layer, spoken in zip(self.spec.layers, body.get("layer", []), strict=True):
            spoken["kind"] = layer.kind
        return f"Case(Spec.model_validate({body}), edits={self.edits}, batch={self.batch}, seed={self.seed})"


edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 10_000)), min_size=1, max_size=6).map(tuple)


def cases(spec: st.SearchStrategy[Spec] = any_spec, edited: bool = False) -> st.SearchStrategy[Case]:
    """Networks with batches and seeds; `edited`: with some edits of the graph."""
    seeds = st.integers(0, 2**31 - 1)
    return st.builds(Case, spec, edits if edited else st.just(()), st.sampled_from([1, 2, 3, 5]), seeds)
