"""Class weights counted from training labels: a network whose losses say "balanced", with numbers in that word's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurograph.errors import BatchError
from neurograph.graph.layout import Port, is_graph, layout_of

if TYPE_CHECKING:
    from neurograph.graph.neuron_graph import NeuronGraph
    from neurograph.graph.topology import Topology

Network = TypeVar("Network", "Topology", "NeuronGraph")


def balanced(network: Network, target: ArrayLike | Mapping[Any, ArrayLike]) -> Network:
    r"""The network with ``class_weights = "balanced"`` resolved: w_c = n/(K·n_c), so that every class counts alike.

    Parameters
    ----------
    network : Topology or NeuronGraph
        It stays as it is; without a loss that says "balanced", it is returned itself.
    target : array_like, shape (n,) or (n, *head shape), or a mapping by head name
        Training labels, as `neurograph.fit` takes them.

    Raises
    ------
    BatchError
        If the labels are not classes of the head.

    Notes
    -----
    n_c is the number of labels of class c among n, and K the number of classes that occur; one that does not gets 1, which no
    sample uses. A binary head of one unit has K = 2; each of several units counts for itself: n_absent/n_present, PyTorch's advice
    for ``pos_weight``. Maps count every position.

    References
    ----------
    King and Zeng 2001, Logistic Regression in Rare Events Data; scikit-learn's ``class_weight="balanced"``.

    Examples
    --------
    >>> import neurograph as ng
    >>> text = 'input = [2]\n[[layer]]\nname = "o"\nkind = "dense"\nunits = 2\n[loss]\nkind = "cross_entropy"\n'
    >>> topology = ng.lay_out(ng.load(text + 'class_weights = "balanced"\n'))
    >>> balanced(topology, [0, 0, 0, 1]).heads[0].loss.class_weights
    (0.6666666666666666, 2.0)
    """
    waiting = [port for port in layout_of(network).heads if port.loss is not None and not port.loss.is_resolved]
    if not waiting:
        return network
    given = target if isinstance(target, Mapping) else {waiting[0].name: target}
    if any(port.name not in given for port in waiting):
        raise BatchError(f"target: found {sorted(map(str, given))}; labels of {_names(waiting)} are needed.")
    return with_class_weights(network, {_key(port.name): _weights_of(port, given[port.name]) for port in waiting})


def with_class_weights(network: Network, weights: Mapping[str, ArrayLike]) -> Network:
    """The network with class weights for some heads, by name (hand-made outputs: ``""``)."""
    if not weights:
        return network
    heads = tuple(
        replace(head, loss=replace(head.loss, class_weights=_plain(weights[_key(head.name)])))
        if head.loss is not None and _key(head.name) in weights
        else head
        for head in network.heads
    )
    if not is_graph(network):
        return cast(Network, replace(cast("Any", network), heads=heads))
    changed = network.copy()
    changed.graph["heads"] = heads
    return cast(Network, changed)


def counted_weights(before: Topology, after: Topology) -> dict[str, list[float]]:
    """What `balanced` put in: class weights by head, to be kept with a run."""
    return {
        _key(new.name): list(cast("tuple[float, ...]", new.loss.class_weights))
        for old, new in zip(before.heads, after.heads, strict=True)
        if old.loss is not None and new.loss is not None and not old.loss.is_resolved and new.loss.is_resolved
    }


def _weights_of(port: Port, target: ArrayLike) -> tuple[float, ...]:
    assert port.loss is not None
    n_units = port.shape[0] if port.shape else 1
    shares = _shares(np.asarray(target), port, n_units)
    if port.loss.kind != "binary_cross_entropy":
        return _plain(_of_counts(shares.sum(axis=0)))
    present = shares.mean(axis=0)
    if n_units == 1:
        return _plain(_of_counts(np.array([1 - present[0], present[0]])))
    return _plain(np.where((present > 0) & (present < 1), (1 - present) / np.where(present > 0, present, 1), 1.0))


def _of_counts(counts: NDArray[Any]) -> NDArray[Any]:
    there = counts > 0
    return np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1)), 1.0)


def _shares(target: NDArray[Any], port: Port, n_units: int) -> NDArray[Any]:
    """One row a label, one column a class: which class it is, 1 or 0, or how much of each."""
    assert port.loss is not None
    if target.dtype.kind in "iub" and n_units > 1 and target.shape[1:] == port.shape[1:]:
        labels = target.reshape(-1).astype(np.int64)
        if len(labels) == 0 or labels.min() < 0 or labels.max() >= n_units:
            raise BatchError(f"target: '{port.name or 'the outputs'}' needs classes 0…{n_units - 1} to balance.")
        return np.asarray(labels[:, None] == np.arange(n_units), dtype=np.float64)
    if target.size == 0 or target.size != len(target) * port.size:
        wanted = ", ".join(map(str, ("batch", *port.shape)))
        raise BatchError(f"target: shape {target.shape}; '{port.name or 'the outputs'}' needs ({wanted}), or classes.")
    off, spread = port.loss.off_and_spread
    rows = np.moveaxis(target.reshape(len(target), n_units, -1), 1, 2).reshape(-1, n_units)
    return np.asarray((rows.astype(np.float64) - off) / spread)


def _plain(weights: ArrayLike) -> tuple[float, ...]:
    return tuple(float(w) for w in np.asarray(weights, dtype=np.float64))


def _key(name: object) -> str:
    return "" if name is None else str(name)


def _names(ports: list[Port]) -> str:
    return ", ".join(str(port.name) for port in ports)
