"""The page as one HTML string: style, program and network inside, a policy that allows nothing else, no request."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurograph.engine import read_batch
from neurograph.errors import DrawingError
from neurograph.graph.layout import is_graph, layout_of
from neurograph.graph.neuron_graph import NeuronGraph
from neurograph.graph.topology import Topology
from neurograph.parameters import write_atomically

from .drawing import Paper
from .network import describe
from .sample import Sample
from .script import program
from .size import check_size

if TYPE_CHECKING:
    from neurograph.inspector import Inspector

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Page:
    """A page that shows one network and computes it.

    Attributes
    ----------
    name : str
        Of the network.
    html : str
        The whole page.
    n_samples : int
    """

    name: str
    html: str
    n_samples: int

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all.

        Raises
        ------
        DrawingError
            If it cannot be written.
        """
        target = Path(path)
        try:
            write_atomically(target, self.html.encode())
        except OSError as error:
            raise DrawingError(f"{target}: {error.strerror or error}.") from None
        return target

    def _repr_html_(self) -> str:
        """The page within a notebook: a frame of its own, which may run its program and nothing else."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="{escape(self.name)}: explorer" '
            'width="100%" height="760" style="border: 0; border-radius: 10px"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<Page of {self.name}: {self.n_samples} samples, {len(self.html.encode()):,} bytes>"


def explore(
    network: Topology | NeuronGraph,
    weights: Mapping[str, Any],
    samples: Sequence[Sample],
    *,
    about: str = "",
    labels: Mapping[str, str] | None = None,
    paper: Paper | None = None,
    classes: Sequence[str] = (),
    learning_rate: float = 0.1,
) -> Page:
    """The explorer page of a network.

    Parameters
    ----------
    network : Topology or NeuronGraph
    weights : mapping of str to ndarray
        Values of every parameter, such as `Parameters`.
    samples : sequence of Sample
        At least one; the first is shown at the beginning.
    about : str
        One line on where samples and weights come from.
    labels : mapping of str to str
        Layer → the free text that the spec gives it.
    paper : Paper, optional
        How a drawing becomes an input; None: nothing can be drawn.
    classes : sequence of str
        What the classes of a single head are called; none: by their numbers.
    learning_rate : float
        η of the step at the end of the story.

    Raises
    ------
    DrawingError
        If the network is too large for a page, or there is no sample.

    Examples
    --------
    >>> import neurograph as ng
    >>> topology = ng.lay_out(ng.load("xor"))
    >>> page = explore(topology, ng.initialise(topology, seed=0), [Sample([[0.0, 1.0]], [[1.0]], label="0 xor 1")])
    >>> page.html.startswith("<!doctype html>"), page.n_samples
    (True, 1)
    """
    layout = layout_of(network)
    name = _name(network)
    check_size(name, network, layout)
    if not samples:
        raise DrawingError(f"{name}: no sample to explore. Give at least one.")
    data = {
        "name": name,
        "about": about,
        **describe(network, layout, weights, labels or {}),
        "samples": [sample.packed(layout) for sample in samples],
        "paper": None if paper is None else paper.described(),
        "classes": list(classes) if len(layout.heads) == 1 else [],
        "learningRate": learning_rate,
    }
    return Page(name, _html(name, data), len(samples))


def inspected(inspector: Inspector, about: str = "") -> Page:
    """The page of an inspector's network, weights and batch; it opens with the inspector's sample."""
    trace = inspector.trace
    samples = [_of_batch(inspector, n) for n in range(trace.batch)]
    first = samples.pop(inspector.sample)
    return explore(trace.network, trace.weights, [first, *samples], about=about)


def _of_batch(inspector: Inspector, n: int) -> Sample:
    def one(values: Mapping[Any, Any] | None) -> dict[Any, Any] | None:
        return None if values is None else {name: value[n : n + 1] for name, value in values.items()}

    x = one(read_batch(inspector.asked.x, inspector.trace.layout.inputs)) or {}
    upstream = one(inspector.upstream) if inspector.has_delta else None
    return Sample(x, one(inspector.targets), upstream, f"sample {n}")


def _name(network: Topology | NeuronGraph) -> str:
    if is_graph(network):
        return str(network.graph.get("name") or "network")
    return str(getattr(network, "name", "") or "network")


# -- the page ---------------------------------------------------------------------------------------------------------
def _html(name: str, data: Mapping[str, Any]) -> str:
    style, script = _style(), program()
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    # "<" cannot end the script element, and U+2028 cannot end a line: the data is read as JSON, never as a program
    held = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    body = (HERE / "body.html").read_text(encoding="utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(name)}: explorer</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="data">{held}</script>
<script type="module">{script}</script>
</body>
</html>
"""


@cache
def _style() -> str:
    return (HERE / "explorer.css").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
