"""The engine that converts: liteparse with our repairs, PDFium for pictures, OCR if installed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from zhiyipdf.server.engine import (
    PICTURE_FOLDER,
    Box,
    EngineFailure,
    PageMarkdown,
)
from zhiyipdf.server.ocr import TextReader, ocr_is_installed
from zhiyipdf.server.page_drafts import Draft, PageWriter
from zhiyipdf.server.page_pictures import Drawing
from zhiyipdf.server.reading import blocks_of, markdown_of, quality_of
from zhiyipdf.server.repairs import (
    body_size,
    count_sizes,
    drop_controls,
    drop_empty_fences,
    has_words,
    heading_levels,
    join_wrapped_cjk,
    promote_headings,
)

__all__ = ["LiteparseEngine", "batch_size"]

# Running headers and footers are recognised within a batch, so batches are large; memory (1.3 MB a
# page and the pictures) keeps them from being larger.
BATCH_PAGES = 50


def batch_size(pages: int) -> int:
    """Pages a batch, so that all batches are about equal and none is a single last page.

    Args:
        pages: Of the whole document.
    """
    return math.ceil(pages / math.ceil(pages / BATCH_PAGES))


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
        drafts: list[Draft] = []
        with Drawing(pdf) as drawing:
            on_page(1)
            for batch in _batches(pdf, drawing.pages):
                for number in range(batch.first, batch.last + 1):
                    on_page(number)
                    writer = PageWriter(drawing, pictures, number, table_mode, reader)
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


def _finish(drafts: Sequence[Draft], sizes: Counter[float]) -> list[PageMarkdown]:
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
