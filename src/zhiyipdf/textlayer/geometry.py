"""Turn PDFium's coordinates into those of the page as shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

from zhiyipdf.textlayer.boxes import UserBox

__all__ = ["PageGeometry", "measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageGeometry:
    """The part of a page that is shown, in points of the PDF's user space, and how it is turned.

    User space has its origin anywhere and y upwards; as shown, the origin is the top left corner
    and y runs downwards, which is where a pixel of ``render_page`` stands.

    Attributes:
        left: Edge of the effective crop box (``FPDF_GetPageBoundingBox``).
        bottom: The same.
        right: The same.
        top: The same.
        quarter_turns: Clockwise, 0 to 3 (``FPDFPage_GetRotation``).
    """

    left: float
    bottom: float
    right: float
    top: float
    quarter_turns: int = 0

    @property
    def width(self) -> float:
        """Of the page as shown, in points."""
        return self._size()[self.quarter_turns % 2]

    @property
    def height(self) -> float:
        """Of the page as shown, in points."""
        return self._size()[1 - self.quarter_turns % 2]

    def holds(self, box: UserBox) -> bool:
        """Say whether all of a box of user space is on the page."""
        return (
            self.left <= box[0]
            and self.bottom <= box[1]
            and box[2] <= self.right
            and box[3] <= self.top
        )

    def touches(self, box: UserBox) -> bool:
        """Say whether some of a box of user space is on the page."""
        return (
            box[0] < self.right
            and box[1] < self.top
            and self.left < box[2]
            and self.bottom < box[3]
        )

    def holds_middle(self, box: UserBox) -> bool:
        """Say whether the middle of a box of user space is on the page."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return self.left <= x <= self.right and self.bottom <= y <= self.top

    def shown(self, user_boxes: Sequence[UserBox]) -> NDArray[np.float32]:
        """Turn boxes of user space into boxes of the page as shown, cut at its edges.

        Args:
            user_boxes: Of any number.

        Returns:
            x0, y0, x1, y1; of shape (n, 4). A box outside the page has no area.
        """
        boxes = np.array(user_boxes, np.float64).reshape(-1, 4)
        width, height = self._size()
        x0 = np.clip(boxes[:, 0] - self.left, 0, width)
        x1 = np.clip(boxes[:, 2] - self.left, 0, width)
        y0 = np.clip(self.top - boxes[:, 3], 0, height)
        y1 = np.clip(self.top - boxes[:, 1], 0, height)
        turned = (
            (x0, y0, x1, y1),
            (height - y1, x0, height - y0, x1),
            (width - x1, height - y1, width - x0, height - y0),
            (y0, width - x1, y1, width - x0),
        )[self.quarter_turns]
        return np.stack(turned, axis=1).astype(np.float32)

    def _size(self) -> tuple[float, float]:
        return self.right - self.left, self.top - self.bottom


def measured(page: Any) -> PageGeometry:
    """Say which part of a loaded page is shown, and how."""
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDF_GetPageBoundingBox(page, box)
    return PageGeometry(
        left=box.left,
        bottom=box.bottom,
        right=box.right,
        top=box.top,
        quarter_turns=max(pdfium_c.FPDFPage_GetRotation(page), 0) % 4,
    )
