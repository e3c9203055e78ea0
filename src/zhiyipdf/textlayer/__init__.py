"""The only door to PDFium: what a PDF holds, its text, its pictures, its parts."""

from zhiyipdf.textlayer.page_texts import read_page_texts
from zhiyipdf.textlayer.pdfium import (
    Inspection,
    bookmarks,
    copy_pages,
    gather_pages,
    inspect_pdf,
    page_size,
    render_page,
)
from zhiyipdf.textlayer.span_boxes import span_boxes

__all__ = [
    "Inspection",
    "bookmarks",
    "copy_pages",
    "gather_pages",
    "inspect_pdf",
    "page_size",
    "read_page_texts",
    "render_page",
    "span_boxes",
]
