"""neurograph: neural networks declared in text, written out neuron by neuron, and compiled.

The names below are the public surface; they load on first use, so that importing the package stays fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from neurograph.version import __version__

_HOMES = {
    "load": "neurograph.spec",
    "bundled": "neurograph.spec",
    "Spec": "neurograph.spec",
    "lay_out": "neurograph.graph.lay_out",
    "Topology": "neurograph.graph.topology",
    "build": "neurograph.graph.build",
    "NeuronGraph": "neurograph.graph.neuron_graph",
    "Loss": "neurograph.graph.losses",
    "initialise": "neurograph.graph.initialise",
    "balanced": "neurograph.graph.balancing",
    "Parameters": "neurograph.parameters",
    "Trace": "neurograph.trace",
    "ReferenceEngine": "neurograph.reference",
    "plan": "neurograph.compiler",
    "bind": "neurograph.compiler",
    "compile": "neurograph.compiler",
    "Plan": "neurograph.compiler",
    "Program": "neurograph.compiler",
    "SGD": "neurograph.training",
    "AdaGrad": "neurograph.training",
    "RMSProp": "neurograph.training",
    "Adam": "neurograph.training",
    "AdamW": "neurograph.training",
    "schedules": "neurograph.training",
    "fit": "neurograph.training",
    "load_run": "neurograph.training",
    "Inspector": "neurograph.inspector",
    "verify": "neurograph.verification",
    "NeurographError": "neurograph.errors",
}
_MODULES = ("data", "errors", "viz")

__all__ = ["__version__", *_HOMES, *_MODULES]  # noqa: PLE0604

if TYPE_CHECKING:
    from neurograph import data as data
    from neurograph import errors as errors
    from neurograph.compiler import Plan as Plan
    from neurograph.compiler import Program as Program
    from neurograph.compiler import bind as bind
    from neurograph.compiler import compile as compile
    from neurograph.compiler import plan as plan
    from neurograph.errors import NeurographError as NeurographError
    from neurograph.graph.balancing import balanced as balanced
    from neurograph.graph.build import build as build
    from neurograph.graph.initialise import initialise as initialise
    from neurograph.graph.lay_out import lay_out as lay_out
    from neurograph.graph.losses import Loss as Loss
    from neurograph.graph.neuron_graph import NeuronGraph as NeuronGraph
    from neurograph.graph.topology import Topology as Topology
    from neurograph.inspector import Inspector as Inspector
    from neurograph.parameters import Parameters as Parameters
    from neurograph.reference import ReferenceEngine as ReferenceEngine
    from neurograph.spec import Spec as Spec
    from neurograph.spec import bundled as bundled
    from neurograph.spec import load as load
    from neurograph.trace import Trace as Trace
    from neurograph.training import SGD as SGD
    from neurograph.training import AdaGrad as AdaGrad
    from neurograph.training import Adam as Adam
    from neurograph.training import AdamW as AdamW
    from neurograph.training import RMSProp as RMSProp
    from neurograph.training import fit as fit
    from neurograph.training import load_run as load_run
    from neurograph.training import schedules as schedules
    from neurograph.verification import verify as verify


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"neurograph.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'neurograph' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_MODULES])
