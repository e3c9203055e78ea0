"""Look at rendered pages."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def dark_box(png: bytes, *, scale: float) -> tuple[float, float, float, float]:
    """The box around the dark pixels of a picture that ``render_page`` made, in points."""
    width, height, _, colour = struct.unpack(">IIBB", png[16:26])
    channels = {0: 1, 2: 3}[colour]
    start = png.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", png[start - 8 : start - 4])
    rows = np.frombuffer(zlib.decompress(png[start : start + length]), np.uint8)
    pixels = rows.reshape(height, 1 + channels * width)[:, 1:].reshape(height, width, channels)
    dark = (pixels < 128).all(axis=2)
    down, across = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    edges = across[0], down[0], across[-1] + 1, down[-1] + 1
    left, top, right, bottom = (float(edge) / scale for edge in edges)
    return left, top, right, bottom
