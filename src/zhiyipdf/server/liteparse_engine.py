"""The engine that converts: liteparse with our repairs, PDFium for pictures, OCR if installed."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from zhiyipdf.server.engine import (
    BLANK_PAGE,
    PICTURE_FOLDER,
    PICTURE_PAGE,
    UNREADABLE_PAGE,
    Box,
    EngineFailure,
    PageBlock,
    PageMarkdown,
)
from zhiyipdf.server.layout import layout_of, readable_share
from zhiyipdf.server.ocr import TextReader, ocr_is_installed
from zhiyipdf.server.page_pictures import Drawing
from zhiyipdf.server.png import png_width
from zhiyipdf.server.reading import blocks_of, markdown_of, quality_of
from zhiyipdf.server.repairs import (
    HeadingCandidate,
    body_size,
    count_sizes,
    drop_controls,
    drop_empty_fences,
    has_text,
    has_words,
    heading_levels,
    image_tag,
    is_heading_text,
    join_wrapped_cjk,
    promote_headings,
    replace_pictures,
    replace_tables,
)

__all__ = ["LiteparseEngine", "batch_size"]

logger = logging.getLogger(__name__)

# Running headers and footers are recognised within a batch, so batches are large; memory (1.3 MB a
# page and the pictures) keeps them from being larger.
BATCH_PAGES = 50


def batch_size(pages: int) -> int:
    """Pages a batch, so that all batches are about equal and none is a single last page.

    Args:
        pages: Of the whole document.
    """
    return math.ceil(pages / math.ceil(pages / BATCH_PAGES))


@dataclass(slots=True)
class _Draft:
    """A page before the whole document is known."""

    number: int
    width: float
    height: float
    markdown: str
    candidates: list[HeadingCandidate] = field(default_factory=list)
    blocks: tuple[PageBlock, ...] = ()
    quality: int = 100


class LiteparseEngine:
    """Converts with liteparse 2.18 or newer, draws with PDFium, reads pictures with RapidOCR."""

    def __init__(self) -> None:
        self._reader = TextReader()

    def count_pages(self, pdf: Path) -> int:
        """Count the pages that PDFium can load.

        Raises:
            EngineFailure: A password is needed, or it cannot be opened, or has no page.
        """
        with Drawing(pdf) as drawing:
            pages = drawing.loadable_pages()
        if not pages:
            raise EngineFailure("invalid", "none of the PDF's pages can be loaded")
        return pages

    def convert(
        self,
        pdf: Path,
        folder: Path,
        *,
        table_mode: Literal["markdown", "image"],
        ocr: bool,
        on_page: Callable[[int], None],
    ) -> Sequence[PageMarkdown]:
        """Convert the document; see :meth:`zhiyipdf.server.engine.Engine.convert`."""
        reader = self._reader if ocr and ocr_is_installed() else None
        pictures = folder / PICTURE_FOLDER
        pictures.mkdir(exist_ok=True)
        sizes: Counter[float] = Counter()
        drafts: list[_Draft] = []
        with Drawing(pdf) as drawing:
            on_page(1)
            for batch in _batches(pdf, drawing.pages):
                for number in range(batch.first, batch.last + 1):
                    on_page(number)
                    writer = _PageWriter(drawing, pictures, number, table_mode, reader)
                    page = batch.pages.get(number)
                    if page is not None:
                        sizes += count_sizes((i.text, i.font_size) for i in page.text_items)
                    drafts.append(writer.draft(page, batch.images))
        if not drafts:
            raise EngineFailure("failed", "no page could be converted")
        return _finish(drafts, sizes)

    def check_image(self, image: Path) -> None:
        """Look whether a picture can be read; see the protocol."""
        self._reader.check(image)

    def read_image(self, image: Path, *, straighten: bool) -> PageMarkdown:
        """Read a picture; see the protocol."""
        lines, width, height = self._reader.read(image, straighten=straighten)
        blocks = tuple(blocks_of(lines))
        return PageMarkdown(
            number=1,
            width=width,
            height=height,
            markdown=markdown_of(blocks),
            blocks=blocks,
            quality=quality_of(lines),
        )

    def draw(self, pdf: Path, target: Path, *, page: int, box: Box | None, scale: float) -> None:
        """Draw a page or a part of it; see the protocol."""
        with Drawing(pdf) as drawing:
            picture = drawing.crop(page, box, scale=scale)
        target.write_bytes(picture)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Pages the engine converted together; pages it failed at are missing."""

    first: int
    last: int
    pages: dict[int, Any]
    images: dict[str, Any]


def _batches(pdf: Path, pages: int) -> Iterator[_Batch]:
    from liteparse import ParseError

    try:
        for batch in _parser(max_pages=pages).parse_batches(pdf, batch_size(pages)):
            made = _Batch(
                batch.start_page,
                batch.end_page,
                {page.page_num: page for page in batch.result.pages},
                {image.id: image for image in batch.result.images},
            )
            _recover_running_lines(pdf, made)
            yield made
    except ParseError as error:
        raise _failure(str(error)) from error


def _parser(**options: Any) -> Any:
    from liteparse import LiteParse

    return LiteParse(
        output_format="markdown",
        ocr_enabled=False,  # the default tries to download training files
        image_mode="placeholder",
        extract_images=True,
        extract_blocks=True,
        include_complexity=True,
        continue_on_page_error=True,
        quiet=True,
        **options,
    )


def _recover_running_lines(pdf: Path, batch: _Batch) -> None:
    # Lines that look like running headers are dropped. A page that has nothing else, such as a
    # slide with a title only, would come out empty: it keeps them. Page numbers alone do not count.
    empty = [
        number
        for number, page in batch.pages.items()
        if not drop_empty_fences(drop_controls(page.markdown)) and has_words(page.text)
    ]
    if not empty:
        return
    targets = ",".join(map(str, empty))
    result = _parser(target_pages=targets, keep_headers_footers=True).parse(pdf)
    batch.pages.update({page.page_num: page for page in result.pages})
    batch.images.update({image.id: image for image in result.images})


def _failure(message: str) -> EngineFailure:
    # All of liteparse's failures are one class with a text.
    if "password required" in message:
        return EngineFailure("encrypted", "a password is needed")
    if "invalid PDF format" in message or "page not found" in message:
        return EngineFailure("invalid", "the PDF cannot be opened")
    return EngineFailure("failed", message)


class _PageWriter:
    """Turns one page of the engine into a draft, and writes its pictures."""

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

    def draft(self, page: Any | None, images: dict[str, Any]) -> _Draft:
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
        return _Draft(
            self._number,
            page.width,
            page.height,
            markdown,
            _candidates(page),
            layout_of(page, {position: name for position, name in figures if name}),
            readable_share(page.text),
        )

    def _whole_page(self, width: float, height: float) -> _Draft:
        draft = _Draft(self._number, width, height, BLANK_PAGE)
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

    def _read(self, draft: _Draft, picture: bytes) -> bool:
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


def _finish(drafts: Sequence[_Draft], sizes: Counter[float]) -> list[PageMarkdown]:
    candidates = [candidate for draft in drafts for candidate in draft.candidates]
    levels = heading_levels(candidates, body=body_size(sizes))
    return [
        PageMarkdown(
            number=draft.number,
            width=draft.width,
            height=draft.height,
            markdown=join_wrapped_cjk(
                promote_headings(draft.markdown, draft.candidates, levels)
            ).strip(),
            blocks=draft.blocks,
            quality=draft.quality,
        )
        for draft in drafts
    ]
