"""What a head is trained for, under the name that engines and graphs know it by; see `neurograph.ops.losses`."""

from neurograph.ops.losses import Loss

__all__ = ["Loss"]
