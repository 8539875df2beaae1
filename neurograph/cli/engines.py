"""The engine a command asks for, made from a topology and its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters
    from neurograph.training.loop import Trainable


def make_engine(topology: Topology, params: Parameters, engine: str, threads: int | None = None) -> Trainable:
    """The compiled program, or the textbook engine on the network written out.

    Raises
    ------
    GraphTooLarge
        If the textbook engine is asked for and the network is too large to be written out.
    """
    if engine == "textbook":
        from neurograph.graph.build import build
        from neurograph.reference import ReferenceEngine

        return ReferenceEngine(build(topology), params)
    from neurograph.compiler import compile

    return compile(topology, params, dtype="float32", threads=threads)
