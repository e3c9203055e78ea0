"""Writes a block that is on the page: its element on the right, its boxes on the left."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from zhiyipdf.models import Block, Provenance
from zhiyipdf.preview.standing import described, grade_of, mark_of, pages_of

__all__ = ["ShownBlock", "article", "boxes", "points"]


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """A block that is on the page.

    Attributes:
        id: Of its element.
        number: Its index among the blocks of its variant.
        block: The block.
    """

    id: str
    number: int
    block: Block


def article(shown: ShownBlock, content: str) -> str:
    """Frame a block's HTML with its pages, and with words for its place."""
    block = shown.block
    grade = grade_of(block.provenance[0] if block.provenance else None)
    pages = " ".join(map(str, pages_of(block)))
    label = html.escape(described(block, shown.number))
    return (
        f'<article class="block {grade} kind-{block.kind}" id="{shown.id}" data-pages="{pages}" '
        f'data-grade="{grade}">'
        f'<a class="where" href="#{shown.id}" title="{label}">{mark_of(block)}</a>'
        f'<p class="label">{label}</p>'
        f'<div class="content" dir="auto">{content}</div></article>\n'
    )


def boxes(blocks: Sequence[ShownBlock], page_number: int) -> Iterator[str]:
    """Draw the boxes on a page, as SVG in points: large ones first, so that none hides another."""
    found = [
        _box(shown.id, place, *place.bbox)
        for shown in blocks
        for place in shown.block.provenance
        if place.page_number == page_number and place.bbox is not None
    ]
    found.sort(key=lambda box: -box[0])
    yield from (drawn for _, drawn in found)


def _box(
    block_id: str, place: Provenance, x0: float, y0: float, x1: float, y1: float
) -> tuple[float, str]:
    width, height = max(x1 - x0, 0.0), max(y1 - y0, 0.0)
    return width * height, (
        f'<rect class="box {grade_of(place)}" data-block="{block_id}" x="{points(x0)}" '
        f'y="{points(y0)}" width="{points(width)}" height="{points(height)}" rx="1.5"/>'
    )


def points(value: float) -> str:
    """Write a length in points, to a hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
