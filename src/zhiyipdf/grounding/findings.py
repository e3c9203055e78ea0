"""What is known of each block while a document is aligned."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zhiyipdf.grounding.alignment import Method
from zhiyipdf.grounding.finishing import Stretch

__all__ = ["Finding", "backbone", "doubtful", "pages_of", "table_pages_of", "twins"]

_HEAVY = 300
_LIGHT = 60
_CHANCE = 12  # letters: a gram
_TABLE_JUMP = 2  # pages: a picture may stand between two parts of a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where a block was found.

    Attributes:
        method: How.
        stretches: Where in the page stream, in the order of the block; empty where only the page
            is known.
        pages: Indices of the pages it stands on, the first first.
        lines: Numbers of the lines of the first page that it is, if it is a running line.
        part: First and one past the last character of the folded line that it is; None if it is
            the whole line, or several.
        matched: How many of its characters were found.
        share: The same as a share of all its characters.
        rival: Characters that its best place on another page has.
        likeness: 0 to 1: how alike text and place are, where that was measured.
        choices: Among how many pages it was guessed.
        margin: How far it is from where another page would have been chosen: 0 at the edge, 1 in
            the middle of a page.
        ends: How many characters at its beginning and at its end were not found; None if unknown.
    """

    method: Method
    stretches: tuple[Stretch, ...] = ()
    pages: tuple[int, ...] = ()
    lines: tuple[int, ...] = ()
    part: tuple[int, int] | None = None
    matched: int = 0
    share: float = 0.0
    rival: int = 0
    likeness: float = 1.0
    choices: int = 1
    margin: float = 1.0
    ends: tuple[int, int] | None = None

    @property
    def start(self) -> int:
        """Offset in the page stream where it begins."""
        return self.stretches[0][0]

    @property
    def end(self) -> int:
        """Offset in the page stream where it ends."""
        return self.stretches[-1][1]


def pages_of(
    stretches: Iterable[Stretch],
    page_starts: Sequence[int],
    *,
    least: float,
    ends: tuple[int, int] = (0, 0),
) -> tuple[int, ...]:
    """Give the pages that hold enough of some stretches, in the order they are met.

    Args:
        stretches: In the page stream.
        page_starts: Of the page stream.
        least: So many characters are enough. Where no page has them, the one with most is given.
        ends: How many characters before the first stretch and after the last were not found: a
            page that has less of the block than that has it by chance.
    """
    counts = _letters_by_page(stretches, page_starts)
    if not counts:
        return ()
    kept = [page for page, count in counts.items() if count >= least]
    for end, missing in zip((0, -1), ends, strict=True):
        if len(kept) > 1 and counts[kept[end]] < min(missing, _CHANCE):
            del kept[end]
    return tuple(kept or [max(counts, key=counts.__getitem__)])


def table_pages_of(
    stretches: Iterable[Stretch], page_starts: Sequence[int], *, least: float
) -> tuple[int, ...]:
    """Give the pages of a table, without gaps: those around the one that holds most of it.

    A page of which less is found counts only between two others: its cells may stand anywhere.

    Args:
        stretches: In the page stream.
        page_starts: Of the page stream.
        least: So many characters are enough.
    """
    counts = _letters_by_page(stretches, page_starts)
    if not counts:
        return ()
    first = last = max(counts, key=counts.__getitem__)
    enough = sorted(page for page, count in counts.items() if count >= least)
    for page in enough:
        if last < page <= last + _TABLE_JUMP:
            last = page
    for page in reversed(enough):
        if first - _TABLE_JUMP <= page < first:
            first = page
    return tuple(page for page in range(first, last + 1) if page in counts)


def _letters_by_page(stretches: Iterable[Stretch], page_starts: Sequence[int]) -> dict[int, int]:
    """Count the characters of some stretches on each page, in the order these are met."""
    counts: dict[int, int] = {}
    for start, end in stretches:
        page = bisect_right(page_starts, start) - 1
        while start < end:
            stop = min(end, page_starts[page + 1])
            if stop > start:
                counts[page] = counts.get(page, 0) + stop - start
            start, page = stop, page + 1
    return counts


def backbone(findings: Sequence[Finding | None]) -> list[int]:
    """Give the blocks that carry the order: the heaviest run whose places never fall.

    Args:
        findings: By block; only those with a place in the stream count, by what they match.

    Returns:
        Their indices, rising.
    """
    blocks = [i for i, found in enumerate(findings) if found is not None and found.stretches]
    if not blocks:
        return []
    starts = [findings[i].start for i in blocks]  # type: ignore[union-attr] # all are found
    order = {start: rank for rank, start in enumerate(sorted(set(starts)), 1)}
    size = len(order)
    best = [0] * (size + 1)  # a Fenwick tree of the heaviest run that ends at or before a rank
    which = [-1] * (size + 1)
    totals: list[int] = []
    before: list[int] = []
    for number, (block, start) in enumerate(zip(blocks, starts, strict=True)):
        rank = order[start]
        total, source, at = 0, -1, rank
        while at:
            if best[at] > total:
                total, source = best[at], which[at]
            at &= at - 1
        found = findings[block]
        total += min(found.matched, _HEAVY) if found is not None else 0
        totals.append(total)
        before.append(source)
        at = rank
        while at <= size:
            if total > best[at]:
                best[at], which[at] = total, number
            at += at & -at
    at = max(range(len(totals)), key=totals.__getitem__)
    run: list[int] = []
    while at >= 0:
        run.append(blocks[at])
        at = before[at]
    return run[::-1]


def twins(findings: Sequence[Finding | None]) -> list[int]:
    """Give the blocks that were found in the very characters of another one.

    Of two, the one nearer to the blocks around it is not given.

    Args:
        findings: By block.
    """
    by_place: dict[tuple[Stretch, ...], list[int]] = {}
    found = [(i, own) for i, own in enumerate(findings) if own is not None and own.stretches]
    away: dict[int, int] = {}
    for at, (i, own) in enumerate(found):
        by_place.setdefault(own.stretches, []).append(i)
        beside = [found[other][1] for other in (at - 1, at + 1) if 0 <= other < len(found)]
        away[i] = sum(min(abs(o.end - own.start), abs(o.start - own.end)) for o in beside)
    return sorted(
        i
        for same in by_place.values()
        if len(same) > 1
        for i in sorted(same, key=away.__getitem__)[1:]
    )


def doubtful(findings: Sequence[Finding | None], *, far: int) -> dict[int, bool]:
    """Give the short blocks that were found out of the order of the text.

    Args:
        findings: By block.
        far: So many characters from the blocks around it are too far to be believed.

    Returns:
        By block whether it is too far.
    """
    carrying = backbone(findings)
    on_it = set(carrying)
    found_out: dict[int, bool] = {}
    ahead = 0
    for i, found in enumerate(findings):
        while ahead < len(carrying) and carrying[ahead] <= i:
            ahead += 1
        if found is None or i in on_it or found.matched >= _LIGHT:
            continue
        left = findings[carrying[ahead - 1]] if ahead else None
        right = findings[carrying[ahead]] if ahead < len(carrying) else None
        low = left.end if left is not None else 0
        high = right.start if right is not None else found.start
        found_out[i] = not low - far <= found.start <= high + far
    return found_out
