"""Pure: the addresses this server hands out: signed objects, and pictures of pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from zhiyipdf.server.doc2x.pages import Crop, PagePixels
from zhiyipdf.server.engine import PageBlock

__all__ = [
    "CDN",
    "OBJECTS",
    "PictureLink",
    "export_path",
    "read_crop",
    "read_picture_name",
    "upload_path",
]

OBJECTS = "/objects"
CDN = "/cdn"
_PICTURE = re.compile(r"([0-9a-f-]{36})_(\d{1,5})\.png")
_NUMBER = re.compile(r"\d{1,6}")


def upload_path(uid: str) -> str:
    """Where an announced PDF is to be put."""
    return f"{OBJECTS}/incoming/{uid}.pdf"


def export_path(uid: str, name: str) -> str:
    """Where a file that was made is to be got."""
    return f"{OBJECTS}/{uid}/{name}"


@dataclass(frozen=True, slots=True)
class PictureLink:
    """Addresses of a page's picture and its parts.

    Attributes:
        base: The server's own address, without a slash at the end.
        uid: The upload.
        page_idx: From 0.
    """

    base: str
    uid: str
    page_idx: int

    @property
    def whole(self) -> str:
        """The whole page."""
        return f"{self.base}{CDN}/{self.uid}_{self.page_idx}.png"

    def of(self, pixels: PagePixels) -> Callable[[PageBlock], str]:
        """Addresses of blocks, as the service writes them (notes 3.1)."""
        return lambda block: f"{self.whole}?{pixels.crop(block.box).query}"


def read_picture_name(name: str) -> tuple[str, int] | None:
    """The upload and page that a picture's name means."""
    match = _PICTURE.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def read_crop(query: Mapping[str, str]) -> Crop | None:
    """The part that a query names; None if it names none, for the whole page.

    Raises:
        ValueError: It is incomplete, not in whole numbers, or empty.
    """
    names = ("x", "y", "w", "h")
    given = [query.get(name) for name in names]
    if given == [None] * len(names):
        return None
    if query.get("r", "0") != "0":
        raise ValueError("pictures are not rotated")
    if not all(value is not None and _NUMBER.fullmatch(value) for value in given):
        raise ValueError("x, y, w and h must be whole numbers")
    x, y, w, h = (int(value or "0") for value in given)
    if w < 1 or h < 1:
        raise ValueError("the part is empty")
    return Crop(x, y, w, h)
