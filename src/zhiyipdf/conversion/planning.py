"""Which pages of a PDF are sent, and in which parts; decided without doing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zhiyipdf.errors import FileTooLarge, InputError, TooManyPages
from zhiyipdf.models import Bookmark, Part, Source, page_ranges, ranges_of
from zhiyipdf.policy import Limits

__all__ = ["halves", "plan_parts", "select_pages"]

NEAR = 5
"""A bookmark within the last fifth of the allowed size is worth cutting at."""


def select_pages(source: Source, pages: str | None) -> tuple[int, ...]:
    """Give the numbers of the pages that are to be converted, rising.

    Args:
        source: Damaged pages are none of its pages, and are left out of ranges.
        pages: As in :class:`~zhiyipdf.models.ParseOptions`; None for all.

    Raises:
        InputError: A range reaches beyond the end, or no page of it can be loaded.
    """
    numbers = [page.number for page in source.pages]
    if pages is None:
        return tuple(numbers)
    chosen: list[int] = []
    for first, last in page_ranges(pages):
        end = numbers[-1] if last is None else last
        if first > numbers[-1] or end > numbers[-1]:
            shown = f"{first}" if first == last else f"{first}-{'' if last is None else last}"
            raise InputError(
                f"pages={pages!r}: {shown} reaches beyond the end; the PDF has {numbers[-1]} pages",
                source=source.uri,
                hint="Ask for pages that it has.",
            )
        chosen += [number for number in numbers if first <= number <= end]
    if not chosen:
        raise InputError(
            f"pages={pages!r}: none of these pages can be loaded",
            source=source.uri,
            hint="Ask for other pages.",
        )
    return tuple(chosen)


def _allowed_pages(source: Source, limits: Limits) -> int:
    """How many pages one part may have, so that neither limit is likely to be passed.

    Bytes are taken to be spread evenly over the pages; a part that turns out too large is halved.
    """
    if source.size_bytes <= limits.max_file_bytes:
        return limits.max_pages
    fitting = len(source.pages) * limits.max_file_bytes // source.size_bytes
    return max(1, min(limits.max_pages, fitting))


def plan_parts(
    source: Source,
    numbers: Sequence[int],
    limits: Limits,
    *,
    split: bool = True,
    bookmarks: Sequence[Bookmark] = (),
) -> tuple[Part, ...]:
    """Cut pages of a source into what is converted as one task each.

    There are as few parts as can be. A part ends before the outermost bookmark within the last
    fifth of what is allowed, the last one of these; where there is none, what is left is cut
    evenly.

    Args:
        source: The PDF.
        numbers: Its pages that are wanted, from :func:`select_pages`.
        limits: ``max_pages`` and ``max_file_bytes`` are those of one part.
        split: Whether there may be more than one part.
        bookmarks: The outline; needed only if there is more than one part.

    Returns:
        In order; together they have every page once.

    Raises:
        TooManyPages: More than one part would be needed, and ``split`` is off.
        FileTooLarge: The same.
    """
    allowed = _allowed_pages(source, limits)
    whole = len(numbers) == len(source.pages)
    if len(numbers) <= limits.max_pages and whole and source.size_bytes <= limits.max_file_bytes:
        return (_part(numbers, whole=True),)
    if not split:
        _refuse(source, numbers, limits)
        return (_part(numbers),)  # its bytes are judged when it is made
    levels: dict[int, int] = {}
    for bookmark in bookmarks:
        level = levels.get(bookmark.page_number, bookmark.level)
        levels[bookmark.page_number] = min(level, bookmark.level)
    parts: list[Part] = []
    left = list(numbers)
    while len(left) > allowed:
        end = _end_of_part(left, allowed, levels)
        parts.append(_part(left[:end]))
        left = left[end:]
    return (*parts, _part(left))


def halves(part: Part) -> tuple[Part, Part]:
    """Cut a part of more than one page in two."""
    middle = (part.pages + 1) // 2
    return _part(part.numbers[:middle]), _part(part.numbers[middle:])


def _part(numbers: Sequence[int], *, whole: bool = False) -> Part:
    return Part(
        first_page=numbers[0], last_page=numbers[-1], whole=whole, ranges=ranges_of(numbers)
    )


def _end_of_part(left: Sequence[int], allowed: int, levels: Mapping[int, int]) -> int:
    """How many of the pages that are left the next part takes."""
    parts = -(-len(left) // allowed)
    fewest = len(left) - (parts - 1) * allowed  # with less there would be more parts
    near = range(max(fewest, 1, allowed - allowed // NEAR), allowed + 1)
    marked = [end for end in near if left[end] in levels]
    if marked:
        return min(marked, key=lambda end: (levels[left[end]], -end))
    return -(-len(left) // parts)


def _refuse(source: Source, numbers: Sequence[int], limits: Limits) -> None:
    whole = len(numbers) == len(source.pages)
    if whole and source.size_bytes > limits.max_file_bytes:
        raise FileTooLarge(
            f"The file is too large: {source.size_bytes:,} bytes, "
            f"the limit is {limits.max_file_bytes:,} bytes.",
            size_bytes=source.size_bytes,
            limit_bytes=limits.max_file_bytes,
            source=source.uri,
        )
    if len(numbers) > limits.max_pages:
        raise TooManyPages(
            f"{len(numbers)} pages are asked for, the limit is {limits.max_pages}.",
            pages=len(numbers),
            limit_pages=limits.max_pages,
            source=source.uri,
        )
