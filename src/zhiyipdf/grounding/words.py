"""Compares words whatever their order: for columns read row by row, and right-to-left text."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from zhiyipdf.grounding.folding import Folding, codes_of, text_of
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["PageWords"]

_MOST_WORDS = 400


class PageWords:
    """The words of pages, each with its letters in alphabetical order.

    Converters disagree on the order of letters in right-to-left text, hardly on which they are.

    Args:
        pages: In order.
        folding: The one that folded everything else.
    """

    def __init__(self, pages: Sequence[PageText], folding: Folding) -> None:
        self._pages = pages
        self._folding = folding
        self._known: dict[int, frozenset[str]] = {}

    def shares(self, block: Block, window: Sequence[int], *, telling: bool = False) -> list[float]:
        """Tell how much of a block's words each page has, from 0 to 1, by their letters.

        Args:
            block: Of the Markdown.
            window: Indices of pages.
            telling: Words that several of the pages have count less.
        """
        for page in window:
            if page not in self._known:
                self._known[page] = frozenset(self._words(self._pages[page].text()))
        words = self._words(spoken_text(block.text))[:_MOST_WORDS]
        total = sum(map(len, words)) or 1
        common = Counter(word for page in window for word in self._known[page] & set(words))
        return [
            sum(
                len(word) / (common[word] if telling else 1)
                for word in words
                if word in self._known[page]
            )
            / total
            for page in window
        ]

    def _words(self, text: str) -> list[str]:
        folded, source = self._folding.fold(codes_of(text))
        breaks = [i for i, char in enumerate(text) if char.isspace() or char == "|"]
        words: dict[int, list[str]] = {}
        for letter, at in zip(text_of(folded), source.tolist(), strict=True):
            words.setdefault(bisect_right(breaks, at), []).append(letter)
        return ["".join(sorted(word)) for word in words.values()]
