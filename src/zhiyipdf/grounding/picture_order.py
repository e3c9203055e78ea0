"""Matches the images of a page with its pictures, both in order, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["match_in_order"]

_BAND = 512
"""So many pictures to either side of its share of them an image may have. Fewer than this on a page
are all tried for each image; where there are more, time and memory grow with their number only."""

_PAIR, _UNMATCHED, _SKIPPED = 0, 1, 2


def match_in_order(
    images: int,
    pictures: int,
    mismatch: Callable[[int, slice], NDArray[np.float64]],
    *,
    cost: float,
) -> list[int | None]:
    """Match images with pictures, none crossing another, at the least cost.

    Args:
        images: How many there are.
        pictures: How many there are; one may stay without an image at no cost.
        mismatch: Tells for one image and some pictures next to each other how unlike they are.
        cost: Of an image that stays without a picture.

    Returns:
        For each image the index of its picture, or None.
    """
    lows: list[int] = []
    moves: list[NDArray[np.int8]] = []
    least = np.zeros(pictures + 1)  # the cost of the images so far, by how many pictures are passed
    before = reached = 0  # the band of the image before
    for image in range(images):
        low = max(image * pictures // images - _BAND, 0)
        high = min((image + 1) * pictures // images + _BAND, pictures)
        least[reached + 1 : high + 1] = least[reached]
        without = least[low : high + 1] + cost
        pair = np.full(high + 1 - low, np.inf)
        first = max(low, before + 1)  # so that what comes before it is in that band
        pair[first - low :] = least[first - 1 : high] + mismatch(image, slice(first - 1, high))
        best = np.minimum.accumulate(np.minimum(pair, without))
        skipped = np.concatenate(([np.inf], best[:-1]))
        move = np.full(len(best), _SKIPPED, np.int8)
        move[without <= skipped] = _UNMATCHED
        move[(pair <= without) & (pair <= skipped)] = _PAIR
        least[low : high + 1] = best
        lows.append(low)
        moves.append(move)
        before, reached = low, high
    return _traced(lows, moves, pictures)


def _traced(lows: list[int], moves: list[NDArray[np.int8]], pictures: int) -> list[int | None]:
    """Follow the cheapest way back from its end."""
    found: list[int | None] = [None] * len(lows)
    at = pictures
    for image in range(len(lows) - 1, -1, -1):
        own = moves[image]
        step = min(at - lows[image], len(own) - 1)
        while own[step] == _SKIPPED:
            step -= 1
        at = lows[image] + step
        if own[step] == _PAIR:
            at -= 1
            found[image] = at
    return found
