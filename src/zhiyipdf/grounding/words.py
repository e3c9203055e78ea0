"""Compares words whatever their order: for columns read row by row, and right-to-left text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.folding import Folding, codes_of
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["PageWords", "WindowWords"]

_MOST_WORDS = 400
_MOST_PAGES = 64  # a word that more pages of a window have tells none of them
_BREAKS = np.array(
    [code for code in range(0x3001) if chr(code).isspace() or chr(code) == "|"], np.uint32
)
_BASE = np.uint64(0x9E3779B97F4A7C15)


class PageWords:
    """The words of pages, each by its letters in whatever order.

    Converters disagree on the order of letters in right-to-left text, hardly on which they are.

    Args:
        pages: In order.
        folding: The one that folded everything else.
    """

    def __init__(self, pages: Sequence[PageText], folding: Folding) -> None:
        self._pages = pages
        self._folding = folding
        self._known: dict[int, NDArray[np.uint64]] = {}

    def over(self, window: Sequence[int]) -> WindowWords:
        """Give the words of some pages.

        Args:
            window: Their indices.
        """
        return WindowWords([self._of(page) for page in window], self._folding)

    def _of(self, page: int) -> NDArray[np.uint64]:
        if page not in self._known:
            codes = self._pages[page].codes
            self._known[page] = np.unique(_words(codes[codes != 0], self._folding)[0])
        return self._known[page]


class WindowWords:
    """Which of some pages have which words.

    Args:
        known: The different words of each page.
        folding: The one that folded them.
    """

    def __init__(self, known: Sequence[NDArray[np.uint64]], folding: Folding) -> None:
        self._folding = folding
        self._width = len(known)
        words = np.concatenate(known) if known else np.zeros(0, np.uint64)
        pages = np.repeat(np.arange(len(known), dtype=np.int32), [len(own) for own in known])
        order = np.argsort(words, kind="stable")
        self._pages = pages[order]
        self._words, self._starts, self._counts = np.unique(
            words[order], return_index=True, return_counts=True
        )

    def shares(self, block: Block, *, telling: bool = False) -> NDArray[np.float64]:
        """Tell how much of a block's words each page has, from 0 to 1, by their letters.

        A word of more than 64 pages counts as if all had it.

        Args:
            block: Of the Markdown.
            telling: Words that several of the pages have count less.
        """
        words, sizes = _words(codes_of(spoken_text(block.text)), self._folding)
        words, sizes = words[:_MOST_WORDS], sizes[:_MOST_WORDS]
        if not len(words) or not len(self._words):
            return np.zeros(self._width)
        at = np.minimum(np.searchsorted(self._words, words), len(self._words) - 1)
        there = self._words[at] == words
        at, worth = at[there], sizes[there].astype(np.float64)
        counts = self._counts[at]
        if telling:
            worth /= counts
        few = counts <= _MOST_PAGES
        everywhere = float(worth[~few].sum())
        at, worth, counts = at[few], worth[few], counts[few]
        step = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        pages = self._pages[np.repeat(self._starts[at], counts) + step]
        found = np.bincount(pages, np.repeat(worth, counts), minlength=self._width)
        return np.asarray((found + everywhere) / float(sizes.sum()), np.float64)


def _words(
    codes: NDArray[np.uint32], folding: Folding
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Give a number for each word, the same whatever the order of its letters, and their count."""
    folded, source = folding.fold(codes)
    if not len(folded):
        return np.zeros(0, np.uint64), np.zeros(0, np.int64)
    breaks = np.flatnonzero(np.isin(codes, _BREAKS))
    word = np.searchsorted(breaks, source, side="right")
    first = np.flatnonzero(np.append(True, word[1:] != word[:-1]))
    with np.errstate(over="ignore"):
        mixed = folded.astype(np.uint64) * _BASE
        mixed ^= mixed >> np.uint64(31)
        mixed *= _BASE
        mixed ^= mixed >> np.uint64(29)
        words = np.add.reduceat(mixed, first)
    return words, np.diff(np.append(first, len(folded)))
