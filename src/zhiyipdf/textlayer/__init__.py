"""The only door to PDFium: what a PDF holds, its text, its pictures, its parts.

Reading text needs numpy, which is imported with the first use of :func:`read_page_texts` or
:func:`span_boxes` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from zhiyipdf.textlayer.page_texts import read_page_texts
    from zhiyipdf.textlayer.spans import span_boxes

__all__ = [
    "Inspection",
    "bookmarks",
    "copy_pages",
    "gather_pages",
    "inspect_pdf",
    "page_size",
    "page_sizes",
    "read_page_texts",
    "render_page",
    "span_boxes",
]

_HOME = {"read_page_texts": "page_texts", "span_boxes": "spans"}


def __getattr__(name: str) -> object:
    """Import what needs numpy when it is first asked for (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
