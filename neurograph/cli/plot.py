"""`neurograph plot`: pictures of a training run, or of a network that is not trained."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from neurograph.cli.options import JsonOption, QuietOption
from neurograph.errors import DrawingError, UsageError, suggest

EXAMPLES = """
neurograph plot runs/digits
neurograph plot runs/digits --what curves,mistakes -o pictures
neurograph plot runs/digits --what maps --sample 18 -o maps.svg
neurograph plot runs/lenet5 --what filters --layer conv2 -o conv2.pdf
neurograph plot lenet5 --what receptive -o receptive.png
"""

SUBJECT = typer.Argument(metavar="RUN|SPEC", help="A run folder, a bundled network, or the path of a spec.")
WHAT = typer.Option(
    metavar="NAMES",
    help="Some of curves, filters, maps, confusion, mistakes, histograms, updates, receptive; commas between. Default: all that fit.",
)
OUT = typer.Option(
    "--out",
    "-o",
    metavar="FILE|FOLDER",
    help="One picture ends in .png, .svg or .pdf. Default: the folder RUN/plots, or SPEC-plots here.",
)
LAYER = typer.Option(help="Of filters and maps, only this layer. Default: all.")
SAMPLE = typer.Option(min=0, help="Whose feature maps: a number among the test samples, from 0.")
TRAIN = typer.Option("--train", help="Use the training samples, not those held out for tests.")
DATA = typer.Option(
    help="A data set (see `neurograph list --data`), folder or .npz file. Default: what the run was trained with."
)
CHECKPOINT = typer.Option(
    help="Weights of the run: last, previous, or best. Default: what its training was told to keep."
)
FORM = typer.Option("--format", help="Of pictures in a folder: png, svg or pdf.")
STEPS = typer.Option(
    min=1, help="Of updates: so many steps of the run are taken once more. Default: all, within limits."
)


def command(
    subject: Annotated[str, SUBJECT],
    what: Annotated[str | None, WHAT] = None,
    out: Annotated[Path | None, OUT] = None,
    layer: Annotated[str | None, LAYER] = None,
    sample: Annotated[int, SAMPLE] = 0,
    train: Annotated[bool, TRAIN] = False,
    data: Annotated[str | None, DATA] = None,
    checkpoint: Annotated[str | None, CHECKPOINT] = None,
    form: Annotated[str, FORM] = "png",
    steps: Annotated[int | None, STEPS] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Plot what a training did, and what it made of the network.

    Drawn by matplotlib (the extra "plot"). Each picture is a file of its own, and is there as soon as it is told. A run also has its
    curves, confusion matrix, worst mistakes and the sizes of its updates; a spec without a run has untrained weights, unless it gives
    them itself. In Python each is a function that returns a matplotlib figure: neurograph.viz.plots.
    """
    from neurograph.cli.plotting import KINDS, Material
    from neurograph.cli.working import working
    from neurograph.viz import plots

    plots.check_matplotlib()
    wanted = _kinds(what, tuple(KINDS))
    single = _single(out, form, wanted)
    material = Material.of(subject, data, checkpoint, sample, train, layer, steps)
    chosen = wanted or material.fitting()
    folder = (out or material.default_folder) if single is None else single.parent
    written, left_out = [], []
    for kind in chosen:
        try:
            with working(f"{subject}, {kind}", quiet or as_json):
                for name, figure in KINDS[kind](material):
                    target = single or folder / f"{_file_name(kind, name)}.{form}"
                    _write(figure, target)
                    written.append({"what": kind, "of": name, "file": str(target)})
                    if not (quiet or as_json):
                        print(target, flush=True)
                    if single is not None:
                        break
        except DrawingError as error:
            left_out.append({"what": kind, "why": str(error)})
    _tell(written, [*left_out, *material.left_out], wanted, quiet, as_json)


def _kinds(what: str | None, known: tuple[str, ...]) -> list[str]:
    """The kinds asked for; none asks for all that fit."""
    wanted = list(dict.fromkeys(word.strip() for word in (what or "").split(",") if word.strip()))
    for word in wanted:
        if word not in known:
            raise UsageError(f"--what {word}: unknown plot{suggest(word, known)} (known: {', '.join(known)})")
    if what is not None and not wanted:
        raise UsageError(f"--what: names no plot (known: {', '.join(known)})")
    return wanted


def _single(out: Path | None, form: str, wanted: list[str]) -> Path | None:
    """The one file asked for; None for a folder."""
    from neurograph.viz import plots

    if form not in plots.FORMS:
        raise UsageError(f"--format {form}: unknown form{suggest(form, plots.FORMS)} (known: {', '.join(plots.FORMS)})")
    if out is None or out.is_dir() or not out.suffix:
        if out is not None and out.exists() and not out.is_dir():
            raise UsageError(f"--out {out}: is a file; a picture ends in .png, .svg or .pdf, and a folder is no file.")
        return None
    plots.form_of(out)
    if len(wanted) != 1:
        raise UsageError(f"--out {out}: holds one picture; name one with --what, or give a folder.")
    return out


def _write(figure: Any, target: Path) -> None:
    from neurograph.viz import plots

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        plots.save(figure, target)
    except OSError as error:
        raise UsageError(f"{target.parent}: {error.strerror or error}.") from None
    except DrawingError as error:
        raise UsageError(str(error)) from None  # a disk that is full is no plot that does not fit


def _file_name(kind: str, name: str) -> str:
    return kind if not name else f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}"


def _tell(
    written: list[dict[str, str]], left_out: list[dict[str, str]], wanted: list[str], quiet: bool, as_json: bool
) -> None:
    """What was not drawn and why; where it was asked for by name, that is an error."""
    drawn = {one["what"] for one in written}
    failed = [one for one in left_out if one["what"] in wanted and one["what"] not in drawn]
    if as_json:
        print(json.dumps({"written": written, "left_out": left_out}, indent=2))
    elif not quiet:
        for one in left_out:
            if one not in failed:
                print(f"Left out: {one['what']}: {one['why']}")
    if failed:
        raise DrawingError("\n".join(f"--what {one['what']}: {one['why']}" for one in failed))
