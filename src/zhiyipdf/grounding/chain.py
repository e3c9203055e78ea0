"""Chooses for each block the place on the pages that fits the places of the blocks around it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.seeds import MOST_PLACES, Clusters, Grams, Hits
from zhiyipdf.grounding.streams import BlockStream, PageStream

__all__ = ["Choice", "choose"]

# Costs and gains in bits, as in the grounding study, section 4h. A Viterbi search and not a longest
# rising chain: figures and footnotes go back and forth.
_LOOK_BACK = 6
_MOST_STATES = 8
_GAIN = 0.5
_FULL_GAIN = 80  # characters
_OVERLAP = 60
_GAP_UNIT = 300.0
_GAP_COST = 0.8
_BACKWARDS = 2.0
_FAR = 6000
_FAR_COST = 6.0
_SKIPPED = 0.3
_FRESH = 2.0
_REPEATED_STATES = 4
_REPEATED_LOOK_BACK = 3
_PACE_UNIT = 2000.0
_PACE_COST = 0.3
_LEAST_LENGTH = 3
_LONGEST_LINE = 160
_WHOLE_LINE = 1.5  # a block that is a line of its own is hardly found elsewhere by chance
# Blocks this long must be covered by this share of what the document's blocks are.
_LONG = 40
_LEAST_SHARE = 0.3
_LEAST_TABLE_SHARE = 0.15
_GOOD_QUANTILE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Where a block was found.

    Attributes:
        start: Offset in the page stream.
        end: Offset after its last character.
        covered: Characters of it that were hit.
        rival: Characters that its best place on another page has; 0 if there is none.
        cluster: Index of the cluster, or -1 if the block was found as a whole.
        places: In how many places it stands as a whole; 0 if it was hit.
    """

    start: int
    end: int
    covered: int
    rival: int
    cluster: int
    places: int = 0


@dataclass(slots=True)
class _State:
    start: int
    end: int
    covered: int
    cluster: int
    total: float
    before: _State | None
    block: int
    top: int  # start and end, running lines not counted
    bottom: int
    places: int = 0


def choose(
    blocks: BlockStream,
    pages: PageStream,
    hits: Hits,
    grams: Grams,
    clusters: Clusters,
    tables: NDArray[np.bool_],
) -> tuple[dict[int, Choice], float]:
    """Choose a place for each block that was hit.

    Args:
        blocks: The Markdown's.
        pages: The PDF's.
        hits: Of the two.
        grams: The pages'.
        clusters: Of the hits.
        tables: For each block whether it is a table.

    Returns:
        The choices by block, and the share of a block's characters that is hit where the text is
        good: near 1 for a clean text layer, less the more noise there is.
    """
    lengths = np.diff(blocks.starts)
    share, usable = _usable(clusters, lengths, tables)
    by_block = _by_block(clusters, usable)
    recent: deque[list[_State]] = deque(maxlen=_LOOK_BACK)
    best: _State | None = None
    said_total, page_total = max(len(blocks.codes), 1), len(pages.codes)
    lines = _whole_lines(pages)
    depth = pages.depth.data  # scalars of an array cost ten times as much
    texts = [
        blocks.text[start:end] if end - start <= _LONGEST_LINE else ""
        for start, end in pairwise(blocks.starts.tolist())
    ]
    copies = Counter(texts)
    for block in range(len(lengths)):
        length = int(lengths[block])
        if length < _LEAST_LENGTH:
            continue
        expected = int(blocks.starts[block]) / said_total * page_total
        states: list[_State] = []
        text = texts[block]
        wholes: Sequence[int] | _Repeats = lines.get(text, ()) if text else ()
        # What the Markdown has more often than the pages cannot stand in one place each time.
        own = max(len(wholes), len(by_block.get(block, ())))
        rarity = min(1.0, own / copies[text]) if text and own else 1.0
        for cluster in by_block.get(block, ()):
            covered = int(clusters.covered[cluster])
            gain = _GAIN * min(covered, _FULL_GAIN) * sqrt(min(1.0, covered / length)) * rarity
            start, end = int(clusters.start[cluster]), int(clusters.end[cluster])
            states.append(_arrive(block, start, end, covered, cluster, gain, recent, best, depth))
        bonus = _WHOLE_LINE
        if not wholes and not states and hits.repeated[block, 0] >= 0:
            wholes, bonus = _repeats(hits.repeated[block], grams), 0.0
        for start in _offered(wholes, length, recent, expected) if wholes else ():
            gain = _GAIN * min(length, _FULL_GAIN) * rarity + bonus
            if len(wholes) > MOST_PLACES:
                gain -= _PACE_COST * log2(1 + abs(start - expected) / _PACE_UNIT)
            state = _arrive(block, start, start + length, length, -1, gain, recent, best, depth)
            state.places = len(wholes)
            states.append(state)
        states.sort(key=lambda state: -state.total)
        del states[_MOST_STATES if len(wholes) <= MOST_PLACES else _REPEATED_STATES :]
        if states:
            recent.append(states)
            if best is None or states[0].total > best.total:
                best = states[0]
    final = max((s for states in recent for s in states), key=lambda s: s.total, default=None)
    chosen: dict[int, Choice] = {}
    while final is not None:
        chosen[final.block] = Choice(
            start=final.start,
            end=final.end,
            covered=final.covered,
            rival=_rival(final, by_block.get(final.block, ()), clusters, pages),
            cluster=final.cluster,
            places=final.places,
        )
        final = final.before
    return chosen, share


def _arrive(
    block: int,
    start: int,
    end: int,
    covered: int,
    cluster: int,
    gain: float,
    recent: deque[list[_State]],
    best: _State | None,
    depth: memoryview,
) -> _State:
    """Make a state, coming from the best of the states before it."""
    top, bottom = depth[start], depth[min(end, len(depth) - 1)]
    overlap = _OVERLAP if cluster >= 0 else _whole_overlap(end - start)
    if not recent:
        total = gain - _GAP_COST * log2(1 + top / _GAP_UNIT)
        return _State(start, end, covered, cluster, total, None, block, top, bottom)
    total, before = -1e18, None
    if best is not None:
        total, before = best.total - _FRESH - _distance_cost(top - best.bottom, overlap), best
    skipped = len(recent) * _SKIPPED
    for states in recent:
        skipped -= _SKIPPED
        for state in states:
            reached = state.total - skipped
            if reached <= total:
                break  # the states are sorted: none of the others can do better
            reached -= _distance_cost(top - state.bottom, overlap)
            if reached > total:
                total, before = reached, state
    return _State(start, end, covered, cluster, total + gain, before, block, top, bottom)


def _whole_overlap(length: int) -> int:
    """Tell how far a block that is found as a whole may reach into the one before.

    Less than its own length: on a page of a few words it would stand where it stood before.
    """
    return min(_OVERLAP, length // 2)


def _distance_cost(gap: int, overlap: int) -> float:
    """Tell what it costs to go on so many characters after the end of a block."""
    if gap >= -overlap:
        cost = _GAP_COST * log2(1 + max(gap, 0) / _GAP_UNIT)
    else:
        gap = -gap
        cost = _BACKWARDS + _GAP_COST * log2(1 + gap / _GAP_UNIT)
    return cost + _FAR_COST if gap > _FAR else cost


def _usable(
    clusters: Clusters, lengths: NDArray[np.int64], tables: NDArray[np.bool_]
) -> tuple[float, NDArray[np.bool_]]:
    """Leave out clusters that cover too little of a long block to be more than chance."""
    if not len(clusters.block):
        return 0.0, np.zeros(0, bool)
    length = lengths[clusters.block]
    share = clusters.covered / np.maximum(length, 1)
    first = np.flatnonzero(np.append(True, clusters.block[1:] != clusters.block[:-1]))
    best = np.maximum.reduceat(share, first)
    long = length[first] >= _LONG
    good = float(np.quantile(best[long], _GOOD_QUANTILE)) if long.any() else float(best.max())
    least = np.where(tables[clusters.block], _LEAST_TABLE_SHARE, _LEAST_SHARE) * good
    return good, (length < _LONG) | (share >= least)


def _by_block(clusters: Clusters, usable: NDArray[np.bool_]) -> dict[int, list[int]]:
    by_block: dict[int, list[int]] = {}
    numbers = np.flatnonzero(usable)
    for number, block in zip(numbers.tolist(), clusters.block[numbers].tolist(), strict=True):
        by_block.setdefault(block, []).append(number)
    return by_block


@dataclass(frozen=True, slots=True)
class _Repeats:
    """All places of a block that stands in many: a window of the sorted grams, shifted."""

    places: NDArray[np.int32]
    shift: int

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> int:
        return int(self.places[index]) - self.shift


def _repeats(entry: NDArray[np.int64], grams: Grams) -> _Repeats:
    low, high, shift = (int(value) for value in entry)
    return _Repeats(grams.places[low:high], shift)


def _whole_lines(pages: PageStream) -> dict[str, list[int]]:
    """Give the places of each line's text."""
    places: dict[str, list[int]] = {}
    for start, end in zip(*pages.line_edges, strict=True):
        if _LEAST_LENGTH <= end - start <= _LONGEST_LINE:
            places.setdefault(pages.text[start:end], []).append(start)
    return places


def _offered(
    places: Sequence[int] | _Repeats, length: int, recent: deque[list[_State]], expected: float
) -> Iterable[int]:
    """Give the places worth looking at: the next one after each state's end and the one before."""
    if len(places) <= MOST_PLACES:
        return (places[i] for i in range(len(places)))
    wanted: set[int] = set()
    ends = [
        s.end for states in list(recent)[-_REPEATED_LOOK_BACK:] for s in states[:_REPEATED_STATES]
    ]
    for end in ends or [int(expected)]:
        at = bisect_left(places, end - _whole_overlap(length))
        wanted.update(i for i in (at - 1, at) if 0 <= i < len(places))
    return (max(places[i], 0) for i in sorted(wanted))


def _rival(state: _State, own: Sequence[int], clusters: Clusters, pages: PageStream) -> int:
    """Give the cover of the best cluster on another page."""
    if len(own) < 2:
        return 0
    page = pages.page_of(state.start)
    return max(
        (int(clusters.covered[c]) for c in own if pages.page_of(int(clusters.start[c])) != page),
        default=0,
    )
