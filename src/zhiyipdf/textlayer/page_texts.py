"""Read the text of a PDF's pages, a few at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer.geometry import PageGeometry
from zhiyipdf.textlayer.ink import read_ink
from zhiyipdf.textlayer.opening import loaded_page, loaded_text, opened, pdfium_thread
from zhiyipdf.textlayer.page_pictures import read_pictures
from zhiyipdf.textlayer.text_lines import TextLines, read_lines

__all__ = ["page_geometry", "read_page_texts"]

_PAGES_A_TURN = 32
"""Opening the PDF anew for each turn costs 1 to 3 ms, and keeps what PDFium remembers small."""

_TURN_S = 0.25
"""Seconds after which other callers of PDFium get their turn; scanned pages take 0.1 s each."""

_NEXT_TO_NO_TEXT = 15
"""Letters and digits below which a page is drawn to see how much is on it (grounding study 4-j):
a page number and a stamp."""


def read_page_texts(path: Path, numbers: Sequence[int] | None = None) -> Iterator[PageText]:
    """Read pages in the order given; a damaged page is left out.

    The PDF is open only while pages are read, a few at a time, so an iterator may be dropped at any
    point and memory does not grow with the number of pages.

    Args:
        path: The PDF; it must stay as it is while the iterator is used.
        numbers: 1-based; None for all.

    Yields:
        One text for each page that can be loaded. It has no characters if its text cannot.

    Raises:
        ValueError: A number is not that of a page.
        EncryptedPDF: See :func:`~zhiyipdf.textlayer.inspect_pdf`; InvalidPDF and OSError likewise.
    """
    count = pdfium_thread.run(lambda: _count(path))
    left = list(range(1, count + 1) if numbers is None else numbers)
    for number in left:
        if not 1 <= number <= count:
            raise ValueError(f"page {number} is not one of the PDF's {count}")
    while left:
        turn = left[:_PAGES_A_TURN]
        texts = pdfium_thread.run(lambda turn=turn: _read_some(path, turn))  # type: ignore[misc]
        del left[: len(texts)]
        yield from (text for text in texts if text is not None)


# Everything below runs on PDFium's thread.


def page_geometry(page: Any) -> PageGeometry:
    """Measure a loaded page."""
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDF_GetPageBoundingBox(page, box)
    return PageGeometry(
        left=box.left,
        bottom=box.bottom,
        right=box.right,
        top=box.top,
        quarter_turns=max(pdfium_c.FPDFPage_GetRotation(page), 0) % 4,
    )


def _count(path: Path) -> int:
    with opened(path) as document:
        return len(document)


def _read_some(path: Path, numbers: Sequence[int]) -> list[PageText | None]:
    """Read at least one of the pages, and no more once the turn is over."""
    ends = time.monotonic() + _TURN_S
    found: list[PageText | None] = []
    with opened(path) as document:
        for number in numbers:
            found.append(_read(document, number))
            if time.monotonic() > ends:
                break
    return found


def _read(document: pdfium.PdfDocument, number: int) -> PageText | None:
    with loaded_page(document, number) as page:
        if page is None:
            return None
        geometry = page_geometry(page)
        with loaded_text(page) as text:
            lines = read_lines(text, geometry) if text is not None else _NO_LINES
        pictures = geometry.shown(read_pictures(page))
        on_page = (pictures[:, 2] > pictures[:, 0]) & (pictures[:, 3] > pictures[:, 1])
        return PageText(
            number=number,
            width=geometry.width,
            height=geometry.height,
            codes=lines.codes,
            lines=lines.ranges,
            line_boxes=geometry.shown(lines.boxes),
            pictures=pictures[on_page],
            ink=None if _has_text(lines.codes) else read_ink(page, geometry.width, geometry.height),
        )


def _has_text(codes: NDArray[np.uint32]) -> bool:
    letters = (1 for code in codes.tolist() if chr(code).isalnum())
    return sum(islice(letters, _NEXT_TO_NO_TEXT)) == _NEXT_TO_NO_TEXT


_NO_LINES = TextLines(
    codes=np.zeros(0, np.uint32),
    ranges=np.zeros((0, 2), np.int32),
    boxes=np.zeros((0, 4), np.float64),
)
