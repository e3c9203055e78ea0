"""Judges what names of pictures, ``<page>-<block>.png``, tell of pages (wire notes 3.2).

A name alone proves nothing: ``2-1.png`` may be the first figure of chapter 2. What all of them tell
together does, if it agrees with the text around them, or with their order where no text is known.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from zhiyipdf.grounding.ink import IMAGE_LENGTH
from zhiyipdf.models import Block

__all__ = ["Pages", "PictureNames", "bounds", "hinted_page", "longest_rise", "read_names"]

Pages = tuple[int, int]
"""First and last of some pages, 1-based."""

_NAME = re.compile(r"(?:.*[/\\])?(\d{1,4})-\d{1,4}\.(?:png|jpe?g|gif|webp|bmp|tiff?)", re.I | re.S)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]+:|//", re.IGNORECASE)

# Names that stand between text of one page, or of two that follow each other, are compared with it.
# So many must be, for the text to prove them, and so many of these agree: a quarter of the figures
# may have moved (as many as the benchmark moves).
_FEWEST_PROOFS, _PROOF = 3, 0.75
_CONTRADICTED = 0.5
# How far names are from where the length of the text puts them: ink tells a page's share to 8 %,
# and numbers of chapters are off by nearly half of the pages. As shares of the pages, and in pages.
_NEAR, _NEAR_PAGES = 0.15, 1.0
_FAR, _FAR_PAGES = 0.3, 2.0
_FALLING = 0.4  # of all but the fewest: chance makes pages rise for a few names only
_STRAY = 0.1  # of the names may be of no page
# How often such names are right: see ``benchmarks/picture_names.py``.
_PROVEN, _RISEN, _LIKELY, _DOUBTFUL = 0.98, 0.95, 0.9, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNames:
    """What the pictures' names tell of the pages of their blocks.

    Attributes:
        pages: By index of the block: the pages, rising. Empty if names tell no pages.
        rising: The blocks among these whose pages never fall; the pictures of the others moved.
        worth: Probability that a page so told is right, for those of ``rising``.
        is_proven: The text around the pictures confirms the names: they hold even where a picture
            stands amid text of another page.
    """

    pages: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    rising: frozenset[int] = frozenset()
    worth: float = 0.0
    is_proven: bool = False

    def worth_of(self, index: int) -> float:
        """Tell how sure the page of a block is: less where the order speaks against it."""
        is_sure = self.is_proven or index in self.rising
        return self.worth if is_sure else min(self.worth, _DOUBTFUL)


def hinted_page(target: str, total_pages: int) -> int | None:
    """Read the page from a picture's name; None if it is no such name or no page of the PDF."""
    page = _number(target)
    return page if page is not None and 1 <= page <= total_pages else None


def read_names(
    blocks: Sequence[Block],
    total_pages: int,
    places: Mapping[int, Pages] | None = None,
) -> PictureNames:
    """Read the names of all pictures and tell what they are worth together.

    Where all are off by the same number, as names are that count from the first page converted,
    they are corrected by it. Names that the text contradicts, or their distance from where the
    length of the text puts them, tell nothing.

    Args:
        blocks: Covering a text.
        total_pages: Its last page.
        places: By index of the block the pages of those whose text is known; None: of none.
    """
    numbers = {i: own for i, block in enumerate(blocks) if (own := _numbers(block))}
    if not numbers:
        return PictureNames()
    known = places or {}
    around = (
        (i, known.get(i, between))
        for i, between in (bounds(numbers, known, total_pages) if known else ())
    )
    told = [(numbers[i][0], between) for i, between in around if between[1] - between[0] <= 1]
    offset, agreeing = _offset(numbers, told, total_pages)
    pages = {
        i: found
        for i, own in numbers.items()
        if (found := tuple(n + offset for n in own if 1 <= n + offset <= total_pages))
    }
    if len(numbers) - len(pages) > _STRAY * len(numbers):
        return PictureNames()
    if not pages or agreeing < _CONTRADICTED * len(told):
        return PictureNames()
    firsts = [(i, own[0]) for i, own in pages.items()]
    rising = frozenset(firsts[at][0] for at in longest_rise([page for _, page in firsts]))
    if len(told) >= _FEWEST_PROOFS and agreeing >= _PROOF * len(told):
        return PictureNames(pages=pages, rising=rising, worth=_PROVEN, is_proven=True)
    worth = _worth(blocks, firsts, len(rising), total_pages)
    return PictureNames(pages=pages, rising=rising, worth=worth) if worth else PictureNames()


def bounds(
    indices: Iterable[int], places: Mapping[int, Pages], total_pages: int
) -> Iterator[tuple[int, Pages]]:
    """Give for each block the pages between the placed ones before and after it.

    Args:
        indices: Of the blocks, rising.
        places: By index of the block.
        total_pages: The last page.
    """
    known = sorted(places)
    for i in indices:
        before, after = bisect_left(known, i), bisect_right(known, i)
        first = places[known[before - 1]][1] if before else 1
        last = places[known[after]][0] if after < len(known) else total_pages
        yield i, (min(first, last), max(first, last))


def longest_rise(pages: Sequence[int]) -> list[int]:
    """Give the indices of a longest non-decreasing subsequence, in n log n steps."""
    tails: list[int] = []  # the lowest page a rise of each length can end with
    ends: list[int] = []  # and where that is
    before: list[int] = []
    for at, page in enumerate(pages):
        length = bisect_right(tails, page)
        before.append(ends[length - 1] if length else -1)
        tails[length : length + 1] = [page]
        ends[length : length + 1] = [at]
    rise: list[int] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        rise.append(at)
        at = before[at]
    return rise[::-1]


def _number(target: str) -> int | None:
    name = None if _ELSEWHERE.match(target) else _NAME.fullmatch(target)
    return None if name is None else int(name[1])


def _numbers(block: Block) -> tuple[int, ...]:
    return tuple(sorted({n for target in block.images if (n := _number(target)) is not None}))


def _offset(
    numbers: Mapping[int, tuple[int, ...]], told: Sequence[tuple[int, Pages]], total_pages: int
) -> tuple[int, int]:
    """Tell what is to be added to names for pages, and how many names the text then confirms."""
    votes: Counter[int] = Counter()
    voters: dict[int, set[int]] = {}
    for number, (first, last) in told:
        for offset in {first - number, last - number}:
            votes[offset] += 1
            voters.setdefault(offset, set()).add(number)
    best = max(votes, key=lambda offset: (votes[offset], offset == 0, -abs(offset)), default=0)
    is_proof = votes[best] >= _PROOF * len(told) and len(voters.get(best, ())) >= _FEWEST_PROOFS
    is_only = all(votes[other] < votes[best] for other in votes if other != best)
    if best and is_proof and is_only:
        return best, votes[best]
    lowest, highest = min(min(own) for own in numbers.values()), max(map(max, numbers.values()))
    if not told and (lowest < 1 or highest > total_pages):
        offset = 1 - lowest  # counted from 0, or from another first page
        if highest + offset == total_pages or (lowest == 0 and highest < total_pages):
            return offset, 0
    return 0, votes[0]


def _worth(
    blocks: Sequence[Block], firsts: Sequence[tuple[int, int]], rising: int, total_pages: int
) -> float:
    """Tell how sure names are that no text confirms, by their order; 0 if they tell nothing."""
    lengths = [IMAGE_LENGTH if b.images else len(b.text.strip()) for b in blocks]
    ends = [0, *accumulate(lengths)]
    off = 0.0
    for i, page in firsts:
        expected = (ends[i] + ends[i + 1]) / 2 / max(ends[-1], 1) * total_pages + 0.5
        off += abs(page - expected) / len(firsts)
    if off > max(_FAR * total_pages, _FAR_PAGES):
        return 0.0
    count = len(firsts)
    is_rising = count - rising <= max(_FALLING * (count - _FEWEST_PROOFS), 0)
    if not is_rising or off > max(_NEAR * total_pages, _NEAR_PAGES):
        return _DOUBTFUL
    return _RISEN if count >= _FEWEST_PROOFS else _LIKELY
