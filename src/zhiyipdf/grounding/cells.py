"""Finds the rows and cells of tables that were hit in part: too short to be hit themselves."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.finishing import Stretch
from zhiyipdf.grounding.folding import Folding, codes_of, text_of
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.grounding.streams import PageStream
from zhiyipdf.models import Block

__all__ = ["fill_cells"]

_FOUND = 0.95
_SHORTEST = 4
_MOST_CELLS = 600
_ROW_END = re.compile(r"</tr\s*>|\n", re.IGNORECASE)
_CELL_END = re.compile(r"</t[dh]\s*>|(?<!\\)\|", re.IGNORECASE)


def fill_cells(
    findings: list[Finding | None], blocks: Sequence[Block], pages: PageStream, folding: Folding
) -> None:
    """Add to each table what else of it stands on its pages.

    Args:
        findings: By block; is changed in place. Pages stay as they are.
        blocks: The Markdown's.
        pages: The PDF's.
        folding: The one that folded both.
    """
    starts = pages.page_starts.tolist()
    for index, found in enumerate(findings):
        if (
            found is None
            or blocks[index].kind != "table"
            or found.method != "seed"
            or found.share >= _FOUND
        ):
            continue
        first, last = starts[min(found.pages)], starts[max(found.pages) + 1]
        stretches = sorted(found.stretches)
        for text in _pieces(blocks[index].text, folding, pages.text[first:last]):
            place = _nearest(text, pages.text, first, last, stretches)
            if place is not None:
                stretches.insert(bisect_left(stretches, place), place)
        findings[index] = replace(found, stretches=(found.stretches[0], *_rest(stretches, found)))


def _rest(stretches: Sequence[Stretch], found: Finding) -> Iterator[Stretch]:
    """Give all stretches but the first of the block, which tells where it begins."""
    return (stretch for stretch in stretches if stretch != found.stretches[0])


def _pieces(markdown: str, folding: Folding, there: str) -> Iterator[str]:
    """Give rows that stand on the pages, and the cells of those that do not."""
    for row in _ROW_END.split(markdown)[:_MOST_CELLS]:
        whole = _folded(row, folding)
        if len(whole) < _SHORTEST:
            continue
        if whole in there:
            yield whole
            continue
        for cell in _CELL_END.split(row):
            text = _folded(cell, folding)
            if len(text) >= _SHORTEST and text in there:
                yield text


def _nearest(
    text: str, there: str, first: int, last: int, stretches: Sequence[Stretch]
) -> Stretch | None:
    """Give the place of a text nearest to what is known; None if it is part of that."""
    low, high = stretches[0][0], max(end for _, end in stretches)
    places = (
        there.find(text, low, min(last, high + len(text))),
        there.find(text, high, last),
        there.rfind(text, first, low),
    )
    place = next((place for place in places if place >= 0), None)
    if place is None:
        return None
    covered = any(start <= place and place + len(text) <= end for start, end in stretches)
    return None if covered else (place, place + len(text))


def _folded(markdown: str, folding: Folding) -> str:
    return text_of(folding.fold(codes_of(spoken_text(markdown)))[0])
