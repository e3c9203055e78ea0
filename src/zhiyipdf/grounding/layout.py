"""Pages and boxes from what the service itself says of its text."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

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
            otherwise on a page that is not among these is left out.

    Returns:
        Blocks that cover the same text, with provenance ``exact``; those that no span holds have
        none.
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
    if span.bbox is None or span.page_size is None:
        return span.bbox
    size = sizes.get(span.page_number)
    if size is None or min(span.page_size) <= 0:
        return None
    across, down = size[0] / span.page_size[0], size[1] / span.page_size[1]
    x0, y0, x1, y1 = span.bbox
    return (
        max(0.0, x0 * across),
        max(0.0, y0 * down),
        min(size[0], x1 * across),
        min(size[1], y1 * down),
    )
