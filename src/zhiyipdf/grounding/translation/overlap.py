"""Weighs the tokens that blocks of two texts have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.translation.features import Features
from zhiyipdf.grounding.translation.steps import Step

__all__ = ["Overlap"]


class Overlap:
    """The tokens of two texts, sorted so that those of any two blocks are compared quickly.

    Args:
        features: Of both.
    """

    def __init__(self, features: Features) -> None:
        left, right = features.original, features.other
        self._weights = features.weights
        self._tokens = left.tokens.astype(np.int64)
        self._blocks = left.blocks
        self._starts = np.searchsorted(left.blocks, np.arange(len(left) + 1))
        # Sorted by token, then by block: the blocks of a range that hold a token are one run.
        self._step = len(right) + 1
        telling = features.weights[right.tokens] > 0
        keys = right.tokens[telling].astype(np.int64) * self._step + right.blocks[telling]
        self._keys = np.sort(keys)
        self.totals: tuple[NDArray[np.float64], NDArray[np.float64]] = (
            _sums(left.blocks, features.weights[left.tokens], len(left)),
            _sums(right.blocks, features.weights[right.tokens], len(right)),
        )
        """Weight of all tokens of each block, by side, in nats."""

    def grid(self, rows: range, columns: range) -> NDArray[np.float64]:
        """Weigh what each of some blocks has in common with each of some others.

        Args:
            rows: Blocks of the original.
            columns: Blocks of the other text.

        Returns:
            Nats, of shape (rows, columns).
        """
        span = slice(self._starts[rows.start], self._starts[rows.stop])
        tokens, blocks = self._tokens[span], self._blocks[span]
        worth = self._weights[tokens]
        telling = worth > 0
        tokens, blocks, worth = tokens[telling], blocks[telling], worth[telling]
        starts = np.searchsorted(self._keys, tokens * self._step + columns.start)
        counts = np.searchsorted(self._keys, tokens * self._step + columns.stop) - starts
        found = self._keys[_ranges(starts, counts)] % self._step - columns.start
        cells = np.repeat(blocks - rows.start, counts) * len(columns) + found
        sums = _sums(cells, np.repeat(worth, counts), len(rows) * len(columns))
        return sums.reshape(len(rows), len(columns))

    def of(self, rows: Sequence[int], columns: Sequence[int]) -> NDArray[np.float64]:
        """Weigh what some pairs of blocks have in common, in nats."""
        at = np.array(rows, np.int64)
        starts = self._starts[at]
        counts = self._starts[at + 1] - starts
        tokens = self._tokens[_ranges(starts, counts)]
        keys = tokens * self._step + np.repeat(np.array(columns, np.int64), counts)
        found = np.append(self._keys, -1)[np.searchsorted(self._keys, keys)] == keys
        pairs = np.repeat(np.arange(len(at)), counts)
        return _sums(pairs, np.where(found, self._weights[tokens], 0.0), len(at))

    def of_steps(self, steps: Sequence[Step]) -> list[float]:
        """Weigh what the blocks of each step have in common, in nats."""
        pairs = [
            (at, row, column)
            for at, step in enumerate(steps)
            for row in range(step.row, step.row + step.rows)
            for column in range(step.column, step.column + step.columns)
        ]
        members = np.array([at for at, _, _ in pairs], np.int64)
        weights = self.of([row for _, row, _ in pairs], [column for _, _, column in pairs])
        sums: list[float] = _sums(members, weights, len(steps)).tolist()
        return sums


def _ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Write out ranges one after the other."""
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) + np.repeat(starts - ends + counts, counts)


def _sums(
    places: NDArray[np.integer], weights: NDArray[np.float64], size: int
) -> NDArray[np.float64]:
    return np.bincount(places, weights, size).astype(np.float64)
