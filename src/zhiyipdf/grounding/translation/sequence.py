"""Aligns two sequences of blocks at least cost: one to one, merged, split, left out or added."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.translation.band import Band, find_band
from zhiyipdf.grounding.translation.costs import Costs, Slab
from zhiyipdf.grounding.translation.steps import Step

__all__ = ["align"]

_ONE, _LEFT_OUT, _MERGED, _SPLIT, _ADDED = range(5)
# (blocks of the original, blocks of the other text)
_SIZES = {_ONE: (1, 1), _LEFT_OUT: (1, 0), _MERGED: (2, 1), _SPLIT: (1, 2), _ADDED: (0, 1)}
_SLAB_ROWS = 64


def align(costs: Costs) -> list[Step]:
    """Find the steps that cover both texts in order at least cost.

    Time and memory are linear in the number of blocks; one byte for each cell of the band.
    """
    band = find_band(costs.features)
    choices, offsets = _forward(costs, band)
    return list(_backward(choices, offsets, band))[::-1]


def _forward(costs: Costs, band: Band) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Fill the band row by row; gives the best last step of each cell, rows one after the other."""
    low, high = band
    n, m = len(low) - 1, int(high[-1]) - 1
    offsets = np.concatenate(([0], np.cumsum(high - low)))
    choices = np.empty(int(offsets[-1]), np.int8)
    # Three rows at a time, each with two cells in front so that j - 2 exists.
    ring = np.full((3, m + 3), np.inf)
    added = np.concatenate(([0.0], np.cumsum(costs.added)))
    first = ring[0]
    first[2 : 2 + high[0]] = added[: high[0]]
    choices[: high[0]] = _ADDED
    for start in range(1, n + 1, _SLAB_ROWS):
        stop = min(start + _SLAB_ROWS, n + 1)
        slab = costs.slab(range(start, stop), range(int(low[start]), int(high[stop - 1])))
        for row in range(start, stop):
            here, there = int(low[row]), int(high[row])
            current, last, before = ring[row % 3], ring[(row - 1) % 3], ring[(row - 2) % 3]
            # What this array held three rows ago ends before this row does.
            current[: here + 2] = np.inf
            best, choice = _row(slab, row, (here, there), last, before, costs.left_out)
            drift = best - added[here:there]
            least = np.minimum.accumulate(drift)
            choice[drift > least] = _ADDED
            current[here + 2 : there + 2] = least + added[here:there]
            choices[offsets[row] : offsets[row + 1]] = choice
    return choices, offsets


def _row(
    slab: Slab,
    row: int,
    columns: tuple[int, int],
    last: NDArray[np.float64],
    before: NDArray[np.float64],
    left_out: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Choose among the steps that end a block of the original."""
    here, there = columns
    cells = slice(here - slab.column, there - slab.column)
    line = row - slab.row
    best = last[here + 2 : there + 2] + left_out[row - 1]
    choice = np.full(there - here, _LEFT_OUT, np.int8)
    candidates = (
        (_ONE, last[here + 1 : there + 1] + slab.one[line, cells]),
        (_SPLIT, last[here:there] + slab.split[line, cells]),
        (_MERGED, before[here + 1 : there + 1] + slab.merged[line, cells]),
    )
    for name, candidate in candidates:
        choice[candidate < best] = name
        np.minimum(best, candidate, out=best)
    return best, choice


def _backward(choices: NDArray[np.int8], offsets: NDArray[np.int64], band: Band) -> Iterator[Step]:
    low = band[0]
    row, column = len(low) - 1, int(band[1][-1]) - 1
    while row or column:
        rows, columns = _SIZES[int(choices[offsets[row] + column - low[row]])]
        row, column = row - rows, column - columns
        yield Step(row, rows, column, columns)
