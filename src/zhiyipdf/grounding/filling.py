"""Places the blocks between those that were hit: short ones, damaged ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log2

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from zhiyipdf.grounding.findings import Finding, backbone, pages_of
from zhiyipdf.grounding.folding import text_of
from zhiyipdf.grounding.searching import TextSearch
from zhiyipdf.grounding.seeds import FIRST_WIDE
from zhiyipdf.grounding.streams import BlockStream, PageStream

__all__ = ["fill_exactly", "fill_roughly"]

# What a character tells of its place, in bits: about what a language model needs for it.
_BITS, _WIDE_BITS, _DIGIT_BITS = 4.0, 9.0, 3.3
_MOST_PLACES = 24
_LOOK_BACK = 4
_SKIPPED = 0.5
_BACKWARDS = 2.0
_FROM_RIGHT = 1.0
_LONGEST_WINDOW = 12_000  # characters
_BITS_ENOUGH = 30.0  # to name any place of any PDF
# Likeness takes the square of a block's length, and more; a longer one that is alike was hit.
_LEAST_LENGTH, _MOST_LENGTH = 6, 2000
_WORD = 64  # letters that likeness compares at once
# Steps of likeness that a document may take, by its letters and at least; a second has about four
# billion. Documents of the tuning half of benchmarks/grounding.py, with OCR noise or blocks moved
# and dropped, took 82 million at most, and 270 a letter where they had 200,000 letters or more.
_STEPS_PER_LETTER, _LEAST_STEPS = 1_000, 400_000_000


@dataclass(frozen=True, slots=True)
class _Window:
    """Where a run of blocks may stand.

    Attributes:
        low: Where it begins: whole pages, for objects are not always drawn in reading order.
        high: Where it ends.
        left: Where the block before the run ends.
        right: Where the block after the run begins.
    """

    low: int
    high: int
    left: int
    right: int

    def cost(self, start: int, end: int) -> float:
        """Bits that naming a place takes, from the block before or the block after."""
        gap = start - self.left
        cost = log2(1 + gap) if gap >= 0 else _BACKWARDS + log2(1 - gap)
        after = self.right - end
        return min(cost, _FROM_RIGHT + log2(1 + after)) if after >= 0 else cost


@dataclass(slots=True)
class _Place:
    block: int
    start: int
    end: int
    total: float
    before: _Place | None


def fill_exactly(findings: list[Finding | None], blocks: BlockStream, pages: PageStream) -> None:
    """Find blocks letter by letter between their neighbours.

    A place is taken if the block's text tells more bits than naming the place would need, counted
    from the block before or the block after it.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        pages: The PDF's.
    """
    used = _used(findings, len(pages.codes))
    starts = pages.page_starts.tolist()

    def wanted() -> Iterator[str]:
        return (blocks.text_of(i) for i, found in enumerate(findings) if found is None)

    search = TextSearch(pages.text, wanted)
    for run, window in _runs(findings, blocks, starts):
        for place in _placed(run, window, blocks, search, used):
            stretches = ((place.start, place.end),)
            findings[place.block] = Finding(
                method="exact",
                stretches=stretches,
                pages=pages_of(stretches, starts, least=1),
                matched=place.end - place.start,
                share=1.0,
            )
            used[place.start : place.end] = True


def _placed(
    run: Sequence[int],
    window: _Window,
    blocks: BlockStream,
    search: TextSearch,
    used: NDArray[np.bool_],
) -> Iterator[_Place]:
    """Give the best places of a run of blocks: a small Viterbi search over their occurrences."""
    best: _Place | None = None
    recent: deque[list[_Place]] = deque(maxlen=_LOOK_BACK)
    for block in run:
        text = blocks.text_of(block)
        bits = _bits(text)
        origins = {window.left, *(place.end for places in recent for place in places)}
        places = [
            place
            for start in _occurrences(text, bits, window, origins, search, used)
            if (place := _arrive(block, start, start + len(text), bits, window, recent)) is not None
        ]
        if places:
            recent.append(places)
            leader = max(places, key=lambda place: place.total)
            if best is None or leader.total > best.total:
                best = leader
    while best is not None:
        yield best
        best = best.before


def _arrive(
    block: int, start: int, end: int, bits: float, window: _Window, recent: deque[list[_Place]]
) -> _Place | None:
    """Make a place, coming from the best of the places before; None if it does not pay."""
    cost = window.cost(start, end)
    total: float = -cost
    before: _Place | None = None
    skipped = 0.0
    for earlier in reversed(recent):
        for place in earlier:
            gap = start - place.end
            if gap >= 0:
                reached = place.total - skipped - min(log2(1 + gap), cost + _SKIPPED)
                if reached > total:
                    total, before = reached, place
        skipped += _SKIPPED
    if bits + total <= (0.0 if before is None else before.total):
        return None
    return _Place(block, start, end, bits + total, before)


def _occurrences(
    text: str,
    bits: float,
    window: _Window,
    origins: set[int],
    search: TextSearch,
    used: NDArray[np.bool_],
) -> list[int]:
    """Give the free places of a text that are near enough to something to be believed."""
    size = window.high - window.low
    reach = size if bits >= _BITS_ENOUGH else min(int(2**bits), size)
    if reach >= size:
        origins = {*origins, window.low}
    low, high = max(window.low, window.right - reach - len(text)), min(window.right, window.high)
    found: set[int] = set()
    for origin in sorted(origins)[:_MOST_PLACES]:
        stop = min(window.high, origin + reach + len(text))
        at = _free(text, origin, stop, search, used)
        if at is not None and at >= 0:
            found.add(at)
        elif at is not None and stop == window.high:  # nor is there one behind the next origins
            if origin <= low:
                return sorted(found)
            break
    for _ in range(_MOST_PLACES):
        high = search.last(text, low, high)
        if high < 0:
            break
        if not used[high : high + len(text)].any():
            found.add(high)
            break
        high += len(text) - 1
    return sorted(found)


def _free(
    text: str, low: int, high: int, search: TextSearch, used: NDArray[np.bool_]
) -> int | None:
    """Give the first free place of a text, -1 if there is none, None if too many are taken."""
    for _ in range(_MOST_PLACES):
        low = search.first(text, low, high)
        if low < 0 or not used[low : low + len(text)].any():
            return low
        low += 1
    return None


def fill_roughly(
    findings: list[Finding | None],
    blocks: BlockStream,
    pages: PageStream,
    *,
    least: float,
    only: Collection[int] | None = None,
) -> None:
    """Find damaged blocks between their neighbours by likeness.

    Where there is more to compare than the document's size allows, as in one that is not of this
    PDF at all, the longest blocks are left alone.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        pages: The PDF's.
        least: So alike a block and its place must be, from 0 to 100.
        only: Of these blocks alone.
    """
    starts = pages.page_starts.tolist()
    free = pages.codes.copy()
    free[_used(findings, len(free))] = 0
    sought = [
        (block, window.low, window.high)
        for run, window in _runs(findings, blocks, starts)
        if window.high - window.low <= _LONGEST_WINDOW
        for block in run
        if only is None or block in only
        if _LEAST_LENGTH <= len(blocks.text_of(block)) <= _MOST_LENGTH
    ]
    steps = [_steps(len(blocks.text_of(block)), high - low) for block, low, high in sought]
    allowed = _LEAST_STEPS + _STEPS_PER_LETTER * (len(pages.codes) + len(blocks.codes))
    for at in _affordable(steps, allowed):
        block, low, high = sought[at]
        text = blocks.text_of(block)
        found = fuzz.partial_ratio_alignment(text, text_of(free[low:high]), score_cutoff=least)
        if found is None or found.dest_end <= found.dest_start:
            continue
        stretches = ((low + found.dest_start, low + found.dest_end),)
        size = found.dest_end - found.dest_start
        findings[block] = Finding(
            method="fuzzy",
            stretches=stretches,
            pages=pages_of(stretches, starts, least=min(4, size)),
            matched=size,
            share=min(1.0, size / len(text)),
            likeness=found.score / 100,
        )
        free[stretches[0][0] : stretches[0][1]] = 0


def _steps(length: int, window: int) -> int:
    """Tell how long it takes to seek a text by likeness: it is compared at every place."""
    return window * length * (length // _WORD + 1)


def _affordable(costs: Sequence[int], allowed: int) -> list[int]:
    """Give the indices of what can be had together, rising: all of it, or else the cheapest."""
    if sum(costs) <= allowed:
        return list(range(len(costs)))
    cheapest = sorted(range(len(costs)), key=costs.__getitem__)
    spent = accumulate(costs[at] for at in cheapest)
    return sorted(at for at, total in zip(cheapest, spent, strict=True) if total <= allowed)


def _runs(
    findings: Sequence[Finding | None], blocks: BlockStream, starts: Sequence[int]
) -> Iterator[tuple[list[int], _Window]]:
    """Give the runs of blocks without a place, and where they may stand.

    The blocks around them are those of the backbone, so that a run never hangs on a figure that
    has moved.
    """
    left = 0
    first = 0
    for block in (*backbone(findings), len(findings)):
        found = findings[block] if block < len(findings) else None
        right = starts[-1] if found is None else found.start
        run = [i for i in range(first, block) if findings[i] is None and blocks.has_text(i)]
        if run:
            low = starts[bisect_right(starts, min(left, right), hi=len(starts) - 1) - 1]
            high = starts[bisect_left(starts, max(left, right))]
            yield run, _Window(low, high, left, right)
        if found is not None:
            left, first = found.end, block + 1


def _used(findings: Sequence[Finding | None], length: int) -> NDArray[np.bool_]:
    used = np.zeros(length, bool)
    for found in findings:
        if found is not None:
            for start, end in found.stretches:
                used[start:end] = True
    return used


def _bits(text: str) -> float:
    total = 0.0
    for char in text[:40]:
        wide = ord(char) >= FIRST_WIDE
        total += _WIDE_BITS if wide else _DIGIT_BITS if char.isdecimal() else _BITS
    return total
