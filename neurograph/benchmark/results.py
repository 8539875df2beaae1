"""What is found: speeds beside peers, and single quantities; each with its target and whether it is met."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from neurograph.benchmark.peers.registry import YARDSTICK
from neurograph.benchmark.stopwatch import Spread


@dataclass(frozen=True)
class Against:
    """A peer beside us.

    Attributes
    ----------
    samples_per_second : Spread, optional
        None where the peer cannot run this network; `note` says why.
    ratio : Spread, optional
        How many times as fast we are, round by round.
    difference : float, optional
        Largest relative difference of its losses from ours over the first steps from the same weights; None where it was not
        asked (networks a peer cannot say). Where nobody trains, of its outputs.
    """

    peer: str
    samples_per_second: Spread | None = None
    ratio: Spread | None = None
    difference: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Speed:
    """One network in one mode at one batch.

    Attributes
    ----------
    key : str
        Such as ``lenet5-train-64``.
    mode : str
        ``train``, ``infer`` or ``backward``.
    peak : float, optional
        Share of the measured peak, counting every multiplication of the dense network.
    target : float, optional
        Least ratio to the yardstick.
    ahead : tuple of str
        Peers that must not be faster.
    """

    key: str
    network: str
    mode: str
    batch: int
    threads: int
    samples_per_second: Spread
    peak: float | None
    against: tuple[Against, ...]
    target: float | None = None
    ahead: tuple[str, ...] = ()

    @property
    def reached(self) -> float | None:
        """The ratio that the target is about."""
        for other in self.against:
            if other.peer == YARDSTICK and other.ratio is not None:
                return other.ratio.median
        return None

    @property
    def verdict(self) -> str:
        found = verdict(self.target, self.reached)
        raced = [other for other in self.against if other.peer in self.ahead and other.ratio is not None]
        behind = [other.peer for other in raced if other.ratio is not None and other.ratio.median < 1]
        if behind:
            return (
                f"{found}, behind {' and '.join(behind)}"
                if found not in ("", "met")
                else f"behind {' and '.join(behind)}"
            )
        return found or ("met" if raced else "")

    def as_dict(self) -> dict[str, Any]:
        return {"type": "speed", **asdict(self), "verdict": self.verdict}


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, and its limit: at most so large, or `at_least`."""

    key: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        return verdict(self.target, self.value, at_most=not self.at_least)

    def as_dict(self) -> dict[str, Any]:
        return {"type": "quantity", **asdict(self), "verdict": self.verdict}


Result = Speed | Quantity


def verdict(target: float | None, reached: float | None, at_most: bool = False) -> str:
    """Whether a target is met, or short by how much of it; empty where there is none, or nothing to hold against it.

    Examples
    --------
    >>> verdict(6, 6.5), verdict(6, 4.5), verdict(0.3, 0.45, at_most=True), verdict(None, 1.0)
    ('met', 'short by 25 %', 'over by 50 %', '')
    """
    if target is None or reached is None:
        return ""
    if (reached <= target) if at_most else (reached >= target):
        return "met"
    return f"{'over' if at_most else 'short'} by {100 * abs(reached / target - 1):.0f} %"
