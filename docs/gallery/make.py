"""Draw every bundled network in every view that suits it, into this folder, and write the page that shows them: `make gallery`.

Pictures of few shapes are kept as SVG, others as PNG of modest size (by Graphviz; without it they are left as they are).
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

from neurograph.viz.dot import to_dot
from neurograph.viz.picture import STRUCTURE
from neurograph.viz.scene import Scene
from neurograph.viz.subject import Subject
from neurograph.viz.svg import to_svg
from neurograph.viz.views import make_scene

import neurograph as ng
from neurograph.cli.examined import Examined, examine
from neurograph.errors import DrawingError
from neurograph.viz import VIEWS, Wish, graphviz

HERE = Path(__file__).parent
LARGEST_SVG = 36_000
"""Bytes above which a picture is kept as PNG."""
WIDTH = 960
"""Pixels of a PNG, at most."""
QUICK = 1_000_000
"""Edges up to which a sample is run, for its numbers."""
WORDS = {
    "layers": "one box a layer",
    "maps": "one node a feature map",
    "neurons": "every neuron that there is room for",
    "pipeline": "image, filters, maps, outputs",
    "around": "one neuron, what it sees and who sees it",
    "group": "one filter and all who use it",
    "windows": "stride and padding",
    "tied": "fully connected, untied, tied",
    "toeplitz": "the weights as a matrix",
}


def pictures(name: str) -> list[tuple[str, Path]]:
    """Draw one network; returns views and files."""
    found = _examined(name)
    made = []
    for view in VIEWS:
        if view == "maps" and not any(len(p.shape) > 1 and not p.is_input for p in found.topology.populations.values()):
            continue  # there are no maps but the image
        inspector = None if view in STRUCTURE else found.inspector
        subject = Subject(found.topology, inspector, note=found.note, labels=found.labels)
        try:
            scene = make_scene(subject, Wish(view))
        except DrawingError:
            continue  # the view does not suit the network
        made.append((view, save(scene, f"{name}-{view}")))
    return made


def _examined(name: str) -> Examined:
    """A pass with the network's own sample, or a bundled digit: what every machine has."""
    spec = ng.load(name)
    topology = ng.lay_out(spec)
    if topology.n_edges > QUICK:
        return Examined(spec, topology, None, "", "")
    with mock.patch("neurograph.data.folders.is_here", return_value=False):
        return examine(name, None, None, None)


def save(scene: Scene, stem: str) -> Path:
    """Keep a picture in the smaller of its forms."""
    svg = to_svg(scene).encode()
    if len(svg) <= LARGEST_SVG:
        path = HERE / f"{stem}.svg"
        path.write_bytes(svg)
        return path
    path = HERE / f"{stem}.png"
    dpi = 72 * min(1.0, WIDTH / scene.width)
    png = graphviz.run(to_dot(scene), "png", "neato", ("-n2", f"-Gdpi={dpi:.1f}"))
    if png is not None:
        path.write_bytes(smaller(png))
    return path


def smaller(png: bytes) -> bytes:
    """The same picture with 140 colours, where Pillow is installed."""
    try:
        from PIL import Image
    except ImportError:
        return png
    import io

    target = io.BytesIO()
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(140, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(target, "PNG", optimize=True)
    return target.getvalue()


def page(made: dict[str, list[tuple[str, Path]]]) -> str:
    """The page: a section a network, a thumbnail a view."""
    lines = ["# Gallery", "", "Every bundled network in every view that suits it. `make gallery` draws this page anew;"]
    lines += [
        "`neurograph draw SPEC --view VIEW` draws one, for any network. [The figures of the lectures](../figures.md).",
        "",
    ]
    for name, found in made.items():
        lines += [f"## {name}", "", ng.load(name).description, ""]
        for view, path in found:
            lines.append(
                f'<a href="{path.name}"><img src="{path.name}" height="150" alt="{name}: {WORDS[view]}" title="{view}: {WORDS[view]}"></a>'
            )
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Draw all of it."""
    names = sorted(ng.bundled(), key=lambda name: ng.lay_out(ng.load(name)).n_edges)
    made = {name: pictures(name) for name in names}
    (HERE / "README.md").write_text(page(made), encoding="utf-8")
    kept = {path for found in made.values() for _, path in found} | {HERE / "README.md", Path(__file__)}
    for path in HERE.iterdir():
        if path not in kept and path.is_file():
            path.unlink()
    total = sum(path.stat().st_size for path in HERE.iterdir() if path.is_file())
    sys.stdout.write(f"{HERE}: {sum(map(len, made.values()))} pictures, {total / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
