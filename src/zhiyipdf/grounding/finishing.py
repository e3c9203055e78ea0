"""Turns the chosen cluster of a block into the exact stretches of the pages that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz

from zhiyipdf.grounding.chain import Choice
from zhiyipdf.grounding.seeds import Clusters, Hits
from zhiyipdf.grounding.streams import BlockStream, PageStream

__all__ = ["Stretch", "finish"]

# Grounding study, section 4i.
_SAME_DIAGONAL = 12
_DRIFT_COST, _DRIFT_BASE, _DRIFT_MOST = 0.02, 2.0, 20.0
_BACKWARDS = 15.0
_NEAR = 120
_FARTHER = ((1200, 30), (6000, 100))  # this far away with so many characters
_TAIL = 60
_LONGEST_TAIL = 2000  # likeness takes the square of this; a longer one that is alike was hit
_TAIL_RATIO = 55
_SHORT_TAIL = 3
_SAME_HEAD = 75
_MERGE = 24
_TABLE_GAP = 0.3  # of a table's length: its short cells share no gram with the page
_MOST_SEGMENTS = 400
_CHAIN_BACK = 40

Stretch = tuple[int, int]
"""First and one past the last offset in the page stream."""


@dataclass(slots=True)
class _Segment:
    """A run of equal characters: ``size`` of them at ``said`` in the block, at ``place``."""

    said: int
    place: int
    size: int


def finish(
    block: int,
    choice: Choice,
    others: Sequence[int],
    *,
    blocks: BlockStream,
    pages: PageStream,
    hits: Hits,
    clusters: Clusters,
    is_table: bool,
) -> tuple[tuple[Stretch, ...], int, tuple[int, int]]:
    """Give the stretches of a block that was hit, in the order of the block.

    Args:
        block: Its index.
        choice: Where it was found; of a cluster.
        others: Its other clusters.
        blocks: The Markdown's.
        pages: The PDF's.
        hits: Of the two.
        clusters: Of the hits.
        is_table: Whether it is a table, whose cells may be in another order.

    Returns:
        The stretches, how many of the block's characters they match, and how many of them at its
        beginning and end they do not.
    """
    begin, end = int(blocks.starts[block]), int(blocks.starts[block + 1])
    number = choice.cluster
    first, after = int(clusters.first_hit[number]), int(clusters.end_hit[number])
    said_span = int(clusters.said_end[number]) - int(clusters.said_start[number])
    span = choice.end - choice.start
    if span == said_span == choice.covered:
        segments = [_Segment(int(clusters.said_start[number]), choice.start, span)]
    else:
        segments = _segments(hits, first, after)
        segments = _once_each(segments) if is_table else _chain(_once_each(segments))
        if not segments:
            return ((choice.start, choice.end),), choice.covered, (0, 0)
    matched = sum(segment.size for segment in segments)
    if matched < end - begin:
        for other in others:
            more = _continuation(segments, other, hits, clusters, pages)
            if more:
                segments = sorted([*segments, *more], key=lambda s: s.said)
        matched = sum(segment.size for segment in segments)
    stretches = [(segment.place, segment.place + segment.size) for segment in segments]
    ends = _extend(stretches, segments, begin, end, blocks, pages)
    matched += segments[0].said - begin - ends[0]
    matched += end - segments[-1].said - segments[-1].size - ends[1]
    if is_table:
        merged = _without_heads(_merged(sorted(stretches), _MERGE), pages)
        merged = _merged_on_pages(merged, int(_TABLE_GAP * (end - begin)), pages)
    else:
        merged = _merged(stretches, _MERGE)
    return merged, min(matched, end - begin), ends


def _segments(hits: Hits, first: int, after: int) -> list[_Segment]:
    """Join hits on one diagonal that overlap or touch."""
    said = hits.said[first:after].astype(np.int64)
    place = hits.place[first:after].astype(np.int64)
    size = hits.size[first:after].astype(np.int64)
    order = np.lexsort((said, place - said))
    said, place, size = said[order], place[order], size[order]
    new = np.empty(len(said), bool)
    new[0] = True
    new[1:] = ((place - said)[1:] != (place - said)[:-1]) | (said[1:] > said[:-1] + size[:-1])
    starts = np.flatnonzero(new)
    ends = np.maximum.reduceat(said + size, starts)
    return [
        _Segment(a, p, e - a)
        for a, p, e in zip(
            said[starts].tolist(), place[starts].tolist(), ends.tolist(), strict=True
        )
    ]


def _once_each(segments: list[_Segment]) -> list[_Segment]:
    """Use each character of the block, and each of the pages, once: the longest segments first.

    Of two that are as long, such as the heads of a table that goes on over several pages, the one
    nearer to where most of the block is.
    """
    middle = _middle(segments)
    chosen: list[_Segment] = []
    ordered = sorted(segments, key=lambda s: (-s.size, abs(s.place - middle)))
    for segment in ordered[:_MOST_SEGMENTS]:
        a, p, size = segment.said, segment.place, segment.size
        for other in chosen:
            for mine, theirs in ((a, other.said), (p, other.place)):
                if mine < theirs + other.size and theirs < mine + size:
                    if mine >= theirs:  # cut the head off
                        cut = theirs + other.size - mine
                        a, p, size = a + cut, p + cut, size - cut
                    else:
                        size = theirs - mine
                    break
            if size < 4:
                break
        if size >= 4:
            chosen.append(_Segment(a, p, size))
    return sorted(chosen, key=lambda s: s.said)


def _middle(segments: Sequence[_Segment]) -> int:
    """Give the place before and after which the segments have as many characters."""
    half = sum(segment.size for segment in segments) / 2
    passed = 0
    for segment in sorted(segments, key=lambda s: s.place):
        passed += segment.size
        if passed >= half:
            return segment.place
    return 0


def _chain(segments: list[_Segment]) -> list[_Segment]:
    """Keep the heaviest run of segments in the order of the block, shifts and jumps paid for."""
    if len(segments) < 2:
        return segments
    totals: list[float] = []
    before: list[int] = []
    for index, segment in enumerate(segments):
        best, source = 0.0, -1
        for earlier in range(max(0, index - _CHAIN_BACK), index):
            other = segments[earlier]
            shift = abs((segment.place - segment.said) - (other.place - other.said))
            cost = 0.0
            if shift > _SAME_DIAGONAL:
                cost = min(_DRIFT_BASE + _DRIFT_COST * shift, _DRIFT_MOST)
            if segment.place < other.place:
                cost += _BACKWARDS
            if totals[earlier] - cost > best:
                best, source = totals[earlier] - cost, earlier
        totals.append(best + segment.size)
        before.append(source)
    at = max(range(len(totals)), key=totals.__getitem__)
    kept: list[_Segment] = []
    while at >= 0:
        kept.append(segments[at])
        at = before[at]
    return kept[::-1]


def _continuation(
    segments: list[_Segment], other: int, hits: Hits, clusters: Clusters, pages: PageStream
) -> list[_Segment]:
    """Give another cluster's segments if they go on where these end, or end where they begin."""
    first_hit, end_hit = int(clusters.first_hit[other]), int(clusters.end_hit[other])
    more = _chain(_once_each(_segments(hits, first_hit, end_hit)))
    if not more:
        return []
    size = sum(segment.size for segment in more)
    for one, two in ((segments[-1], more[0]), (more[-1], segments[0])):
        if two.said >= one.said + one.size - 4 and two.place >= one.place + one.size - 4:
            between = _apart(pages, one, two)
            pages_apart = pages.page_of(two.place) - pages.page_of(one.place + one.size - 1)
            break
    else:
        return []
    if pages_apart > 1:
        return []
    near = between <= _NEAR or any(between <= far and size >= least for far, least in _FARTHER)
    return more if near else []


def _apart(pages: PageStream, one: _Segment, other: _Segment) -> int:
    """Tell how many characters of no running line lie between two segments unexplained."""
    there = int(pages.depth[other.place]) - int(pages.depth[one.place + one.size - 1]) - 1
    return there - (other.said - one.said - one.size)


def _extend(
    stretches: list[Stretch],
    segments: list[_Segment],
    begin: int,
    end: int,
    blocks: BlockStream,
    pages: PageStream,
) -> tuple[int, int]:
    """Add the text beside the first and the last stretch that looks like the block's own ends.

    Returns:
        How many characters at the beginning and at the end were not found.
    """
    first, last = segments[0], segments[-1]
    head, tail = first.said - begin, end - last.said - last.size
    longest = max(_TAIL, min((end - begin - 1) // 2, _LONGEST_TAIL))
    if 0 < head <= longest:
        found = _best_beside(blocks.text[begin : begin + head], stretches[0][0], -1, pages)
        if found:
            head = 0
            stretches[:0] = found
    if 0 < tail <= longest:
        found = _best_beside(blocks.text[end - tail : end], stretches[-1][1], 1, pages)
        if found:
            tail = 0
            stretches += found
    return head, tail


def _best_beside(said: str, place: int, side: int, pages: PageStream) -> list[Stretch]:
    """Give where a text stands right before or after a place, running lines passed over or not."""
    size = len(said)
    text, places = pages.steady
    at = int(pages.depth[place])
    low, high = (max(at - size, 0), at) if side < 0 else (at, at + size)
    best, likeness = _stretches_of(places[low:high]), _likeness(said, text[low:high])
    if pages.is_running is not None:
        low, high = (max(place - size, 0), place) if side < 0 else (place, place + size)
        plain = _likeness(said, pages.text[low:high])
        if plain > likeness:
            best, likeness = [(low, min(high, len(pages.text)))], plain
    return best if likeness >= _TAIL_RATIO else []


def _stretches_of(places: NDArray[np.int32]) -> list[Stretch]:
    """Join neighbouring offsets."""
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) != 1) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(places, cuts)]


def _likeness(said: str, there: str) -> float:
    if said == there:
        return 100.0
    if len(said) <= _SHORT_TAIL:
        return 0.0
    return fuzz.ratio(said, there)


def _without_heads(stretches: tuple[Stretch, ...], pages: PageStream) -> tuple[Stretch, ...]:
    """Leave out what another page has of a table only because it repeats the table's head."""
    sizes: dict[int, int] = {}
    for start, end in stretches:
        page = pages.page_of(start)
        sizes[page] = sizes.get(page, 0) + end - start
    if len(sizes) < 2:
        return stretches
    main = max(sizes, key=sizes.__getitem__)
    there = pages.text[int(pages.page_starts[main]) : int(pages.page_starts[main + 1])]
    return tuple(
        (start, end)
        for start, end in stretches
        if pages.page_of(start) == main
        or fuzz.partial_ratio(pages.text[start:end], there) < _SAME_HEAD
    )


def _merged_on_pages(
    stretches: Sequence[Stretch], most: int, pages: PageStream
) -> tuple[Stretch, ...]:
    """Close the gaps of so many characters at most, unless a page ends in between."""
    by_page: dict[int, list[Stretch]] = {}
    for stretch in stretches:
        by_page.setdefault(pages.page_of(stretch[0]), []).append(stretch)
    return tuple(found for own in by_page.values() for found in _merged(own, most))


def _merged(stretches: Sequence[Stretch], most: int) -> tuple[Stretch, ...]:
    """Close the gaps of so many characters at most."""
    merged = [stretches[0]]
    for start, end in stretches[1:]:
        last_start, last_end = merged[-1]
        if last_start <= start <= last_end + most:
            merged[-1] = (last_start, max(last_end, end))
        else:
            merged.append((start, end))
    return tuple(merged)
