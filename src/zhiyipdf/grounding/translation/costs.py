"""What it costs to take blocks of two texts for the same: negative where much speaks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.translation.features import KINDS, Features, Side
from zhiyipdf.grounding.translation.overlap import Overlap
from zhiyipdf.models import BlockKind

__all__ = ["Costs", "Slab", "Weights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Costs in nats, roughly.

    Fitted to nine ciphered documents and two pairs of manuals, from the values of the grounding
    study (4n); eight other documents and three other pairs do as well (benchmarks/translation.py).

    Attributes:
        left_out: A block of the original that the other text lacks.
        added: A block that only the other text has.
        joined: Two blocks that became one, or one that became two.
        shared: For each nat of weight of shared tokens.
        shared_cap: What shared tokens can be worth at most.
        unshared: For each nat of tokens on one side only.
        unshared_cap: What these can cost at most.
        spread: Standard deviation of the logarithm of the lengths' ratio.
        length_cap: What a wrong length can cost at most.
    """

    left_out: float = 3.5
    added: float = 5.0
    joined: float = 3.5
    shared: float = 1.2
    shared_cap: float = 8.0
    unshared: float = 0.2
    unshared_cap: float = 5.0
    spread: float = 0.3
    length_cap: float = 9.0


# A length says nothing for very short blocks, and all it can from here on.
_TELLING_LENGTH = 60.0
_SAME: dict[BlockKind, float] = {"heading": -1.5, "image": -1.5, "table": -1.5, "page_break": -1.5}
_FIRM: frozenset[BlockKind] = frozenset(
    {"heading", "image", "comment", "page_break", "rule", "table"}
)
_FIRM_MISMATCH = 4.0
_MISMATCH = 2.0
_LEVEL_MISMATCH = 1.0
# The kind of a block that does not exist.
_NO_KIND = len(KINDS)
# Very short and very long blocks are where texts differ.
_MIDDLE = np.linspace(0.3, 0.9, 13)

_Number = TypeVar("_Number", bound=np.generic)


def _kind_costs() -> NDArray[np.float64]:
    matrix = np.full((len(KINDS) + 1, len(KINDS) + 1), _MISMATCH)
    for row, kind in enumerate(KINDS):
        if kind in _FIRM:
            matrix[row, :] = matrix[:, row] = _FIRM_MISMATCH
    for row, kind in enumerate(KINDS):
        matrix[row, row] = _SAME.get(kind, 0.0)
    matrix[_NO_KIND, :] = matrix[:, _NO_KIND] = np.inf
    return matrix


_KIND_COSTS = _kind_costs()
# What nobody translates keeps its length.
_LITERAL = np.array([kind in {"code", "formula", "comment", "page_break"} for kind in KINDS])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slab:
    """Costs of the steps that end in some states, float64 of shape (rows, columns).

    State ``(i, j)`` is that in which ``i`` blocks of the original and ``j`` of the other text are
    done. A step that would begin outside the texts costs infinitely much.

    Attributes:
        row: State of the first row.
        column: State of the first column.
        one: Cost of pairing one block with one.
        split: The same for one block of the original and two of the other text.
        merged: The same for two blocks and one.
    """

    row: int
    column: int
    one: NDArray[np.float64]
    split: NDArray[np.float64]
    merged: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """What the cost of a pair depends on, for some blocks of one text."""

    lengths: NDArray[np.float64]
    totals: NDArray[np.float64]

    def joined(self) -> _Blocks:
        """Take each block and the next for one."""
        return _Blocks(self.lengths[1:] + self.lengths[:-1], self.totals[1:] + self.totals[:-1])

    def rest(self) -> _Blocks:
        """Leave out the first."""
        return _Blocks(self.lengths[1:], self.totals[1:])


class Costs:
    """Costs of all steps between two texts.

    Args:
        features: Of both.
        weights: What counts how much.
        growth: How much longer prose becomes; estimated if not given.
    """

    def __init__(self, features: Features, weights: Weights, growth: float | None = None) -> None:
        self.features = features
        self.overlap = Overlap(features)
        self.left_out = np.full(len(features.original), weights.left_out)
        self.added = np.full(len(features.other), weights.added)
        self._weights = weights
        left, right = features.original, features.other
        if growth is None:
            growth = _growth(left, right)
        expected = left.lengths * np.where(_LITERAL[left.kinds], 1.0, growth)
        # Two blocks that do not exist come before either text, so that every state has two.
        self._kinds = [_after_none(side.kinds, _NO_KIND) for side in (left, right)]
        self._levels = [_after_none(side.levels, 0) for side in (left, right)]
        self._lengths = [_after_none(lengths, 0) for lengths in (expected, right.lengths)]
        self._totals = [_after_none(totals, 0) for totals in self.overlap.totals]

    def slab(self, rows: range, columns: range) -> Slab:
        """Compute the costs of the steps that end in some states.

        Args:
            rows: States of the original, from 0 to the number of its blocks.
            columns: States of the other text.
        """
        # The two blocks that are last in state i have the numbers i and i + 1, counted with none.
        spans = slice(rows.start, rows.stop + 1), slice(columns.start, columns.stop + 1)
        left, right = (
            _Blocks(self._lengths[side][span], self._totals[side][span])
            for side, span in enumerate(spans)
        )
        row_kinds, column_kinds = (self._kinds[side][span] for side, span in enumerate(spans))
        kinds = _KIND_COSTS[row_kinds[:, None], column_kinds[None, :]]
        row_levels, column_levels = (self._levels[side][span] for side, span in enumerate(spans))
        kinds = kinds + _LEVEL_MISMATCH * (row_levels[:, None] != column_levels[None, :])
        shared = self._shared(rows, columns)
        joined = self._weights.joined
        return Slab(
            row=rows.start,
            column=columns.start,
            one=self._cost(shared[1:, 1:], kinds[1:, 1:], left.rest(), right.rest()),
            split=joined
            + self._cost(
                shared[1:, 1:] + shared[1:, :-1],
                np.maximum(kinds[1:, 1:], kinds[1:, :-1]),
                left.rest(),
                right.joined(),
            ),
            merged=joined
            + self._cost(
                shared[1:, 1:] + shared[:-1, 1:],
                np.maximum(kinds[1:, 1:], kinds[:-1, 1:]),
                left.joined(),
                right.rest(),
            ),
        )

    def _shared(self, rows: range, columns: range) -> NDArray[np.float64]:
        """Weigh what the last two blocks of states have in common."""
        there = [
            range(max(states.start - 2, 0), max(states.stop - 1, 0)) for states in (rows, columns)
        ]
        shared = np.zeros((len(rows) + 1, len(columns) + 1))
        shared[len(rows) + 1 - len(there[0]) :, len(columns) + 1 - len(there[1]) :] = (
            self.overlap.grid(*there)
        )
        return shared

    def _cost(
        self, shared: NDArray[np.float64], kinds: NDArray[np.float64], left: _Blocks, right: _Blocks
    ) -> NDArray[np.float64]:
        weights = self._weights
        lengths = left.lengths[:, None], right.lengths[None, :]
        totals = left.totals[:, None], right.totals[None, :]
        off = (np.log(lengths[1] + 1.0) - np.log(lengths[0] + 1.0)) / weights.spread
        telling = np.minimum(np.minimum(*lengths) / _TELLING_LENGTH, 1.0)
        length = np.minimum(0.5 * off * off * telling, weights.length_cap)
        shared = np.minimum(shared, np.minimum(*totals))
        alone = np.minimum(
            weights.unshared * (totals[0] + totals[1] - 2.0 * shared), weights.unshared_cap
        )
        cost: NDArray[np.float64] = (
            kinds + length + alone - np.minimum(weights.shared * shared, weights.shared_cap)
        )
        return cost


def _after_none(values: NDArray[_Number], none: int) -> NDArray[_Number]:
    return np.concatenate((np.full(2, none, values.dtype), values))


def _growth(original: Side, other: Side) -> float:
    """Estimate how much longer prose becomes: the ratio of its blocks' middle lengths.

    Sums would not do: one text may lack a part of the other, and code does not grow.
    """
    prose = [side.lengths[~_LITERAL[side.kinds] & (side.lengths > 0)] for side in (original, other)]
    if not (prose[0].size and prose[1].size):
        return 1.0
    logs = [np.log(np.quantile(lengths, _MIDDLE) + 1.0) for lengths in prose]
    return float(np.exp(np.mean(logs[1] - logs[0])))
