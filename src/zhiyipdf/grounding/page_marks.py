"""Finds the marks between pages that some converters leave in the Markdown.

A family of marks is believed only if its numbers are a rising sequence that fits the PDF; a bare
``---`` is never a mark, since footnotes and rules look the same (wire notes 3.1).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from zhiyipdf.models import Block

__all__ = ["PageMark", "find_marks"]

# What follows on the mark's line, and blank lines after it, are the mark's.
_REST = r"(?:[ \t]*(?:\r\n?|\n))*"
_LINE_START, _LINE_END = r"(?:(?<=[\r\n\f])|\A)", r"(?=[ \t]*(?:[\r\n\f]|\Z))"
_COMMENT = re.compile(
    rf"<!--\s*page(?:\s*[:=#]\s*|\s+)(\d{{1,6}})\s*(?:(?:of|/)\s*\d{{1,6}}\s*)?-->{_REST}",
    re.IGNORECASE,
)
# Marker, README of --paginate_output: the page's number from 0 and 48 dashes.
_MARKER = re.compile(rf"{_LINE_START}\{{(\d{{1,6}})\}}-{{48}}{_LINE_END}{_REST}")
_BRACKET = re.compile(
    rf"{_LINE_START}[ \t]*\[page[ \t]+(\d{{1,6}})\]{_LINE_END}{_REST}", re.IGNORECASE
)
_FORM_FEED = re.compile(rf"\f{_REST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMark:
    """A mark between two pages.

    Attributes:
        start: Offset of its first character.
        end: Offset after it and the blank lines that follow it.
        page: 1-based page of the text after it.
    """

    start: int
    end: int
    page: int


def find_marks(text: str, blocks: Sequence[Block], total_pages: int) -> tuple[PageMark, ...]:
    """Find the page marks of a text.

    Args:
        text: Markdown.
        blocks: Of that text; marks in code are only believed if they are form feeds.
        total_pages: Pages of the PDF.

    Returns:
        The marks of the first family that fits: comments, Marker's, form feeds, ``[page N]``.
        Empty if none does.
    """

    def numbered(
        pattern: re.Pattern[str], count: Callable[[list[int], int], list[int]]
    ) -> tuple[PageMark, ...]:
        return _numbered_marks(text, blocks, total_pages, pattern, count)

    return (
        numbered(_COMMENT, _from_zero_or_one)
        or numbered(_MARKER, _as_marker_counts)
        or _form_feeds(text, total_pages)
        or numbered(_BRACKET, lambda numbers, _: numbers)
    )


def _numbered_marks(
    text: str,
    blocks: Sequence[Block],
    total_pages: int,
    pattern: re.Pattern[str],
    count: Callable[[list[int], int], list[int]],
) -> tuple[PageMark, ...]:
    starts = [block.start for block in blocks]
    found = [
        match
        for match in pattern.finditer(text)
        if blocks[bisect_right(starts, match.start()) - 1].kind != "code"
    ]
    pages = count([int(match[1]) for match in found], total_pages)
    if not _fits(pages, total_pages):
        return ()
    if _ends_pages(text, found, pages, total_pages):
        pages = [min(page + 1, total_pages) for page in pages]
    return tuple(
        PageMark(start=match.start(), end=match.end(), page=page)
        for match, page in zip(found, pages, strict=True)
    )


def _fits(pages: Sequence[int], total_pages: int) -> bool:
    """Whether numbers are pages of the PDF in order, and more than a single chance hit."""
    if not pages or pages[0] < 1 or pages[-1] > total_pages:
        return False
    rising = all(page < following for page, following in pairwise(pages))
    return rising and (len(pages) > 1 or pages[0] == total_pages <= 2)


def _ends_pages(
    text: str, found: Sequence[re.Match[str]], pages: Sequence[int], total_pages: int
) -> bool:
    """Whether marks stand at the end of their pages rather than at the beginning."""
    complete = len(pages) == total_pages
    return bool(
        complete and text[: found[0].start()].strip() and not text[found[-1].end() :].strip()
    )


def _from_zero_or_one(numbers: list[int], _: int) -> list[int]:
    return [number + 1 for number in numbers] if numbers[:1] == [0] else numbers


def _as_marker_counts(numbers: list[int], total_pages: int) -> list[int]:
    """From 0, as Marker does, unless only counting from 1 reaches the last page."""
    return numbers if numbers[-1:] == [total_pages] else [number + 1 for number in numbers]


def _form_feeds(text: str, total_pages: int) -> tuple[PageMark, ...]:
    """Take form feeds for marks, if they part the text in as many pieces as the PDF has pages.

    Some programs write one after each page, some before each: a blank piece at that end is none.
    """
    found = list(_FORM_FEED.finditer(text))
    if not found:
        return ()
    extra = len(found) + 1 - total_pages
    blank_first = not text[: found[0].start()].strip()
    blank_last = not text[found[-1].end() :].strip()
    if extra == 0 or (extra == 1 and blank_last):
        first = 2
    elif (extra == 1 and blank_first) or (extra == 2 and blank_first and blank_last):
        first = 1
    else:
        return ()
    return tuple(
        PageMark(start=match.start(), end=match.end(), page=min(first + number, total_pages))
        for number, match in enumerate(found)
    )
