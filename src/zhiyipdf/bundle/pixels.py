"""Reads how many pixels a picture has from the beginning of its file."""

from __future__ import annotations

import struct
from typing import BinaryIO

__all__ = ["pixels_of"]

_HEAD = 32
_MOST_SEGMENTS = 200
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
        width, height = struct.unpack_from("<ii", head, 18)
    elif head.startswith(b"\xff\xd8\xff"):
        return _jpeg(file)
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head)
    else:
        return None
    return width, abs(height)  # a BMP's rows may run downwards


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
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
