"""Measure how much of a page is not background: for pages whose text nobody can read."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from zhiyipdf.textlayer.geometry import PageGeometry

__all__ = ["ink_share", "read_ink"]

_WIDTH = 200
"""Pixels across the small picture. Of pages with text, the ink at this width tells their share of a
document's letters to 8 % (median; 17 % at 60 pixels, 7 % at 240; 26 documents of the benchmark)."""

_CLEAR = 40
"""Grey levels of 255 that a pixel differs from the background: more than noise of a scanner, less
than a line of 10 point text, which is grey at this size."""


def read_ink(page: Any, geometry: PageGeometry) -> float:
    """Share from 0 to 1 of a loaded page that is not background.

    Args:
        page: What ``FPDF_LoadPage`` returned.
        geometry: Its own.
    """
    if not (geometry.width > 0 and geometry.height > 0):
        return 0.0
    rows = round(_WIDTH * min(max(geometry.height / geometry.width, 0.1), 10))
    with closing(pdfium.PdfBitmap.new_native(_WIDTH, rows, pdfium_c.FPDFBitmap_Gray)) as bitmap:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, _WIDTH, rows)
        pdfium_c.FPDF_RenderPageBitmap(bitmap, page, 0, 0, _WIDTH, rows, 0, pdfium_c.FPDF_ANNOT)
        pixels = np.frombuffer(bitmap.buffer, np.uint8).reshape(rows, bitmap.stride)
        return ink_share(pixels[:, :_WIDTH])


def ink_share(pixels: NDArray[np.uint8]) -> float:
    """Share of grey pixels that differ clearly from the most common one; 0 without pixels."""
    if not pixels.size:
        return 0.0
    background = int(np.bincount(pixels.reshape(-1), minlength=256).argmax())
    return float(np.mean(np.abs(pixels.astype(np.int16) - background) > _CLEAR))
