"""PNG files from raw pixels with zlib alone: the server needs no imaging library."""

from __future__ import annotations

import struct
import zlib

__all__ = ["encode_png", "png_width"]

# Colour types of the PNG specification (ISO/IEC 15948, table 11.1), by bytes a pixel.
_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def encode_png(pixels: bytes, *, width: int, height: int, stride: int, channels: int) -> bytes:
    """Encode 8-bit pixels.

    Args:
        pixels: Rows from top to bottom, each ``stride`` bytes long; grey, RGB or RGBA.
        width: Pixels a row.
        height: Rows.
        stride: Bytes from one row to the next; rows may be padded.
        channels: Bytes a pixel: 1, 3 or 4.

    Returns:
        The file's content.

    Raises:
        ValueError: The numbers do not fit each other.
    """
    if channels not in _COLOUR_TYPES:
        raise ValueError(f"{channels} bytes a pixel are not supported")
    row = width * channels
    if width < 1 or height < 1 or stride < row or len(pixels) < stride * (height - 1) + row:
        raise ValueError("the pixels do not fill the picture")
    # Unfiltered rows: filtering is slow in Python, and text on white compresses well without.
    rows = b"".join(b"\0" + pixels[y * stride : y * stride + row] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(rows, 6))
        + _chunk(b"IEND", b"")
    )


def png_width(png: bytes) -> int:
    """Pixels a row, from the header of a PNG (ISO/IEC 15948, 11.2.2)."""
    return int.from_bytes(png[16:20], "big")


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
