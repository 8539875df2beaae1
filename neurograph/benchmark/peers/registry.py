"""Which peers there are, which are installed, and which were asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec
from typing import NamedTuple

from neurograph.benchmark.peers.contender import Maker
from neurograph.errors import UsageError, suggest


class Entry(NamedTuple):
    """A peer: what must be installed, where its maker is, and how tables call it."""

    needs: str
    maker: str
    title: str


PEERS = {
    "pytorch": Entry("torch", "neurograph.benchmark.peers.torch_peer.eager", "PyTorch"),
    "torch.compile": Entry("torch", "neurograph.benchmark.peers.torch_peer.compiled", "torch.compile"),
    "jax": Entry("jax", "neurograph.benchmark.peers.jax_peer.JaxPeer", "JAX jit"),
    "numpy": Entry("numpy", "neurograph.benchmark.peers.numpy_peer.NumpyPeer", "NumPy"),
}
YARDSTICK = "pytorch"
"""The peer that targets are ratios to."""


def is_installed(name: str) -> bool:
    """Whether a peer can be imported; nothing is imported to find out."""
    return find_spec(PEERS[name].needs) is not None


def chosen(words: Iterable[str] | None) -> tuple[str, ...]:
    """The peers to run: those asked for, or (None) all that are installed.

    Raises
    ------
    UsageError
        If there is no such peer, or it is not installed.

    Examples
    --------
    >>> chosen(["numpy"])
    ('numpy',)
    >>> chosen(["numpi"])
    Traceback (most recent call last):
    neurograph.errors.UsageError: bench: no peer 'numpi'; did you mean 'numpy'? (known: pytorch, torch.compile, jax, numpy, none)
    """
    if words is None:
        return tuple(name for name in PEERS if is_installed(name))
    asked = [word.strip() for word in words if word.strip()]
    for word in asked:
        if word not in (*PEERS, "none"):
            raise UsageError(f"bench: no peer '{word}'{suggest(word, PEERS)} (known: {', '.join((*PEERS, 'none'))})")
    if "none" in asked:
        return ()
    for word in asked:
        if not is_installed(word):
            have = ", ".join(name for name in PEERS if is_installed(name))
            raise UsageError(
                f"bench: peer '{word}' needs {PEERS[word].needs}, which is not installed; installed: {have}. "
                f"Install it, or leave it out of --peers."
            )
    return tuple(name for name in PEERS if name in asked)


def maker(name: str) -> Maker:
    """What makes this peer; imports it."""
    module, _, attribute = PEERS[name].maker.rpartition(".")
    found: Maker = getattr(importlib.import_module(module), attribute)
    return found
