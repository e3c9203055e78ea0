"""Find the pictures that a page draws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

__all__ = ["read_pictures"]

_DEEPEST = 5
"""Form XObjects inside one another. Figures of the corpus stand two deep."""

_MOST_OBJECTS = 20_000
"""Objects looked at on a page: 15 ms. A map or a drawing may have a hundred thousand, all paths."""

_MOST_PICTURES = 1_000
"""Pictures of a page. Pages drawn as strips have up to a hundred."""

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def read_pictures(page: Any) -> NDArray[np.float64]:
    """Give the boxes of the image objects of a loaded page, in the order they are drawn.

    Those of form XObjects are among them.

    Returns:
        left, bottom, right, top in user space, finite, of shape (m, 4).
    """
    search = _Search()
    search.look(
        pdfium_c.FPDFPage_CountObjects(page),
        partial(pdfium_c.FPDFPage_GetObject, page),
        _IDENTITY,
        0,
    )
    boxes = np.array(search.boxes, np.float64).reshape(-1, 4)
    return boxes[np.isfinite(boxes).all(axis=1)]


class _Search:
    """A walk through the objects of one page that ends in any case."""

    def __init__(self) -> None:
        self.boxes: list[tuple[float, float, float, float]] = []
        self._left = _MOST_OBJECTS

    def look(self, count: int, item: Callable[[int], Any], place: Matrix, depth: int) -> None:
        for i in range(count):
            if self._left == 0 or len(self.boxes) == _MOST_PICTURES:
                return
            self._left -= 1
            thing = item(i)
            kind = pdfium_c.FPDFPageObj_GetType(thing)
            if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
                self.boxes.append(_square(_times(_matrix(thing), place)))
            elif kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
                self.look(
                    pdfium_c.FPDFFormObj_CountObjects(thing),
                    partial(pdfium_c.FPDFFormObj_GetObject, thing),
                    _times(_matrix(thing), place),
                    depth + 1,
                )


def _matrix(thing: Any) -> Matrix:
    found = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(thing, found):
        return _IDENTITY
    return found.a, found.b, found.c, found.d, found.e, found.f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    """Join two matrices: first ``inner``, then ``outer`` (ISO 32000-1, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        (e * p + f * r + t),
        e * q + f * s + u,
    )


def _square(matrix: Matrix) -> tuple[float, float, float, float]:
    """Box around the unit square, which every image fills, as a matrix places it."""
    a, b, c, d, e, f = matrix
    across, up = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
    return min(across), min(up), max(across), max(up)
