"""Find the boxes of stretches of text on a PDF's pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pypdfium2 as pdfium

from zhiyipdf.models import BBox
from zhiyipdf.textlayer.boxes import UserBox
from zhiyipdf.textlayer.geometry import PageGeometry, measured
from zhiyipdf.textlayer.opening import loaded_page, loaded_text
from zhiyipdf.textlayer.text_lines import read_lines, run_boxes
from zhiyipdf.textlayer.turns import in_turns

__all__ = ["span_boxes"]


def span_boxes(
    path: Path, spans: Mapping[int, Sequence[tuple[int, int]]]
) -> dict[int, list[tuple[BBox, ...]]]:
    """Find where stretches of text stand on the pages as shown.

    Args:
        path: The PDF.
        spans: By 1-based number of the page: first and one past the last index in
            :attr:`~zhiyipdf.models.page_text.PageText.codes` of each stretch.

    Returns:
        By the same numbers, for each stretch in the order given: one box for each line it stands
        on, cut at the edge of the page. There is none where nothing is to be seen: blanks, text
        outside the page, a page that cannot be loaded.

    Raises:
        ValueError: A number is not that of a page.
        EncryptedPDF: See :func:`~zhiyipdf.textlayer.inspect_pdf`; InvalidPDF and OSError likewise.
    """

    def read(document: pdfium.PdfDocument, number: int) -> list[tuple[BBox, ...]]:
        return _read(document, number, spans[number])

    numbers = sorted(spans)
    return dict(zip(numbers, in_turns(path, numbers, read), strict=True))


def _read(
    document: pdfium.PdfDocument, number: int, spans: Sequence[tuple[int, int]]
) -> list[tuple[BBox, ...]]:
    with loaded_page(document, number) as page:
        if page is None:
            return [()] * len(spans)
        with loaded_text(page) as text:
            if text is None:
                return [()] * len(spans)
            geometry = measured(page)
            lines = read_lines(text, geometry)
            found = [run_boxes(text, lines, start, end) for start, end in spans]
    return [_shown(boxes, geometry) for boxes in found]


def _shown(boxes: list[UserBox], geometry: PageGeometry) -> tuple[BBox, ...]:
    on_page = geometry.shown(boxes).tolist()
    return tuple((x0, y0, x1, y1) for x0, y0, x1, y1 in on_page)
