"""Pairs the blocks of a translation with the blocks of the original that they render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhiyipdf.grounding.translation.costs import Costs, Weights
from zhiyipdf.grounding.translation.features import compare
from zhiyipdf.grounding.translation.sequence import align
from zhiyipdf.grounding.translation.steps import Step
from zhiyipdf.models import Block

__all__ = ["UNPAIRED", "Pair", "Pairing", "pair_translated"]

# Share of pairs that were right over 17 ciphered documents, 93,000 blocks, from mild disorder to
# texts without one common number (benchmarks/translation.py --scores). A pair is restless if the
# step before or after it leaves out, adds, merges or splits.
_SCORES = {
    # (one to one, tokens in common, restless)
    (True, True, False): 0.999,
    (True, True, True): 0.985,
    (True, False, False): 0.994,
    (True, False, True): 0.955,
    (False, True, False): 0.99,
    (False, True, True): 0.93,
    (False, False, False): 0.99,
    (False, False, True): 0.94,
}
# From here on, in nats, shared tokens speak for a pair.
_TELLING = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What one block renders.

    Attributes:
        originals: Indices of the original's blocks, rising; empty if it renders none.
        score: Probability from 0 to 1 that it renders the first of them.
    """

    originals: tuple[int, ...] = ()
    score: float = 0.0


UNPAIRED = Pair()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """What the blocks of a variant render.

    Attributes:
        pairs: One for each block of the variant.
    """

    pairs: tuple[Pair, ...]

    def first(self) -> tuple[int | None, ...]:
        """Give for each block the first block of the original that it renders, if any."""
        return tuple(pair.originals[0] if pair.originals else None for pair in self.pairs)


def pair_translated(
    original: Sequence[Block], translated: Sequence[Block], *, growth: float | None = None
) -> Pairing:
    """Pair a translation with its original.

    Both are taken to be in the same order; blocks may be left out, added, and two of either text
    may be one of the other. Time and memory grow linearly with the number of blocks.

    Args:
        original: Blocks of the original.
        translated: Blocks of the translation.
        growth: How much longer prose becomes by translation; estimated if not given, which takes
            more than a few blocks.

    Returns:
        Pairs whose indices do not fall.
    """
    costs = Costs(compare(original, translated), Weights(), growth)
    steps = align(costs)
    pairs = [UNPAIRED] * len(translated)
    common = costs.overlap.of_steps(steps)
    for step, shared, is_restless in zip(steps, common, _restless(steps), strict=True):
        if step.rows and step.columns:
            score = _SCORES[step.rows == step.columns, shared > _TELLING, is_restless]
            pair = Pair(originals=tuple(range(step.row, step.row + step.rows)), score=score)
            pairs[step.column : step.column + step.columns] = [pair] * step.columns
    return Pairing(pairs=tuple(pairs))


def _restless(steps: Sequence[Step]) -> list[bool]:
    """Tell of each step whether one of its neighbours is anything but one to one."""
    odd = np.array([False, *((step.rows, step.columns) != (1, 1) for step in steps), False])
    result: list[bool] = (odd[:-2] | odd[2:]).tolist()
    return result
