"""Places the blocks between those that were hit: short ones, damaged ones."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
from rapidfuzz import fuzz

from zhiyipdf.grounding.findings import Finding, backbone, pages_of
from zhiyipdf.grounding.folding import text_of
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
_LONGEST_WINDOW = 12_000
_LEAST_LENGTH = 6


@dataclass(slots=True)
class _Place:
    start: int
    end: int
    total: float
    before: _Place | None
    number: int


def fill_exactly(
    findings: list[Finding | None], blocks: BlockStream, pages: PageStream
) -> None:
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
    for run, left, right in _runs(findings, blocks, len(pages.codes)):
        # The whole pages of the neighbours: objects are not always drawn in reading order.
        low = starts[bisect_right(starts, min(left, right), hi=len(starts) - 1) - 1]
        high = starts[bisect_left(starts, max(left, right))]
        for block, place in _placed(run, low, high, left, right, blocks, pages, used):
            length = place.end - place.start
            stretches = ((place.start, place.end),)
            findings[block] = Finding(
                method="exact",
                stretches=stretches,
                pages=pages_of(stretches, starts, least=1),
                matched=length,
                share=1.0,
            )
            used[place.start : place.end] = True


def _placed(
    run: Sequence[int],
    low: int,
    high: int,
    left: int,
    right: int,
    blocks: BlockStream,
    pages: PageStream,
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Iterator[tuple[int, _Place]]:
    """Give the best places of a run of blocks: a small Viterbi search over their occurrences."""
    best: _Place | None = None
    recent: list[list[_Place]] = []
    for number, block in enumerate(run):
        text = blocks.text[int(blocks.starts[block]) : int(blocks.starts[block + 1])]
        bits = _bits(text)
        places: list[_Place] = []
        reach = min(int(2**bits), high - low) if bits < 30 else high - low
        for start in _occurrences(text, low, high, left, right, reach, recent, pages.text, used):
            end = start + len(text)
            gap = start - left
            cost = log2(1 + gap) if gap >= 0 else _BACKWARDS + log2(1 - gap)
            after = right - end
            if after >= 0:
                cost = min(cost, _FROM_RIGHT + log2(1 + after))
            total, before = -cost, None
            skipped = 0.0
            for earlier in reversed(recent[-_LOOK_BACK:]):
                for place in earlier:
                    gap = start - place.end
                    if gap < 0:
                        continue
                    reached = place.total - skipped - min(log2(1 + gap), cost + _SKIPPED)
                    if reached > total:
                        total, before = reached, place
                skipped += _SKIPPED
            gained = bits + total - (before.total if before is not None else 0.0)
            if gained > 0:
                places.append(_Place(start, end, bits + total, before, block))
        if places:
            recent.append(places)
            leader = max(places, key=lambda p: p.total)
            if best is None or leader.total > best.total:
                best = leader
    while best is not None:
        yield best.number, best
        best = best.before


def _occurrences(
    text: str,
    low: int,
    high: int,
    left: int,
    right: int,
    reach: int,
    recent: Sequence[Sequence[_Place]],
    there: str,
    used: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> list[int]:
    """Give the free places of a text that are near enough to something to be believed."""
    found: set[int] = set()
    origins = {left, *(p.end for places in recent[-_LOOK_BACK:] for p in places)}
    if reach >= high - low:
        origins.add(low)
    for origin in sorted(origins)[:_MOST_PLACES]:
        at, tries = origin, 0
        while tries < _MOST_PLACES:
            at = there.find(text, at, min(high, origin + reach + len(text)))
            if at < 0:
                break
            if not used[at : at + len(text)].any():
                found.add(at)
                break
            at, tries = at + 1, tries + 1
    at, tries = min(right, high), 0
    while tries < _MOST_PLACES:
        at = there.rfind(text, max(low, right - reach - len(text)), at)
        if at < 0:
            break
        if not used[at : at + len(text)].any():
            found.add(at)
            break
        at, tries = at + len(text) - 1, tries + 1
    return sorted(found)


def fill_roughly(
    findings: list[Finding | None], blocks: BlockStream, pages: PageStream, *, least: float
) -> None:
    """Find damaged blocks between their neighbours by likeness.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        pages: The PDF's.
        least: So alike a block and its place must be, from 0 to 100.
    """
    starts = pages.page_starts.tolist()
    free = pages.codes.copy()
    free[_used(findings, len(free))] = 0
    for run, left, right in _runs(findings, blocks, len(free)):
        low = starts[bisect_right(starts, min(left, right), hi=len(starts) - 1) - 1]
        high = starts[bisect_left(starts, max(left, right))]
        if high - low > _LONGEST_WINDOW:
            continue
        for block in run:
            text = blocks.text[int(blocks.starts[block]) : int(blocks.starts[block + 1])]
            if len(text) < _LEAST_LENGTH:
                continue
            window = text_of(free[low:high])
            found = fuzz.partial_ratio_alignment(text, window, score_cutoff=least)
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


def _runs(
    findings: Sequence[Finding | None], blocks: BlockStream, length: int
) -> Iterator[tuple[list[int], int, int]]:
    """Give the runs of blocks without a place, with the ends of the blocks around them.

    The blocks around them are those of the backbone, so that a run never hangs on a figure that
    has moved.
    """
    carrying = backbone(findings)
    left = 0
    first = 0
    for block in (*carrying, len(findings)):
        found = findings[block] if block < len(findings) else None
        right = length if found is None else found.start
        run = [
            i
            for i in range(first, block)
            if findings[i] is None and blocks.starts[i] < blocks.starts[i + 1]
        ]
        if run:
            yield run, left, right
        if found is not None:
            left, first = found.end, block + 1


def _used(
    findings: Sequence[Finding | None], length: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
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
