"""Reads and writes page ranges as people write them: ``1-20,35,90-``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["PageRange", "page_ranges", "pages_of", "ranges_of", "written"]

PageRange = tuple[int, int | None]
"""First and last page, 1-based, inclusive; None is the PDF's last page."""

# No PDF has more digits of pages; the bound keeps hostile text from making huge numbers.
_RANGE = re.compile(r"\s*([0-9]{1,9})\s*(?:(-)\s*([0-9]{1,9})?\s*)?")


def page_ranges(text: str) -> tuple[PageRange, ...]:
    """Read page ranges: numbers and ranges with commas between, ``5-`` up to the end.

    Args:
        text: For example ``"1-20, 35"``. Order and repetition mean nothing: pages come in the
            order of the PDF, each once.

    Returns:
        In order, apart from each other, as few as can be.

    Raises:
        ValueError: It is not written so; says what is wrong.
    """
    found: list[PageRange] = []
    for piece in text.split(","):
        match = _RANGE.fullmatch(piece)
        if match is None:
            raise ValueError(
                f"pages={text!r}: {piece.strip()!r} is neither a page nor a range; "
                'write for example "1-20,35"'
            )
        first = int(match[1])
        last = int(match[3]) if match[3] else None if match[2] else first
        if first < 1:
            raise ValueError(f"pages={text!r}: the first page is 1")
        if last is not None and last < first:
            raise ValueError(f"pages={text!r}: {piece.strip()!r} runs backwards")
        found.append((first, last))
    return _merged(found)


def written(ranges: Iterable[PageRange]) -> str:
    """Write page ranges so that :func:`page_ranges` reads them back."""
    pieces = []
    for first, last in ranges:
        if last == first:
            pieces.append(f"{first}")
        else:
            pieces.append(f"{first}-" if last is None else f"{first}-{last}")
    return ",".join(pieces)


def ranges_of(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Give the ranges that some numbers make.

    Args:
        numbers: Rising.
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)


def pages_of(ranges: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Give the numbers in some ranges; the inverse of :func:`ranges_of`."""
    return tuple(page for first, last in ranges for page in range(first, last + 1))


def _merged(ranges: Sequence[PageRange]) -> tuple[PageRange, ...]:
    merged: list[PageRange] = []
    for first, last in sorted(ranges, key=lambda pages: pages[0]):
        if not merged:
            merged.append((first, last))
            continue
        before_first, before_last = merged[-1]
        if before_last is not None and first > before_last + 1:
            merged.append((first, last))
        elif before_last is not None:
            end = None if last is None else max(before_last, last)
            merged[-1] = (before_first, end)
    return tuple(merged)
