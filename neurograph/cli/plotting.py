"""What `neurograph plot` draws from: a run or a spec, its weights, samples and passes, each made when the first plot needs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurograph.errors import DrawingError, LossError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurograph.cli.examined import Examined
    from neurograph.engine import Batch
    from neurograph.graph.topology import Topology
    from neurograph.parameters import Parameters
    from neurograph.spec import Spec
    from neurograph.trace import Trace
    from neurograph.training import Run
    from neurograph.training.samples import Samples

QUICK = 2_000_000
"""Edges of a spec up to which weights and maps are drawn unasked."""
LAYERS = 12
"""Layers that get a picture of their own, unless one is named."""
NUMBERS = 4_000_000
"""δ that a histogram is made of at most."""
BATCH = 200
"""Samples of that histogram at most."""
ALONE = 20_000
"""Edges times samples up to which the textbook engine is quicker than the start of the compiler."""

Pictures = Iterator[tuple[str, "Figure"]]


@dataclass
class Material:
    """What there is to draw."""

    spec: Spec
    topology: Topology
    run: Run | None
    data: str | None
    sample: int
    is_train: bool
    layer: str | None
    steps: int | None
    left_out: list[dict[str, str]] = field(default_factory=list)
    """What a kind of plot could not show, in words."""

    @classmethod
    def of(
        cls,
        subject: str,
        data: str | None,
        checkpoint: str | None,
        sample: int,
        is_train: bool,
        layer: str | None,
        steps: int | None,
    ) -> Material:
        """Open a run folder, or a spec.

        Raises
        ------
        RunError, SpecNotFound, SpecError
            If it is neither.
        """
        from neurograph.graph.lay_out import lay_out
        from neurograph.spec import load
        from neurograph.training import load_run

        run = load_run(subject, checkpoint) if _is_folder(subject) else None
        if run is None and checkpoint is not None:
            raise UsageError(f"--checkpoint {checkpoint}: {subject} is a spec; only a run folder has checkpoints.")
        if run is not None and run.notice:
            print(run.notice, file=sys.stderr)
        spec = load(subject) if run is None else run.spec
        topology = lay_out(spec) if run is None else run.topology
        return cls(spec, topology, run, data, sample, is_train, layer, steps)

    @property
    def default_folder(self) -> Path:
        """Where pictures go unless told otherwise."""
        import re

        if self.run is not None:
            return self.run.folder / "plots"
        return Path(f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', self.spec.name)}-plots")

    def fitting(self) -> list[str]:
        """The kinds of plots that suit it, quickest first."""
        if self.run is not None:
            return list(KINDS)
        if self.topology.n_edges > QUICK:
            why = f"{self.topology.n_edges:,} edges take a while; ask for it with --what."
            self.left_out += [{"what": kind, "why": why} for kind in ("filters", "maps", "histograms")]
            return ["receptive"]
        return ["receptive", "filters", "maps", "histograms"]

    # -- weights and samples ------------------------------------------------------------------------------------------
    @cached_property
    def params(self) -> Parameters:
        from neurograph.graph.initialise import initialise

        return self.run.parameters if self.run is not None else initialise(self.topology, seed=0)

    @cached_property
    def weights(self) -> str:
        """Where the weights come from, in words."""
        if self.run is not None:
            return f"Weights of {self.run.folder}, {self.run.name} checkpoint."
        given = all(p.values is not None for p in self.topology.parameters.values())
        return "Weights as the spec gives them." if given else "Untrained weights, seed 0."

    @cached_property
    def samples(self) -> Samples:
        from neurograph.cli.evaluate import samples_of

        assert self.run is not None
        return samples_of(self.run, self.data)

    @cached_property
    def judged(self) -> tuple[Batch, Batch, str]:
        """The samples to look at, and what they are: those held out, unless there are none or others are wanted."""
        found = self.samples
        held_out = found.test or found.validation
        if self.is_train or held_out is None:
            return found.x, found.y, "training samples"
        return *held_out, "validation samples" if found.test is None else "test samples"

    # -- passes -------------------------------------------------------------------------------------------------------
    @cached_property
    def program(self) -> Any:
        from neurograph.compiler import compile

        return compile(self.topology, self.params)

    def engine(self, n: int) -> Any:
        """Who answers soonest for n samples."""
        if self.topology.n_edges * n > ALONE:
            return self.program
        from neurograph.graph.build import build
        from neurograph.reference import ReferenceEngine

        return ReferenceEngine(build(self.topology), self.params)

    @cached_property
    def pass_of_one(self) -> tuple[Trace, str]:
        """One sample's pass, and which sample it is."""
        if self.run is None:
            found = self.examined
            assert found.inspector is not None
            return found.inspector.trace, found.note
        from neurograph.training.batches import count, take

        x, y, what = self.judged
        n = count(x, y)
        if self.sample >= n:
            raise UsageError(f"--sample {self.sample}: there are the samples 0…{n - 1:,} ({what}).")
        rows = slice(self.sample, self.sample + 1)
        label = np.asarray(y).reshape(-1)[self.sample] if np.ndim(y) == 1 else None  # type: ignore[arg-type]
        named = f" (a {label})" if label is not None and np.asarray(y).dtype.kind in "iu" else ""
        trace = self.engine(1).backprop(take(x, rows), take(y, rows))
        return trace, f"{what[:-1]} {self.sample} of {self.samples.name}{named}"

    @cached_property
    def pass_of_many(self) -> tuple[Trace, str]:
        """A pass of a batch, for what is counted."""
        if self.run is None:
            return self.pass_of_one
        from neurograph.training.batches import count, take

        x, y, what = self.judged
        n = max(1, min(count(x, y), BATCH, NUMBERS // self.topology.n_neurons))
        rows = slice(n)
        return self.engine(n).backprop(take(x, rows), take(y, rows)), f"the first {n:,} {what} of {self.samples.name}"

    @cached_property
    def examined(self) -> Examined:
        from neurograph.cli.examined import examine

        return examine(self.spec.origin.text, self.sample, None, self.data)


# -- the plots ---------------------------------------------------------------------------------------------------------
def _curves(m: Material) -> Pictures:
    from neurograph.viz import plots

    yield "", plots.curves(_run(m, "curves"), title=f"{m.spec.name}: training")


def _filters(m: Material) -> Pictures:
    from neurograph.viz import plots

    names = [m.layer] if m.layer else plots.weighted(m.topology)
    _too_many(m, "filters", names)
    for name in names[:LAYERS]:
        yield name.removesuffix(".weight"), plots.filters(m.topology, m.params, name, note=m.weights)
    if not names:
        raise DrawingError("the network has no weights.")


def _maps(m: Material) -> Pictures:
    from neurograph.viz import plots

    trace, sample = m.pass_of_one
    if m.layer is None:
        yield "", plots.maps(trace, title=f"{m.spec.name}: {sample}, layer by layer", note=m.weights)
    names = [m.layer] if m.layer else [one.name for one in plots.strata(trace) if len(one.values) > 1]
    _too_many(m, "maps", names)
    for name in names[:LAYERS]:
        yield name, plots.maps(trace, layer=name, title=f"{m.spec.name}: {name}, {sample}", note=m.weights)


def _confusion(m: Material) -> Pictures:
    from neurograph.viz import plots

    yield from _by_head(m, "confusion", plots.confusion)


def _mistakes(m: Material) -> Pictures:
    from neurograph.viz import plots

    yield from _by_head(m, "mistakes", plots.mistakes)


def _by_head(m: Material, what: str, plot: Callable[..., Figure]) -> Pictures:
    """One picture for each head that has classes; DrawingError if none has."""
    from neurograph.training.batches import count

    _run(m, what)
    x, y, samples = m.judged
    engine = m.engine(count(x, y))
    heads = engine.layout.heads
    refused = []
    for head in heads:
        try:
            figure = plot(engine, x, y, head.name, note=f"{m.samples.name}, {samples}. {m.weights}")
        except (DrawingError, LossError) as error:
            refused.append(str(error))
        else:
            yield str(head.name) if len(heads) > 1 else "", figure
    if len(refused) == len(heads):
        raise DrawingError(" ".join(refused))
    m.left_out += [{"what": what, "why": why} for why in refused]


def _histograms(m: Material) -> Pictures:
    from neurograph.viz import plots

    trace, samples = m.pass_of_many
    note = f"δ of {samples}. {m.weights}"
    yield "", plots.histograms(trace, m.params, title=f"{m.spec.name}: weights and δ of every layer", note=note)


def _updates(m: Material) -> Pictures:
    from neurograph.cli.replay import replay
    from neurograph.viz import plots

    run = _run(m, "updates")
    watches: list[Any] = []

    def watch(params: Parameters) -> Callable[[Any], None]:
        watches.append(plots.Ratios(m.topology, params))
        found: Callable[[Any], None] = watches[0]
        return found

    replayed = replay(run, m.steps, watch)
    yield "", plots.updates(watches[0], note=f"{replayed} of {run.folder}, taken once more.")


def _receptive(m: Material) -> Pictures:
    from neurograph.viz import plots

    yield "", plots.receptive(m.topology)


KINDS: Mapping[str, Callable[[Material], Pictures]] = {
    "curves": _curves,
    "receptive": _receptive,
    "filters": _filters,
    "maps": _maps,
    "confusion": _confusion,
    "mistakes": _mistakes,
    "histograms": _histograms,
    "updates": _updates,
}
"""Kinds of plots, quickest first."""


def _run(m: Material, what: str) -> Run:
    if m.run is None:
        raise DrawingError(
            f"{m.spec.name} is a spec, and this needs a training. Name a run folder: neurograph plot RUN --what {what}"
        )
    return m.run


def _too_many(m: Material, what: str, names: list[str]) -> None:
    if len(names) > LAYERS:
        rest = ", ".join(names[LAYERS : LAYERS + 8]) + (", …" if len(names) > LAYERS + 8 else "")
        m.left_out.append({"what": what, "why": f"{len(names) - LAYERS} layers more ({rest}); name one with --layer."})


def _is_folder(subject: str) -> bool:
    """Whether a run folder is meant: a folder, or a path that is none and does not end as specs do."""
    path = Path(subject)
    return path.is_dir() or (len(path.parts) > 1 and not path.suffix and not path.exists())
