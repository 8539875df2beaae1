"""Imports run one way, in the order of the pipeline. A dictionary says the order; `ast` reads the imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "neurograph"

# Unit -> what it may import at run time, itself excepted. A unit is a folder or a file directly under neurograph/.
FOUNDATIONS = {"version", "errors", "shapes", "masks", "transfer", "parameters"}
NETWORK = FOUNDATIONS | {"ops", "spec", "graph"}
CONTRACT = NETWORK | {"engine", "trace"}
MAY_IMPORT: dict[str, set[str]] = {
    "version": set(),
    "errors": set(),
    "shapes": set(),
    "notebook": set(),
    "masks": {"errors"},
    "transfer": {"errors"},
    "parameters": {"errors", "transfer"},
    "ops": FOUNDATIONS,
    "spec": FOUNDATIONS | {"ops", "graph"},
    "graph": FOUNDATIONS | {"ops", "spec"},
    "trace": NETWORK,
    "engine": NETWORK | {"trace"},
    "reference": CONTRACT,
    "compiler": CONTRACT | {"kernels"},
    "kernels": FOUNDATIONS | {"ops"},
    "data": {"errors", "parameters", "kernels"},  # augmentation resamples images, on a thread of its own, in a kernel
    "verification": CONTRACT | {"reference", "compiler", "training", "notebook"},
    "training": CONTRACT | {"compiler", "data", "kernels", "notebook"},
    "inspector": CONTRACT
    | {"reference"},  # a what-if runs an altered network, and the textbook engine runs any network
    # times everything, so it knows everything that runs; and where the package lies
    "benchmark": CONTRACT | {"reference", "compiler", "kernels", "training", "data", "__init__"},
}
DOORS = {"__init__", "__main__", "cli", "viz"}
"""Who stands at the end of the pipeline and may import all of it."""

# `graph.losses` and `graph.address` are words, not graphs: a spec needs the one to say what a head is trained for.
SPEC_MAY_READ = {"neurograph.graph.losses", "neurograph.graph.address"}
KNOWN_CIRCLES = {
    ("graph/neighbourhood.py", "trace"): "the addends of a gradient are read off a trace, and a trace finds them there",
    (
        "inspector/inspector.py",
        "viz",
    ): "in a notebook, inspector.explore() shows the explorer page, which is made of what it holds",
}
"""Exceptions to MAY_IMPORT, each with its reason; an exception that is no longer needed fails a test."""

WHO_KNOWS_NETWORKX = {"compiler/tabulate.py"}
"""The only file behind the graph, on the compiler's side, that may know how a graph is stored."""


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.relative_to(PACKAGE).parts[0] != "viz.py"]


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path, *, lazy: bool = True) -> set[str]:
    """Dotted names a file imports; type-checking imports never count, imports inside functions only if `lazy`."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {name for node in _statements(tree, lazy) for name in _names(node, path)}


def _statements(tree: ast.AST, lazy: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from (inner for other in node.orelse for inner in ast.walk(other))
        elif lazy or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            yield from _statements(node, lazy)


def _names(node: ast.AST, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"{path}: relative import; write neurograph.… so that the order can be read"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def units_imported(path: Path) -> set[str]:
    """The units of neurograph that a file imports, its own excepted."""
    names = [name.split(".") for name in imported(path)]
    first = {parts[1] if len(parts) > 1 else "__init__" for parts in names if parts[0] == "neurograph"}
    return {name if _is_unit(name) else "__init__" for name in first} - {unit(path)}


def _is_unit(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    name = unit(path)
    if name in DOORS:
        return
    assert name in MAY_IMPORT, f"neurograph/{name} is new: say in MAY_IMPORT what it may import"
    where = path.relative_to(PACKAGE).as_posix()
    wrong = units_imported(path) - MAY_IMPORT[name] - {other for file, other in KNOWN_CIRCLES if file == where}
    assert not wrong, (
        f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}; allowed: {sorted(MAY_IMPORT[name])}"
    )


def test_known_circles_are_still_there() -> None:
    assert [pair for pair in KNOWN_CIRCLES if pair[1] not in units_imported(PACKAGE / pair[0])] == []


def test_may_import_has_no_entry_too_many() -> None:
    assert {name for name in MAY_IMPORT if not _is_unit(name)} == set()


def test_may_import_has_no_circle_but_the_words_a_spec_reads() -> None:
    order = {name: allowed - ({"graph"} if name == "spec" else set()) for name, allowed in MAY_IMPORT.items()}
    done: set[str] = set()
    while len(done) < len(order):
        ready = {name for name, needs in order.items() if name not in done and needs & order.keys() <= done}
        assert ready, f"a circle among {sorted(order.keys() - done)}"
        done |= ready


def test_spec_reads_only_words_of_the_graph() -> None:
    read = {name for path in sorted((PACKAGE / "spec").glob("*.py")) for name in imported(path)}
    graph = {name for name in read if name.startswith("neurograph.graph")}
    assert {name for name in graph if not any(name.startswith(words) for words in SPEC_MAY_READ)} == set()


def test_engines_do_not_know_each_other() -> None:
    for path in modules():
        forbidden = {
            "reference": {"compiler", "kernels"},
            "compiler": {"reference"},
            "kernels": {"reference", "compiler"},
        }.get(unit(path), set())
        assert not units_imported(path) & forbidden, path


def test_only_the_first_pass_knows_networkx() -> None:
    for path in modules():
        where = path.relative_to(PACKAGE).as_posix()
        if unit(path) in {"compiler", "kernels"} and where not in WHO_KNOWS_NETWORKX:
            roots = {name.split(".")[0] for name in imported(path)}
            assert "networkx" not in roots, f"{where} imports networkx; only the first pass may"


def test_nobody_imports_viz_but_the_cli_and_only_late() -> None:
    for path in modules():
        where = path.relative_to(PACKAGE).as_posix()
        if unit(path) != "cli" and (where, "viz") not in KNOWN_CIRCLES:
            assert not {name for name in imported(path) if name.startswith("neurograph.viz")}, path
        assert not {name for name in imported(path, lazy=False) if name.startswith("neurograph.viz")}, path


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["train", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from neurograph.cli import main\n"
        f"sys.argv = ['neurograph', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('HEAVY', sorted({'numba', 'matplotlib', 'networkx', 'pydantic', 'pydot'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["HEAVY []"], done.stdout + done.stderr


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_stay_small(path: Path) -> None:
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= 400, f"{path.relative_to(ROOT)} has {n_lines} lines; one idea a file"
