"""The engine's door to OCR: RapidOCR with the models in its wheel, no network, in a worker only."""

from __future__ import annotations

import importlib.util
import io
import math
import os
from pathlib import Path
from typing import Any

from zhiyipdf.server.engine import EngineFailure
from zhiyipdf.server.reading import Line, slope_of

__all__ = ["MISSING", "TextReader", "ocr_is_installed"]

# 7 MB of JPEG can hold gigabytes of pixels; a page at 600 dpi has 35 million.
MAX_PIXELS = 50_000_000
# Degrees. Below, straightening only blurs; above, "upright" is anybody's guess.
STRAIGHTEN_FROM = 0.3
STRAIGHTEN_TO = 45.0
MISSING = "this server has no OCR: pip install 'zhiyipdf[ocr]'"


def ocr_is_installed() -> bool:
    """Whether the extra ``ocr`` is there; imports nothing."""
    return all(importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime", "PIL"))


class TextReader:
    """Reads pictures; its models are loaded by the first one."""

    def __init__(self) -> None:
        self._engine: Any = None

    def check(self, image: Path) -> None:
        """Look whether a picture can be read.

        Raises:
            EngineFailure: It is no PNG or JPEG, it is too large, or there is no OCR.
        """
        _require()
        _open(image)

    def read(self, image: Path | bytes, *, straighten: bool = False) -> tuple[list[Line], int, int]:
        """Recognise the lines of a picture.

        Args:
            image: A PNG or JPEG, or its content.
            straighten: Turn it upright first, by the slope of its lines.

        Returns:
            The lines, and width and height in pixels of the picture they were read from.

        Raises:
            EngineFailure: As for :meth:`check`.
        """
        _require()
        picture = _open(image)
        lines = self._recognise(picture)
        slope = slope_of(lines) if straighten else 0.0
        if STRAIGHTEN_FROM <= abs(slope) <= STRAIGHTEN_TO:
            # Pillow turns counter-clockwise: a line that falls to the right is lifted.
            picture = picture.rotate(slope, expand=True, fillcolor="white", resample=3)
            lines = self._recognise(picture)
        return lines, picture.width, picture.height

    def _recognise(self, picture: Any) -> list[Line]:
        if self._engine is None:
            self._engine = _make_engine()
        result = self._engine(picture)
        if result.boxes is None or result.txts is None:
            return []
        return [
            _line(corners, text, score)
            for corners, text, score in zip(
                result.boxes.tolist(), result.txts, result.scores, strict=True
            )
            if text.strip()
        ]


def _require() -> None:
    if not ocr_is_installed():
        raise EngineFailure("no_ocr", MISSING)


def _make_engine() -> Any:
    # onnxruntime 1.32 sends usage events to its vendor, also on Linux; its own switch for that,
    # disable_telemetry_events(), was measured to come too late. This one works.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical"})


def _open(image: Path | bytes) -> Any:
    from PIL import Image, ImageOps, UnidentifiedImageError

    source = io.BytesIO(image) if isinstance(image, bytes) else image
    try:
        with Image.open(source, formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise EngineFailure("invalid", f"more than {MAX_PIXELS:,} pixels")
            upright = ImageOps.exif_transpose(opened)
            if "A" in upright.getbands() or "transparency" in upright.info:
                layer = upright.convert("RGBA")
                white = Image.new("RGBA", layer.size, "white")
                upright = Image.alpha_composite(white, layer)
            return upright.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        # Pillow's decoders raise SyntaxError for broken PNG chunks.
        raise EngineFailure("invalid", "the picture cannot be opened") from error


def _line(corners: list[list[float]], text: str, score: float) -> Line:
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    (x0, y0), (x1, y1) = corners[0], corners[1]
    slope = math.degrees(math.atan2(y1 - y0, x1 - x0))
    return Line((min(xs), min(ys), max(xs), max(ys)), text, float(score), slope)
