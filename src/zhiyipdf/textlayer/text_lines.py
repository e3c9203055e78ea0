"""Find the lines of a page and what of them is to be seen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.textlayer.boxes import UserBox, common, has_area, jumps
from zhiyipdf.textlayer.characters import inked, line_ranges, read_characters
from zhiyipdf.textlayer.geometry import PageGeometry
from zhiyipdf.textlayer.glyph_boxes import GlyphBoxes

__all__ = ["TextLines", "read_lines", "run_boxes"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextLines:
    """The text of a page.

    Attributes:
        codes: As in :class:`~zhiyipdf.models.page_text.PageText`.
        ranges: First and one past the last index of each line, in order.
        boxes: Box of each line in user space.
        ink: Indices of the characters that are to be seen and no blanks, in order.
    """

    codes: NDArray[np.uint32]
    ranges: list[tuple[int, int]]
    boxes: list[UserBox]
    ink: list[int]


def read_lines(text: Any, geometry: PageGeometry) -> TextLines:
    """Read a loaded page of text; what stands outside the page as shown has code 0 and no line."""
    characters = read_characters(text)
    codes, glyphs = characters.codes, GlyphBoxes(text)
    ink = np.flatnonzero(inked(codes)).tolist()
    ranges: list[tuple[int, int]] = []
    boxes: list[UserBox] = []
    is_cut = False
    for start, end, words in _unbroken(line_ranges(characters), glyphs):
        ends = _ends(ink, start, end)
        if ends is None:
            continue
        box = glyphs.run(words, *ends)
        if box is not None and geometry.holds(box):
            ranges.append((start, end))
            boxes.append(box)
            continue
        is_cut = True
        line = _shown_part(codes, start, end, box, glyphs, geometry)
        if line is not None:
            ranges.append(line[0])
            boxes.append(line[1])
    if is_cut:
        ink = np.flatnonzero(inked(codes)).tolist()
    return TextLines(codes=codes, ranges=ranges, boxes=boxes, ink=ink)


def run_boxes(text: Any, lines: TextLines, start: int, end: int) -> list[UserBox]:
    """Find a box for each line that some characters stand on, no larger than the line's.

    Args:
        text: The loaded page of text.
        lines: What :func:`read_lines` read of it.
        start: Index of the first character.
        end: Index after the last one.
    """
    glyphs = GlyphBoxes(text)
    found = []
    first_line = bisect_right(lines.ranges, start, key=itemgetter(1))
    after_last = bisect_left(lines.ranges, end, key=itemgetter(0))
    for line, box in zip(
        lines.ranges[first_line:after_last], lines.boxes[first_line:after_last], strict=True
    ):
        whole = _ends(lines.ink, *line)
        ends = _ends(lines.ink, max(start, line[0]), min(end, line[1]))
        if ends == whole:
            found.append(box)
        elif ends is not None:
            run = glyphs.run(glyphs.words(ends[0], ends[1] + 1), *ends)
            if run is not None:
                within = common([run, box])  # the font's box of an odd letter reaches beyond
                found.append(within if has_area(within) else run)
    return found


def _unbroken(
    lines: NDArray[np.int32], glyphs: GlyphBoxes
) -> Iterator[tuple[int, int, list[UserBox]]]:
    """Part lines where they jump and give each with the boxes of its words."""
    for start, end in lines.tolist():
        words = glyphs.words(start, end)
        done, first_word = start, 0
        for word in jumps(words) if len(words) > 1 else ():
            cut = glyphs.start_of_word(start, end, word)
            yield done, cut, words[first_word:word]
            done, first_word = cut, word
        yield done, end, words[first_word:]


def _ends(ink: list[int], start: int, end: int) -> tuple[int, int] | None:
    """Give the first and last character of a range that are no blanks; None if all are."""
    first, after_last = bisect_left(ink, start), bisect_left(ink, end)
    return (ink[first], ink[after_last - 1]) if first < after_last else None


def _shown_part(
    codes: NDArray[np.uint32],
    start: int,
    end: int,
    box: UserBox | None,
    glyphs: GlyphBoxes,
    geometry: PageGeometry,
) -> tuple[tuple[int, int], UserBox] | None:
    """Find what is on the page of a line that is not whole on it, and blot out the rest.

    Pages cut from a spread hold the text of both.
    """
    if box is not None and geometry.touches(box):
        codes[start:end][~_within(codes[start:end], start, glyphs, geometry)] = 0
        seen = (np.flatnonzero(inked(codes[start:end])) + start).tolist()
        if seen:
            first, last = seen[0], seen[-1]
            part = glyphs.run(glyphs.words(first, last + 1), first, last)
            if part is not None:
                return (first, last + 1), part
    codes[start:end] = 0  # a line without an extent, as in a font of size 0, is not seen either
    return None


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
