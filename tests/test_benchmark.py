"""The benchmark: contenders train the same network, differences are noticed, and figures mean what they say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurograph.benchmark import networks, peak, processes, report, rows, sparse
from neurograph.benchmark.agreeing import LIMIT, difference, losses, outputs_apart
from neurograph.benchmark.networks import Network
from neurograph.benchmark.ours import Ours, batches
from neurograph.benchmark.peers import registry
from neurograph.benchmark.peers.layers import Untaught, layers_of
from neurograph.benchmark.peers.numpy_peer import NumpyPeer
from neurograph.benchmark.race import Setting, race
from neurograph.benchmark.results import Against, Quantity, Speed
from neurograph.benchmark.stopwatch import Pace, Spread
from neurograph.errors import UsageError
from neurograph.graph.initialise import initialise
from neurograph.graph.lay_out import lay_out

NO_JIT = os.environ.get("NUMBA_DISABLE_JIT", "0") != "0"
needs_jit = pytest.mark.skipif(NO_JIT, reason="takes minutes without the JIT")
TINY = """
name = "tiny"
input = [2, 9, 8]
layer = [
  { name = "a", kind = "conv", filters = 4, kernel = [2, 3], padding = 1, activation = "relu" },
  { name = "b", kind = "conv", filters = 4, kernel = 3, dilation = 2, padding = 2, groups = 2 },
  { name = "c", kind = "add", from = ["a", "b"], activation = "relu" },
  { name = "d", kind = "maxpool", window = [2, 3] },
  { name = "e", kind = "conv", filters = 3, kernel = 2, stride = 2 },
  { name = "f", kind = "dense", units = 5, activation = "relu" },
  { name = "g", kind = "dense", units = 4 },
]
loss = { kind = "cross_entropy" }
"""
QUICK = Pace(rounds=2, seconds=0.001)


def setting(*peers: str) -> Setting:
    return Setting(peers, threads=1, pace=QUICK)


def contenders(network: Network, peer: str) -> tuple[Ours, Any]:
    params = initialise(lay_out(network.spec))
    weights = dict(params)
    return Ours(lay_out(network.spec), params, 1), registry.maker(peer)(network.spec, weights, 1)


@pytest.mark.parametrize("peer", ["numpy", "pytorch", "jax"])
def test_peers_train_the_same_network(peer: str) -> None:
    pytest.importorskip(registry.PEERS[peer].needs)
    network = networks.said(TINY)
    given = batches(network.spec, 3)
    mine, theirs = contenders(network, peer)
    assert outputs_apart(mine, theirs, given[0]) < 1e-5
    assert difference(losses(mine, given), losses(theirs, given)) < 1e-5


@needs_jit
@pytest.mark.parametrize("text", [networks.MLP, networks.ODD], ids=["mlp", "odd"])
def test_the_timed_networks_are_trained_alike_by_numpy(text: str) -> None:
    network = networks.said(text)
    given = batches(network.spec, 2)
    mine, theirs = contenders(network, "numpy")
    assert difference(losses(mine, given), losses(theirs, given)) < 1e-5


def test_a_peer_that_takes_no_step_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NumpyPeer, "_backward", lambda *_: {})
    (speed,) = race("tiny", networks.said(TINY), {"train": None}, 2, setting("numpy"))
    (numpy,) = speed.against
    assert numpy.difference is not None
    assert numpy.difference > LIMIT
    assert numpy.note.startswith("does not train the same network: losses differ by ")


def test_a_peer_that_fails_costs_its_column_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(spec: Any, weights: Mapping[str, Any], threads: int) -> Any:
        raise RuntimeError("no compiler\nand more")

    monkeypatch.setattr("neurograph.benchmark.race.maker", lambda name: fail)
    (speed,) = race("tiny", networks.said(TINY), {"train": 2.0}, 2, setting("numpy"))
    assert speed.against == (Against("numpy", note="failed: RuntimeError: no compiler"),)
    assert (speed.reached, speed.verdict) == (None, "")


def test_what_a_peer_is_not_taught_is_said() -> None:
    text = TINY.replace('activation = "relu"', 'activation = "tanh"', 1)
    with pytest.raises(Untaught, match=r"^a: peers are not taught 'tanh' \(known: identity, relu\)\.$"):
        layers_of(networks.said(text).spec)


def test_a_race_counts_samples_in_every_round() -> None:
    found = race("tiny", networks.said(TINY), {"train": 1e9, "infer": None}, 2, setting("numpy"))
    assert [speed.key for speed in found] == ["tiny-train-2", "tiny-infer-2"]
    for speed in found:
        (numpy,) = speed.against
        assert numpy.ratio is not None
        assert numpy.samples_per_second is not None
        assert 0 < speed.samples_per_second.low <= speed.samples_per_second.median <= speed.samples_per_second.high
        low = speed.samples_per_second.low / numpy.samples_per_second.high
        assert numpy.ratio.low >= low * (1 - 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_drawn_networks_are_odd_and_the_same_every_time(seed: int) -> None:
    spec = networks.drawn(seed).spec
    assert spec == networks.drawn(seed).spec
    assert spec != networks.drawn(seed + 1).spec
    assert lay_out(spec).n_edges > 10_000
    assert [layer.groups > 1 for layer in layers_of(spec).layers if layer.kind == "conv"] == [False, True, False]


def test_wider_and_deeper_networks_are_that() -> None:
    assert lay_out(networks.widened(1).spec).n_edges == lay_out(networks.bundled("lenet5").spec).n_edges
    assert lay_out(networks.widened(2).spec).populations["conv2"].shape == (32, 10, 10)
    assert len(networks.deepened(3).spec.layers) == 4


def test_the_sparse_graph_is_the_blocks_edge_by_edge() -> None:
    parts = sparse.blocks(2000)
    graph, params = sparse.graph_of(parts)
    assert graph.number_of_edges() == sum(part.source.size for part in parts) == 2000
    mine = Ours(graph, params, 1)
    x = np.random.default_rng(0).random((2, parts[0].n_sources), dtype=np.float32)
    expected = x.astype(np.float64)
    for number, part in enumerate(parts):
        expected = np.einsum("bij,ij->bi", expected[:, part.source], part.weight) + part.bias
        expected = np.maximum(expected, 0) if number < 2 else expected
    np.testing.assert_allclose(mine.infer((x, np.zeros(2))), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("masked", [False, True], ids=["sparse", "masked"])
def test_pytorch_trains_the_same_sparse_graph(masked: bool) -> None:
    pytest.importorskip("torch")
    parts = sparse.blocks(2000)
    mine = Ours(*sparse.graph_of(parts), 1)
    random = np.random.default_rng(0)
    given = [(random.random((4, parts[0].n_sources), dtype=np.float32), random.integers(0, 10, 4)) for _ in range(3)]
    theirs = sparse.TorchSparse(parts, 1, masked=masked)
    assert difference(losses(mine, given), losses(theirs, given)) < 1e-5


def test_every_row_and_every_quick_word_can_be_chosen() -> None:
    for word in (*rows.GROUPS, *(row.key for row in rows.ROWS), *rows.QUICK):
        assert rows.selection([word]).has(word.split("-")[0]), word
    everything = rows.selection(None)
    assert [row for group in rows.GROUPS for row in everything.rows(group)] == list(rows.ROWS)
    assert not everything.has("forward")
    assert rows.selection(["mlp"], also=["forward"]).has("forward")


@pytest.mark.skipif(NO_JIT, reason="there is no peak without compiled code")
def test_the_peak_is_measured_and_kept_at_its_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(peak, "SECONDS", 0.001)
    monkeypatch.setattr(peak, "BYTES", 2**16)
    first = peak.kept(1)
    assert first is not None
    assert 1e9 < first.core_flops < 1e13
    assert peak.kept(1) == first
    again = peak.best(1)
    assert again is not None
    assert again.core_flops >= first.core_flops
    (kept,) = tmp_path.rglob("machine-1.json")
    kept.write_text("{", encoding="utf-8")
    assert peak.kept(1) is not None


def test_a_process_that_fails_is_an_error_with_its_last_line() -> None:
    with pytest.raises(UsageError, match=r"^bench: a process of its own failed: ZeroDivisionError: division by zero$"):
        processes.run("1 / 0", {})


@pytest.mark.parametrize(
    ("target", "ratios", "expected"),
    [
        (2.0, {"pytorch": 3.0, "jax": 1.5, "numpy": 2.0}, "met"),
        (2.0, {"pytorch": 3.0, "jax": 0.9, "numpy": 2.0}, "behind jax"),
        (2.0, {"pytorch": 1.0, "jax": 0.9, "numpy": 0.8}, "short by 50 %, behind jax and numpy"),
        (None, {"numpy": 1.2}, "met"),
        (None, {"pytorch": 0.1}, ""),
    ],
)
def test_a_verdict_looks_at_every_peer_that_counts(
    target: float | None, ratios: dict[str, float], expected: str
) -> None:
    one = Spread(1.0, 1.0, 1.0)
    against = tuple(Against(name, one, Spread(ratio, ratio, ratio)) for name, ratio in ratios.items())
    speed = Speed("mlp-train-64", "mlp", "train", 64, 1, one, None, against, target, ahead=("jax", "numpy"))
    assert speed.verdict == expected


def test_a_table_shows_targets_and_what_is_short() -> None:
    spread = Spread(1000.0, 900.0, 1100.0)
    beside = (
        Against("pytorch", Spread(500.0, 500.0, 500.0), Spread(2.0, 1.8, 2.2), 1e-7),
        Against("numpy", note="why"),
    )
    speeds = [Speed("lenet5-train-64", "lenet5", "train", 64, 1, spread, 0.5, beside, target=4.0)]
    start = Quantity("start-warm", "starting", 0.5, "s", 0.7)
    assert report.table("lenet5", [*speeds, start]).splitlines() == [
        "",
        "LeNet-5 as bundled",
        "                                    samples/s  % of peak    PyTorch              ratio        to NumPy",
        "  lenet5 train 64                       1,000         50        500   2.00 (1.80–2.20)               -"
        "   ≥ 4  ✗ short by 50 %",
        "  starting                                                                       0.5 s   ≤ 0.7 s  ✓ met",
        "      numpy: why",
    ]
    assert report.summary([*speeds, start]).splitlines()[1:3] == [
        "1 of 2 targets met.",
        "Not met: lenet5-train-64 (short by 50 %).",
    ]


@pytest.mark.parametrize(("apart", "said"), [(1e-7, "Everybody computes the same"), (0.1, "NOT everybody computes")])
def test_the_summary_says_whether_losses_agree(apart: float, said: str) -> None:
    one = Spread(1.0, 1.0, 1.0)
    speed = Speed("a-train-1", "a", "train", 1, 1, one, None, (Against("numpy", one, one, apart),))
    assert report.summary([speed]).splitlines()[1].startswith(said)
