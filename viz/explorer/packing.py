"""Arrays as text: little-endian bytes in base64, in the smallest type that loses nothing."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

Packed = dict[str, str]


def pack(values: Any, lossy: bool = False) -> Packed:
    """Floats as bytes or float32 where that loses nothing, else as float64.

    Parameters
    ----------
    values : array_like
        Any shape; it is not kept.
    lossy : bool
        Take float32 in any case.

    Examples
    --------
    >>> pack([0.5, -2.0]), pack([0.1]), pack([0, 255])
    ({'f4': 'AAAAPwAAAMA='}, {'f8': 'mpmZmZmZuT8='}, {'u1': 'AP8='})
    """
    array = np.asarray(values, dtype=np.float64).reshape(-1)
    for code, kind in (("u1", np.uint8), ("f4", np.float32)):
        if _keeps(array, kind):
            return {code: _written(array.astype(f"<{code}"))}
    return {"f4": _written(array.astype("<f4"))} if lossy else {"f8": _written(array.astype("<f8"))}


def pack_integers(values: Any) -> Packed:
    """Whole numbers as int32.

    Examples
    --------
    >>> pack_integers([1, -1])
    {'i4': 'AQAAAP////8='}
    """
    return {"i4": _written(np.asarray(values, dtype=np.int64).reshape(-1).astype("<i4"))}


def _keeps(array: NDArray[np.float64], kind: type[np.generic]) -> bool:
    """Whether a type holds these numbers exactly."""
    with np.errstate(over="ignore", invalid="ignore"):
        back = array.astype(kind).astype(np.float64)
    same = np.array_equal(back, array, equal_nan=True)
    return same and not (kind is np.uint8 and bool(np.signbit(array).any()))


def _written(array: NDArray[Any]) -> str:
    return b64encode(array.tobytes()).decode()
