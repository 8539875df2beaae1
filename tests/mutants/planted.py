"""The planted bugs: one line of the package changed each, and the tests that are expected to notice.

They are the mistakes that such a program invites: an edge lost, a tie swapped, a window shifted by one, a `+=` forgotten where
windows overlap, a mean taken for a sum, an update that sees half the new weights.
"""

from __future__ import annotations

from dataclasses import dataclass

AGREEMENT = "tests/test_agreement.py"


@dataclass(frozen=True)
class Mutant:
    """A bug: in `file`, `old` (which stands there exactly once) becomes `new`; `tests` are pytest arguments.

    Kernels run as plain Python (`NUMBA_DISABLE_JIT=1`) unless `jit` is set, so nothing compiled can outlive its mutant.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    jit: bool = False


def exactly(*words: str) -> tuple[str, ...]:
    """The exact agreement tests of some words of the sweep."""
    return (AGREEMENT, "-k", f"every_word_agrees_exactly and ({' or '.join(words)})")


def closely(*words: str) -> tuple[str, ...]:
    """The bounded agreement tests of some words of the sweep."""
    return (AGREEMENT, "-k", f"every_word_agrees_closely and ({' or '.join(words)})")


def planned(*words: str) -> tuple[str, ...]:
    """The tests that both roads of the compiler read the same edges."""
    return (AGREEMENT, "-k", f"every_word_is_planned and ({' or '.join(words)})")


def edited(*words: str) -> tuple[str, ...]:
    """The exact agreement tests of some words of the sweep, with edges deleted and re-tied."""
    return (AGREEMENT, "-k", f"every_word_agrees_after_edits and ({' or '.join(words)})")


WIRING = ("tests/test_ops_wiring.py", "tests/test_ops_edges.py")

GRAPH = (
    Mutant(
        "lost edge: the first row of a map is never read",
        "neurograph/ops/wiring.py",
        "keep = (source >= 0) & (source < self.n_sources)",
        "keep = (source > 0) & (source < self.n_sources)",
        WIRING,
    ),
    Mutant(
        "stride + 1",
        "neurograph/ops/wiring.py",
        "source = self.stride * target + self.dilation * tap - self.before",
        "source = (self.stride + 1) * target + self.dilation * tap - self.before",
        WIRING,
    ),
    Mutant(
        "dilation ignored",
        "neurograph/ops/wiring.py",
        "source = self.stride * target + self.dilation * tap - self.before",
        "source = self.stride * target + tap - self.before",
        WIRING,
    ),
    Mutant(
        "padding off by one",
        "neurograph/ops/wiring.py",
        "source = self.stride * target + self.dilation * tap - self.before",
        "source = self.stride * target + self.dilation * tap - max(0, self.before - 1)",
        WIRING,
    ),
    Mutant(
        "groups mixed up",
        "neurograph/ops/wiring.py",
        "source = target // self.targets * self.sources + local\n        return Links(target, source, target",
        "source = (self.groups - 1 - target // self.targets) * self.sources + local\n        return Links(target, source, target",
        WIRING,
    ),
    Mutant(
        "swapped tie: locally connected neurons share a map's weights",
        "neurograph/ops/conv.py",
        "targets = None if tied else tuple(row * step for step in spatial)",
        "targets = None",
        (AGREEMENT, "-k", "locally_connected"),
    ),
    Mutant(
        "wrong divisor: a clipped mean divides by what it sees",
        "neurograph/graph/build.py",
        "        divisor=population.divisor,\n        output=None,",
        "        divisor=None,\n        output=None,",
        exactly("avgpool"),
    ),
    Mutant(
        "edges forget the dropout they pass through",
        "neurograph/graph/build.py",
        '"dropout": dropout}',
        '"dropout": None}',
        exactly("dropout"),
    ),
    Mutant(
        "ties of a maximum go to the last in order",
        "neurograph/graph/neuron_graph.py",
        'key=lambda edge: (edge[1].get("port", 0), nodes[edge[0]].get("order", 0))',
        'key=lambda edge: (edge[1].get("port", 0), -nodes[edge[0]].get("order", 0))',
        exactly("maxpool"),
    ),
    Mutant(
        "one-hot targets with on and off exchanged",
        "neurograph/engine.py",
        "off, on = head.loss.targets if head.loss else (0.0, 1.0)",
        "on, off = head.loss.targets if head.loss else (0.0, 1.0)",
        ("tests/test_reference.py", "tests/test_textbook.py", "tests/test_engines.py"),
    ),
    Mutant(
        "masks keep what they should drop",
        "neurograph/masks.py",
        "return (draws < keep).astype(np.float64)",
        "return (draws >= keep).astype(np.float64)",
        ("tests/test_masks.py",),
    ),
    Mutant(
        "He's initialisation without its 2",
        "neurograph/graph/initialise.py",
        "random.normal(0.0, sqrt(2 / fan_in), spec.shape)",
        "random.normal(0.0, sqrt(1 / fan_in), spec.shape)",
        ("tests/test_initialise.py",),
    ),
)

TEXTBOOK = (
    Mutant(
        "ReLU'(0) = 1 in the textbook",
        "neurograph/reference/activations.py",
        '"relu": Activation(relu, lambda z, a: 1.0 if z > 0 else 0.0)',
        '"relu": Activation(relu, lambda z, a: 1.0 if z >= 0 else 0.0)',
        exactly("conv", "dense"),
    ),
    Mutant(
        "a tied maximum goes to the last",
        "neurograph/reference/rules.py",
        "        if a_j > a[best]:",
        "        if a_j >= a[best]:",
        exactly("maxpool"),
    ),
    Mutant(
        "swallowed NaN: a maximum passes over it",
        "neurograph/reference/rules.py",
        "        if a_j != a_j:\n            return j",
        "        if a_j != a_j:\n            continue",
        ("tests/test_rules.py",),
    ),
    Mutant(
        "mean for sum",
        "neurograph/reference/rules.py",
        "        return float(sum(a))",
        "        return float(sum(a)) / len(a)",
        exactly("add"),
    ),
    Mutant(
        "L2 at 0 has a slope",
        "neurograph/reference/rules.py",
        "return [0.0] * len(a) if z == 0 else",
        "return [1.0] * len(a) if z == 0 else",
        ("tests/test_rules.py",),
    ),
    Mutant(
        "rbf sign",
        "neurograph/reference/rules.py",
        "return [2 * (w_j - a_j) for a_j, w_j in zip(a, w, strict=True)]",
        "return [2 * (a_j - w_j) for a_j, w_j in zip(a, w, strict=True)]",
        exactly("rbf"),
    ),
    Mutant(
        "missing += where a neuron is read twice",
        "neurograph/reference/passes.py",
        "of_sample[source] += delta * slope",
        "of_sample[source] = delta * slope",
        exactly("conv"),
    ),
    Mutant(
        "bias not summed over positions",
        "neurograph/reference/passes.py",
        "gradient[neuron.bias] += delta",
        "gradient[neuron.bias] = delta",
        exactly("conv"),
    ),
    Mutant(
        "stale weights: parameters updated one after another, each δ seeing the ones before",
        "neurograph/reference/engine.py",
        "        optimizer.step(values, gradients)\n        self.params.update(values)\n",
        "        for name in values:\n"
        "            now = self.backprop(x, target, reduction=reduction, training=True, seed=seed).gradient\n"
        "            optimizer.step({name: values[name]}, now)\n"
        "            self.params.update({name: values[name]})\n",
        ("tests/test_reference.py", "tests/test_textbook.py", "tests/test_engines.py"),
    ),
    Mutant(
        "batch mean forgotten",
        "neurograph/reference/engine.py",
        'share = batch if reduction == "mean" else 1',
        "share = 1",
        ("tests/test_verification.py", "-k", "within_its_own_bounds"),
    ),
    Mutant(
        "dropout without 1/keep",
        "neurograph/reference/engine.py",
        "(mask.reshape(batch, -1)[:, positions] / keep).tolist()",
        "mask.reshape(batch, -1)[:, positions].tolist()",
        exactly("dropout"),
    ),
    Mutant(
        "head weight forgotten in δ",
        "neurograph/reference/heads.py",
        "{i: loss.weight * delta_i for i, delta_i in delta.items()}",
        "{i: delta_i for i, delta_i in delta.items()}",
        exactly("heads", "cross_entropy"),
    ),
    Mutant(
        "softmax over the wrong axis",
        "neurograph/reference/network.py",
        "groups.setdefault(position % spread, []).append(k)",
        "groups.setdefault(position // spread, []).append(k)",
        ("tests/test_reference.py", "tests/test_engines.py", "tests/test_reference_gradients.py"),
    ),
    Mutant(
        "quadratic cost without its 2",
        "neurograph/reference/losses.py",
        "[2 * error / len(errors) for error in errors]",
        "[error / len(errors) for error in errors]",
        ("tests/test_reference_gradients.py",),
    ),
)

COMPILER = (
    Mutant(
        "fold goes on where the weights step differently",
        "neurograph/compiler/fold.py",
        " & (weight[links[1:]] == weight[links[:-1]])",
        "",
        ("tests/test_fold.py",),
    ),
    Mutant(
        "fold joins boxes that lie apart",
        "neurograph/compiler/fold.py",
        "linked = (np.diff(boxes.target, axis=0) == wanted).all(axis=1)",
        "linked = (np.diff(boxes.target, axis=0) >= wanted).all(axis=1)",
        ("tests/test_fold.py",),
    ),
    Mutant(
        "translate without the proof",
        "neurograph/compiler/translate.py",
        "    return _by_content(rows, np.asarray(label, dtype=np.int64), ~proved, source, weight)",
        "    return np.asarray(label, dtype=np.int64)",
        ("tests/test_translate.py",),
    ),
    Mutant(
        "translate blind for weights: a re-tied edge keeps its stencil",
        "neurograph/compiler/translate.py",
        "relative_weight = None if rows.weight is None else rows.weight - np.repeat(weight, rows.lengths)",
        "relative_weight = None",
        edited("conv", "dense"),
    ),
    Mutant(
        "pad gives deleted edges back",
        "neurograph/compiler/pad.py",
        "return moved if outside.any(axis=1).all() else None",
        "return moved",
        edited("conv"),
    ),
    Mutant(
        "a part of a concatenation begins at the first weight",
        "neurograph/compiler/closed_form.py",
        "weight = None if self.base is None else self.base + self.offset + sum(piece.weight for piece in pieces) - shift",
        "weight = None if self.base is None else self.base + sum(piece.weight for piece in pieces) - shift",
        planned("concat"),
    ),
    Mutant(
        "wrong halo value: zero for padding_value",
        "neurograph/compiler/emit.py",
        "self.listing.add(c.FILL, ALWAYS, whole, 1, extra=halo)",
        "self.listing.add(c.FILL, ALWAYS, whole, 1, extra=self.constants.zero())",
        exactly("conv"),
    ),
    Mutant(
        "overlapping windows assign δ instead of adding it",
        "neurograph/compiler/route.py",
        "    if read.max() > 1:",
        "    if read.max() > 100:",
        exactly("maxpool"),
    ),
    Mutant(
        "epilogue applied twice: a sum begins with twice its bias",
        "neurograph/kernels/nests.py",
        "        return splat(w, bias, like)\n",
        "        return add(splat(w, bias, like), splat(w, bias, like))\n",
        exactly("dense"),
    ),
    Mutant(
        "ReLU's slope from a z that training does not store",
        "neurograph/compiler/emit.py",
        "how=0 if self.rectifies and not self.keeps_z else 1,",
        "how=1,",
        exactly("dense", "conv"),
    ),
    Mutant(
        "all lanes begin with the first one's bias",
        "neurograph/compiler/emit.py",
        "bias_step=bias_step,",
        "bias_step=0,",
        exactly("conv"),
    ),
    Mutant(
        "ReLU's slope forgotten behind a maximum",
        "neurograph/compiler/emit.py",
        "return c.ASSIGN | (c.GATE if route.gates else 0)",
        "return c.ASSIGN",
        exactly("maxpool"),
    ),
    Mutant(
        "sum for mean",
        "neurograph/compiler/emit.py",
        "constant = self.constants.place(1.0 / float(self.step.divisor or 1.0))",
        "constant = self.constants.one()",
        exactly("avgpool"),
    ),
    Mutant(
        "batch mean forgotten while training",
        "neurograph/compiler/updating.py",
        "divisor = self._weights.dtype.type(share)",
        "divisor = self._weights.dtype.type(1)",
        closely("dense", "tanh"),
    ),
    Mutant(
        "packed weights are never packed again",
        "neurograph/compiler/program.py",
        "        if self._seen == self.params.version:",
        "        if self._seen is not None:",
        ("tests/test_program.py", "tests/test_engines.py"),
    ),
    Mutant(
        "the second dropout wears the first one's mask",
        "neurograph/compiler/masking.py",
        "rows[:, lookup.first_column + columns] =",
        "rows[:, columns] =",
        exactly("dropout"),
    ),
)

KERNELS = (
    Mutant(
        "the third lane multiplies by the second one's weights",
        "neurograph/kernels/nests.py",
        "z2 = fma(splat(w, w2 + k, like), a, z2)",
        "z2 = fma(splat(w, w1 + k, like), a, z2)",
        exactly("dense"),
    ),
    Mutant(
        "the last tap is lost",
        "neurograph/kernels/nests.py",
        "    while tap < last:\n",
        "    while tap < last - 2:\n",
        exactly("dense", "add"),
    ),
    Mutant(
        "only the first of the tied neurons teaches their weight",
        "neurograph/kernels/nests.py",
        "end = group + get(row, TIED) * CELL",
        "end = group + CELL",
        exactly("conv"),
    ),
    Mutant(
        "the second pair of taps learns nothing",
        "neurograph/kernels/nests.py",
        "two = tap + 2 < last",
        "two = tap + 4 < last",
        exactly("dense"),
    ),
    Mutant(
        "missing += in overlapping pools",
        "neurograph/kernels/windows.py",
        "store(mem, where, e if how & ASSIGN else add(load(mem, where, like), e))",
        "store(mem, where, e)",
        exactly("maxpool"),
    ),
    Mutant(
        "rbf sign in the weights",
        "neurograph/kernels/windows.py",
        "put(gradient, k, get(gradient, k) - total(e))",
        "put(gradient, k, get(gradient, k) + total(e))",
        exactly("rbf"),
    ),
    Mutant(
        "the last of equals wins",
        "neurograph/kernels/simd_numpy.py",
        "((x > m) | np.isnan(x))",
        "((x >= m) | np.isnan(x))",
        exactly("maxpool"),
    ),
    Mutant(
        "the last of equals wins, compiled",
        "neurograph/kernels/simd_llvm.py",
        'builder.fcmp_unordered(">", x, m)',
        'builder.fcmp_unordered(">=", x, m)',
        exactly("maxpool"),
        jit=True,
    ),
    Mutant(
        "head weight forgotten in the error",
        "neurograph/kernels/losses.py",
        "error = weight * error_factor",
        "error = error_factor",
        exactly("heads"),
    ),
    Mutant(
        "δ of a softmax without what the others take",
        "neurograph/kernels/elementwise.py",
        "put(mem, i + plane, np.float64(get(mem, i)) * (np.float64(get(mem, i + plane)) - common))",
        "put(mem, i + plane, np.float64(get(mem, i)) * np.float64(get(mem, i + plane)))",
        closely("softmax"),
    ),
    Mutant(
        "dropout without 1/keep in the kernel",
        "neurograph/kernels/elementwise.py",
        "factor = get(mem, target + i + plane) / keep",
        "factor = get(mem, target + i + plane)",
        exactly("dropout"),
    ),
    Mutant(
        "a view's errors replace what its source owes to others",
        "neurograph/kernels/elementwise.py",
        "put(mem, source + i + 2 * plane, get(mem, source + i + 2 * plane) + error * factor)",
        "put(mem, source + i + 2 * plane, error * factor)",
        exactly("dropout"),
    ),
    Mutant(
        "ReLU'(0) = 1 in the kernel",
        "neurograph/kernels/formulas.py",
        "    if code == RELU:\n        return 1.0 if z > 0 else 0.0",
        "    if code == RELU:\n        return 1.0 if z >= 0 else 0.0",
        exactly("dense", "conv"),
    ),
    Mutant(
        "tanh' = 1 - a",
        "neurograph/kernels/formulas.py",
        "return (1.0 - a) * (1.0 + a)",
        "return 1.0 - a",
        closely("tanh"),
    ),
    Mutant(
        "δ of cross-entropy without the target",
        "neurograph/kernels/losses.py",
        "weight * (p - np.float64(get(t, line + get(ints, pair + 1))))",
        "weight * p",
        closely("cross_entropy"),
    ),
)

TRAINING = (
    Mutant(
        "momentum forgets",
        "neurograph/training/optimizers.py",
        "            velocity += gradient\n",
        "            velocity[...] = gradient\n",
        ("tests/test_optimizers.py",),
    ),
    Mutant(
        "Adam's first steps uncorrected",
        "neurograph/training/optimizers.py",
        "denominator = np.sqrt(v) / float(np.sqrt(1 - self.beta2**t)) + self.epsilon",
        "denominator = np.sqrt(v) + self.epsilon",
        ("tests/test_optimizers.py",),
    ),
)

MUTANTS: tuple[Mutant, ...] = (*GRAPH, *TEXTBOOK, *COMPILER, *KERNELS, *TRAINING)
