"""Writes previews of conversions that tests build by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.conversions import conversion
from support.pdfs import write_pdf
from zhiyipdf.models import Block
from zhiyipdf.preview import PreviewPage, draw_pages


def write_preview(folder: Path, original: Sequence[Block], *, pages: int = 3, **more: Any) -> str:
    """Write the page of some blocks, on drawn pages of A4, and return its address."""
    made = conversion(original, pages=pages, **more)
    pdf = write_pdf(folder / "a.pdf", pages)
    page = PreviewPage(made, range(1, pages + 1), read_asset=lambda _: b"")
    path = folder / "page.html"
    path.write_text("".join(page.pieces(draw_pages(pdf, made.pages))), encoding="utf-8")
    return path.as_uri()
