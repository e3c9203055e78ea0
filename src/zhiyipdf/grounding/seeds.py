"""Finds where pieces of blocks stand on the pages: short exact matches, gathered in clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.streams import BlockStream, PageStream

__all__ = ["GRAM", "Clusters", "Grams", "Hits", "count_known", "find_hits", "gather", "grams_of"]

# Grounding study, sections 4e and 4f: shorter grams hit by chance, longer ones miss under noise.
GRAM = 12
WIDE_GRAM = 6
FIRST_WIDE = 0x2E80  # where Chinese, Japanese and Korean begin; each character says more
MOST_PLACES = 3  # a gram that stands in more places of the PDF tells nothing alone
MOST_CLUSTERS = 6
_NEAR_START, _WHOLE_SHARE = 8, 0.8

_BASE = np.uint64(0x9E3779B97F4A7C15)
_WIDE_SALT = np.uint64(0xD1B54A32D192ED03)
_SLAB = 100_000  # grams of the Markdown that are looked up at once, to bound memory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grams:
    """The grams of the pages, ready to be looked up.

    Attributes:
        hashes: Sorted.
        places: Offset in the page stream of each, rising among equals.
    """

    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hits:
    """Runs of characters that a block and the pages share, ordered by block and place.

    Each is made of grams that overlap.

    Attributes:
        block: Index of the block.
        said: Offset in the block stream.
        place: Offset in the page stream.
        size: Characters of the run.
        repeated: For each block the gram that stands for it if it has hits too many: its first and
            last index in :class:`Grams` and its offset in the block; shape (blocks, 3), -1 if none.
    """

    block: NDArray[np.int32]
    said: NDArray[np.int32]
    place: NDArray[np.int32]
    size: NDArray[np.int32]
    repeated: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clusters:
    """Hits of one block that lie close together on the pages, ordered by block and place.

    Attributes:
        block: Index of the block.
        said_start: Offset in the block stream of the first character hit.
        said_end: Offset after the last one.
        start: Offset in the page stream of the first.
        end: Offset after the last one.
        covered: How many different characters of the block are hit.
        first_hit: Index of the first of its hits; they are next to each other.
        end_hit: Index after the last one.
    """

    block: NDArray[np.int32]
    said_start: NDArray[np.int32]
    said_end: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    covered: NDArray[np.int32]
    first_hit: NDArray[np.int32]
    end_hit: NDArray[np.int32]


def grams_of(stream: PageStream) -> Grams:
    """Hash every gram of the pages."""
    hashes, places, _ = _hashed(stream.codes)
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    hashes = hashes[order]  # one at a time: of a large PDF each takes megabytes
    places = places[order]
    return Grams(hashes=hashes, places=places)


def count_known(codes: NDArray[np.uint32], grams: Grams) -> NDArray[np.bool_]:
    """Tell for each gram of a text whether the pages have it."""
    hashes = _rolled(codes, GRAM)
    at = np.searchsorted(grams.hashes, hashes)
    at = np.minimum(at, max(len(grams.hashes) - 1, 0))
    return grams.hashes[at] == hashes if len(grams.hashes) else np.zeros(len(hashes), bool)


def find_hits(blocks: BlockStream, grams: Grams) -> Hits:
    """Look up every gram of every block.

    Args:
        blocks: The Markdown's.
        grams: The pages'.
    """
    count = len(blocks.starts) - 1
    repeated = np.full((count, 3), -1, np.int64)
    found: list[tuple[NDArray[np.int32], ...]] = []
    lengths = np.diff(blocks.starts)
    at = 0
    while at < count:  # whole blocks at a time
        end = max(at + 1, int(np.searchsorted(blocks.starts, blocks.starts[at] + _SLAB)) - 1)
        end = min(end, count)
        base = int(blocks.starts[at])
        hashes, said, sizes = _hashed(blocks.codes[base : int(blocks.starts[end])])
        said = said + np.int32(base)
        block = np.repeat(np.arange(at, end, dtype=np.int32), lengths[at:end])[said - base]
        inside = said + sizes <= blocks.starts[block + 1]
        hashes, said, sizes, block = hashes[inside], said[inside], sizes[inside], block[inside]
        order = np.argsort(hashes, kind="stable")
        low = np.empty(len(order), np.int64)
        high = np.empty(len(order), np.int64)
        sought = hashes[order]
        low[order] = np.searchsorted(grams.hashes, sought, side="left")
        high[order] = np.searchsorted(grams.hashes, sought, side="right")
        counts = high - low
        few = (counts > 0) & (counts <= MOST_PLACES)
        times = counts[few]
        first = np.repeat(low[few], times)
        step = np.arange(len(first)) - np.repeat(np.cumsum(times) - times, times)
        found.append(
            _runs(
                np.repeat(block[few], times),
                np.repeat(said[few], times),
                grams.places[first + step],
                np.repeat(sizes[few], times),
            )
        )
        _note_repeated(repeated, block, said - blocks.starts[block], low, high, few)
        at = end
    block, said, place, size = (
        (np.concatenate(parts) for parts in zip(*found, strict=True))
        if found
        else (np.zeros(0, np.int32),) * 4
    )
    order = np.lexsort((said, place, block))
    return Hits(
        block=block[order],
        said=said[order],
        place=place[order],
        size=size[order],
        repeated=repeated,
    )


def gather(hits: Hits, blocks: BlockStream, pages: PageStream) -> Clusters:
    """Gather hits of the same block that follow each other on the pages.

    Args:
        hits: Of these blocks.
        blocks: The Markdown's.
        pages: The PDF's; its running lines part nothing.
    """
    if not len(hits.block):
        empty = np.zeros(0, np.int32)
        return Clusters(
            block=empty, said_start=empty, said_end=empty, start=empty, end=empty,
            covered=empty, first_hit=empty, end_hit=empty,
        )  # fmt: skip
    lengths = np.diff(blocks.starts)[hits.block]
    allowed = np.clip(0.6 * lengths, 30, 400)
    begins = np.empty(len(hits.block), bool)
    begins[0] = True
    tops, bottoms = pages.paged_depth
    begun, ended = tops[hits.place], bottoms[hits.place + hits.size] - 1
    begins[1:] = (hits.block[1:] != hits.block[:-1]) | (begun[1:] - ended[:-1] > allowed[1:])
    _part_copies(begins, hits, lengths, pages)
    first = np.flatnonzero(begins)
    end = np.append(first[1:], len(hits.block))
    cluster = np.cumsum(begins) - 1
    # Characters covered: by offset in the block, each run adds what those before do not reach.
    order = np.lexsort((hits.said, cluster))
    far = cluster[order].astype(np.int64) * (len(blocks.codes) + GRAM + 1)  # parts the clusters
    said = hits.said[order] + far
    reach = said + hits.size[order]
    reached = np.maximum.accumulate(reach)
    added = hits.size[order].astype(np.int64)
    added[1:] = np.clip(reach[1:] - np.maximum(said[1:], reached[:-1]), 0, None)
    covered = np.add.reduceat(added, first)
    said_start = np.minimum.reduceat(hits.said, first)
    said_end = np.maximum.reduceat(hits.said + hits.size, first)
    start = hits.place[first]
    end_place = np.maximum.reduceat(hits.place + hits.size, first)
    block = hits.block[first]
    keep = _best(block, covered)
    return Clusters(
        block=block[keep],
        said_start=said_start[keep],
        said_end=said_end[keep],
        start=start[keep],
        end=end_place[keep],
        covered=covered[keep].astype(np.int32),
        first_hit=first[keep].astype(np.int32),
        end_hit=end[keep].astype(np.int32),
    )


def _part_copies(
    begins: NDArray[np.bool_], hits: Hits, lengths: NDArray[np.int64], pages: PageStream
) -> None:
    """Part the hits of a block that stands whole on a page and, begun anew, on the next."""
    page = np.searchsorted(pages.page_starts, hits.place, side="right")
    first = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
    anew = ~begins & (hits.said <= hits.said[first] + _NEAR_START)
    anew[1:] &= page[1:] != page[:-1]
    for at in np.flatnonzero(anew).tolist():
        start = at - 1
        while not begins[start]:
            start -= 1
        covered = np.unique(
            np.concatenate(
                [
                    np.arange(said, said + size)
                    for said, size in zip(
                        hits.said[start:at].tolist(), hits.size[start:at].tolist(), strict=True
                    )
                ]
            )
        )
        begins[at] = len(covered) >= _WHOLE_SHARE * lengths[at]


def _runs(
    block: NDArray[np.int32],
    said: NDArray[np.int32],
    place: NDArray[np.int32],
    size: NDArray[np.int32],
) -> tuple[NDArray[np.int32], ...]:
    """Join grams of one block that overlap in the same way on both sides."""
    if not len(block):
        return block, said, place, size
    shift = place - said
    order = np.lexsort((said, shift, block))
    block, said, shift, size = block[order], said[order], shift[order], size[order]
    begins = np.empty(len(block), bool)
    begins[0] = True
    begins[1:] = (
        (block[1:] != block[:-1]) | (shift[1:] != shift[:-1]) | (said[1:] > said[:-1] + size[:-1])
    )
    first = np.flatnonzero(begins)
    ends = np.maximum.reduceat(said + size, first)
    said = said[first]
    return block[first], said, said + shift[first], (ends - said).astype(np.int32)


def _best(block: NDArray[np.int32], covered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the indices of the clusters of each block that cover most, in their old order."""
    order = np.lexsort((-covered, block))
    sorted_block = block[order]
    new = np.append(True, sorted_block[1:] != sorted_block[:-1])
    starts = np.flatnonzero(new)
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return np.sort(order[rank < MOST_CLUSTERS])


def _note_repeated(
    repeated: NDArray[np.int64],
    block: NDArray[np.int32],
    offset: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    few: NDArray[np.bool_],
) -> None:
    """Choose for each block without rarer grams the one whose count is the block's median."""
    has_few = np.zeros(len(repeated), bool)
    has_few[block[few]] = True
    many = (high - low > MOST_PLACES) & ~has_few[block]
    if not many.any():
        return
    block, offset, low, high = block[many], offset[many], low[many], high[many]
    order = np.lexsort((offset, high - low, block))
    block, offset, low, high = block[order], offset[order], low[order], high[order]
    first = np.flatnonzero(np.append(True, block[1:] != block[:-1]))
    end = np.append(first[1:], len(block))
    middle = (first + end - 1) // 2
    repeated[block[middle], 0] = low[middle]
    repeated[block[middle], 1] = high[middle]
    repeated[block[middle], 2] = offset[middle]


def _hashed(
    codes: NDArray[np.uint32],
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int32]]:
    """Give hash, offset and size of every gram of a text."""
    long = _rolled(codes, GRAM)
    is_wide = codes >= FIRST_WIDE
    counts = np.concatenate(([0], np.cumsum(is_wide)))
    all_wide = np.flatnonzero(counts[WIDE_GRAM:] - counts[:-WIDE_GRAM] == WIDE_GRAM)
    if len(codes) < WIDE_GRAM:
        all_wide = all_wide[:0]
    if not len(all_wide):
        return long, np.arange(len(long), dtype=np.int32), np.full(len(long), GRAM, np.int32)
    hashes = np.concatenate((long, _rolled(codes, WIDE_GRAM)[all_wide] ^ _WIDE_SALT))
    places = np.concatenate((np.arange(len(long), dtype=np.int32), all_wide.astype(np.int32)))
    sizes = np.full(len(hashes), GRAM, np.int32)
    sizes[len(long) :] = WIDE_GRAM
    return hashes, places, sizes


def _rolled(codes: NDArray[np.uint32], size: int) -> NDArray[np.uint64]:
    count = len(codes) - size + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    value = np.zeros(count, np.uint64)
    with np.errstate(over="ignore"):
        for step in range(size):
            value *= _BASE
            value += codes[step : step + count]
        value ^= value >> np.uint64(29)
        value *= _BASE
    return value
