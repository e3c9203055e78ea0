"""Find the lines of a page and what of them is to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.textlayer.characters import inked, line_ranges, read_characters
from zhiyipdf.textlayer.geometry import PageGeometry
from zhiyipdf.textlayer.glyph_boxes import GlyphBoxes, UserBox

__all__ = ["TextLines", "read_lines", "run_boxes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextLines:
    """The text of a page.

    Attributes:
        codes: As in :class:`~zhiyipdf.models.page_text.PageText`.
        ranges: First and one past the last index of each line, int32 of shape (k, 2).
        boxes: Box of each line in user space, float64 of shape (k, 4).
    """

    codes: NDArray[np.uint32]
    ranges: NDArray[np.int32]
    boxes: NDArray[np.float64]


def read_lines(text: Any, geometry: PageGeometry) -> TextLines:
    """Read a loaded page of text; what stands outside the page as shown has code 0 and no line."""
    characters = read_characters(text)
    codes, glyphs = characters.codes, GlyphBoxes(text)
    shown = np.ones(len(codes), np.bool_)
    ranges: list[tuple[int, int]] = []
    boxes: list[UserBox] = []
    lines = line_ranges(characters)
    for start, end, first, last in _with_ends(lines, inked(codes)):
        box = glyphs.run(start, end, first, last)
        if box is not None and geometry.holds(box):
            ranges.append((start, end))
            boxes.append(box)
            continue
        # Cut by the page's edge, or outside: pages cut from a spread hold the text of both.
        within = _within(codes[start:end], start, glyphs, geometry)
        shown[start:end] = within
        seen = np.flatnonzero(within & inked(codes[start:end])) + start
        if len(seen):
            first, last = int(seen[0]), int(seen[-1])
            box = glyphs.run(first, last + 1, first, last)
            if box is not None:
                ranges.append((first, last + 1))
                boxes.append(box)
    codes[~shown] = 0
    return TextLines(
        codes=codes,
        ranges=np.array(ranges, np.int32).reshape(-1, 2),
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
    )


def run_boxes(text: Any, lines: TextLines, start: int, end: int) -> list[UserBox]:
    """Find a box for each line that some characters stand on; blanks have none.

    Args:
        text: The loaded page of text.
        lines: What :func:`read_lines` read of it.
        start: Index of the first character.
        end: Index after the last one.
    """
    glyphs = GlyphBoxes(text)
    first_line = int(np.searchsorted(lines.ranges[:, 1], start, side="right"))
    last_line = int(np.searchsorted(lines.ranges[:, 0], end, side="left"))
    found = []
    for line_start, line_end in lines.ranges[first_line:last_line].tolist():
        a, b = max(start, line_start), min(end, line_end)
        seen = np.flatnonzero(inked(lines.codes[a:b]))
        if len(seen):
            first, last = a + int(seen[0]), a + int(seen[-1])
            box = glyphs.run(first, last + 1, first, last)
            if box is not None:
                found.append(box)
    return found


def _with_ends(
    lines: NDArray[np.int32], ink: NDArray[np.bool_]
) -> Iterator[tuple[int, int, int, int]]:
    """Give with each line the indices of its first and last character that is no blank."""
    places = np.flatnonzero(ink)
    firsts = places[np.searchsorted(places, lines[:, 0])]
    lasts = places[np.searchsorted(places, lines[:, 1]) - 1]
    return zip(
        lines[:, 0].tolist(), lines[:, 1].tolist(), firsts.tolist(), lasts.tolist(), strict=True
    )


def _within(
    codes: NDArray[np.uint32], start: int, glyphs: GlyphBoxes, geometry: PageGeometry
) -> NDArray[np.bool_]:
    """Say of each character whether its middle is on the page; blanks go with what precedes."""
    found = np.zeros(len(codes), np.bool_)
    visible = False
    for i, is_ink in enumerate(inked(codes).tolist()):
        if is_ink:
            box = glyphs.loose(start + i) or glyphs.glyph(start + i)
            visible = box is not None and geometry.holds_middle(box)
        found[i] = visible
    return found
