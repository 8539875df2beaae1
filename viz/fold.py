"""Repeated blocks of layers, folded: drawn once, with how often they come."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from .facts import Facts

LONGEST = 12
"""Layers of a block, at most."""


@dataclass(frozen=True)
class Block:
    """Layers `first` … `first` + `period` − 1, which come `times` times, one after the other."""

    first: int
    period: int
    times: int

    @property
    def end(self) -> int:
        return self.first + self.period * self.times


def fold(facts: Sequence[Facts]) -> list[Facts]:
    """The same layers with repeated blocks drawn once; each knows how often it comes, and who is the last of its kind.

    A layer that reads a folded block reads its last repetition. What a repetition reads of the one before is not drawn again.
    """
    blocks = blocks_of(facts)
    stands_for: dict[str, str] = {fact.name: fact.name for fact in facts}
    dropped: set[str] = set()
    for block in blocks:
        for number in range(block.first, block.end):
            stands_for[facts[number].name] = facts[block.first + (number - block.first) % block.period].name
        dropped |= {facts[number].name for number in range(block.first + block.period, block.end)}
    inside = {number: block for block in blocks for number in range(block.first, block.first + block.period)}
    folded = []
    for number, fact in enumerate(facts):
        if fact.name not in dropped:
            sources = tuple(dict.fromkeys(stands_for[source] for source in fact.sources))
            repeated = inside.get(number)
            changed = replace(fact, sources=sources)
            folded.append(changed if repeated is None else _repeated(changed, facts, number, repeated))
    return folded


def blocks_of(facts: Sequence[Facts]) -> list[Block]:
    """Repetitions worth folding, from the front: those that save the most layers."""
    signs = _signs(facts)
    found: list[Block] = []
    number = 0
    while number < len(facts):
        candidates = [_longest(facts, signs, number, period) for period in range(1, LONGEST + 1)]
        best = max(candidates, key=lambda block: (block.period * (block.times - 1), -block.period))
        if best.period * (best.times - 1) >= 2:
            found.append(best)
            number = best.end
        else:
            number += 1
    return found


def _signs(facts: Sequence[Facts]) -> list[Hashable]:
    """What two layers must have in common to be repetitions: everything but their names and what they see."""
    place = {fact.name: number for number, fact in enumerate(facts)}
    return [
        (
            fact.kind, fact.operation, fact.activation, fact.shape, fact.n_edges, fact.n_parameters, fact.head, fact.label,
            len(fact.through), tuple(number - place[source] for source in fact.sources),
        )
        for number, fact in enumerate(facts)
    ]  # fmt: skip


def _longest(facts: Sequence[Facts], signs: Sequence[Hashable], first: int, period: int) -> Block:
    """The most repetitions of a block, of which nobody outside reads any but the last."""
    times = 1
    while signs[first : first + period] == signs[first + times * period : first + (times + 1) * period]:
        times += 1
    while times > 1 and _is_read_inside(facts, Block(first, period, times)):
        times -= 1
    return Block(first, period, times)


def _is_read_inside(facts: Sequence[Facts], block: Block) -> bool:
    early = {fact.name for fact in facts[block.first : block.end - block.period]}
    return any(early & set(fact.sources) for fact in facts[block.end :])


def _repeated(fact: Facts, facts: Sequence[Facts], number: int, block: Block) -> Facts:
    last = facts[number + block.period * (block.times - 1)]
    sees = fact.sees if fact.sees == last.sees else f"{fact.sees} … {last.sees}"
    return replace(fact, sees=sees, times=block.times, last=last.name)
