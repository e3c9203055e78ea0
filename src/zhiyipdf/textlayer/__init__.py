"""The only door to PDFium: what a PDF holds, its pictures, its parts."""

from zhiyipdf.textlayer.pdfium import (
    Inspection,
    bookmarks,
    copy_pages,
    gather_pages,
    inspect_pdf,
    page_size,
    page_sizes,
    render_page,
)

__all__ = [
    "Inspection",
    "bookmarks",
    "copy_pages",
    "gather_pages",
    "inspect_pdf",
    "page_size",
    "page_sizes",
    "render_page",
]
