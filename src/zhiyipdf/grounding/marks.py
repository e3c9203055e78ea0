"""Pages from the marks that a Markdown has between them, which are exact if they fit the PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from zhiyipdf.grounding.hints import estimate
from zhiyipdf.grounding.page_marks import PageMark
from zhiyipdf.images import image_references
from zhiyipdf.models import Block, Provenance

__all__ = ["place_by_marks", "placed_exactly", "split_at_marks"]


def place_by_marks(
    blocks: Sequence[Block], marks: Sequence[PageMark], total_pages: int
) -> tuple[Block, ...]:
    """Give each block the page of the mark before it; what precedes the first mark is estimated.

    Args:
        blocks: Cut at the marks.
        marks: At least one, in order.
        total_pages: Number of the last page.
    """
    placed: list[Block] = []
    leading: list[Block] = []
    first, page, upcoming = marks[0], 0, list(reversed(marks))
    for block in blocks:
        while upcoming and upcoming[-1].start < block.end:
            page = upcoming.pop().page
        if page:
            placed.append(placed_exactly(block, page))
        else:
            leading.append(block)
    return (*_before_first(leading, first.page, total_pages), *placed)


def _before_first(leading: Sequence[Block], first_page: int, total_pages: int) -> tuple[Block, ...]:
    last = min(max(first_page - 1, 1), total_pages)
    if last == 1:
        return tuple(placed_exactly(block, 1) for block in leading)
    return estimate(leading, last, always=True)


def placed_exactly(block: Block, page: int) -> Block:
    """Give a block a page that is beyond doubt."""
    return replace(block, provenance=(Provenance(page_number=page, source="exact"),))


def split_at_marks(
    text: str, blocks: Sequence[Block], marks: Sequence[PageMark]
) -> tuple[Block, ...]:
    """Make each mark a block of its own.

    Args:
        text: Markdown.
        blocks: Covering all of it.
        marks: In order, not overlapping, none longer than its block.
    """
    pieces: list[Block] = []
    upcoming = list(reversed(marks))
    for block in blocks:
        inside: list[PageMark] = []
        while upcoming and upcoming[-1].start < block.end:
            inside.append(upcoming.pop())
        if inside:
            _cut(text, block, inside, pieces)
        else:
            pieces.append(block)
    return tuple(pieces)


def _cut(text: str, block: Block, marks: Sequence[PageMark], pieces: list[Block]) -> None:
    """Append the pieces of a block that holds marks; blank ones join the piece before."""
    edges = [(mark.start, min(mark.end, block.end)) for mark in marks]
    at, cut = block.start, len(pieces)
    for start, end in (*edges, (block.end, block.end)):
        blank = not text[at:start].strip()
        if not blank:
            pieces.append(_piece(block, text, at, start))
        elif pieces and at < start:
            last = pieces[-1]
            pieces[-1] = replace(last, end=start, text=text[last.start : start])
        if start < end:
            start = at if blank and not pieces else start
            pieces.append(replace(_piece(block, text, start, end), kind="page_break", level=0))
        at = end
    _share_out(block, pieces, cut)


def _piece(block: Block, text: str, start: int, end: int) -> Block:
    return replace(block, start=start, end=end, text=text[start:end], images=())


def _share_out(block: Block, pieces: list[Block], cut: int) -> None:
    """Give the pieces of a block what they hold of it; only the first keeps being a heading."""
    left = list(block.images)
    first: int | None = None
    for index in range(cut, len(pieces)):
        piece = pieces[index]
        if piece.kind == "page_break":
            continue
        shown = [r.target for r in image_references(piece.text) if r.target in left]
        for target in shown:
            left.remove(target)
        heading = piece.kind == "heading" and first is not None
        pieces[index] = replace(
            piece,
            images=tuple(shown),
            kind="paragraph" if heading else piece.kind,
            level=0 if heading else piece.level,
        )
        first = index if first is None else first
    if left and first is not None:  # their targets stand elsewhere in the text
        pieces[first] = replace(pieces[first], images=(*pieces[first].images, *left))
