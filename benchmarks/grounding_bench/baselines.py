"""Three plain ways to find pages, to show what the method of the package buys.

Each takes and returns what :func:`zhiyipdf.grounding.align` does. Their scores are 1 where text was
found and 0 elsewhere: they have no better notion of being right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from math import log2, sqrt

import numpy as np
from rapidfuzz import fuzz, process

from grounding_bench.letters import block_letters, grams, page_letters
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["page_shingles", "partial_ratio", "unique_grams"]

MOST_PAGES_OF_GRAM = 8
STATES = 8
SHORTEST_FUZZY = 3
LONGEST_FUZZY = 400
LEAST_RATIO = 50


def page_shingles(blocks: Sequence[Block], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Count the grams that a block shares with each page; choose pages by Viterbi over blocks."""
    texts = page_letters(pages)
    hashes, owners = [], []
    for place, text in enumerate(texts):
        found = np.unique(grams(text)[1])
        hashes.append(found)
        owners.append(np.full(len(found), place))
    table, owner = _sorted(hashes, owners)
    choices: list[list[tuple[int, float]]] = []
    for text in block_letters(blocks):
        own = np.unique(grams(text)[1])
        left, right = np.searchsorted(table, own), np.searchsorted(table, own, "right")
        few = (right > left) & (right - left <= MOST_PAGES_OF_GRAM)
        hits = Counter(
            int(page)
            for start, stop in zip(left[few], right[few], strict=True)
            for page in owner[start:stop]
        )
        choices.append(
            [
                (page, 0.5 * min(count, 80) * sqrt(count / max(1, len(own))))
                for page, count in hits.most_common(STATES)
            ]
        )
    return _answers(_viterbi(choices), pages)


def _viterbi(choices: Sequence[Sequence[tuple[int, float]]]) -> list[int | None]:
    def cost(step: int) -> float:
        return (0.0, 0.5)[step] if step in {0, 1} else 2 + 0.8 * log2(1 + abs(step))

    stated = [place for place, options in enumerate(choices) if options]
    scores: list[list[float]] = []
    origins: list[list[int]] = []
    for row, place in enumerate(stated):
        options = choices[place]
        before = choices[stated[row - 1]] if row else ()
        scores.append([])
        origins.append([])
        for page, gain in options:
            best, origin = 0.0, -1
            if before:
                best, origin = max(
                    (scores[row - 1][state] - cost(page - earlier), state)
                    for state, (earlier, _) in enumerate(before)
                )
            scores[row].append(best + gain)
            origins[row].append(origin)
    result: list[int | None] = [None] * len(choices)
    state = max(range(len(scores[-1])), key=scores[-1].__getitem__) if scores else -1
    for row in range(len(stated) - 1, -1, -1):
        result[stated[row]] = choices[stated[row]][state][0]
        state = origins[row][state]
    return result


def unique_grams(blocks: Sequence[Block], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Pair grams that are unique on both sides; keep the longest increasing run (patience)."""
    page_texts, block_texts = page_letters(pages), block_letters(blocks)
    page_ends = list(accumulate(map(len, page_texts)))
    block_ends = list(accumulate(map(len, block_texts)))
    page_place, page_hash = _once(*grams("".join(page_texts)))
    block_place, block_hash = _once(*grams("".join(block_texts)))
    _, here, there = np.intersect1d(block_hash, page_hash, return_indices=True)
    order = np.argsort(block_place[here], kind="stable")
    from_blocks, from_pages = block_place[here][order], page_place[there][order]
    found: list[int | None] = [None] * len(blocks)
    for pair in _increasing(from_pages.tolist()):
        block = bisect_right(block_ends, int(from_blocks[pair]))
        if found[block] is None:
            found[block] = bisect_right(page_ends, int(from_pages[pair]))
    return _answers(found, pages)


def _increasing(values: Sequence[int]) -> list[int]:
    """Give the indices of a longest strictly increasing subsequence."""
    tops: list[int] = []
    top_index: list[int] = []
    before: list[int] = []
    for index, value in enumerate(values):
        pile = bisect_right(tops, value - 1)
        before.append(top_index[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(value)
            top_index.append(index)
        else:
            tops[pile] = value
            top_index[pile] = index
    chain = []
    index = top_index[-1] if top_index else -1
    while index >= 0:
        chain.append(index)
        index = before[index]
    return chain[::-1]


def partial_ratio(blocks: Sequence[Block], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Compare every block with every page by rapidfuzz; the best wins, the nearest of equals."""
    texts = page_letters(pages)
    found: list[int | None] = []
    at = 0
    for text in block_letters(blocks):
        if len(text) < SHORTEST_FUZZY:
            found.append(None)
            continue
        ratios = process.cdist([text[:LONGEST_FUZZY]], texts, scorer=fuzz.partial_ratio)[0]
        best = float(ratios.max(initial=0.0))
        if best < LEAST_RATIO:
            found.append(None)
            continue
        at = min(np.flatnonzero(ratios == best).tolist(), key=lambda page: (abs(page - at), page))
        found.append(at)
    return _answers(found, pages)


def _sorted(
    hashes: Sequence[np.typing.NDArray[np.uint64]], owners: Sequence[np.typing.NDArray[np.int64]]
) -> tuple[np.typing.NDArray[np.uint64], np.typing.NDArray[np.int64]]:
    table, owner = np.concatenate(hashes), np.concatenate(owners)
    order = np.argsort(table, kind="stable")
    return table[order], owner[order]


def _once(
    places: np.typing.NDArray[np.int64], hashes: np.typing.NDArray[np.uint64]
) -> tuple[np.typing.NDArray[np.int64], np.typing.NDArray[np.uint64]]:
    _, first, count = np.unique(hashes, return_index=True, return_counts=True)
    kept = first[count == 1]
    return places[kept], hashes[kept]


def _answers(found: Sequence[int | None], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Give blocks that were not found the page of the block before."""
    result = []
    at = next((place for place in found if place is not None), 0)
    for place in found:
        if place is not None:
            at = place
        number = pages[at].number
        result.append(
            Alignment(
                pages=(number,),
                source="estimated" if place is None else "aligned",
                score=0.0 if place is None else 1.0,
                method="neighbours" if place is None else "seed",
            )
        )
    return tuple(result)
