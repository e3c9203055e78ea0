"""Places the blocks of one result on the pages of its PDF: reads the pages, then lets decide."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from zhiyipdf.errors import InputError
from zhiyipdf.grounding import from_layout, ground
from zhiyipdf.grounding.boxing import with_picture_boxes, with_text_boxes
from zhiyipdf.grounding.locating import locate
from zhiyipdf.grounding.translation import inherit_all
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import BBox, Block, Bundle, LayoutSpan, Source, Variant
from zhiyipdf.models.page_text import PageSpan, PageText
from zhiyipdf.textlayer import page_sizes, read_page_texts, span_boxes

__all__ = ["VERSION", "place", "place_blocks"]

log = logging.getLogger(__name__)

_Read = TypeVar("_Read")

VERSION = 2
"""Of the blocks and their places: a store's that are of an older one are made again."""


def place_blocks(
    bundle: Bundle, source: Source, numbers: Sequence[int]
) -> dict[Variant, tuple[Block, ...]]:
    """Split every variant of a result into blocks and find their pages and boxes; blocking.

    What the service says itself is taken first. A PDF whose text cannot be read costs the boxes,
    never the conversion.

    Args:
        bundle: The result.
        source: The PDF, or the larger one that its pages are of.
        numbers: Their numbers there: what the result calls page 1 is the first.

    Returns:
        By variant the blocks, with the result's own page numbers. Boxes are in hundredths of a
        point, as the store keeps them.
    """
    path = Path(source.path)
    blocks: dict[Variant, tuple[Block, ...]] = {}
    for variant, text in bundle.markdown.items():
        plain = split_blocks(text)
        layout = bundle.layout.get(variant)
        readable = source.is_pdf and variant == "original" and not layout
        pages = _texts_of(path, numbers) if readable else []
        if layout:
            measured = _page_sizes(source, numbers, layout)
            blocks[variant] = from_layout(plain, layout, len(numbers), page_sizes=measured)
        elif pages:
            sizes = {a.name: a.pixels for a in bundle.assets if a.pixels is not None}
            blocks[variant] = place(text, plain, path, pages, numbers=numbers, sizes=sizes)
        else:
            blocks[variant] = ground(text, plain, len(numbers))
    return {
        variant: tuple(_rounded(block) for block in own)
        for variant, own in inherit_all(blocks).items()
    }


def place(
    text: str,
    blocks: Sequence[Block],
    path: Path,
    pages: Sequence[PageText],
    *,
    numbers: Sequence[int] | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
) -> tuple[Block, ...]:
    """Find pages and boxes of the original's blocks; blocking.

    Args:
        text: Markdown of the original.
        blocks: Of that text.
        path: The PDF.
        pages: Its text layer, with the PDF's page numbers.
        numbers: Which pages of the PDF the text was made of; None: all.
        sizes: Width and height of the images in pixels, by target.

    Returns:
        The blocks, whose page 1 is the first of ``numbers``.
    """
    if numbers is None:
        numbers = range(1, pages[-1].number + 1)
    own = {number: position for position, number in enumerate(numbers, 1)}
    counted = [replace(page, number=own[page.number]) for page in pages]
    located = locate(text, blocks, len(numbers), counted)
    boxes = _boxes_of(path, numbers, [span for spans in located.spans for span in spans])
    placed = with_text_boxes(located.blocks, located.spans, boxes)
    return with_picture_boxes(placed, counted, sizes or {})


def _rounded(block: Block) -> Block:
    if all(found.bbox is None for found in block.provenance):
        return block
    return replace(
        block,
        provenance=tuple(
            found if found.bbox is None else replace(found, bbox=_hundredths(found.bbox))
            for found in block.provenance
        ),
    )


def _hundredths(bbox: BBox) -> BBox:
    x0, y0, x1, y1 = bbox
    return round(x0, 2), round(y0, 2), round(x1, 2), round(y1, 2)


def _page_sizes(
    source: Source, numbers: Sequence[int], layout: Sequence[LayoutSpan]
) -> dict[int, tuple[float, float]]:
    """Measure the pages that have boxes, by the result's own numbers."""
    boxed = {
        span.page_number
        for span in layout
        if span.bbox is not None and 1 <= span.page_number <= len(numbers)
    }
    if not boxed or not source.is_pdf:
        return {}
    path = Path(source.path)
    asked = [numbers[number - 1] for number in sorted(boxed)]
    sizes = _guarded(lambda: page_sizes(path, asked), f"{path.name}: its pages cannot be measured")
    if sizes is None:
        return {}
    return {number: size for number in boxed if (size := sizes.get(numbers[number - 1]))}


def _texts_of(path: Path, numbers: Sequence[int]) -> list[PageText]:
    texts = _guarded(
        lambda: list(read_page_texts(path, numbers)), f"{path.name}: its text layer cannot be read"
    )
    return texts or []


def _boxes_of(
    path: Path, numbers: Sequence[int], spans: Sequence[PageSpan]
) -> dict[PageSpan, tuple[BBox, ...]]:
    by_page: dict[int, list[PageSpan]] = {}
    for span in spans:
        by_page.setdefault(numbers[span.page_number - 1], []).append(span)
    asked = {n: [(span.start, span.end) for span in own] for n, own in by_page.items()}
    found = _guarded(lambda: span_boxes(path, asked), f"{path.name}: no boxes")
    if found is None:
        return {}
    return {
        span: boxes
        for number, own in by_page.items()
        for span, boxes in zip(own, found[number], strict=True)
    }


def _guarded(read: Callable[[], _Read], lost: str) -> _Read | None:
    """Read from the PDF; where that fails, say what is lost and give None.

    The result is paid for already: a PDF that is gone, broken, or shorter than it was told to be
    must not lose it.
    """
    try:
        return read()
    except (InputError, OSError, ValueError) as error:  # ValueError: there is no such page
        log.warning("%s: %s", lost, error)
        return None
