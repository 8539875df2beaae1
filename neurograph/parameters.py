"""The only place weights live: a mapping from names to float64 arrays, shared by both engines.

Nothing here knows layers or edges; an edge carries a reference ``(name, flat index)`` into these arrays.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurograph.errors import ParameterError, UnknownName, suggest

if TYPE_CHECKING:
    from neurograph.transfer import Taken

    Array = NDArray[np.float64]

Reference = tuple[str, int]
"""A weight on an edge: parameter name and flat (row-major) index into its array."""


@dataclass(frozen=True, eq=False)
class ParameterSpec:
    """What a network declares about one parameter.

    Parameters
    ----------
    name : str
        Such as ``"conv1.weight"``; hand-made graphs choose their own names.
    shape : tuple of int
        PyTorch's layout: the first axis of a weight numbers its tied groups. Hand-named weights have shape ``()``.
    init : str or float, optional
        One of `neurograph.ops.words.INITIALISATIONS`, or a constant. None: Glorot for weights, zero for biases.
    fan_in, fan_out : int
        Number of in- and out-edges of a weight's neurons, for the initialisation. 0: counted from the graph.
    values : ndarray, optional
        Given numbers; they win over `init`.
    trainable : bool
        False for fixed numbers and constants.
    used : ndarray of bool, optional
        Which slots belong to an edge; the others are fixed at 0 and not counted. None: all.
    """

    name: str
    shape: tuple[int, ...] = ()
    init: str | float | None = None
    fan_in: int = 0
    fan_out: int = 0
    values: NDArray[np.float64] | None = None
    trainable: bool = True
    used: NDArray[np.bool_] | None = None
    role: str = "weight"
    """``"weight"``, ``"bias"`` or ``"constant"`` (a padding value)."""

    @property
    def size(self) -> int:
        """Number of slots that count as parameters."""
        if self.used is not None:
            return int(np.count_nonzero(self.used))
        size = 1
        for extent in self.shape:
            size *= extent
        return size


class Holder(Protocol):
    """Whoever holds newer values than the store does: a program that has trained."""

    def write_back(self) -> None:
        """Write the newest values into the store with `Parameters.adopt`."""


@dataclass
class _Slot:
    """One array, which is replaced as a whole and never changed: whoever read it earlier keeps what he read."""

    value: NDArray[np.float64]
    trainable: bool


class Parameters(Mapping[str, "Array"]):
    """Weights by name. Reading gives read-only snapshots; assigning replaces the values and bumps `version`.

    A program may hold newer values in packed form while it trains. It says so with `lend`; before anyone else reads,
    the store asks it to write them back, so both engines always see one truth.

    Parameters
    ----------
    values : mapping of str to array_like
        Initial values, converted to float64.
    trainable : mapping of str to bool, optional
        Names not listed are trainable.

    Examples
    --------
    >>> params = Parameters({"w1": 0.15, "fc.weight": [[1, 2], [3, 4]]})
    >>> params["w1"] = 0.5
    >>> float(params["w1"]), params["fc.weight"].shape
    (0.5, (2, 2))
    >>> params["fc.weight"] = [1, 2, 3]
    Traceback (most recent call last):
    neurograph.errors.ParameterError: fc.weight: values of shape (3,); its shape is (2, 2).
    """

    def __init__(
        self, values: Mapping[str, ArrayLike] | None = None, trainable: Mapping[str, bool] | None = None
    ) -> None:
        self._slots: dict[str, _Slot] = {}
        self._holder: Holder | None = None
        self._version = 0
        self._fill({name: _as_values(name, value) for name, value in (values or {}).items()}, trainable or {})

    @classmethod
    def taking(cls, values: Mapping[str, Array], trainable: Mapping[str, bool]) -> Parameters:
        """A store of float64 arrays that nobody else will write to: they are kept, not copied."""
        made = cls()
        made._fill(values, trainable)
        return made

    def _fill(self, values: Mapping[str, Array], trainable: Mapping[str, bool]) -> None:
        for name, value in values.items():
            self._slots[name] = _Slot(_fixed(value), trainable.get(name, True))

    # -- reading ------------------------------------------------------------------------------------------------------
    def __getitem__(self, name: str) -> Array:
        self._collect()
        return self._slot(name).value.view()

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, name: object) -> bool:
        return name in self._slots

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a parameter's array, without reading it."""
        return self._slot(name).value.shape

    def value(self, reference: Reference) -> float:
        """The number behind one reference ``(name, flat index)``."""
        name, index = reference
        return float(self[name].reshape(-1)[index])

    @property
    def version(self) -> int:
        """Grows with every change made through this object; programs repack when it differs from what they saw."""
        return self._version

    @property
    def trainable(self) -> Mapping[str, bool]:
        """Per name: whether training may change it (`set_trainable` changes that)."""
        return {name: slot.trainable for name, slot in self._slots.items()}

    # -- writing ------------------------------------------------------------------------------------------------------
    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self._collect()
        slot = self._slot(name)
        new = _as_values(name, value)
        if new.shape != slot.value.shape:
            raise ParameterError(f"{name}: values of shape {new.shape}; its shape is {slot.value.shape}.")
        slot.value = new
        self._touch()

    def update(self, values: Mapping[str, ArrayLike]) -> None:
        """Assign several parameters by name."""
        for name, value in values.items():
            self[name] = value

    def set_trainable(self, names: str | Iterable[str], trainable: bool = True) -> None:
        """Freeze (False) or thaw (True) parameters by name."""
        self._collect()
        for name in [names] if isinstance(names, str) else names:
            self._slot(name).trainable = bool(trainable)
        self._touch()

    def freeze(self, *names: str) -> tuple[str, ...]:
        """Take parameters out of training, by their names or their layers'; `set_trainable` thaws them.

        Returns
        -------
        tuple of str
            The parameters.

        Examples
        --------
        >>> params = Parameters({"conv1.weight": [1.0], "conv1.bias": [0.0], "fc1.weight": [2.0]})
        >>> params.freeze("conv1")
        ('conv1.weight', 'conv1.bias')
        >>> params.freeze("conv2")
        Traceback (most recent call last):
        neurograph.errors.UnknownName: no layer or parameter 'conv2' with weights of its own; did you mean 'conv1'? (known: conv1, fc1)
        """
        from neurograph.transfer import members_of

        found = tuple(members_of(names, list(self)))
        self.set_trainable(found, False)
        return found

    def take_from(
        self, other: Mapping[str, Array], leave: Collection[str] = (), used: Mapping[str, NDArray[Any]] | None = None
    ) -> Taken:
        """Take over the values of another network, for every parameter of equal name and shape: fine-tuning begins here.

        Parameters
        ----------
        other : Parameters, or a mapping of str to ndarray
        leave : collection of str
            Parameters that keep their values whatever the other network has; a mapping says why.
        used : mapping of str to ndarray of bool, optional
            Slots that belong to an edge here; the others stay 0.

        Returns
        -------
        Taken
            What was taken, what was not and why, and what found no place.

        Examples
        --------
        >>> params = Parameters({"conv1.weight": [1.0], "fc1.weight": [2.0, 3.0]})
        >>> params.take_from(Parameters({"conv1.weight": [5.0], "fc1.weight": [6.0]})).fresh
        {'fc1.weight': 'its shape is 2 here and 1 there'}
        >>> params["conv1.weight"].tolist()
        [5.0]
        """
        from neurograph.transfer import fitting, masked

        found, used = fitting(self, other, leave), used or {}
        self.update({name: masked(name, other[name], used.get(name)) for name in found.taken})
        return found

    def copy(self) -> Parameters:
        """An independent store with the same values."""
        return Parameters.taking(dict(self), self.trainable)

    def _touch(self) -> None:
        self._version += 1

    # -- lending to a program -----------------------------------------------------------------------------------------
    def lend(self, holder: Holder) -> None:
        """`holder` has newer values from now on, until someone reads; an earlier holder writes back first."""
        if self._holder is not holder:
            self._collect()
            self._holder = holder

    def settle(self, reader: Holder) -> None:
        """Have any other holder write back before `reader` runs; what `reader` holds itself stays with it."""
        if self._holder is not reader:
            self._collect()

    def adopt(self, values: Mapping[str, Array]) -> None:
        """Take a holder's newest values (called from `Holder.write_back`)."""
        for name, value in values.items():
            slot = self._slot(name)
            slot.value = _fixed(np.array(value, dtype=np.float64)).reshape(slot.value.shape)
        self._touch()

    def _collect(self) -> None:
        if self._holder is not None:
            holder, self._holder = self._holder, None
            holder.write_back()

    # -- files --------------------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all values as a safetensors file (float64), replacing the file at once or not at all.

        Raises
        ------
        OSError
            If the file cannot be written; an older file stays as it was.
        """
        import json

        from safetensors.numpy import save

        frozen = [name for name, trainable in self.trainable.items() if not trainable]
        payload = save(
            {k: np.ascontiguousarray(v).reshape(v.shape) for k, v in self.items()}, {"frozen": json.dumps(frozen)}
        )
        write_atomically(Path(path), payload)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Parameters:
        """Read a file written by `save`.

        Raises
        ------
        ParameterError
            If the file is missing, damaged or not a safetensors file of floats.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with (
                safe_open(os.fspath(path), framework="numpy") as file,
                np.errstate(invalid="ignore"),
            ):  # NaN of any kind
                values = {name: np.asarray(file.get_tensor(name), np.float64) for name in file.keys()}  # noqa: SIM118
                frozen = names_in((file.metadata() or {}).get("frozen", "[]"))
        except FileNotFoundError:
            raise ParameterError(f"{path}: no such file.") from None
        except (SafetensorError, OSError, ValueError, TypeError, RecursionError) as error:
            raise ParameterError(f"{path}: not a readable safetensors file ({error}).") from None
        return cls.taking(values, dict.fromkeys(frozen, False))

    # -- inner --------------------------------------------------------------------------------------------------------
    def _slot(self, name: str) -> _Slot:
        try:
            return self._slots[name]
        except (KeyError, TypeError):
            known = ", ".join(list(self._slots)[:12]) + (", …" if len(self._slots) > 12 else "")
            raise UnknownName(f"no parameter '{name}'{suggest(str(name), self._slots)} (known: {known})") from None

    def __repr__(self) -> str:
        total = sum(slot.value.size for slot in self._slots.values())
        return f"Parameters({len(self)} arrays, {total:,} numbers)"


def names_in(text: str) -> list[str]:
    """The names that a file lists as JSON.

    Raises
    ------
    ValueError, RecursionError
        If it is anything but a list of texts.

    Examples
    --------
    >>> names_in('["conv1.weight"]')
    ['conv1.weight']
    """
    import json

    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"no list of names: {text!r:.40}")
    return names


def _as_values(name: str, value: ArrayLike) -> Array:
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{name}: expected numbers, found {value!r:.60}.") from None
    return _fixed(array)


def _fixed(array: Array) -> Array:
    """The array, from now on read-only, and so are all views of it."""
    array.flags.writeable = False
    return array


def write_atomically(path: Path, payload: bytes | Iterable[bytes | memoryview]) -> None:
    """Replace `path` by `payload` (or its pieces) in one step: temporary file, flush, fsync, rename, fsync of the folder."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            for piece in [payload] if isinstance(payload, bytes) else payload:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:  # of the file that was asked for, not of the temporary one
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a power loss, as fsync does for a file's bytes."""
    if os.name == "nt":  # there a folder cannot be opened
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
