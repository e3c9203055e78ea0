"""Pure: recognised lines of a picture into blocks in reading order, and their Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from zhiyipdf.server.engine import Box, PageBlock
from zhiyipdf.server.repairs import drop_controls

__all__ = ["Line", "blocks_of", "in_reading_order", "markdown_of", "quality_of", "slope_of"]

# In line heights. A gutter is wider than a space; a column of prose has lines at least this long,
# which cells of a table have not.
GUTTER = 1.2
PROSE_WIDTH = 8.0
# Lines of one paragraph: the white between them, and how much their heights may differ.
LEADING = 0.9
SAME_HEIGHT = 1.35
# A paragraph's last line ends before the edge by this share of the column's width.
SHORT_LINE = 0.15
TITLE_RATIO = 1.35
TITLE_MAX_CHARACTERS = 120
# A line counts for the slope only if it is long enough to have one; the upright box around a
# sloping line is less long for its height.
SLOPE_MIN_ASPECT = 4.0

_CJK_END = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff65]$")
_CJK_BEGIN = re.compile("^[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff01-\uff65]")
_MARKUP = re.compile(r"([\\`*_\[\]<>|$])")
_LINE_MARK = re.compile(r"^(#{1,6}(?=\s)|[-+](?=\s)|\d+(?=[.)]\s))")


@dataclass(frozen=True, slots=True)
class Line:
    """A recognised line.

    Attributes:
        box: ``x0, y0, x1, y1`` in pixels, top-left origin.
        text: What it says.
        score: 0 to 1: how sure the OCR is.
        slope: Degrees its top edge falls to the right.
    """

    box: Box
    text: str
    score: float
    slope: float = 0.0

    @property
    def height(self) -> float:
        """Pixels from top to bottom, never 0."""
        return max(self.box[3] - self.box[1], 1e-6)


def quality_of(lines: Sequence[Line]) -> int:
    """0 to 100: the mean score, long lines counting more; 0 without lines."""
    weight = sum(len(line.text) for line in lines)
    return round(100 * sum(line.score * len(line.text) for line in lines) / weight) if weight else 0


def slope_of(lines: Sequence[Line]) -> float:
    """The page's slope in degrees, positive where lines fall to the right; 0 without long lines."""
    slopes = [
        line.slope
        for line in lines
        if line.box[2] - line.box[0] >= SLOPE_MIN_ASPECT * line.height / (1 + abs(line.slope))
    ]
    return median(slopes) if slopes else 0.0


def in_reading_order(lines: Sequence[Line]) -> list[list[Line]]:
    """Order lines as a person reads them: column by column, row by row.

    Args:
        lines: In any order.

    Returns:
        One list for each column or part of one; within it rows from top to bottom, each from left
        to right. Every line is in exactly one place.
    """
    if len(lines) <= 1:
        return [list(lines)] if lines else []
    height = median(line.height for line in lines)
    columns = _split(lines, axis=0, gap=GUTTER * height)
    if len(columns) > 1 and all(_is_prose(column) for column in columns):
        return [part for column in columns for part in in_reading_order(column)]
    bands = _split(lines, axis=1, gap=0.0)
    parts: list[list[Line]] = []
    for band in _joined(bands, height):
        inner = _split(band, axis=0, gap=GUTTER * height)
        if len(inner) > 1 and all(_is_prose(column) for column in inner):
            parts += [part for column in inner for part in in_reading_order(column)]
        else:
            parts.append([line for row in _rows(band) for line in row])
    return parts


def _is_prose(lines: Sequence[Line]) -> bool:
    widths = median((line.box[2] - line.box[0]) / line.height for line in lines)
    return len(lines) > 1 and widths >= PROSE_WIDTH


def _split(lines: Sequence[Line], *, axis: int, gap: float) -> list[list[Line]]:
    """Cut where nothing stands, along x (0) or y (1)."""
    ordered = sorted(lines, key=lambda line: (line.box[axis], line.box[1 - axis]))
    groups: list[list[Line]] = []
    reach = -math.inf
    for line in ordered:
        if line.box[axis] - reach > gap or not groups:
            groups.append([])
        groups[-1].append(line)
        reach = max(reach, line.box[axis + 2])
    return groups


def _joined(bands: Sequence[list[Line]], height: float) -> list[list[Line]]:
    """Put bands together that only the white between two lines keeps apart.

    Columns show themselves in several rows together, never in one: bands belong together while
    they fall apart into as many columns as each of them does.
    """
    gap = GUTTER * height
    joined: list[list[Line]] = []
    for band in bands:
        if joined:
            upper = joined[-1]
            white = min(line.box[1] for line in band) - max(line.box[3] for line in upper)
            columns = max(len(_split(part, axis=0, gap=gap)) for part in (upper, band))
            together = [*upper, *band]
            if white <= 2 * height and len(_split(together, axis=0, gap=gap)) == columns:
                joined[-1] = together
                continue
        joined.append(band)
    return joined


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: (line.box[1] + line.box[3], line.box[0])):
        middle = (line.box[1] + line.box[3]) / 2
        if rows and rows[-1][0].box[1] <= middle <= rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.box[0]) for row in rows]


def blocks_of(lines: Sequence[Line]) -> list[PageBlock]:
    """Titles and paragraphs, in reading order.

    Args:
        lines: In any order.
    """
    rows = [_row(row) for part in in_reading_order(lines) for row in _rows(part)]
    if not rows:
        return []
    usual = median(row.height for row in rows)
    left = min(row.box[0] for row in rows)
    blocks: list[PageBlock] = []
    previous: Line | None = None
    for row in rows:
        title = row.height >= TITLE_RATIO * usual and len(row.text) <= TITLE_MAX_CHARACTERS
        kind = "title" if title else "text"
        last = blocks[-1] if blocks else None
        if last and previous and last.kind == kind and _goes_on(previous, row, last, left):
            text = _join(last.text, row.text)
            blocks[-1] = PageBlock(kind=last.kind, box=_hull(last.box, row.box), text=text)
        else:
            blocks.append(PageBlock(kind="title" if title else "text", box=row.box, text=row.text))
        previous = row
    return blocks


def _row(row: Sequence[Line]) -> Line:
    box = row[0].box
    text = row[0].text
    for line in row[1:]:
        box, text = _hull(box, line.box), _join(text, line.text)
    return Line(box, drop_controls(text), min(line.score for line in row))


def _goes_on(previous: Line, row: Line, block: PageBlock, left: float) -> bool:
    white = row.box[1] - previous.box[3]
    tall, low = max(previous.height, row.height), min(previous.height, row.height)
    width = max(block.box[2], row.box[2]) - left
    short = max(block.box[2], row.box[2]) - previous.box[2] > SHORT_LINE * width
    overlap = min(previous.box[2], row.box[2]) > max(previous.box[0], row.box[0])
    near = -low < white <= LEADING * low
    return near and tall <= SAME_HEIGHT * low and overlap and not short


def _hull(first: Box, second: Box) -> Box:
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def _join(first: str, second: str) -> str:
    if _CJK_END.search(first) and _CJK_BEGIN.search(second):
        return first + second
    return f"{first} {second}"


def markdown_of(blocks: Sequence[PageBlock]) -> str:
    """The blocks as Markdown; what looks like markup in them is escaped."""
    return "\n\n".join(
        f"# {_escaped(block.text)}" if block.kind == "title" else _escaped(block.text)
        for block in blocks
    )


def _escaped(text: str) -> str:
    return _LINE_MARK.sub(r"\\\1", _MARKUP.sub(r"\\\1", text.strip()))
