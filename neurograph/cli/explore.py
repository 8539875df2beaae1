"""`neurograph explore`: a network as one page that computes: click, edit, draw, step through; in any browser, without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from neurograph.cli.options import JsonOption, SpecArgument

if TYPE_CHECKING:
    from neurograph.cli.examined import Given
    from neurograph.graph.layout import Layout
    from neurograph.spec import Spec

EXAMPLES = """
neurograph explore four -o four.html
neurograph explore mazur -o mazur.html
neurograph explore digits --run runs/digits -o digits.html
neurograph explore lenet5 --run runs/lenet5 --samples 30 -o lenet5.html
neurograph explore lenet5 --data digits -o untrained.html
"""

OUT = typer.Option("--out", "-o", metavar="FILE", help="The page. Default: SPEC.html here.")
RUN = typer.Option(
    metavar="DIR", help="Take the weights from this run folder. Default: as the spec gives them, else untrained."
)
SAMPLES = typer.Option(help="How many samples to choose from in the page.", min=1, max=1000)
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: the spec's samples, else the run's data, else the spec's."
)


def command(
    spec: SpecArgument,
    out: Annotated[Path | None, OUT] = None,
    run: Annotated[Path | None, RUN] = None,
    samples: Annotated[int, SAMPLES] = 20,
    data: Annotated[str | None, DATA] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a network as one self-contained page that computes it: open it in a browser, or hand it out.

    Click a neuron to see what it read and the sums behind its z and its δ; click a weight to see every use of it; step through
    the pass; draw a digit; change a weight or a pixel, and everything follows. The page makes no request. Samples of a data set
    are held-out ones, all classes in turn.
    """
    from neurograph.cli.examined import counted, weights_of
    from neurograph.graph.lay_out import lay_out
    from neurograph.graph.layout import layout_of
    from neurograph.spec import load
    from neurograph.training.settings import Settings
    from neurograph.viz import Sample, explore, fits, paper_for

    loaded = load(spec)
    topology = lay_out(loaded)
    layout = layout_of(topology)
    fits(loaded.name, topology, layout)
    params, weights = weights_of(spec, loaded, topology, run)
    chosen = _chosen(loaded, layout, data, samples, run)
    page = explore(
        counted(loaded, topology, layout, chosen.given[0], run),
        params,
        [Sample(given.x, given.target, given.upstream, given.note) for given in chosen.given],
        about=f"{chosen.note}; {weights}",
        labels={layer.name: layer.label for layer in loaded.layers if layer.label},
        paper=paper_for(layout, chosen.digits, chosen.prepare, chosen.normaliser) if chosen.is_drawable else None,
        classes=chosen.classes,
        learning_rate=Settings.of(loaded).learning_rate,
    )
    target = page.save(out if out is not None else Path(f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', loaded.name)}.html"))
    size = len(page.html.encode())
    if as_json:
        print(json.dumps({"page": str(target), "network": loaded.name, "samples": page.n_samples, "bytes": size}))
    else:
        print(f"{target}: {loaded.name}, {chosen.note}, {weights}; {size / 1e6:.2f} MB. Open it in a browser.")


@dataclass(frozen=True)
class _Chosen:
    """Samples, where they come from in words, and how a drawing becomes one of their kind."""

    given: list[Given]
    note: str
    prepare: Mapping[str, Any]
    digits: str | None = None
    normaliser: Mapping[str, Any] | None = None
    is_drawable: bool = True
    classes: tuple[str, ...] = ()


def _chosen(spec: Spec, layout: Layout, data: str | None, n: int, run: Path | None) -> _Chosen:
    """What is shown: the spec's samples or a data set's; where there are none, what stands in for them."""
    from neurograph.cli.examined import data_set_of
    from neurograph.cli.stand_in import FIRST_CLASS, fitted
    from neurograph.training import load_run
    from neurograph.training.settings import Settings

    arguments = {} if run is None else load_run(run).arguments
    told = arguments["settings"]["prepare"] if arguments else Settings.of(spec).prepare
    prepare = {key: value for key, value in told.items() if key != "validation"}
    own = spec.data.set if spec.data is not None else None
    named = data if data is not None or spec.samples else data_set_of(spec, None, run)
    if named is not None:
        return _held_out(spec, layout, named, n, fitted(layout, named, prepare), arguments.get("normaliser"))
    given = _from_spec(spec, layout, n, run)
    note = f"{len(given)} sample{'' if len(given) == 1 else 's'}" + (" of the spec" if spec.samples else "")
    if given[0].note.endswith(FIRST_CLASS):
        note = f"target: first class; {note}"  # first, so that it is read on the page
    return _Chosen(given, note, prepare, own, None, _is_drawable(own) and not prepare.get("normalise"))


def _is_drawable(data: str | None) -> bool:
    """Whether drawn digits may be like its images: shirts and photographs are not."""
    from neurograph.data.known import KNOWN

    return data in (None, "digits", "mnist") or data not in KNOWN


def _from_spec(spec: Spec, layout: Layout, n: int, run: Path | None) -> list[Given]:
    """The spec's own samples; where it has none, what stands in for them."""
    from neurograph.cli.examined import find_batch

    shape = layout.inputs[0].shape
    is_picture = len(layout.inputs) == 1 and len(shape) == 3 and shape[0] == 1
    most = len(spec.samples) or (n if is_picture else 1)
    found = [find_batch(spec, layout, number, None, False, True, run) for number in range(min(n, most))]
    return [given for given in found if given is not None]


def _held_out(
    spec: Spec,
    layout: Layout,
    data: str,
    n: int,
    prepare: Mapping[str, Any],
    learned: Mapping[str, Any] | None,
) -> _Chosen:
    """Held-out samples of a data set, all classes in turn."""
    from neurograph.cli.examined import Given, suits
    from neurograph.data.known import KNOWN
    from neurograph.training.batches import take
    from neurograph.training.samples import samples_for

    found = samples_for(spec, layout, data, prepare, normaliser=learned)
    x, y = (found.x, found.y) if found.test is None else found.test
    told = y if isinstance(y, Mapping) else {"": y}
    first = np.asarray(next(iter(told.values())))
    is_class = first.ndim == 1 and first.dtype.kind in "iu"
    which = in_turn(first.tolist(), n) if is_class else list(range(min(n, len(first))))
    wanted = suits(layout, y)
    classes = KNOWN[data].classes if data in KNOWN else ()
    given = []
    for k in which:
        says = f": a {_named(classes, int(first[k]))}" if is_class else ""
        one = slice(k, k + 1)
        given.append(Given(take(x, one), f"{data} {k}{says}", take(y, one) if wanted else None, labels=found.y))
    note = f"{len(given)} {'training' if found.test is None else 'held-out'} samples of {data}"
    return _Chosen(given, note, prepare, data, found.normaliser, _is_drawable(data), classes)


def _named(classes: tuple[str, ...], label: int) -> str:
    return classes[label] if label < len(classes) else str(label)


def in_turn(labels: list[int], n: int) -> list[int]:
    """Places of the first n labels, taking every class once before any class twice.

    Examples
    --------
    >>> in_turn([0, 0, 1, 0, 1], 4)
    [0, 2, 1, 4]
    """
    seen: dict[int, int] = {}
    turns = []
    for label in labels:
        turns.append((seen.get(label, 0), label))
        seen[label] = seen.get(label, 0) + 1
    return sorted(range(len(labels)), key=turns.__getitem__)[:n]
