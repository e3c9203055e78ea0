"""The text of a PDF's pages as arrays. Apart from the other nouns, because it needs numpy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.models.results import BBox

__all__ = ["PageSpan", "PageText"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpan:
    """Characters of one page.

    Attributes:
        page_number: 1-based.
        start: Index of the first character in :attr:`PageText.codes`.
        end: Index after the last one.
    """

    page_number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageText:
    """What PDFium reads on one page. Boxes are those of :class:`~zhiyipdf.models.Provenance`.

    Attributes:
        number: 1-based.
        width: Of the page as shown (cropped and rotated), in points.
        height: The same.
        codes: Code point of each character, in PDFium's order and by PDFium's index, uint32 of
            shape (n,). 0 for what is not to be seen: outside the page as shown, without an extent,
            or the second half of a surrogate pair, which stands whole in the first. U+00AD for the
            hyphen at the end of a line whose word goes on in the next; U+FFFD for what has no code
            point.
        lines: First and one past the last index of each line, int32 of shape (k, 2), in order and
            apart. Each character that is to be seen is in one, blanks and line breaks apart.
        line_boxes: Box of each line, as high as its font, on the page and with an area, float32 of
            shape (k, 4).
        pictures: Box of each picture on the page, as far as no path clips it, in the order they are
            drawn, float32 of shape (m, 4).
        drawings: Box of each path and shading on the page that is no rule, of very many a part,
            float32 of shape (d, 4).
        ink: Share from 0 to 1 of the page that is not background, measured on pages with fewer
            than 15 letters and digits; None elsewhere.
    """

    number: int
    width: float
    height: float
    codes: NDArray[np.uint32]
    lines: NDArray[np.int32]
    line_boxes: NDArray[np.float32]
    pictures: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    drawings: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    ink: float | None = None

    def text(self) -> str:
        """Give the characters as a string, those that are not to be seen left out."""
        return "".join(map(chr, self.codes[self.codes != 0].tolist()))

    def line_bbox(self, index: int) -> BBox:
        """Give one line's box."""
        x0, y0, x1, y1 = (float(edge) for edge in self.line_boxes[index])
        return x0, y0, x1, y1
