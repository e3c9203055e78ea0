"""Pure: converted pages in the service's style: HTML tables, cropped pictures, comments, boxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zhiyipdf.server.doc2x.tables import html_tables
from zhiyipdf.server.engine import (
    BLANK_PAGE,
    PICTURE_PAGE,
    UNREADABLE_PAGE,
    Box,
    PageBlock,
    PageMarkdown,
)

__all__ = [
    "PIXELS_A_POINT",
    "Crop",
    "PagePixels",
    "crop_name",
    "has_pictures",
    "layout_of",
    "markdown_of",
    "pixels_of",
    "texts_of",
]

# Pictures of pages are drawn at 144 dpi: public samples of the service have 1313 to 2334 pixels a
# side for slides of 540 to 960 points (notes 1.3, 5.2), which is about that.
PIXELS_A_POINT = 2.0

_IMAGE_TAG = re.compile(r'<img src="images/([^"]+)"[^>]*/>')
_REMARKS = (PICTURE_PAGE, BLANK_PAGE, UNREADABLE_PAGE)
_TYPES = {"title": "Title", "text": "Text", "table": "Table", "figure": "Figure", "margin": "Text"}


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of a page's picture, in whole pixels, as a picture link names it.

    Attributes:
        x: Left edge.
        y: Upper edge.
        w: Width, at least 1.
        h: Height, at least 1.
    """

    x: int
    y: int
    w: int
    h: int

    @property
    def query(self) -> str:
        """The link's query; ``r`` is a rotation, and nothing is rotated here."""
        return f"x={self.x}&y={self.y}&w={self.w}&h={self.h}&r=0"


@dataclass(frozen=True, slots=True)
class PagePixels:
    """A page measured in the pixels of its picture.

    Attributes:
        width: Pixels a row.
        height: Rows.
        scale: Pixels for one unit of the engine's boxes.
    """

    width: int
    height: int
    scale: float

    def corners(self, box: Box) -> tuple[int, int, int, int]:
        """A box as ``x1, y1, x2, y2`` in pixels, within the page and never empty."""
        x0, y0, x1, y1 = (round(value * self.scale) for value in box)
        left = min(max(x0, 0), max(self.width - 1, 0))
        top = min(max(y0, 0), max(self.height - 1, 0))
        return left, top, max(min(x1, self.width), left + 1), max(min(y1, self.height), top + 1)

    def crop(self, box: Box) -> Crop:
        """The same as a part of the picture."""
        x1, y1, x2, y2 = self.corners(box)
        return Crop(x1, y1, x2 - x1, y2 - y1)


def pixels_of(page: PageMarkdown, *, image: bool = False) -> PagePixels:
    """A page's measures.

    Args:
        page: The page.
        image: Whether it was an image, which is measured in pixels already.
    """
    scale = 1.0 if image else PIXELS_A_POINT
    return PagePixels(round(page.width * scale), round(page.height * scale), scale)


def has_pictures(page: PageMarkdown) -> bool:
    """Whether a figure stands on the page."""
    return any(block.picture for block in page.blocks)


def crop_name(page_idx: int, crop: Crop, suffix: str) -> str:
    """A picture's name in an archive: page and place can be read from it (notes 3.1)."""
    return f"{page_idx}_{crop.x}_{crop.y}_{crop.w}_{crop.h}_0{suffix}"


def markdown_of(
    page: PageMarkdown,
    *,
    source_of: Callable[[PageBlock], str],
    link: Callable[[str], str] = '<img src="{}"/>'.format,
) -> str:
    """A page's Markdown as the service writes it.

    Args:
        page: The page.
        source_of: Where a figure's picture is to be found.
        link: How a picture is written, by its source.
    """
    figures = {block.picture: block for block in page.blocks if block.picture}
    body = page.markdown
    for remark in _REMARKS:
        body = body.replace(remark, "")

    def picture(match: re.Match[str]) -> str:
        block = figures.get(match[1])
        return f"\n\n{_media(link(source_of(block)))}\n\n" if block else ""

    with_tables = "\n".join(
        f"\n{_media(line)}\n" if line.startswith("<table>") and line.endswith("</table>") else line
        for line in html_tables(body).split("\n")
    )
    text = re.sub(r"\n{3,}", "\n\n", _IMAGE_TAG.sub(picture, with_tables)).strip("\n")
    first = page.height / 2
    above = [_meanless(b) for b in page.blocks if b.kind == "margin" and b.box[1] < first]
    below = [_meanless(b) for b in page.blocks if b.kind == "margin" and b.box[1] >= first]
    return "\n\n".join(part for part in (*above, text, *below) if part)


def _media(content: str) -> str:
    return f"<!-- Media -->\n\n{content}\n\n<!-- Media -->"


def _meanless(block: PageBlock) -> str:
    text = " ".join(block.text.replace("--", "-").split())
    return f"<!-- Meanless: {text} -->"


def layout_of(
    page: PageMarkdown, pixels: PagePixels, *, source_of: Callable[[PageBlock], str]
) -> dict[str, Any]:
    """The layout of model ``v3-2026``: each block with its box in pixels.

    Args:
        page: The page.
        pixels: Its measures.
        source_of: Where a figure's picture is to be found.
    """
    return {"blocks": [_wire_block(n, b, pixels, source_of) for n, b in enumerate(page.blocks)]}


def _wire_block(
    number: int, block: PageBlock, pixels: PagePixels, source_of: Callable[[PageBlock], str]
) -> dict[str, Any]:
    return {
        "id": f"b{number + 1}",
        "type": _TYPES[block.kind],
        "bbox": list(pixels.corners(block.box)),
        "parent_id": "",
        "src": source_of(block) if block.picture else "",
        "text": block.text,
    }


def texts_of(pages: Sequence[PageMarkdown]) -> list[tuple[PageMarkdown, PageBlock]]:
    """What there is to translate: each block with words, and its page."""
    return [
        (page, block)
        for page in pages
        for block in page.blocks
        if block.kind in {"title", "text"} and block.text.strip()
    ]
