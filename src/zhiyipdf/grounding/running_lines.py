"""Recognises running headers and footers, and tells which of them the Markdown kept."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.models.page_text import PageText

__all__ = ["RunningLine", "RunningLines", "find_running_lines", "running_key"]

# Grounding study, section 4c; checked on the benchmark's documents.
_OUTERMOST = 3  # so many different heights at either end of a page are looked at
_SAME_HEIGHT_PT = 3.0
_MARGIN = 0.13  # of the page's height
_FEWEST_PAGES = 3
_SHARE_OF_PAGES = 0.3  # of those between its first and its last
_AFFIX = 10
_AFFIX_OF = 12
_KEPT_SHARE = 0.5
_LONGEST = 160
_MOST_COUNTED = 300
_WORDS = 6
_LONGEST_SHORT = 100
_PART = 8  # letters

_DIGITS = re.compile(r"\d+")
_ROMAN = re.compile(r"[ivxlc]{1,7}")

_Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outer:
    """A line near the top or the bottom of a page.

    Attributes:
        page: Index of its page.
        line: Its number in the page stream.
        edge: -1 at the top, 1 at the bottom.
        level: How many heights of lines lie between it and the edge, itself counted.
        height: Its distance from the edge, rounded.
        text: Folded.
    """

    page: int
    line: int
    edge: int
    level: int
    height: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLine:
    """One running line on one page.

    Attributes:
        text: Folded.
        edge: -1 at the top of the page, 1 at the bottom.
        lines: Numbers of its lines on the page, from 0.
    """

    text: str
    edge: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningLines:
    """The running lines of a PDF.

    Attributes:
        masked: For each line of the page stream whether it runs and the Markdown has it not.
        rank: For each line 0, or if it runs less than 0 at the top and more at the bottom, rising
            down the page: where converters put it, whatever its place among the page's objects.
        by_page: The running lines of each page that has some, from top to bottom.
        kept_keys: Keys of those that the Markdown has, as :func:`running_key` has them.
    """

    masked: NDArray[np.bool_]
    rank: NDArray[np.int8]
    by_page: Mapping[int, Sequence[RunningLine]] = field(default_factory=dict)
    kept_keys: frozenset[str] = frozenset()


def running_key(text: str) -> str:
    """Give what stays the same of a running line from page to page: numbers become ``0``.

    Args:
        text: Folded.
    """
    return "0" if _ROMAN.fullmatch(text) else _DIGITS.sub("0", text)


def find_running_lines(
    pages: Sequence[PageText], stream: PageStream, blocks: BlockStream
) -> RunningLines:
    """Find the running lines among the outermost lines of the pages.

    A line runs if it stands at the same height, up to numbers in it, on three pages or more, and
    on three of ten of those between its first and its last page.

    Args:
        pages: In order.
        stream: Of these pages.
        blocks: The Markdown's blocks.
    """
    found: dict[_Key, list[_Outer]] = defaultdict(list)
    for index, page in enumerate(pages):
        for outer in _outermost(index, page, stream):
            for key in _keys(running_key(outer.text)):
                found[key, outer.edge, outer.height].append(outer)
    runs = {entry: lines for entry, lines in found.items() if _runs(entry[0], lines)}
    runs = _without_inner(runs)
    said, there = _line_counts(blocks), Counter[str]()
    for outer in {outer for lines in runs.values() for outer in lines}:
        there.update({outer.text, *_keys(running_key(outer.text))})
    whole = {
        outer.text
        for (key, _, _), lines in runs.items()
        for outer in lines
        if running_key(outer.text) == key
    }
    by_affix = {outer.text for lines in runs.values() for outer in lines} - whole
    # Prose repeats a title's words, so that these count in short lines only.
    short = "".join(text for text in _lines(blocks) if len(text) <= _LONGEST_SHORT)
    for texts in ({key for key, _, _ in runs}, by_affix):
        _count_inside(said, blocks.text, short, texts)
    kept = {key for key, _, _ in runs if said[key] >= _KEPT_SHARE * there[key]}
    count = int(stream.line_starts[-1])
    masked, rank = np.zeros(count, bool), np.zeros(count, np.int8)
    by_page: dict[int, dict[int, RunningLine]] = defaultdict(dict)
    for lines in runs.values():
        for outer in lines:
            # From top to bottom: the outermost first at the top, last at the bottom.
            rank[outer.line] = outer.edge * (_OUTERMOST + 1 - outer.level)
            # Of its kind, or of just this one, the Markdown has as many.
            is_kept = bool(kept.intersection(_keys(running_key(outer.text)))) or (
                said[outer.text] >= _KEPT_SHARE * there[outer.text]
            )
            masked[outer.line] = not is_kept
            own = outer.line - int(stream.line_starts[outer.page])
            by_page[outer.page][outer.line] = RunningLine(
                text=outer.text, edge=outer.edge, lines=(own,)
            )
    return RunningLines(
        masked=masked,
        rank=rank,
        by_page={
            index: _in_order(lines, pages[index], int(stream.line_starts[index]))
            for index, lines in by_page.items()
        },
        kept_keys=frozenset(kept),
    )


def _without_inner(runs: Mapping[_Key, list[_Outer]]) -> dict[_Key, list[_Outer]]:
    """Leave out lines nearer the middle of a page than one that does not run: titles, say."""
    levels = {(o.page, o.edge, o.level) for lines in runs.values() for o in lines}
    outer = {
        entry: [o for o in lines if all((o.page, o.edge, n) in levels for n in range(1, o.level))]
        for entry, lines in runs.items()
    }
    return {entry: lines for entry, lines in outer.items() if lines}


def _count_inside(said: Counter[str], markdown: str, short: str, texts: Collection[str]) -> None:
    """Count running lines also where the Markdown has them within a line, or most of their words.

    Converters part a line of two columns, or join it with its neighbours.

    Args:
        said: How often the Markdown has each text; is raised.
        markdown: All of it, folded.
        short: Its short lines, in which words count.
        texts: Which to count.
    """
    long = sorted(text for text in texts if len(text) >= _AFFIX)
    for text in long[:_MOST_COUNTED]:
        pieces = [piece for piece in text.split("0") if len(piece) >= _WORDS]
        letters = sum(map(len, pieces))
        if letters < _AFFIX:
            continue
        if len(text) >= _AFFIX_OF:
            said[text] = max(said[text], markdown.count(text))
        counted = sorted(
            ((short.count(part), len(part)) for p in pieces for part in _parts(p)),
            reverse=True,
        )
        reached = 0
        for count, size in counted:
            reached += size
            if 2 * reached >= letters:
                said[text] = max(said[text], count)
                break


def _parts(piece: str) -> Iterator[str]:
    """Cut a piece into parts of some letters: noise spares more of these than of long ones."""
    count = max(len(piece) // _PART, 1)
    edges = [round(at * len(piece) / count) for at in range(count + 1)]
    yield from (piece[start:end] for start, end in pairwise(edges))


def _in_order(
    lines: Mapping[int, RunningLine], page: PageText, first_line: int
) -> tuple[RunningLine, ...]:
    heights = {line: float(page.line_boxes[line - first_line][1]) for line in lines}
    return tuple(lines[line] for line in sorted(lines, key=heights.__getitem__))


def _outermost(index: int, page: PageText, stream: PageStream) -> Iterator[_Outer]:
    """Give the lines at the top and the bottom of a page."""
    start, end = int(stream.page_starts[index]), int(stream.page_starts[index + 1])
    if start == end or not len(page.lines):
        return
    first_line = int(stream.line_starts[index])
    numbers = stream.line[start:end]
    present = np.unique(numbers)
    boxes = page.line_boxes[present - first_line]
    margin = _MARGIN * page.height
    for edge, heights in ((-1, boxes[:, 1]), (1, page.height - boxes[:, 3])):
        outer = np.flatnonzero(heights <= margin)
        if not len(outer):
            continue
        outer = outer[np.argsort(heights[outer], kind="stable")]
        distinct, last = 0, -np.inf
        for at in outer.tolist():
            height = float(heights[at])
            if height > last + _SAME_HEIGHT_PT:
                distinct, last = distinct + 1, height
                if distinct > _OUTERMOST:
                    break
            line = int(present[at])
            a = start + int(np.searchsorted(numbers, line, side="left"))
            b = start + int(np.searchsorted(numbers, line, side="right"))
            if b - a <= _LONGEST:
                yield _Outer(
                    page=index,
                    line=line,
                    edge=edge,
                    level=distinct,
                    height=round(height / _SAME_HEIGHT_PT),
                    text=stream.text[a:b],
                )


def _keys(key: str) -> tuple[str, ...]:
    """Give a line's keys: a running head may have the section's title at one end."""
    if len(key) < _AFFIX_OF:
        return (key,)
    return key, key[:_AFFIX], key[-_AFFIX:]


def _runs(key: str, lines: Sequence[_Outer]) -> bool:
    on_pages = sorted({outer.page for outer in lines})
    count = len(on_pages)
    if key == "0":
        return count >= _FEWEST_PAGES - 1
    between = on_pages[-1] - on_pages[0] + 1
    return count >= _FEWEST_PAGES and count >= _SHARE_OF_PAGES * between


def _line_counts(blocks: BlockStream) -> Counter[str]:
    """Count the Markdown's lines by the keys that running lines have."""
    counts: Counter[str] = Counter()
    for text in _lines(blocks):
        if len(text) <= _LONGEST:
            counts.update({text, *_keys(running_key(text))})
    return counts


def _lines(blocks: BlockStream) -> Iterator[str]:
    """Give the Markdown's lines, folded."""
    edges = [*blocks.lines.tolist(), len(blocks.codes)]
    return (blocks.text[start:end] for start, end in pairwise(edges))
