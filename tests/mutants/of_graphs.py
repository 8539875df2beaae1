"""Bugs in what a network means: wiring, building, the textbook engine, optimisers."""

from __future__ import annotations

from tests.mutants.mutant import AGREEMENT, Mutant, exactly

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
        "[2 * error / len(errors) for error in owed]",
        "[error / len(errors) for error in owed]",
        ("tests/test_reference_gradients.py",),
    ),
    Mutant(
        "smoothed labels that sum to less than 1",
        "neurograph/reference/weighing.py",
        "(1 - epsilon) * t_i + epsilon / n_classes",
        "(1 - epsilon) * t_i",
        ("tests/test_counted_losses.py",),
    ),
    Mutant(
        "a class counts by its target, not by its share between off and on",
        "neurograph/reference/weighing.py",
        "(t_c - off) / spread",
        "t_c / spread",
        ("tests/test_counted_losses.py",),
    ),
)
