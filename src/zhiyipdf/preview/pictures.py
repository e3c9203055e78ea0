"""Draws pages of a PDF as pictures that are sharp where they can be and small enough together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from zhiyipdf.errors import InvalidPDF
from zhiyipdf.models import Page
from zhiyipdf.textlayer import page_size, render_page

__all__ = ["PagePicture", "draw_pages"]

ATTEMPTS = ((120, 256), (120, 32), (96, 32), (72, 32), (54, 32))
"""Resolution in dpi and shades of each colour, tried from the finest on. A page of A4 at 120 dpi is
992 pixels wide: half a large screen. A scan is better read with fewer shades than with fewer
pixels. Of 311 pages of the PDFs beside the clone, at most 20 of each, 304 fit at 120 dpi and seven
at 96; they take 121 kB on average."""

SMALLER = 0.75
"""By how much a page is drawn smaller still, again and again, that does not fit as coarse as that:
noise all over a poster."""

PAGE_BYTES = 240_000
"""What a page's PNG may take at most: with base64's third on top, 50 pages stay under 16 MB."""

LONGEST_SIDE_PX = 1800
"""However large the page is: a poster needs no more to be recognised."""

A4 = (595.0, 842.0)
"""Size in points of a page of which none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """A page of a PDF, drawn.

    Attributes:
        number: 1-based.
        label: The printed label if the PDF has labels, else the number.
        width: Of the page as shown, in points.
        height: The same.
        png: The picture; None if the page cannot be drawn.
    """

    number: int
    label: str
    width: float
    height: float
    png: bytes | None


def draw_pages(path: Path, pages: Iterable[Page]) -> Iterator[PagePicture]:
    """Draw pages one by one, as they are asked for.

    A page that cannot be drawn has no picture, and the others follow.

    Args:
        path: The PDF.
        pages: Which of its pages.

    Raises:
        EncryptedPDF: The PDF opens only with a password.
        OSError: It cannot be read.
    """
    for page in pages:
        width, height = A4
        png = None
        with suppress(InvalidPDF, ValueError):  # damaged, or without any extent
            width, height = page_size(path, page.number)
            png = _drawn(path, page.number, width, height)
        yield PagePicture(number=page.number, label=page.label, width=width, height=height, png=png)


def _drawn(path: Path, number: int, width: float, height: float) -> bytes:
    """Draw a page as fine as fits."""
    longest = max(width, height, 1.0)
    for dpi, shades in ATTEMPTS:
        scale = min(dpi / 72, LONGEST_SIDE_PX / longest)
        png = render_page(path, number, scale=scale, shades=shades)
        if len(png) <= PAGE_BYTES:
            return png
    while len(png) > PAGE_BYTES:
        scale *= SMALLER
        png = render_page(path, number, scale=scale, shades=shades)
    return png
