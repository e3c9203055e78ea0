"""Pages and boxes from what the service itself says of its text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite

from zhiyipdf.images import image_references
from zhiyipdf.models import BBox, Block, LayoutSpan, Provenance

__all__ = ["from_layout"]


def from_layout(
    blocks: Sequence[Block],
    layout: Sequence[LayoutSpan],
    total_pages: int,
    *,
    page_sizes: Mapping[int, tuple[float, float]] | None = None,
) -> tuple[Block, ...]:
    """Give each block the page of the span that holds its first character.

    A block that goes on over the end of a page (a list, code that was left open) is cut there, so
    that every page keeps its own text.

    Args:
        blocks: Covering a text.
        layout: Of that text, in its order, without overlaps.
        total_pages: Of the PDF; spans of other pages say nothing.
        page_sizes: Width and height of pages in points, by number. A box that was measured
            otherwise on a page that is not among these is left out; others are clipped to the
            page, as far as its size is known.

    Returns:
        Blocks that cover the same text, with provenance ``exact``; those that no span holds have
        none. Boxes are finite, have an area, and begin on the page.
    """
    spans = [span for span in layout if 1 <= span.page_number <= total_pages]
    if not spans:
        return tuple(blocks)
    starts = [span.start for span in spans]
    sizes = page_sizes or {}
    placed: list[Block] = []
    for block in blocks:
        for piece in _cut(block, spans, starts):
            page = _page_of(piece, spans, starts)
            if page is None:
                placed.append(piece)
                continue
            found = Provenance(
                page_number=page, bbox=_box(piece, page, spans, starts, sizes), source="exact"
            )
            placed.append(replace(piece, provenance=(found,)))
    return tuple(placed)


def _cut(block: Block, spans: Sequence[LayoutSpan], starts: Sequence[int]) -> Iterator[Block]:
    """Cut a block where the page changes inside it; blank text stays with what is before it."""
    edges = [block.start]
    page: int | None = None
    for span in _overlapping(block, spans, starts):
        inside = block.text[max(span.start - block.start, 0) : span.end - block.start]
        if not inside.strip():
            continue
        if page is not None and span.page_number != page and span.start > edges[-1]:
            edges.append(span.start)
        page = span.page_number
    if len(edges) == 1:
        yield block
        return
    for number, (start, end) in enumerate(zip(edges, (*edges[1:], block.end), strict=True)):
        text = block.text[start - block.start : end - block.start]
        shown = tuple(reference.target for reference in image_references(text))
        first = number == 0
        yield replace(
            block,
            start=start,
            end=end,
            text=text,
            images=tuple(target for target in block.images if target in shown),
            kind=block.kind if first or block.kind != "heading" else "paragraph",
            level=block.level if first else 0,
        )


def _page_of(block: Block, spans: Sequence[LayoutSpan], starts: Sequence[int]) -> int | None:
    """Give the page of the block's first character that is to be seen."""
    first = block.start + len(block.text) - len(block.text.lstrip())
    if first >= block.end:
        first = block.start
    at = bisect_right(starts, first) - 1
    return spans[at].page_number if at >= 0 and first < spans[at].end else None


def _box(
    block: Block,
    page: int,
    spans: Sequence[LayoutSpan],
    starts: Sequence[int],
    sizes: Mapping[int, tuple[float, float]],
) -> BBox | None:
    """Unite the boxes of a block's spans on one page, in points."""
    visible = replace(block, end=block.start + len(block.text.rstrip()))
    boxes = [
        box
        for span in _overlapping(visible, spans, starts)
        if span.page_number == page and (box := _in_points(span, sizes)) is not None
    ]
    if not boxes:
        return None
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def _overlapping(
    block: Block, spans: Sequence[LayoutSpan], starts: Sequence[int]
) -> Iterator[LayoutSpan]:
    for at in range(max(bisect_right(starts, block.start) - 1, 0), len(spans)):
        if spans[at].start >= block.end:
            return
        if spans[at].end > block.start:
            yield spans[at]


def _in_points(span: LayoutSpan, sizes: Mapping[int, tuple[float, float]]) -> BBox | None:
    """Give a span's box in points, as much of it as is on the page."""
    if span.bbox is None:
        return None
    width, height = sizes.get(span.page_number, (inf, inf))
    across = down = 1.0
    if span.page_size is not None:
        # What is not a number is not above 0 either.
        if not (span.page_size[0] > 0 and span.page_size[1] > 0):
            return None
        across, down = width / span.page_size[0], height / span.page_size[1]
    x0, y0, x1, y1 = span.bbox
    box = (x0 * across, y0 * down, x1 * across, y1 * down)
    if not all(map(isfinite, box)):
        return None
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(width, box[2]), min(height, box[3])
    return (left, top, right, bottom) if left < right and top < bottom else None
