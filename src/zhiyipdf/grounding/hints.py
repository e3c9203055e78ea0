"""Estimates pages from the names of pictures, ``<page>-<block>.png`` (wire notes 3.2).

They are a hint: blocks may move, so what lies between is an estimate.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zhiyipdf.models import Block, Provenance

__all__ = ["estimate", "hinted_page"]

_NAME = re.compile(r"(?:.*[/\\])?(\d{1,4})-\d{1,4}\.(?:png|jpe?g|gif|webp|bmp|tiff?)", re.I | re.S)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]+:|//", re.IGNORECASE)

# How sure a name makes its picture's page, or text between two pictures of one page: blocks move,
# so a name is no proof.
_HINT_SCORE = 0.9
# Text between pictures further apart than neighbouring pages stays without a page: a guess among
# three or more is worse in a citation than none.
_MOST_CHOICES = 2


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A block that shows a picture of a known page."""

    index: int
    page: int


def hinted_page(target: str, total_pages: int) -> int | None:
    """Read the page from a picture's name; None if it is no such name or no page of the PDF."""
    name = None if _ELSEWHERE.match(target) else _NAME.fullmatch(target)
    page = 0 if name is None else int(name[1])
    return page if 1 <= page <= total_pages else None


def estimate(
    blocks: Sequence[Block], total_pages: int, *, always: bool = False
) -> tuple[Block, ...]:
    """Estimate the page of each block.

    Pictures have the page of their name. Text between two of them lies between their pages, by how
    far it is from one to the other; the text's beginning counts as page 1, its end as the last
    page. Only the longest rising sequence of pictures is relied on for that: the others moved.
    Where the two pages are no neighbours, the text between them stays without a page.

    Args:
        blocks: Covering a text.
        total_pages: Its last page.
        always: Estimate by length alone if no picture has such a name.

    Returns:
        The blocks, each with provenance; unchanged if there is no hint.
    """
    hints = [_pages_of(block, total_pages) for block in blocks]
    anchors = [_Anchor(i, page) for i, pages in enumerate(hints) for page in pages]
    if not blocks or not (anchors or always):
        return tuple(blocks)
    placed = list(blocks)
    for left, right in _gaps(_longest_rise(anchors), len(blocks), total_pages):
        start = blocks[left.index].end if left.index >= 0 else blocks[0].start
        end = blocks[right.index].start if right.index < len(blocks) else blocks[-1].end
        if right.page - left.page + 1 > _MOST_CHOICES:
            continue
        for index in range(left.index + 1, right.index):
            middle = (blocks[index].start + blocks[index].end) / 2
            share = (middle - start) / max(end - start, 1)
            page, score = _between(left.page, right.page, share)
            placed[index] = _placed(blocks[index], (page,), score)
    for index, pages in enumerate(hints):
        if pages:
            placed[index] = _placed(blocks[index], pages, _HINT_SCORE)
    return tuple(placed)


def _pages_of(block: Block, total_pages: int) -> tuple[int, ...]:
    pages = (hinted_page(target, total_pages) for target in block.images)
    return tuple(sorted({page for page in pages if page is not None}))


def _gaps(
    chain: Sequence[_Anchor], count: int, total_pages: int
) -> Iterator[tuple[_Anchor, _Anchor]]:
    """Give each pair of neighbours in the chain, with the text's two ends."""
    left = _Anchor(-1, 1)
    for right in (*chain, _Anchor(count, total_pages)):
        yield left, right
        left = right


def _between(first: int, last: int, share: float) -> tuple[int, float]:
    """Give the page a share of the way from one to another, and how sure that is."""
    pages = last - first + 1
    page = first + min(int(share * pages), pages - 1)
    return page, _HINT_SCORE if pages == 1 else 1 / pages


def _longest_rise(anchors: Sequence[_Anchor]) -> list[_Anchor]:
    """Give a longest non-decreasing subsequence, in n log n steps."""
    tails: list[int] = []  # the lowest page a rise of each length can end with
    ends: list[int] = []  # and the anchor it ends with
    before: list[int] = []
    for number, anchor in enumerate(anchors):
        length = bisect_right(tails, anchor.page)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [anchor.page]
        ends[length : length + 1] = [number]
    chain: list[_Anchor] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(anchors[at])
        at = before[at]
    return chain[::-1]


def _placed(block: Block, pages: Sequence[int], score: float) -> Block:
    provenance = tuple(Provenance(page_number=p, source="estimated", score=score) for p in pages)
    return replace(block, provenance=provenance)
