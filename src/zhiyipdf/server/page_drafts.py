"""One page as a draft: its pictures written, its tables drawn, read by OCR if it has no text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhiyipdf.server.engine import (
    BLANK_PAGE,
    PICTURE_PAGE,
    UNREADABLE_PAGE,
    Box,
    EngineFailure,
    PageBlock,
)
from zhiyipdf.server.layout import layout_of, readable_share
from zhiyipdf.server.ocr import TextReader
from zhiyipdf.server.page_pictures import Drawing
from zhiyipdf.server.png import png_width
from zhiyipdf.server.reading import blocks_of, markdown_of, quality_of
from zhiyipdf.server.repairs import (
    HeadingCandidate,
    drop_controls,
    drop_empty_fences,
    has_text,
    image_tag,
    is_heading_text,
    replace_pictures,
    replace_tables,
)

__all__ = ["Draft", "PageWriter"]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Draft:
    """A page before the whole document is known.

    Attributes:
        number: From 1.
        width: In points; 0 if the engine failed at the page.
        height: The same.
        markdown: Its text; headings that only the whole document shows are paragraphs still.
        candidates: Those, in reading order.
        blocks: Its parts and where they stand.
        quality: As in :class:`~zhiyipdf.server.engine.PageMarkdown`.
    """

    number: int
    width: float
    height: float
    markdown: str
    candidates: list[HeadingCandidate] = field(default_factory=list)
    blocks: tuple[PageBlock, ...] = ()
    quality: int = 100


class PageWriter:
    """Turns one page of the engine into a draft, and writes its pictures.

    Args:
        drawing: The PDF.
        pictures: The folder to write pictures to.
        number: The page, from 1.
        table_mode: Tables as pipe tables or as pictures.
        reader: Reads a page without text; None leaves it a picture.
    """

    def __init__(
        self,
        drawing: Drawing,
        pictures: Path,
        number: int,
        table_mode: Literal["markdown", "image"],
        reader: TextReader | None,
    ) -> None:
        self._reader = reader
        self._drawing = drawing
        self._pictures = pictures
        self._number = number
        self._table_mode = table_mode

    def draft(self, page: Any | None, images: dict[str, Any]) -> Draft:
        """The page's draft; a page that failed or has no text becomes its picture."""
        if page is None:
            return self._whole_page(0.0, 0.0)
        if not has_text(page.text):
            return self._whole_page(page.width, page.height)
        blocks = list(enumerate(page.blocks or (), start=1))
        figures = self._figures(blocks, images)
        markdown = drop_empty_fences(drop_controls(page.markdown))
        markdown = replace_pictures(
            markdown, [image_tag(name) if name else "" for _, name in figures]
        )
        if self._table_mode == "image":
            markdown = self._with_table_pictures(markdown, blocks)
        return Draft(
            self._number,
            page.width,
            page.height,
            markdown,
            _candidates(page),
            layout_of(page, {position: name for position, name in figures if name}),
            readable_share(page.text),
        )

    def _whole_page(self, width: float, height: float) -> Draft:
        draft = Draft(self._number, width, height, BLANK_PAGE)
        try:
            picture = self._drawing.draw(self._number)
        except EngineFailure:
            logger.warning("page %s can neither be read nor drawn", self._number)
            draft.markdown, draft.quality = UNREADABLE_PAGE, 0
            return draft
        if picture is None:
            return draft
        if self._reader is not None and width > 0 and self._read(draft, picture):
            return draft
        name = f"{self._number}-1.png"
        (self._pictures / name).write_bytes(picture)
        draft.markdown = f"{PICTURE_PAGE}\n\n{image_tag(name)}"
        draft.blocks = (PageBlock(kind="figure", box=(0.0, 0.0, width, height), picture=name),)
        draft.quality = 0
        return draft

    def _read(self, draft: Draft, picture: bytes) -> bool:
        assert self._reader is not None  # noqa: S101 - the caller looked
        lines, _, _ = self._reader.read(picture)
        points = draft.width / png_width(picture)
        found = blocks_of(lines)
        draft.markdown = markdown_of(found)
        draft.blocks = tuple(
            PageBlock(kind=b.kind, text=b.text, box=_scaled(b.box, points)) for b in found
        )
        draft.quality = quality_of(lines)
        return bool(found)

    def _figures(
        self, blocks: Sequence[tuple[int, Any]], images: dict[str, Any]
    ) -> list[tuple[int, str]]:
        names = []
        for position, block in blocks:
            if block.kind != "figure":
                continue
            image = images.get(block.id)
            if image is None or not image.bytes:
                names.append((position, ""))
                continue
            name = f"{self._number}-{position}.{'jpg' if image.format == 'jpg' else 'png'}"
            (self._pictures / name).write_bytes(image.bytes)
            names.append((position, name))
        return names

    def _with_table_pictures(self, markdown: str, blocks: Sequence[tuple[int, Any]]) -> str:
        tags: list[str | None] = []
        drawn: dict[str, bytes] = {}
        for position, block in blocks:
            if block.kind != "table":
                continue
            box = block.bbox
            picture = box and self._drawing.draw(
                self._number, (box.x, box.y, box.width, box.height)
            )
            name = f"{self._number}-{position}.png"
            tags.append(image_tag(name) if picture else None)
            if picture:
                drawn[name] = picture
        replaced = replace_tables(markdown, tags)
        if replaced == markdown and drawn:
            logger.warning("page %s keeps its tables as Markdown", self._number)
            return markdown
        for name, picture in drawn.items():
            (self._pictures / name).write_bytes(picture)
        return replaced


def _scaled(box: Box, factor: float) -> Box:
    x0, y0, x1, y1 = box
    return (x0 * factor, y0 * factor, x1 * factor, y1 * factor)


def _candidates(page: Any) -> list[HeadingCandidate]:
    found = []
    for block in page.blocks or ():
        if block.kind != "paragraph" or block.bbox is None or not is_heading_text(block.text or ""):
            continue
        size = max(
            (item.font_size for item in page.text_items if _inside(item, block.bbox)), default=0.0
        )
        found.append(HeadingCandidate(drop_controls(block.text), round(size, 1)))
    return found


def _inside(item: Any, box: Any) -> bool:
    x, y = item.x + item.width / 2, item.y + item.height / 2
    return bool(box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height)
