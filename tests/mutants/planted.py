"""The planted bugs: one line of the package changed each, and the tests that are expected to notice.

They are the mistakes that such a program invites: an edge lost, a tie swapped, a window shifted by one, a `+=` forgotten where
windows overlap, a mean taken for a sum, a last tile forgotten, an update that sees half the new weights.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant
from tests.mutants.of_graphs import GRAPH, TEXTBOOK
from tests.mutants.of_lanes import CHANNELS, TILES, UPDATES
from tests.mutants.of_programs import COMPILER, KERNELS, STRIPS
from tests.mutants.of_starts import STARTS
from tests.mutants.of_updates import TRAINING

MUTANTS: tuple[Mutant, ...] = (
    *GRAPH,
    *TEXTBOOK,
    *COMPILER,
    *KERNELS,
    *STRIPS,
    *TILES,
    *CHANNELS,
    *UPDATES,
    *TRAINING,
    *STARTS,
)
