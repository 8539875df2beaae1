"""What a planted bug is, and the selections of tests that bugs name."""

from __future__ import annotations

from dataclasses import dataclass

AGREEMENT = "tests/test_agreement.py"


@dataclass(frozen=True)
class Mutant:
    """A bug: in `file`, `old` (which stands there exactly once) becomes `new`; `tests` are pytest arguments.

    Kernels run as plain Python (`NUMBA_DISABLE_JIT=1`) unless `jit` is set, so nothing compiled can outlive its mutant.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    jit: bool = False


def exactly(*words: str) -> tuple[str, ...]:
    """The exact agreement tests of some words of the sweep."""
    return (AGREEMENT, "-k", f"every_word_agrees_exactly and ({' or '.join(words)})")


def closely(*words: str) -> tuple[str, ...]:
    """The bounded agreement tests of some words of the sweep."""
    return (AGREEMENT, "-k", f"every_word_agrees_closely and ({' or '.join(words)})")


def planned(*words: str) -> tuple[str, ...]:
    """The tests that both roads of the compiler read the same edges."""
    return (AGREEMENT, "-k", f"every_word_is_planned and ({' or '.join(words)})")


def edited(*words: str) -> tuple[str, ...]:
    """The exact agreement tests of some words of the sweep, with edges deleted and re-tied."""
    return (AGREEMENT, "-k", f"every_word_agrees_after_edits and ({' or '.join(words)})")


ODD = "tests/test_odd_sizes.py"


def odd(*words: str) -> tuple[str, ...]:
    """The exact tests of some networks at sizes that fill no vector."""
    return (ODD, "-k", f"whole_numbers and ({' or '.join(words)})")


STEPS = (ODD, "-k", "training_steps")
"""Training steps against the textbook's."""

PANELS = (ODD, "-k", "long_fan_ins")
"""Long fan-ins, whose weights are moved together."""
