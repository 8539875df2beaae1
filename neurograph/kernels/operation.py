"""How an operation in LLVM is made known to Numba: `intrinsic`, as Numba's own, with less looking around."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.imputils import builtin_registry
from numba.core.typing.templates import infer, infer_global, make_intrinsic_template
from numba.extending import _Intrinsic  # type: ignore[attr-defined]


def intrinsic(function: Any) -> Any:
    """Like `numba.extending.intrinsic`, for the processor alone.

    Numba looks for the target's registry at every use of an operation, and refreshes all it knows for that: 0.3 ms for each of two
    thousand uses.
    """
    made = _Operation(function.__name__, function)
    made._register()
    return made


class _Operation(_Intrinsic):  # type: ignore[misc]
    """An operation that is registered with a template of ours."""

    def _register(self) -> None:
        template = make_intrinsic_template(self, self._defn, self._name)
        found = type(template)(template.__name__, (template,), {"_get_target_registry": classmethod(_registry)})
        infer(found)
        infer_global(self, types.Function(found))


def _registry(template: type[Any], reason: str) -> Any:
    """Where the processor's implementations stand."""
    return builtin_registry
