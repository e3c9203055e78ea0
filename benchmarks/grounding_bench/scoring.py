"""Holds what methods answered against the truth: pure sums over sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grounding_bench.running import KINDS, Sheet

__all__ = [
    "CLASSES",
    "Chosen",
    "Reliability",
    "Tally",
    "both_pages",
    "by_class",
    "by_kind",
    "calibration_error",
    "reliability",
    "tally",
]

CLASSES = ((0, 0), (1, 5), (6, 11), (12, 39), (40, 199), (200, 10**9))
"""Letters and digits of a block, from and to; (0, 0) are pictures, rules and the like."""

BINS = 15  # of the calibration error, as in the literature


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Of how many blocks so many were right, and so many within one page."""

    blocks: int = 0
    right: int = 0
    near: int = 0

    @property
    def exact(self) -> float:
        """Share of blocks with the right first page, from 0 to 1."""
        return self.right / self.blocks if self.blocks else float("nan")

    @property
    def within_one(self) -> float:
        """Share of blocks whose first page is right or next to it."""
        return self.near / self.blocks if self.blocks else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Blocks whose score reaches a bound: which share of all they are, and of them are right."""

    share: float
    precision: float
    blocks: int


Chosen = Callable[[Sheet], NDArray[np.bool_]]


def tally(sheets: Iterable[Sheet], chosen: Chosen | None = None) -> Tally:
    """Count over the blocks that ``chosen`` picks out, or all."""
    blocks = right = near = 0
    for sheet in sheets:
        mask = chosen(sheet) if chosen else np.ones(len(sheet.first), bool)
        off = np.abs(sheet.told_first - sheet.first)[mask]
        told = sheet.told_first[mask] > 0
        blocks += len(off)
        right += int(np.count_nonzero(off == 0))
        near += int(np.count_nonzero((off <= 1) & told))
    return Tally(blocks=blocks, right=right, near=near)


def by_kind(sheets: Sequence[Sheet]) -> dict[str, Tally]:
    """Count for each kind of block that occurs."""
    counts = {
        kind: tally(sheets, lambda sheet, index=index: sheet.kind == index)  # type: ignore[misc]
        for index, kind in enumerate(KINDS)
    }
    return {kind: count for kind, count in counts.items() if count.blocks}


def by_class(sheets: Sequence[Sheet]) -> dict[tuple[int, int], Tally]:
    """Count for each of :data:`CLASSES`."""
    return {
        (least, most): tally(
            sheets,
            lambda sheet, least=least, most=most: (  # type: ignore[misc]
                (sheet.length >= least) & (sheet.length <= most)
            ),
        )
        for least, most in CLASSES
    }


def both_pages(sheets: Iterable[Sheet]) -> Tally:
    """Count the blocks that cross one page break; right are those with both pages right.

    Lists that only stand together since one of them was moved are not among them.
    """
    blocks = right = near = 0
    for sheet in sheets:
        crossing = sheet.last == sheet.first + 1
        blocks += int(np.count_nonzero(crossing))
        right += int(np.count_nonzero(crossing & sheet.right & (sheet.last == sheet.told_last)))
        near += int(np.count_nonzero(crossing & sheet.right))
    return Tally(blocks=blocks, right=right, near=near)


def _scores(sheets: Sequence[Sheet]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if not sheets:
        return np.zeros(0), np.zeros(0, bool)
    return (
        np.concatenate([sheet.score for sheet in sheets]),
        np.concatenate([sheet.right for sheet in sheets]),
    )


def reliability(sheets: Sequence[Sheet], bound: float) -> Reliability:
    """Look at the blocks that are answered with a score of ``bound`` or more."""
    score, right = _scores(sheets)
    sure = score >= bound
    count = int(np.count_nonzero(sure))
    return Reliability(
        share=count / len(score) if len(score) else float("nan"),
        precision=float(right[sure].mean()) if count else float("nan"),
        blocks=count,
    )


def calibration_error(sheets: Sequence[Sheet]) -> float:
    """Give the expected calibration error: |score - right| over 15 equal bins, by their blocks."""
    score, right = _scores(sheets)
    bins = np.minimum((score * BINS).astype(int), BINS - 1)
    total = 0.0
    for place in range(BINS):
        inside = bins == place
        if inside.any():
            gap = abs(float(score[inside].mean()) - float(right[inside].mean()))
            total += gap * np.count_nonzero(inside) / len(score)
    return total
