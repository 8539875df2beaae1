"""`neurograph verify`: prove that both engines compute the same network."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from neurograph.cli.options import JsonOption, SeedOption, SpecArgument

EXAMPLES = """
neurograph verify lenet5
neurograph verify digits --samples 8 --seed 1
neurograph verify mazur --dtype float64 --json
"""


class Dtype(StrEnum):
    """Float types the program may be bound in."""

    float32 = "float32"
    float64 = "float64"
    both = "both"


SamplesOption = Annotated[int, typer.Option("--samples", help="Size of the batch.", min=1, max=100_000)]
DtypeOption = Annotated[Dtype, typer.Option("--dtype", help="Float type of the compiled network.")]


def command(
    spec: SpecArgument,
    samples: SamplesOption = 4,
    seed: SeedOption = 0,
    dtype: DtypeOption = Dtype.both,
    as_json: JsonOption = False,
) -> int:
    """Run both engines and compare them, layer by layer.

    integer: small integers, on which every sum is exact; the largest difference of z, a, δ, gradients and of the weights after one
    training step (must be 0). float64, float32: every number recomputed from its own neighbours, in units of its error bound (at
    most 1). differences: gradients against finite differences of the loss, in units of their error (at most 1). Weights are drawn
    for the purpose. The exit code is 1 where the engines disagree.
    """
    from neurograph.cli.working import working
    from neurograph.graph.lay_out import lay_out
    from neurograph.spec import load
    from neurograph.verification import verify
    from neurograph.verification.run import WHOLE

    dtypes = ("float64", "float32") if dtype is Dtype.both else (dtype.value,)
    loaded = load(spec)
    n_edges = lay_out(loaded).n_edges
    if n_edges > WHOLE and not as_json:
        print(
            f"{loaded.name}: {n_edges:,} edges, too many to check one by one (limit {WHOLE:,}): the program is checked on sampled "
            f"neurons and weights, which may take minutes. Sooner done: --samples 1 --dtype float32",
            file=sys.stderr,
            flush=True,
        )
    with working(f"{loaded.name}, both engines on {samples:,} sample{'s' * (samples != 1)}", as_json):
        report = verify(loaded, samples, seed, dtypes=dtypes)
    print(json.dumps(report.as_dict(), indent=2) if as_json else report)
    return 0 if report.ok else 1
