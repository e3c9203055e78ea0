"""Reads how many pixels a picture has from the beginning of its file."""

from __future__ import annotations

import struct
from typing import BinaryIO

__all__ = ["pixels_of"]

_HEAD = 32
_MOST_SEGMENTS = 200
_CORE_HEADER = 12
# Frames of a JPEG (ITU-T T.81, table B.1): SOF0 to SOF15 without DHT, JPG and DAC.
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})


def pixels_of(file: BinaryIO) -> tuple[int, int] | None:
    """Give width and height of a PNG, JPEG, GIF, BMP or WebP picture; None for all else.

    Args:
        file: At its beginning, seekable.
    """
    head = file.read(_HEAD)
    try:
        size = _read(head, file)
    except struct.error:  # cut off
        return None
    return size if size is not None and min(size) > 0 else None


def _read(head: bytes, file: BinaryIO) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        width, height = struct.unpack_from(">II", head, 16)  # PNG specification, section 11.2.2
    elif head.startswith((b"GIF87a", b"GIF89a")):
        width, height = struct.unpack_from("<HH", head, 6)
    elif head.startswith(b"BM"):
        return _bmp(head)
    elif head.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    else:
        return None
    return width, height


def _bmp(head: bytes) -> tuple[int, int]:
    """Read a BMP's info header, or the older core header, which is 12 bytes long."""
    (length,) = struct.unpack_from("<I", head, 14)
    width, height = struct.unpack_from("<HH" if length == _CORE_HEADER else "<ii", head, 18)
    return width, abs(height)  # rows may run downwards


def _jpeg(file: BinaryIO) -> tuple[int, int] | None:
    """Skip from segment to segment up to the frame (ITU-T T.81, B.1.1 and B.2.2)."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        marker = file.read(2)
        while marker == b"\xff\xff":  # fill bytes
            marker = b"\xff" + file.read(1)
        if len(marker) < 2 or marker[0] != 0xFF:
            return None
        (length,) = struct.unpack(">H", file.read(2))
        if marker[1] in _FRAMES:
            height, width = struct.unpack_from(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """Read a WebP's first chunk (RFC 9649, sections 2.5 to 2.7)."""
    kind = head[12:16]
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = struct.unpack_from("<HBHB", head, 24)
        return 1 + (low_width | high_width << 16), 1 + (low_height | high_height << 16)
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[20:21] == b"\x2f":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
