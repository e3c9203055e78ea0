"""Turns the chosen cluster of a block into the exact stretches of the pages that it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
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
_TAIL_RATIO = 55
_SHORT_TAIL = 3
_MERGE = 24
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
) -> tuple[tuple[Stretch, ...], int]:
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
        The stretches, and how many of the block's characters they match.
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
        if is_table:
            segments = _once_each(segments)
        else:
            segments = _chain(_once_each(segments))
        if not segments:
            return ((choice.start, choice.end),), choice.covered
    matched = sum(segment.size for segment in segments)
    if matched < end - begin:
        for other in others:
            more = _continuation(segments, other, hits, clusters, pages)
            if more:
                segments = sorted([*segments, *more], key=lambda s: s.said)
        matched = sum(segment.size for segment in segments)
    stretches = [(segment.place, segment.place + segment.size) for segment in segments]
    if not is_table:
        gained = _extend(stretches, segments, begin, end, blocks, pages)
        matched = min(matched + gained, end - begin)
    return _merged(stretches, ordered=not is_table), matched


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
        for a, p, e in zip(said[starts].tolist(), place[starts].tolist(), ends.tolist(), strict=True)
    ]


def _once_each(segments: list[_Segment]) -> list[_Segment]:
    """Use each character of the block, and each of the pages, once: the longest segments first."""
    chosen: list[_Segment] = []
    for segment in sorted(segments, key=lambda s: -s.size)[:_MOST_SEGMENTS]:
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
    """Give the segments of another cluster if it goes on where these end, or ends where they begin."""
    more = _chain(_once_each(_segments(hits, int(clusters.first_hit[other]), int(clusters.end_hit[other]))))
    if not more:
        return []
    size = sum(segment.size for segment in more)
    first, last = segments[0], segments[-1]
    if more[0].said >= last.said + last.size - 4 and more[0].place >= last.place + last.size - 4:
        between = more[0].place - last.place - last.size - (more[0].said - last.said - last.size)
        pages_apart = _page(pages, more[0].place) - _page(pages, last.place + last.size - 1)
    elif first.said >= more[-1].said + more[-1].size - 4 and first.place >= more[-1].place + more[-1].size - 4:
        end = more[-1]
        between = first.place - end.place - end.size - (first.said - end.said - end.size)
        pages_apart = _page(pages, first.place) - _page(pages, end.place + end.size - 1)
    else:
        return []
    if pages_apart > 1:
        return []
    near = between <= _NEAR or any(between <= far and size >= least for far, least in _FARTHER)
    return more if near else []


def _page(pages: PageStream, place: int) -> int:
    return int(np.searchsorted(pages.page_starts, place, side="right"))


def _extend(
    stretches: list[Stretch],
    segments: list[_Segment],
    begin: int,
    end: int,
    blocks: BlockStream,
    pages: PageStream,
) -> int:
    """Add the text beside the first and the last stretch that looks like the block's own ends."""
    gained = 0
    head = segments[0].said - begin
    if head and (head <= _TAIL or head < (end - begin) / 2):
        start = max(stretches[0][0] - head, 0)
        if _alike(blocks.text[begin : begin + head], pages.text[start : stretches[0][0]]):
            gained += head
            stretches[0] = (start, stretches[0][1])
    last = segments[-1]
    tail = end - last.said - last.size
    if tail and (tail <= _TAIL or tail < (end - begin) / 2):
        stop = min(stretches[-1][1] + tail, len(pages.text))
        if _alike(blocks.text[end - tail : end], pages.text[stretches[-1][1] : stop]):
            gained += tail
            stretches[-1] = (stretches[-1][0], stop)
    return gained


def _alike(said: str, there: str) -> bool:
    if said == there:
        return True
    if len(said) <= _SHORT_TAIL:
        return False
    return fuzz.ratio(said, there) >= _TAIL_RATIO


def _merged(stretches: list[Stretch], *, ordered: bool) -> tuple[Stretch, ...]:
    if not ordered:
        stretches = sorted(stretches)
    merged = [stretches[0]]
    for start, end in stretches[1:]:
        last_start, last_end = merged[-1]
        if last_start <= start <= last_end + _MERGE:
            merged[-1] = (last_start, max(last_end, end))
        else:
            merged.append((start, end))
    return tuple(merged)
