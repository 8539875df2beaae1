"""Where the engines meet: `verify` proves that the compiled network and the neuron-by-neuron network are the same network."""

from neurograph.verification.report import Report, Row
from neurograph.verification.run import verify

__all__ = ["Report", "Row", "verify"]
