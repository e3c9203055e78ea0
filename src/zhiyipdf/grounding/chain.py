"""Chooses for each block the place on the pages that fits the places of the blocks around it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log2, sqrt

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.recurring import (
    LEAST_ALIKE,
    LEAST_LENGTH,
    LONGEST_LINE,
    Repeats,
    offered,
    repeats_of,
    verified,
    whole_lines,
)
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
_SHARED_COST = 0.1  # little: it only settles what is else as good
_PACE_UNIT = 2000.0
_PACE_COST = 0.3
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
    search = _Search(blocks, pages, hits, grams, clusters, by_block)
    for block in range(len(lengths)):
        if lengths[block] >= LEAST_LENGTH:
            search.go_on(block)
    final = max(
        (s for states in search.recent for s in states), key=lambda s: s.total, default=None
    )
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


class _Search:
    """The Viterbi search: where the blocks so far may be, and what that costs."""

    def __init__(
        self,
        blocks: BlockStream,
        pages: PageStream,
        hits: Hits,
        grams: Grams,
        clusters: Clusters,
        by_block: Mapping[int, Sequence[int]],
    ) -> None:
        self.recent: deque[list[_State]] = deque(maxlen=_LOOK_BACK)
        self._best: _State | None = None
        self._blocks, self._pages = blocks, pages
        self._lengths: list[int] = np.diff(blocks.starts).tolist()
        self._hits, self._grams = hits, grams
        self._clusters, self._by_block = clusters, by_block
        self._lines = whole_lines(pages)
        self._texts = [
            blocks.text[start:end] if end - start <= LONGEST_LINE else ""
            for start, end in pairwise(blocks.starts.tolist())
        ]
        self._copies = Counter(self._texts)
        self._pace = len(pages.codes) / max(len(blocks.codes), 1)
        tops, bottoms = pages.paged_depth
        self._tops, self._bottoms = tops.data, bottoms.data  # ten times as fast as arrays

    def go_on(self, block: int) -> None:
        """Add the next block: every place it may have, and the best way there."""
        text = self._texts[block]
        wholes = self._lines.get(text, ()) if text else ()
        own = self._by_block.get(block, ())
        # What the Markdown has more often than the pages cannot stand in one place each time.
        places = max(len(wholes), len(own))
        rarity = min(1.0, places / self._copies[text]) if text and places else 1.0
        states = [self._hit(block, cluster, rarity) for cluster in own]
        most = _MOST_STATES
        if wholes:
            most = _MOST_STATES if len(wholes) <= MOST_PLACES else _REPEATED_STATES
            states += self._whole(block, wholes, rarity)
        if not own and self._hits.repeated[block, 0] >= 0:
            # A title that runs on as the head of each page stands in two lines on its own.
            most = _REPEATED_STATES
            states += self._repeated(block, wholes)
        states.sort(key=lambda state: -state.total)
        del states[most:]
        if states:
            self.recent.append(states)
            if self._best is None or states[0].total > self._best.total:
                self._best = states[0]

    def _hit(self, block: int, cluster: int, rarity: float) -> _State:
        """Give the state of a block that stands at one of its clusters."""
        clusters = self._clusters
        covered = int(clusters.covered[cluster])
        length = self._lengths[block]
        gain = _GAIN * min(covered, _FULL_GAIN) * sqrt(min(1.0, covered / length)) * rarity
        start, end = int(clusters.start[cluster]), int(clusters.end[cluster])
        return self._arrive(block, start, end, covered, cluster, gain)

    def _whole(self, block: int, places: Sequence[int], rarity: float) -> Iterator[_State]:
        """Give the states of a block that is a line of its own."""
        length = len(self._texts[block])
        gain = _GAIN * min(length, _FULL_GAIN) * rarity + _WHOLE_LINE
        for start, lag in self._near(block, places):
            state = self._arrive(block, start, start + length, length, -1, gain - lag)
            state.places = len(places)
            yield state

    def _repeated(self, block: int, known: Sequence[int]) -> Iterator[_State]:
        """Give the states of a block with a gram that stands in many places, but known ones.

        Args:
            block: Its index.
            known: Places that have a state already, rising.
        """
        text = self._blocks.text_of(block)
        length = len(text)
        places = repeats_of(self._hits.repeated[block], self._grams)
        offset = int(self._hits.repeated[block, 2])
        for at, lag in self._near(block, places):
            nearest = bisect_left(known, at)
            if nearest < len(known) and known[nearest] == at:
                continue
            covered, start, end = verified(text, at, offset, self._pages)
            if length >= _LONG and covered < LEAST_ALIKE * length:
                continue
            gain = _GAIN * min(length, _FULL_GAIN) * sqrt(covered / length)
            state = self._arrive(block, start, end, covered, -1, gain - lag)
            state.places = len(places)
            yield state

    def _near(self, block: int, places: Sequence[int] | Repeats) -> Iterator[tuple[int, float]]:
        """Give the places worth looking at, and what it costs that they are out of pace."""
        length = self._lengths[block]
        expected = int(self._blocks.starts[block]) * self._pace
        ends = [
            state.end
            for states in list(self.recent)[-_REPEATED_LOOK_BACK:]
            for state in states[:_REPEATED_STATES]
        ]
        for start in offered(places, ends or [int(expected)], _whole_overlap(length)):
            away = abs(start - expected) / _PACE_UNIT
            yield start, _PACE_COST * log2(1 + away) if len(places) > MOST_PLACES else 0.0

    def _arrive(
        self, block: int, start: int, end: int, covered: int, cluster: int, gain: float
    ) -> _State:
        """Make a state, coming from the best of the states before it."""
        top, bottom = self._tops[start], self._bottoms[min(end, len(self._bottoms) - 1)]
        overlap = _OVERLAP if cluster >= 0 else _whole_overlap(end - start)
        if not self.recent:
            total = gain - _GAP_COST * log2(1 + top / _GAP_UNIT)
            return _State(start, end, covered, cluster, total, None, block, top, bottom)
        total, before = -1e18, None
        best = self._best
        if best is not None:
            total, before = best.total - _FRESH - _distance_cost(top - best.bottom, overlap), best
        skipped = len(self.recent) * _SKIPPED
        for states in self.recent:
            skipped -= _SKIPPED
            for state in states:
                reached = state.total - skipped
                if reached <= total:
                    break  # the states are sorted: none of the others can do better
                reached -= _distance_cost(top - state.bottom, overlap)
                if start < state.end and state.start < end:
                    reached -= _shared_cost(start, end, state)
                if reached > total:
                    total, before = reached, state
        return _State(start, end, covered, cluster, total + gain, before, block, top, bottom)


def _shared_cost(start: int, end: int, before: _State) -> float:
    """Tell what it costs to claim characters that the block before has claimed already."""
    shared = min(end, before.end) - max(start, before.start)
    return _SHARED_COST * shared / max(min(end - start, before.end - before.start), 1)


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


def _rival(state: _State, own: Sequence[int], clusters: Clusters, pages: PageStream) -> int:
    """Give the cover of the best cluster on another page."""
    if len(own) < 2:
        return 0
    page = pages.page_of(state.start)
    return max(
        (int(clusters.covered[c]) for c in own if pages.page_of(int(clusters.start[c])) != page),
        default=0,
    )
