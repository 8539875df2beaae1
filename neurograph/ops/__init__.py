"""Every word of the spec language, one file a kind: its options, its shape rule and its wiring.

A new layer kind is one class and one name in `KINDS`; the schema, the documentation, the summary and the tests iterate it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neurograph.ops.base import LayerSpec as LayerSpec
from neurograph.ops.conv import Conv
from neurograph.ops.dense import Dense, Rbf
from neurograph.ops.depthwise import Depthwise
from neurograph.ops.elementwise import ActivationLayer, Add
from neurograph.ops.pool import AvgPool, GlobalPool, L2Pool, MaxPool, Subsample
from neurograph.ops.rearrange import Concat, Dropout, Flatten

KINDS: tuple[type[LayerSpec], ...] = (
    Dense,
    Conv,
    Depthwise,
    MaxPool,
    AvgPool,
    L2Pool,
    GlobalPool,
    Subsample,
    Rbf,
    Add,
    Concat,
    Flatten,
    ActivationLayer,
    Dropout,
)

KIND_NAMES: tuple[str, ...] = tuple(str(kind.model_fields["kind"].default) for kind in KINDS)

AnyLayer = Annotated[
    Dense
    | Conv
    | Depthwise
    | MaxPool
    | AvgPool
    | L2Pool
    | GlobalPool
    | Subsample
    | Rbf
    | Add
    | Concat
    | Flatten
    | ActivationLayer
    | Dropout,
    Field(discriminator="kind"),
]
"""A layer of any kind, told apart by its `kind`."""
