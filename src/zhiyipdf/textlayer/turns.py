"""Go through a PDF's pages a few at a time, so that other callers of PDFium get their turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import pypdfium2 as pdfium

from zhiyipdf.textlayer.opening import opened, pdfium_thread

__all__ = ["in_turns"]

T = TypeVar("T")

_PAGES_A_TURN = 64
"""Opening the PDF anew for each turn, and its fonts, takes 10 to 20 ms; what PDFium remembers of 64
pages is 2 to 3 MB."""

_TURN_S = 0.25
"""Seconds after which a turn ends: drawing a scanned page takes 0.1 s."""


def in_turns(
    path: Path, numbers: Sequence[int] | None, read: Callable[[pdfium.PdfDocument, int], T]
) -> Iterator[T]:
    """Call ``read`` for one page after the other, on PDFium's thread.

    The PDF is open only while pages are read, so an iterator may be dropped at any point, and
    memory does not grow with the number of pages.

    Args:
        path: The PDF; it must stay as it is while the iterator is used.
        numbers: 1-based; None for all.
        read: Takes the open PDF and the number.

    Yields:
        What ``read`` returned for each number.

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
        done = pdfium_thread.run(partial(_take_turn, path, left[:_PAGES_A_TURN], read))
        del left[: len(done)]
        yield from done


def _count(path: Path) -> int:
    with opened(path) as document:
        return len(document)


def _take_turn(
    path: Path, numbers: Sequence[int], read: Callable[[pdfium.PdfDocument, int], T]
) -> list[T]:
    """Read at least one of the pages, and no more once the turn is over."""
    ends = time.monotonic() + _TURN_S
    done: list[T] = []
    with opened(path) as document:
        for number in numbers:
            done.append(read(document, number))
            if time.monotonic() > ends:
                break
    return done
