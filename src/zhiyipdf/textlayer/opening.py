"""Open PDFs with PDFium, on the one thread that may touch it.

PDFium is not thread-safe (grounding study 1.4), so every call of this package runs on one private
thread of the process, one after the other. For parallel work use processes. After a fork the child
gets a thread of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from zhiyipdf.errors import EncryptedPDF, InvalidPDF
from zhiyipdf.textlayer.private_thread import PrivateThread

__all__ = ["damage_as_invalid", "loaded_page", "loaded_text", "opened", "pdfium_thread"]

pdfium_thread = PrivateThread("zhiyipdf-pdfium")


# Everything below runs on that thread.


@contextmanager
def opened(path: Path) -> Iterator[pdfium.PdfDocument]:
    """Open a PDF without a password and close it.

    Raises:
        EncryptedPDF: A password, or a security scheme that PDFium does not know, is needed.
        InvalidPDF: PDFium cannot open it.
        OSError: The file cannot be read.
    """
    with path.open("rb"):  # says why a file cannot be read; PDFium does not
        pass
    handle = pdfium_c.FPDF_LoadDocument(os.fsencode(path.absolute()) + b"\0", None)
    if not handle:
        raise _refusal(pdfium_c.FPDF_GetLastError())
    with closing(pdfium.PdfDocument(handle)) as document:
        yield document


@contextmanager
def loaded_page(document: pdfium.PdfDocument, number: int) -> Iterator[Any | None]:
    """Load a page by its 1-based number and close it; None if it is damaged."""
    page = pdfium_c.FPDF_LoadPage(document, number - 1)
    try:
        yield page or None
    finally:
        if page:
            pdfium_c.FPDF_ClosePage(page)


@contextmanager
def loaded_text(page: Any) -> Iterator[Any | None]:
    """Load the text of a loaded page and close it; None if it is damaged."""
    text = pdfium_c.FPDFText_LoadPage(page)
    try:
        yield text or None
    finally:
        if text:
            pdfium_c.FPDFText_ClosePage(text)


@contextmanager
def damage_as_invalid(message: str) -> Iterator[None]:
    """Turn what PDFium refuses into :class:`InvalidPDF`."""
    try:
        yield
    except pdfium.PdfiumError as exc:
        raise InvalidPDF(message) from exc


def _refusal(code: int) -> InvalidPDF | EncryptedPDF:
    if code == pdfium_c.FPDF_ERR_PASSWORD:
        return EncryptedPDF("The PDF opens only with a password.")
    if code == pdfium_c.FPDF_ERR_SECURITY:
        return EncryptedPDF("The PDF is encrypted in a way that PDFium does not know.")
    return InvalidPDF("PDFium cannot open the PDF.")
