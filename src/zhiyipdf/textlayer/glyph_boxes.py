"""Measure where characters of a page stand, in few calls to PDFium."""

from __future__ import annotations

import ctypes
import math
from typing import Any

import pypdfium2.raw as pdfium_c

__all__ = ["GlyphBoxes", "UserBox"]

UserBox = tuple[float, float, float, float]
"""left, bottom, right, top, in points of the PDF's user space."""

_SMALLEST = 0.01
"""Points. PDFium gives blanks, and glyphs of fonts it does not have, boxes thinner than this."""

_TALLEST = 1.6
"""Ems. Fonts of letters are up to 1.5 em from descent to ascent; TeX's fonts of symbols, measured
in its manuals of the corpus, 1.7 to 3.7."""


class GlyphBoxes:
    """Boxes of characters of one loaded page of text.

    Args:
        text: What ``FPDFText_LoadPage`` returned; must outlive this.
    """

    def __init__(self, text: Any) -> None:
        self._text = text
        self._left, self._bottom, self._right, self._top = (ctypes.c_double() for _ in range(4))
        self._loose, self._matrix = pdfium_c.FS_RECTF(), pdfium_c.FS_MATRIX()

    def ink(self, start: int, end: int) -> UserBox | None:
        """Box around the glyphs of a range of characters; None where PDFium knows of no ink.

        PDFium joins the boxes of all characters of a text object itself, so that this takes a call
        or two for a word and not one for each character.
        """
        left = bottom = math.inf
        right = top = -math.inf
        count = pdfium_c.FPDFText_CountRects(self._text, start, end - start)
        for i in range(count):
            if pdfium_c.FPDFText_GetRect(
                self._text, i, self._left, self._top, self._right, self._bottom
            ):
                x0, y0, x1, y1 = self._measured()
                if x1 - x0 > _SMALLEST and y1 - y0 > _SMALLEST:
                    left, bottom = min(left, x0), min(bottom, y0)
                    right, top = max(right, x1), max(top, y1)
        return (left, bottom, right, top) if left < right else None

    def glyph(self, index: int) -> UserBox | None:
        """Box around the ink of one character, which may have no area; None if it has no place."""
        if not pdfium_c.FPDFText_GetCharBox(
            self._text, index, self._left, self._right, self._bottom, self._top
        ):
            return None
        return self._measured()

    def run(self, start: int, end: int, first: int, last: int) -> UserBox | None:
        """Box around a run of characters of one line, as high as its fonts; None without a place.

        Ink alone is too narrow for what people, and layout models, see as a line; with the font's
        box of the first and last character the mean overlap with such boxes rises from 0.87 to
        0.925 (grounding study 3.5).

        Args:
            start: Index of the first character.
            end: Index after the last one.
            first: Index of the first one that is no blank.
            last: Index of the last one.
        """
        around = self.ink(start, end)
        for index in (first,) if first == last else (first, last):
            loose = self.loose(index)
            if loose is not None and (around is None or self._is_sound(loose, around, index)):
                around = loose if around is None else _union(around, loose)
        return around

    def loose(self, index: int) -> UserBox | None:
        """Box of one character as high as its font; None if it has no area."""
        if not pdfium_c.FPDFText_GetLooseCharBox(self._text, index, self._loose):
            return None
        box = self._loose
        x0, y0, x1, y1 = box.left, box.bottom, box.right, box.top
        return (x0, y0, x1, y1) if x1 - x0 > _SMALLEST and y1 - y0 > _SMALLEST else None

    def _is_sound(self, loose: UserBox, ink: UserBox, index: int) -> bool:
        """Say whether a font's box is one of letters, and not of a font of large symbols."""
        side = max(loose[2] - loose[0], loose[3] - loose[1])
        if side <= 1.3 * min(ink[2] - ink[0], ink[3] - ink[1]):  # saves two calls
            return True
        if not pdfium_c.FPDFText_GetMatrix(self._text, index, self._matrix):
            return False
        scale = math.hypot(self._matrix.c, self._matrix.d)
        return bool(side <= _TALLEST * scale * pdfium_c.FPDFText_GetFontSize(self._text, index))

    def _measured(self) -> UserBox:
        return self._left.value, self._bottom.value, self._right.value, self._top.value


def _union(a: UserBox, b: UserBox) -> UserBox:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
