"""The engine's door to PDFium: count pages, and draw pages or parts of them as PNG."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pypdfium2 as pdfium

from zhiyipdf.server.engine import EngineFailure
from zhiyipdf.server.png import encode_png

__all__ = ["Drawing"]

DPI = 150
# A page of 200000 points exists in the wild; 16 megapixels are an A4 page at 430 dpi.
MAX_PIXELS = 16_000_000
# Points around a table's box, so that its rules are not cut off.
PADDING = 4.0
_PASSWORD_ERROR = 4  # FPDF_ERR_PASSWORD of fpdfview.h


class Drawing:
    """A PDF opened for drawing; one thread at a time, as PDFium wants it.

    Args:
        pdf: The file.

    Raises:
        EngineFailure: It needs a password, or cannot be opened at all.
    """

    def __init__(self, pdf: Path) -> None:
        try:
            self._document: Any = pdfium.PdfDocument(pdf)
        except pdfium.PdfiumError as error:
            if getattr(error, "err_code", None) == _PASSWORD_ERROR:
                raise EngineFailure("encrypted", "a password is needed") from error
            raise EngineFailure("invalid", "the PDF cannot be opened") from error
        if len(self._document) < 1:
            self.close()
            raise EngineFailure("invalid", "the PDF has no pages")

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._document)

    def loadable_pages(self) -> int:
        """How many pages can be loaded; a damaged file may name pages that are not there."""
        return sum(self._loads(index) for index in range(self.pages))

    def _loads(self, index: int) -> bool:
        try:
            self._document[index].close()
        except pdfium.PdfiumError:
            return False
        return True

    def draw(
        self, page_number: int, box: tuple[float, float, float, float] | None = None
    ) -> bytes | None:
        """Draw a page or a part of it.

        Args:
            page_number: From 1.
            box: ``x, y, width, height`` in points, top-left origin, as the page is shown; None
                for the whole page.

        Returns:
            A PNG, or None where there is nothing but one colour.

        Raises:
            EngineFailure: The page cannot be loaded.
        """
        try:
            page = self._document[page_number - 1]
        except pdfium.PdfiumError as error:
            raise EngineFailure("failed", f"page {page_number} cannot be loaded") from error
        try:
            return _draw(page, box)
        finally:
            page.close()

    def crop(
        self, page_number: int, box: tuple[float, float, float, float] | None, *, scale: float
    ) -> bytes:
        """Draw exactly a part of a page, whatever is on it.

        Args:
            page_number: From 1.
            box: ``x0, y0, x1, y1`` in points, top-left origin; cut to the page. None for all.
            scale: Pixels a point; less where the picture would have over :data:`MAX_PIXELS`.

        Raises:
            EngineFailure: The page cannot be loaded, or the box is empty.
        """
        try:
            page = self._document[page_number - 1]
        except pdfium.PdfiumError as error:
            raise EngineFailure("failed", f"page {page_number} cannot be loaded") from error
        try:
            width, height = page.get_size()
            x0, y0, x1, y1 = box or (0.0, 0.0, width, height)
            left, top = max(0.0, x0), max(0.0, y0)
            right, bottom = min(width, x1), min(height, y1)
            if right <= left or bottom <= top:
                raise EngineFailure("failed", "the box is empty")
            scale = min(scale, (MAX_PIXELS / ((right - left) * (bottom - top))) ** 0.5)
            if min(right - left, bottom - top) * scale < 1:
                raise EngineFailure("failed", "the box is smaller than a pixel")
            margins = (left, height - bottom, width - right, top)
            return _encoded(page.render(scale=scale, crop=margins, rev_byteorder=True))
        finally:
            page.close()

    def close(self) -> None:
        """Close the file; idempotent."""
        self._document.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _draw(page: Any, box: tuple[float, float, float, float] | None) -> bytes | None:
    width, height = page.get_size()
    left, top, right, bottom = 0.0, 0.0, width, height
    if box is not None:
        x, y, box_width, box_height = box
        left, top = max(0.0, x - PADDING), max(0.0, y - PADDING)
        right = min(width, x + box_width + PADDING)
        bottom = min(height, y + box_height + PADDING)
    area = (right - left) * (bottom - top)
    if right - left < 1 or bottom - top < 1:
        return None
    scale = min(DPI / 72, (MAX_PIXELS / area) ** 0.5)
    if min(right - left, bottom - top) * scale < 1:
        return None
    bitmap = page.render(
        scale=scale, crop=(left, height - bottom, width - right, top), rev_byteorder=True
    )
    if _is_uniform(bitmap):
        bitmap.close()
        return None
    return _encoded(bitmap)


def _is_uniform(bitmap: Any) -> bool:
    pixels = bytes(bitmap.buffer)
    row = bitmap.width * bitmap.n_channels
    first = pixels[:row]
    return first == first[: bitmap.n_channels] * bitmap.width and all(
        pixels[y * bitmap.stride : y * bitmap.stride + row] == first
        for y in range(1, bitmap.height)
    )


def _encoded(bitmap: Any) -> bytes:
    try:
        return encode_png(
            bytes(bitmap.buffer),
            width=bitmap.width,
            height=bitmap.height,
            stride=bitmap.stride,
            channels=bitmap.n_channels,
        )
    finally:
        bitmap.close()
