import itertools

import pytest

import neurograph as ng
from neurograph.errors import GraphTooLarge, UnknownName
from neurograph.graph.layout import layout_of
from neurograph.graph.neighbourhood import fan_in, fan_out, uses

TEXT = """
name = "mixed"
input = [2, 7, 6]
[[layer]]
name = "c"
kind = "conv"
filters = 4
kernel = [3, 2]
stride = [2, 1]
padding = [[1, 0], [0, 1]]
dilation = [1, 2]
groups = 2
[[layer]]
name = "p"
kind = "maxpool"
window = 2
stride = 1
padding = 1
[[layer]]
name = "d"
kind = "depthwise"
kernel = 2
multiplier = 2
from = "c"
[[layer]]
name = "u"
kind = "conv"
filters = 2
kernel = 2
tie = "none"
from = "p"
[[layer]]
name = "j"
kind = "concat"
from = ["d", "c2"]
[[layer]]
name = "out"
kind = "dense"
units = 3
[[layer]]
name = "side"
kind = "conv"
from = "u"
filters = 1
kernel = 3
padding = 1
padding_value = -1
"""


@pytest.fixture(scope="module")
def topology():
    text = TEXT.replace('from = ["d", "c2"]', 'from = ["d", "c3"]').replace(
        '[[layer]]\nname = "j"',
        '[[layer]]\nname = "c3"\nkind = "conv"\nfrom = "c"\nfilters = 1\nkernel = 2\n[[layer]]\nname = "j"',
    )
    return ng.lay_out(ng.load(text))


@pytest.fixture(scope="module")
def graph(topology):
    return ng.build(topology)


def test_a_convolution_is_wired_as_its_formula_says(topology, graph):
    """z(f,v,u) = Σ w(f,c,i,j)·a(c0 + c, 2v + i − 1, u + 2j): written as loops, without any of the code under test."""
    rows, columns = topology.populations["c"].shape[1:]
    assert (rows, columns) == (3, 5)
    expected = set()
    for f, v, u in itertools.product(range(4), range(rows), range(columns)):
        for i, j in itertools.product(range(3), range(2)):
            c, y, x = f // 2, 2 * v + i - 1, u + 2 * j
            if 0 <= y < 7 and 0 <= x < 6:
                expected.add((("input", c, y, x), ("c", f, v, u), ("c.weight", f * 6 + i * 2 + j)))
    found = {(u, v, p) for u, v, p in graph.edges(data="param") if v[0] == "c"}
    assert found == expected


def test_counts_in_closed_form_are_those_of_the_graph(topology, graph):
    constants = sum(1 for _, kind in graph.nodes(data="kind") if kind == "constant")
    biased = sum(1 for _, bias in graph.nodes(data="bias") if bias is not None)
    assert topology.n_edges == graph.number_of_edges()
    assert topology.n_neurons + topology.n_inputs + constants == len(graph)
    assert topology.n_connections == graph.number_of_edges() + biased
    references = {p for _, _, p in graph.edges(data="param") if p} | {b for _, b in graph.nodes(data="bias") if b}
    assert topology.n_parameters == len({r for r in references if r[0] != "side.padding"})


def test_a_padding_value_makes_constant_nodes_around_the_source(graph):
    frame = [node for node, data in graph.nodes(data=True) if data["layer"] == "side.padding"]
    assert {graph.nodes[node]["param"] for node in frame} == {("side.padding", 0)}
    assert ("side.padding", 0, -1, -1) in frame
    assert all(graph.in_degree(node) == 0 for node in frame)


def test_neighbourhoods_equal_those_of_the_written_out_graph(topology, graph):
    for node, data in graph.nodes(data=True):
        if data["kind"] != "constant":
            assert {w[:5] for w in fan_in(topology, node)} == {w[:5] for w in fan_in(graph, node)}
            assert [w[:5] for w in fan_out(topology, node)] == [w[:5] for w in fan_out(graph, node)]
            inside = [w[:5] for w in fan_in(topology, node) if w.from_place[0] in topology.populations]
            assert inside == [w[:5] for w in fan_in(graph, node) if w.from_place[0] in topology.populations]


def test_uses_equal_those_of_the_written_out_graph(topology, graph):
    for name, spec in topology.parameters.items():
        if spec.role == "weight":
            for index in range(0, spec.size, 7):
                assert {w[:5] for w in uses(topology, name, index)} == {w[:5] for w in uses(graph, name, index)}


def test_layouts_of_topology_and_graph_are_equal(topology, graph):
    assert layout_of(topology) == layout_of(graph)


def test_around_writes_out_one_neuron_only(topology, graph):
    part = ng.build(topology, around="c[1,1,2]")
    node = ("c", 1, 1, 2)
    assert part.is_partial
    assert set(part.pred[node]) == set(graph.pred[node])
    assert set(part.succ[node]) == set(graph.succ[node])
    assert all(part.edges[edge]["param"] == graph.edges[edge]["param"] for edge in part.edges)
    assert all(
        {k: v for k, v in part.nodes[n].items() if k != "order"}
        == {k: v for k, v in graph.nodes[n].items() if k not in ("order",)} | {"output": part.nodes[n]["output"]}
        for n in part
    )


def test_too_large_a_graph_is_refused_with_the_way_out(topology):
    with pytest.raises(GraphTooLarge) as caught:
        ng.build(topology, limit=100)
    assert str(caught.value).startswith(f"mixed has {topology.n_edges:,} edges; written out they need about ")
    assert "(limit 100 edges). Compile the topology, or build(topology, around=" in str(caught.value)


def test_an_unknown_neuron_is_told_the_valid_ranges(topology):
    with pytest.raises(UnknownName) as caught:
        ng.build(topology, around="c[4,0,0]")
    assert str(caught.value) == "no neuron c[4,0,0]: 'c' has neurons c[0…3,0…2,0…4]."
