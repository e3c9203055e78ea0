"""Turns right-to-left blocks round that a converter wrote as they are seen, from left to right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.folding import text_of
from zhiyipdf.grounding.seeds import GRAM, Grams, count_known
from zhiyipdf.grounding.streams import BlockStream

__all__ = ["turned"]

# Hebrew, Arabic and their neighbours, after folding (Unicode Standard, chapter 9).
_FIRST, _LAST = 0x0590, 0x08FF
_LEAST_SHARE = 0.2
_MOST = 0.5
_BETTER = 1.2


def turned(blocks: BlockStream, grams: Grams) -> BlockStream:
    """Reverse the blocks of right-to-left letters that the pages then know better.

    Args:
        blocks: The Markdown's.
        grams: The pages'.
    """
    is_rtl = (blocks.codes >= _FIRST) & (blocks.codes <= _LAST)
    if not len(is_rtl) or is_rtl.mean() < _LEAST_SHARE:
        return blocks
    lengths = np.diff(blocks.starts)
    counts = np.concatenate(([0], np.cumsum(is_rtl)))
    own = counts[blocks.starts[1:]] - counts[blocks.starts[:-1]]
    is_mostly = own >= _MOST * np.maximum(lengths, 1)
    mostly = is_mostly & (lengths >= GRAM)
    codes = _reversed(blocks, mostly)
    as_written, reversed_ = _known(blocks.codes, blocks, grams), _known(codes, blocks, grams)
    better = mostly & (reversed_ > _BETTER * as_written)
    if not better.any():
        return blocks
    # Short ones tell nothing alone: they are as most of the others.
    if better.sum() > mostly.sum() / 2:
        better |= is_mostly & ~mostly
        better &= ~(mostly & (as_written > reversed_))
    codes = _reversed(blocks, better)
    return replace(blocks, codes=codes, text=text_of(codes))


def _reversed(blocks: BlockStream, which: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Give the text with some of its blocks turned round."""
    codes = blocks.codes.copy()
    for index in np.flatnonzero(which).tolist():
        start, end = int(blocks.starts[index]), int(blocks.starts[index + 1])
        codes[start:end] = codes[start:end][::-1]
    return codes


def _known(codes: NDArray[np.uint32], blocks: BlockStream, grams: Grams) -> NDArray[np.int64]:
    """Count the grams of each block that the pages have."""
    known = count_known(codes, grams)
    totals = np.concatenate(([0], np.cumsum(known)))
    last = np.maximum(blocks.starts[1:] - GRAM + 1, blocks.starts[:-1])
    return totals[np.minimum(last, len(known))] - totals[np.minimum(blocks.starts[:-1], len(known))]
