"""Measure how much of a page is not background: for pages whose text nobody can read."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

__all__ = ["ink_share", "read_ink"]

_WIDTH = 56
"""Pixels across the small picture: enough to tell a paragraph from a blank, 4,500 to look at."""

_CLEAR = 24
"""Grey levels of 255 that a pixel differs from the background: more than noise of a scanner, less
than a line of 10 point text, which is grey at this size."""


def read_ink(page: Any, width: float, height: float) -> float:
    """Share from 0 to 1 of a loaded page that is not background.

    Args:
        page: What ``FPDF_LoadPage`` returned.
        width: Of the page as shown, in points.
        height: The same.
    """
    if not (width > 0 and height > 0):
        return 0.0
    rows = min(max(round(_WIDTH * height / width), 1), 10 * _WIDTH)
    with closing(pdfium.PdfBitmap.new_native(_WIDTH, rows, pdfium_c.FPDFBitmap_Gray)) as bitmap:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, _WIDTH, rows)
        pdfium_c.FPDF_RenderPageBitmap(
            bitmap, page, 0, 0, _WIDTH, rows, 0, pdfium_c.FPDF_ANNOT | pdfium_c.FPDF_GRAYSCALE
        )
        pixels = np.frombuffer(bitmap.buffer, np.uint8).reshape(rows, bitmap.stride)
        return ink_share(pixels[:, :_WIDTH])


def ink_share(pixels: NDArray[np.uint8]) -> float:
    """Share of grey pixels that differ clearly from the most common one; 0 without pixels."""
    if not pixels.size:
        return 0.0
    background = int(np.bincount(pixels.reshape(-1), minlength=256).argmax())
    return float(np.mean(np.abs(pixels.astype(np.int16) - background) > _CLEAR))
