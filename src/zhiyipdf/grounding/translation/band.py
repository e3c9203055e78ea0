"""Which pairs of blocks are worth comparing: a band around what surely belongs together."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.translation.features import Features

__all__ = ["Band", "find_band"]

Band = tuple[NDArray[np.int64], NDArray[np.int64]]

# Up to here everything is compared with everything: some 50 ms.
_ALL_CELLS = 1_000_000
# How many blocks an anchor may be wrong by.
_MARGIN = 30
# A gap between anchors is compared as a whole up to so many cells for each of its blocks; in wider
# ones the band follows the texts' lengths, this many blocks to either side.
_GAP_CELLS = 200
_DRIFT = 150


def find_band(features: Features) -> Band:
    """Choose for each row what columns to look at.

    Row ``i`` is the state in which ``i`` blocks of the original are done, column ``j`` that in
    which ``j`` blocks of the other text are.

    Returns:
        First and one past the last column of each of the ``n + 1`` rows, int64. Neither falls, rows
        that follow each other overlap, and both corners are inside. Their sum is linear in the
        number of blocks.
    """
    n, m = len(features.original), len(features.other)
    if n * m <= _ALL_CELLS:
        return np.zeros(n + 1, np.int64), np.full(n + 1, m + 1, np.int64)
    rows, columns = _anchors(features)
    rows = np.concatenate(([0], rows, [n]))
    columns = np.concatenate(([0], columns, [m]))
    at = np.arange(n + 1)
    low = columns[np.searchsorted(rows, at - _MARGIN, "right").clip(1) - 1] - _MARGIN
    high = columns[np.searchsorted(rows, at + _MARGIN).clip(None, len(rows) - 1)] + _MARGIN + 1
    heights, widths = np.diff(rows), np.diff(columns)
    line = _line(features, rows, columns)
    for gap in np.flatnonzero(heights * widths > _GAP_CELLS * (heights + widths)):
        inside = slice(max(rows[gap] - _MARGIN, 0), rows[gap + 1] + _MARGIN + 1)
        low[inside] = np.maximum(low[inside], line[inside] - _DRIFT)
        ahead = line[min(inside.start + 1, n) : inside.stop + 1]
        ahead = np.concatenate((ahead, np.full(len(line[inside]) - len(ahead), m)))
        high[inside] = np.minimum(high[inside], ahead + _DRIFT + 1)
    low = np.minimum.accumulate(low[::-1])[::-1].clip(0, m)
    high = np.maximum.accumulate(high).clip(1, m + 1)
    low[0], high[-1] = 0, m + 1
    high[:-1] = np.maximum(high[:-1], low[1:] + 1)
    return low, high


def _anchors(features: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the longest rising sequence of pairs that share a token found nowhere else."""
    left, right = features.original, features.other
    place = np.full(len(features.unique), -1, np.int64)
    place[right.tokens] = right.blocks
    sure = features.unique[left.tokens]
    pairs = np.unique(np.stack((left.blocks[sure], place[left.tokens[sure]])), axis=1)
    rising = _rising(pairs[1].tolist(), pairs[0].tolist())
    return pairs[0][rising].astype(np.int64), pairs[1][rising].astype(np.int64)


def _rising(columns: list[int], rows: list[int]) -> list[int]:
    """Find a longest strictly rising subsequence, by patience; ``rows`` rise but may repeat."""
    order = sorted(range(len(rows)), key=lambda k: (rows[k], -columns[k]))
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = [-1] * len(rows)
    for k in order:
        at = bisect_left(tops, columns[k])
        before[k] = ends[at - 1] if at else -1
        if at == len(tops):
            tops.append(columns[k])
            ends.append(k)
        else:
            tops[at], ends[at] = columns[k], k
    found: list[int] = []
    k = ends[-1] if ends else -1
    while k >= 0:
        found.append(k)
        k = before[k]
    return found[::-1]


def _line(
    features: Features, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Interpolate the column of each row between anchors, by number and length of blocks alike."""
    done, other = (_mass(side.lengths) for side in (features.original, features.other))
    expected = np.interp(done, done[rows], other[columns])
    return np.searchsorted(other, expected).clip(0, len(other) - 1)


def _mass(lengths: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum up lengths so that a short block counts too."""
    usual = lengths.mean() if len(lengths) else 1.0
    return np.concatenate(([0.0], np.cumsum(lengths + usual + 1.0)))
