"""Joins pages of Markdown into one text and remembers the page of every character."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import BBox, Block

__all__ = ["Passage", "Piece", "Truth", "join", "measure", "pieces"]

_NOT_READ = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|(?<=\])\([^)\n]*\)|<[^<>\n]*>")


@dataclass(frozen=True, slots=True)
class Passage:
    """Text of one page, in whole or in part.

    Attributes:
        text: The Markdown.
        page: 1-based.
        bbox: Where the whole of it stands, as in :class:`~zhiyipdf.models.Provenance`, if known.
    """

    text: str
    page: int
    bbox: BBox | None = None


Piece = tuple[Passage, ...]
"""A block before it is joined with the others; from more than one page where it crosses breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """A text in blocks, and where they stand.

    Attributes:
        markdown: The text.
        blocks: What ``split_blocks`` makes of it.
        first: Of each block, the page of its first character that is not blank; 1-based.
        last: The same of the last one.
        boxes: Of each block that is one passage and no less, the passage's box.
    """

    markdown: str
    blocks: tuple[Block, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    boxes: tuple[BBox | None, ...] = ()


def join(all_pieces: Iterable[Piece]) -> Truth:
    """Join pieces with blank lines, split the whole, and tell each block's pages."""
    texts: list[str] = []
    starts: list[int] = []
    passages: list[Passage] = []
    at = 0
    for piece in all_pieces:
        if texts:
            texts.append("\n\n")
            at += 2
        for passage in piece:
            starts.append(at)
            passages.append(passage)
            texts.append(passage.text)
            at += len(passage.text)
    markdown = "".join(texts)
    blocks = split_blocks(markdown)
    ends: list[tuple[int, int]] = []  # of each block, the passages it begins and ends in
    for block in blocks:
        text = block.text
        begin = block.start + len(text) - len(text.lstrip())
        end = max(begin, block.start + len(text.rstrip()) - 1)
        ends.append((bisect_right(starts, begin) - 1, bisect_right(starts, end) - 1))
    shared = Counter(first for first, _ in ends)
    return Truth(
        markdown=markdown,
        blocks=blocks,
        first=tuple(passages[first].page for first, _ in ends),
        last=tuple(passages[last].page for _, last in ends),
        boxes=tuple(
            passages[first].bbox if first == last and shared[first] == 1 else None
            for first, last in ends
        ),
    )


def pieces(markdown_by_page: Sequence[tuple[int, str]]) -> list[Piece]:
    """Take the text of all pages apart at its blocks, so that they can be moved and changed."""
    whole = join((Passage(text, page),) for page, text in markdown_by_page if text.strip())
    bounds: list[tuple[int, int]] = []  # where each page's text begins
    at = 0
    for page, text in markdown_by_page:
        if text.strip():
            bounds.append((at, page))
            at += len(text) + 2
    result: list[Piece] = []
    place = 0
    for block in whole.blocks:
        end = block.start + len(block.text.rstrip())
        passages: list[Passage] = []
        start = block.start
        while start < end:
            while place + 1 < len(bounds) and bounds[place + 1][0] <= start:
                place += 1
            stop = min(end, bounds[place + 1][0]) if place + 1 < len(bounds) else end
            passages.append(Passage(whole.markdown[start:stop], bounds[place][1]))
            start = stop
        if passages:
            result.append(tuple(passages))
    return result


def measure(text: str) -> int:
    """Count letters and digits that are to be read: what the length classes go by."""
    return sum(map(str.isalnum, _NOT_READ.sub("", text)))
