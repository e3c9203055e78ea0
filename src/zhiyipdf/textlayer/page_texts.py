"""Read the text of a PDF's pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer.boxes import UserBox
from zhiyipdf.textlayer.geometry import PageGeometry, measured
from zhiyipdf.textlayer.ink import read_ink
from zhiyipdf.textlayer.opening import loaded_page, loaded_text
from zhiyipdf.textlayer.page_pictures import read_drawn
from zhiyipdf.textlayer.text_lines import TextLines, read_lines
from zhiyipdf.textlayer.turns import in_turns

__all__ = ["read_page_texts"]

_NEXT_TO_NO_TEXT = 15
"""Letters and digits below which a page is drawn to see how much is on it (grounding study 4-j):
a page number and a stamp."""

_NO_LINES = TextLines(codes=np.zeros(0, np.uint32), ranges=[], boxes=[], ink=[])


def read_page_texts(path: Path, numbers: Sequence[int] | None = None) -> Iterator[PageText]:
    """Read pages in the order given; a damaged page is left out.

    The PDF is open only while pages are read, a few at a time, so an iterator may be dropped at any
    point, and memory does not grow with the number of pages.

    Args:
        path: The PDF; it must stay as it is while the iterator is used.
        numbers: 1-based; None for all.

    Yields:
        One text for each page that can be loaded. It has no characters if its text cannot.

    Raises:
        ValueError: A number is not that of a page.
        EncryptedPDF: See :func:`~zhiyipdf.textlayer.inspect_pdf`; InvalidPDF and OSError likewise.
    """
    return (text for text in in_turns(path, numbers, _read) if text is not None)


def _read(document: pdfium.PdfDocument, number: int) -> PageText | None:
    with loaded_page(document, number) as page:
        if page is None:
            return None
        geometry = measured(page)
        with loaded_text(page) as text:
            lines = _NO_LINES if text is None else read_lines(text, geometry)
        drawn = read_drawn(page)
        return PageText(
            number=number,
            width=geometry.width,
            height=geometry.height,
            codes=lines.codes,
            lines=np.array(lines.ranges, np.int32).reshape(-1, 2),
            line_boxes=geometry.shown(lines.boxes),
            pictures=_on_page(geometry, drawn.pictures),
            drawings=_on_page(geometry, drawn.paths),
            ink=None if _has_text(lines.codes) else read_ink(page, geometry),
        )


def _on_page(geometry: PageGeometry, boxes: Sequence[UserBox]) -> NDArray[np.float32]:
    """Give boxes as shown, without those outside the page."""
    if not boxes:
        return np.zeros((0, 4), np.float32)
    shown = geometry.shown(boxes)
    return shown[(shown[:, 2] > shown[:, 0]) & (shown[:, 3] > shown[:, 1])]


def _has_text(codes: NDArray[np.uint32]) -> bool:
    letters = (1 for code in codes.tolist() if chr(code).isalnum())
    return sum(islice(letters, _NEXT_TO_NO_TEXT)) == _NEXT_TO_NO_TEXT
