"""One pass to look into: a spec, its weights, a sample, and the inspector over them; shared by `explain` and `draw`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurograph.errors import DataError, RunError, UsageError

if TYPE_CHECKING:
    from neurograph.engine import Batch
    from neurograph.graph.layout import Layout, Port
    from neurograph.graph.topology import Topology
    from neurograph.inspector import Inspector
    from neurograph.parameters import Parameters
    from neurograph.spec import Spec
    from neurograph.spec.model import SampleSpec
    from neurograph.training.samples import Samples

TEXTBOOK_EDGES = 50_000
"""Up to here the textbook engine is quick enough, and starts sooner than the compiler."""
EXACT_PARAMETERS = 20_000_000
"""Above this the compiled program computes in float32, to save memory."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Given:
    """A batch to run: x with a target or an upstream gradient or neither, and where it comes from in words."""

    x: Batch
    note: str
    target: Batch | None = None
    upstream: Batch | None = None
    labels: Batch | None = None
    """Targets of all samples that the network would be trained on, where they are known."""


@dataclass(frozen=True)
class Examined:
    """A network and one pass through it. `inspector` is None where there was nothing to run it on."""

    spec: Spec
    topology: Topology
    inspector: Inspector | None
    note: str
    weights: str
    """Where the weights come from, in words."""

    params: Parameters | None = None
    """The weights."""

    @property
    def labels(self) -> dict[str, str]:
        """Layer → the free text that the spec gives it."""
        return {layer.name: layer.label for layer in self.spec.layers if layer.label}


def examine(
    name: str,
    sample: int | None,
    run: Path | None,
    data: str | None,
    *,
    whole_batch: bool = False,
    any_input: bool = True,
    file: Path | None = None,
    target: str | None = None,
) -> Examined:
    """Run one sample through a network.

    Parameters
    ----------
    name : str
        The spec.
    sample : int, optional
        Which sample; default the first.
    run : Path, optional
        A run folder that holds the weights; default: those of the spec, and the rest untrained with seed 0.
    data : str, optional
        A data set; default: the spec's own samples, else what the run was trained on, else the spec's data set, else the
        bundled digits where they fit.
    whole_batch : bool
        Without `sample`: all of the spec's own samples in one batch.
    any_input : bool
        Where nothing fits: a random input, rather than none.
    file : Path, optional
        A sample of the user's own, in place of all others.
    target : str, optional
        What the output should be for it: a class, or numbers between commas.

    Raises
    ------
    NeurographError
        For whatever of this cannot be had.
    """
    from neurograph.graph.lay_out import lay_out
    from neurograph.graph.layout import layout_of
    from neurograph.spec import load

    spec = load(name)
    topology = lay_out(spec)
    layout = layout_of(topology)
    own = None if file is None else _from_file(file, layout, target)
    given = own or find_batch(spec, layout, sample, data, whole_batch, any_input, run)
    if given is None:
        return Examined(spec, topology, None, "", "")
    params, weights = weights_of(name, spec, topology, run)
    topology = counted(spec, topology, layout, given, run)
    return Examined(spec, topology, _inspector(topology, params, given), given.note, weights, params)


def counted(spec: Spec, topology: Topology, layout: Layout, given: Given, run: Path | None) -> Topology:
    """The network with numbers where class weights wait for labels: those of the run, or counted from what it would be trained on."""
    from neurograph.graph.balancing import balanced, with_class_weights
    from neurograph.training import load_run
    from neurograph.training.spec_samples import spec_samples

    if given.target is None or all(head.loss is None or head.loss.is_resolved for head in layout.heads):
        return topology
    if run is not None:
        return with_class_weights(topology, load_run(run).arguments.get("class_weights", {}))
    if given.labels is None and all(sample.target is None for sample in spec.samples):
        return topology
    return balanced(topology, spec_samples(spec, layout)[1] if given.labels is None else given.labels)


def _inspector(topology: Topology, params: Parameters, given: Given) -> Inspector:
    from neurograph.inspector import Inspector

    return Inspector(engine_for(topology, params), given.x, given.target, upstream=given.upstream)


def engine_for(topology: Topology, params: Parameters) -> Any:
    """The engine that answers soonest: the textbook's for small networks, the compiled program for others."""
    if topology.n_edges <= TEXTBOOK_EDGES:
        from neurograph.graph.build import build
        from neurograph.reference import ReferenceEngine

        return ReferenceEngine(build(topology), params)
    from neurograph.compiler import compile

    return compile(topology, params, dtype="float64" if topology.n_parameters <= EXACT_PARAMETERS else "float32")


def weights_of(name: str, spec: Spec, topology: Topology, run: Path | None) -> tuple[Parameters, str]:
    """The weights, and where they come from in words."""
    if run is None:
        from neurograph.graph.initialise import initialise

        given = all(p.values is not None for p in topology.parameters.values())
        return initialise(topology, seed=0), "weights as given" if given else "untrained weights, seed 0"
    from neurograph.training import load_run

    found = load_run(run)
    if found.spec_text != spec.origin.text:
        raise RunError(
            f"{run}: a run of another network than {name}, or of an older text of it. Its own spec is {run / 'spec.toml'}; name that one."
        )
    return found.parameters, f"weights of {run}"


def _from_file(file: Path, layout: Layout, target: str | None) -> Given:
    """A sample of the user's own."""
    from neurograph.cli.input_file import read_input, read_target

    wanted = None if target is None else read_target(target, layout)
    note = file.name if target is None else f"{file.name}, target {target}"
    return Given(read_input(file, layout), note, wanted)


# -- what to run it on -------------------------------------------------------------------------------------------------
def find_batch(
    spec: Spec,
    layout: Layout,
    sample: int | None,
    data: str | None,
    whole_batch: bool,
    any_input: bool,
    run: Path | None = None,
) -> Given | None:
    """The batch to look at, or None where nothing fits and no random input is wanted; prepared as for `run`, if there is one."""
    if data is None and spec.samples:
        if whole_batch and sample is None and _alike(spec):
            return _own(spec, layout, list(range(len(spec.samples))))
        return _own(spec, layout, [sample or 0])
    name = data_set_of(spec, data, run)
    if name is not None:
        return _from_data(spec, layout, name, sample or 0, run)
    return _stand_in(spec, layout, sample or 0, any_input, run)


def _alike(spec: Spec) -> bool:
    """Whether all samples say what is wanted in the same way, so that they make one batch."""
    return len({(s.target is None, s.upstream is None) for s in spec.samples}) == 1


def _own(spec: Spec, layout: Layout, numbers: list[int]) -> Given:
    """Samples that the spec carries."""
    for number in numbers:
        if not 0 <= number < len(spec.samples):
            raise UsageError(f"--sample {number}: {spec.name} carries the samples 0…{len(spec.samples) - 1}.")
    chosen = [spec.samples[number] for number in numbers]
    target, upstream = (_joined(chosen, key, layout.heads) for key in ("target", "upstream"))
    label = chosen[0].label if len(chosen) == 1 else None
    note = f"sample {numbers[0]}" if len(chosen) == 1 else f"samples 0…{len(chosen) - 1}"
    return Given(_joined(chosen, "input", layout.inputs), note + (f" ({label})" if label else ""), target, upstream)


def _joined(samples: list[SampleSpec], key: str, ports: tuple[Port, ...]) -> Any:
    """Values of several samples as one batch: an array, or arrays by name; None where they have none."""
    values = [getattr(sample, key) for sample in samples]
    if any(value is None for value in values):
        return None
    if isinstance(values[0], Mapping):
        return {port.name: _stacked([value[port.name] for value in values], port) for port in ports}
    return _stacked(values, ports[0])


def _stacked(values: list[Any], port: Port) -> Array:
    if port.kind != "input" and port.size > 1 and all(isinstance(value, int) for value in values):
        return np.array(values, dtype=np.int64)
    return np.array([np.array(value, dtype=np.float64).reshape(port.shape) for value in values])


def preparation(spec: Spec, run: Path | None) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """How samples are prepared, as the run was trained, or as the spec says, nothing held out; and the run's normaliser."""
    from neurograph.training import load_run
    from neurograph.training.settings import Settings

    arguments = {} if run is None else load_run(run).arguments
    prepare = arguments["settings"]["prepare"] if arguments else Settings.of(spec).prepare
    return {key: value for key, value in prepare.items() if key != "validation"}, arguments.get("normaliser")


def samples_for_looking(spec: Spec, layout: Layout, data: str, run: Path | None) -> Samples:
    """All samples of a data set, prepared as the run was trained, or as the spec says; nothing held out."""
    from neurograph.cli.stand_in import fitted
    from neurograph.training.samples import samples_for

    prepare, normaliser = preparation(spec, run)
    return samples_for(spec, layout, data, fitted(layout, data, prepare), normaliser=normaliser)


def _from_data(spec: Spec, layout: Layout, data: str, sample: int, run: Path | None) -> Given:
    """One training sample of a data set, prepared as the run was trained, or as the spec says; numbered as in the data set."""
    return _one_of(
        samples_for_looking(spec, layout, data, run), layout, data, sample, was_resized(spec, layout, data, run)
    )


def was_resized(spec: Spec, layout: Layout, data: str, run: Path | None) -> str:
    """What a header says of digits that were resized without being told to."""
    from neurograph.cli.stand_in import fitted

    prepare, _ = preparation(spec, run)
    return "" if fitted(layout, data, prepare) is prepare else ", resized"


def _one_of(found: Samples, layout: Layout, data: str, sample: int, more: str) -> Given:
    from neurograph.training.batches import take

    if not 0 <= sample < found.n:
        raise UsageError(f"--sample {sample}: {data} has the training samples 0…{found.n - 1:,}.")
    x, y = take(found.x, slice(sample, sample + 1)), take(found.y, slice(sample, sample + 1))
    return Given(x, f"{data} sample {sample}{_in_words(y)}{more}", y if suits(layout, y) else None, labels=found.y)


def _in_words(target: Batch) -> str:
    """What is wanted of one sample, where that is short: a class, or one number; of several heads each."""
    heads = target if isinstance(target, Mapping) else {"": target}
    told = [(head, np.asarray(wanted).reshape(-1)) for head, wanted in heads.items() if np.size(wanted) == 1]
    if isinstance(target, Mapping):
        words = ", ".join(f"{head}: {wanted[0]:.4g}" for head, wanted in told)
    else:
        words = "".join(f"a {w[0]}" if w.dtype.kind in "iu" else f"target {w[0]:.4g}" for _, w in told)
    return f" ({words})" if words else ""


def _stand_in(spec: Spec, layout: Layout, sample: int, any_input: bool, run: Path | None) -> Given | None:
    """Bundled digits as training would read them; where they do not fit, random numbers, or nothing."""
    from neurograph.cli.stand_in import FIRST_CLASS, bundled_digits, first_class, fits_digits

    prepare, normaliser = preparation(spec, run)
    if fits_digits(layout, prepare):
        found, has_target = bundled_digits(spec, layout, prepare, normaliser)
        given = _one_of(found, layout, "digits", sample, was_resized(spec, layout, "digits", run))
        if has_target and given.target is not None:
            return given
    elif not any_input:
        return None
    elif sample:
        raise DataError(
            f"{spec.name}: --sample {sample}: the spec has neither samples nor a data set. Add [[sample]], or use --data."
        )
    else:
        generator = np.random.default_rng(0)
        given = Given({port.name: generator.random((1, *port.shape)) for port in layout.inputs}, "random input, seed 0")
    target = first_class(layout)
    return Given(given.x, given.note + ("" if target is None else FIRST_CLASS), target)


def suits(layout: Layout, targets: Batch) -> bool:
    """Whether the network can learn these: each head its own, or one head with a loss values of its shape, or classes of one prediction."""
    if isinstance(targets, Mapping):
        return True
    heads = layout.heads
    return len(heads) == 1 and heads[0].loss is not None and (np.ndim(targets) > 1 or prod(heads[0].shape[1:]) == 1)


def data_set_of(spec: Spec, data: str | None, run: Path | None) -> str | None:
    """The data set to look at: the one asked for, else the run's, else the spec's; None where there is none, or it is not here."""
    from neurograph.data.known import KNOWN
    from neurograph.training import load_run

    if data is not None:
        return data
    trained = None if run is None else load_run(run).arguments["settings"].get("data")
    if trained is not None and is_at_hand(trained) and (trained in KNOWN or Path(trained).exists()):
        return str(trained)
    own = spec.data.set if spec.data is not None else None
    return own if own is not None and is_at_hand(own) else None


def is_at_hand(name: str) -> bool:
    """Whether a data set can be read without a download; True for files and folders of the user's."""
    from neurograph.data.folders import is_here
    from neurograph.data.known import KNOWN

    return name not in KNOWN or is_here(KNOWN[name])
