"""Places pictures, rules and comments, which have no text, between the blocks around them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zhiyipdf.grounding.alignment import Method
from zhiyipdf.grounding.dark_pages import is_blank
from zhiyipdf.grounding.figures import find_figures, shown_pictures
from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.streams import PageStream
from zhiyipdf.models import BBox, Block
from zhiyipdf.models.page_text import PageText

__all__ = ["fill_between"]

_BODY = (0.25, 0.75)
_BEHIND = 0.7  # of the page's height: a picture so high may be behind the text, as a scan is


@dataclass(frozen=True, slots=True)
class _Around:
    """The pages a block lies between, and where its neighbours end and begin on them."""

    first: int
    last: int
    bottom: float
    top: float


def fill_between(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    pages: Sequence[PageText],
    body: PageStream,
) -> None:
    """Give each block without a place the page of its neighbours, or the likelier of the two.

    Blank pages between these get nothing.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        pages: The PDF's.
        body: Their text.
    """
    placed = [i for i, found in enumerate(findings) if found is not None and found.pages]
    if not placed:
        return
    figures = _figures(blocks, pages)
    free = {page: len(shown) for page, shown in enumerate(figures)}
    open_blocks: list[tuple[int, _Around]] = []
    ahead = 0
    filled = [index for index, page in enumerate(pages) if not is_blank(page)]
    for i, block in enumerate(blocks):
        if findings[i] is not None:
            continue
        while ahead < len(placed) and placed[ahead] < i:
            ahead += 1
        around = _around(
            findings[placed[ahead - 1]] if ahead else None,
            findings[placed[ahead]] if ahead < len(placed) else None,
            pages,
            filled,
            body,
        )
        if around.first >= around.last:
            page = around.first if around.first == around.last else around.last
            choices = 1 if around.first == around.last else 2
            findings[i] = Finding(method="neighbours", pages=(page,), choices=choices)
            free[page] -= len(block.images)
        else:
            open_blocks.append((i, around))
    _fill_open(findings, blocks, open_blocks, pages, filled, figures, free)


def _figures(blocks: Sequence[Block], pages: Sequence[PageText]) -> list[list[BBox]]:
    """Give for each page what the Markdown's images may show.

    Pictures, if there are as many as images. Where there are more, some are parts of a figure;
    where there are fewer, drawings are shown too.
    """
    images = sum(len(block.images) for block in blocks)
    if not images:
        return [[] for _ in pages]
    shown = shown_pictures(pages, images)
    count = sum(map(len, shown))
    return [
        find_figures(page, own)
        if count > images or (count < images and not own)
        else [(x0, y0, x1, y1) for x0, y0, x1, y1 in page.pictures[own].tolist()]
        for page, own in zip(pages, shown, strict=True)
    ]


def _fill_open(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    open_blocks: Sequence[tuple[int, _Around]],
    pages: Sequence[PageText],
    filled: Sequence[int],
    figures: Sequence[Sequence[BBox]],
    free: dict[int, int],
) -> None:
    """Choose among the pages between two neighbours; pictures go where the PDF has free ones."""
    runs: dict[_Around, list[int]] = defaultdict(list)
    for i, around in open_blocks:
        runs[around].append(i)
    body = _body_band(pages)
    for around, members in runs.items():
        inner = filled[bisect_right(filled, around.first) : bisect_left(filled, around.last)]
        between = (around.first, *inner, around.last)
        choices = len(between)
        low = around.first
        for rank, i in enumerate(members):
            method: Method = "neighbours"
            if blocks[i].images:
                page, is_there = _picture_page(around, between, low, pages, figures, free, body)
                free[page] = free.get(page, 0) - len(blocks[i].images)
                method = "picture" if is_there else method
            else:
                share = (rank + 0.5) / len(members)
                alone = choices == 2 and len(members) == 1
                page = between[0 if alone else int(share * choices)]
            page = max(page, low)
            low = page
            findings[i] = Finding(method=method, pages=(page,), choices=choices)


def _picture_page(
    around: _Around,
    between: Sequence[int],
    low: int,
    pages: Sequence[PageText],
    figures: Sequence[Sequence[BBox]],
    free: dict[int, int],
    body: tuple[float, float],
) -> tuple[int, bool]:
    """Give the page for the next picture of a run, and whether a picture of the PDF is there.

    A drawing is none: it may be an ornament that no Markdown shows.
    """
    for page in between:
        if page < low or free.get(page, 0) <= 0:
            continue
        middles = [
            (top + bottom) / 2
            for _, top, _, bottom in figures[page]
            if bottom - top < _BEHIND * pages[page].height
        ]
        is_behind = len(middles) < len(figures[page])
        if page == around.first and not is_behind and all(y < around.bottom for y in middles):
            continue
        if page == around.last and not is_behind and all(y > around.top for y in middles):
            continue
        return page, bool(len(pages[page].pictures))
    after = body[1] - around.bottom
    before = around.top - body[0]
    if len(between) > 2 and low <= around.first:
        return between[1], False
    return (around.last if before > after else max(around.first, low)), False


def _around(
    left: Finding | None,
    right: Finding | None,
    pages: Sequence[PageText],
    filled: Sequence[int],
    body: PageStream,
) -> _Around:
    first = filled[0] if left is None else left.pages[-1]
    last = filled[-1] if right is None else right.pages[0]
    if left is None and right is not None and first < last:
        first = filled[bisect_left(filled, last) - 1]
    if right is None and left is not None and first < last:
        last = filled[bisect_right(filled, first)]
    bottom, top = 0.0, pages[last].height
    if left is not None and left.stretches:
        bottom = _edges(left.stretches[-1][1] - 1, pages, body)[1]
    if right is not None and right.stretches:
        top = _edges(right.stretches[0][0], pages, body)[0]
    return _Around(first, last, bottom, top)


def _edges(place: int, pages: Sequence[PageText], body: PageStream) -> tuple[float, float]:
    """Give top and bottom of the line that a character of the stream stands in."""
    line = int(body.line[place])
    page = int(np.searchsorted(body.line_starts, line, side="right")) - 1
    box = pages[page].line_boxes[line - int(body.line_starts[page])]
    return float(box[1]), float(box[3])


def _body_band(pages: Sequence[PageText]) -> tuple[float, float]:
    """Give the heights between which most pages have their text."""
    tops = [float(page.line_boxes[:, 1].min()) for page in pages if len(page.line_boxes)]
    bottoms = [float(page.line_boxes[:, 3].max()) for page in pages if len(page.line_boxes)]
    if not tops:
        return 0.0, pages[0].height if pages else 0.0
    return float(np.quantile(tops, _BODY[0])), float(np.quantile(bottoms, _BODY[1]))
