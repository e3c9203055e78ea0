"""Finds the rows and cells of tables that were hit in part: too short to be hit themselves."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.finishing import Stretch
from zhiyipdf.grounding.folding import Folding, codes_of, text_of
from zhiyipdf.grounding.searching import TextSearch
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.grounding.streams import PageStream
from zhiyipdf.models import Block

__all__ = ["fill_cells"]

_FOUND = 0.95
_SHORTEST = 4
_MOST_ROWS = 600
_ROW_END = re.compile(r"</tr\s*>|\n", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]\s*>|(?<!\\)\|", re.IGNORECASE)


def fill_cells(
    findings: list[Finding | None], blocks: Sequence[Block], pages: PageStream, folding: Folding
) -> None:
    """Add to each table what else of it stands on its pages, in linear time.

    Args:
        findings: By block; is changed in place. Pages stay as they are.
        blocks: The Markdown's.
        pages: The PDF's.
        folding: The one that folded both.
    """

    @cache
    def folded(markdown: str) -> str:
        return text_of(folding.fold(codes_of(spoken_text(markdown)))[0])

    def wanted() -> Iterator[str]:
        for index, _ in tables:
            for row in _rows(blocks[index]):
                yield folded(row)
                yield from map(folded, _CELL_END.split(row))

    starts = pages.page_starts.tolist()
    tables = [
        (index, found)
        for index, found in enumerate(findings)
        if found is not None
        and blocks[index].kind == "table"
        and found.method == "seed"
        and found.share < _FOUND
    ]
    search = TextSearch(pages.text, wanted)
    for index, found in tables:
        first, last = starts[min(found.pages)], starts[max(found.pages) + 1]
        known = _Known(found.stretches)
        for text in _pieces(_rows(blocks[index]), folded, search, first, last):
            place = _nearest(text, search, first, last, known)
            if place is not None:
                known.add(place)
        begin = found.stretches[0]  # tells where the block begins
        rest = (stretch for stretch in sorted(known.stretches) if stretch != begin)
        findings[index] = replace(found, stretches=(begin, *rest))


class _Known:
    """What is known of a table: its stretches, and which of them lie in no other."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self.stretches: list[Stretch] = []
        # Of two that lie in no other, the one that begins first ends first.
        self._starts: list[int] = []
        self._ends: list[int] = []
        for stretch in stretches:
            self.add(stretch)

    @property
    def edges(self) -> Stretch:
        """Where the first begins and the last ends."""
        return self._starts[0], self._ends[-1]

    def covers(self, place: Stretch) -> bool:
        """Whether one of the stretches holds all of a place."""
        before = bisect_right(self._starts, place[0])
        return before > 0 and self._ends[before - 1] >= place[1]

    def add(self, stretch: Stretch) -> None:
        """Add a stretch."""
        self.stretches.append(stretch)
        if self.covers(stretch):
            return
        first = bisect_left(self._starts, stretch[0])
        end = bisect_right(self._ends, stretch[1], lo=first)  # those between lie in it
        self._starts[first:end] = [stretch[0]]
        self._ends[first:end] = [stretch[1]]


def _rows(table: Block) -> list[str]:
    return _ROW_END.split(table.text, _MOST_ROWS)[:_MOST_ROWS]


def _pieces(
    rows: Iterable[str], folded: Callable[[str], str], search: TextSearch, first: int, last: int
) -> Iterator[str]:
    """Give rows that stand on the pages, and the cells of those that do not."""
    for row in rows:
        whole = folded(row)
        if len(whole) < _SHORTEST:
            continue
        if search.first(whole, first, last) >= 0:
            yield whole
            continue
        for cell in _CELL_END.split(row):
            text = folded(cell)
            if len(text) >= _SHORTEST and search.first(text, first, last) >= 0:
                yield text


def _nearest(text: str, search: TextSearch, first: int, last: int, known: _Known) -> Stretch | None:
    """Give the place of a text nearest to what is known; None if it is part of that."""
    low, high = known.edges
    place = search.first(text, low, min(last, high + len(text)))
    if place < 0:
        place = search.first(text, high, last)
    if place < 0:
        place = search.last(text, first, low)
    found = (place, place + len(text))
    return None if place < 0 or known.covers(found) else found
