"""Stand-in for a checkout: loads the top-level folder ``viz/`` as `neurograph.viz`; the wheel has ``neurograph/viz/`` instead."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from sys import modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from viz import *  # noqa: F403

_folder = Path(__file__).resolve().parent.parent / "viz"
_spec = spec_from_file_location(__name__, _folder / "__init__.py", submodule_search_locations=[str(_folder)])
if _spec is None or _spec.loader is None:
    raise ImportError(f"{_folder}: no viz/ beside neurograph/; a checkout has both.")
modules[__name__] = _package = module_from_spec(_spec)
_spec.loader.exec_module(_package)
