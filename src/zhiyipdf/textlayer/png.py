"""Write PNG pictures without an imaging library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

__all__ = ["png"]

GREY, RGB = 0, 2
"""Colour types (PNG specification, 11.2.2)."""


def png(width: int, height: int, rows: Iterable[bytes]) -> bytes:
    """Pack 8-bit RGB pixels into a PNG (PNG specification, sections 5 and 11.2).

    A picture without any colour is packed as greyscale: the same pixels in half the bytes.

    Args:
        width: Pixels in a row.
        height: Number of rows.
        rows: From top to bottom, ``3 * width`` bytes each.
    """
    lines = list(rows)
    colour = RGB
    if all(line[0::3] == line[1::3] == line[2::3] for line in lines):
        colour, lines = GREY, [line[0::3] for line in lines]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines), level=6)
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
