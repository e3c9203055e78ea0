"""Gives the blocks of a translation the pages and boxes of the blocks they render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from zhiyipdf.grounding.translation.bilingual import pair_bilingual
from zhiyipdf.grounding.translation.pairing import Pair, Pairing, pair_translated
from zhiyipdf.models import BBox, Block, Provenance, Variant

__all__ = ["inherit", "inherit_all"]

# A wrong pair is wrong by few blocks: the page is in doubt only if one of so many on either side
# has another.
_REACH = 2
# As sure as this, a page that is exact for the original is exact for the translation too.
_SURE = 0.99
# A block that renders none, between two on the same page: 36 of 50 (benchmarks/translation.py
# --scores). Between two pages there were too few to measure.
_BETWEEN = 0.72
_AFTER = 0.6


def inherit_all(blocks: Mapping[Variant, Sequence[Block]]) -> dict[Variant, tuple[Block, ...]]:
    """Let all variants of a text inherit from the original; without one they stay as they are."""
    original = blocks.get("original", ())
    placed: dict[Variant, tuple[Block, ...]] = {}
    for variant, own in blocks.items():
        if variant == "original" or not original:
            placed[variant] = tuple(own)
        else:
            pair = pair_bilingual if variant == "bilingual" else pair_translated
            placed[variant] = inherit(original, own, pair(original, own))
    return placed


def inherit(
    original: Sequence[Block], other: Sequence[Block], pairing: Pairing
) -> tuple[Block, ...]:
    """Place the blocks of a translation or of a bilingual text.

    Args:
        original: Blocks of the original, with provenance as far as it is known.
        other: Blocks of the variant. One that is ``exact`` already, by a page mark of its own,
            stays so, as does one for which the original tells no page.
        pairing: Of the two.

    Returns:
        The variant's blocks. ``pair`` is the first original that each renders. Its pages and boxes
        are those of all of them; ``score`` is the product of the original's and the probability
        that a wrong pair does not matter or that the pair is right; ``exact`` becomes ``aligned``
        where that probability is below 0.99. A block that renders none is ``estimated`` to stand
        where the block before it ends.
    """
    lost = _lost_between(original, pairing)
    return tuple(
        replace(
            block,
            pair=pair.originals[0] if pair.originals else None,
            provenance=_chosen(block, _inherited(original, pair) if pair.originals else guess),
        )
        for block, pair, guess in zip(other, pairing.pairs, lost, strict=True)
    )


def _chosen(block: Block, inherited: tuple[Provenance, ...]) -> tuple[Provenance, ...]:
    """Prefer what the variant itself says exactly; a box that fits is taken over."""
    own = block.provenance
    if not own or own[0].source != "exact":
        return inherited or own
    boxes = {found.page_number: found.bbox for found in inherited}
    return tuple(
        found if found.bbox else replace(found, bbox=boxes.get(found.page_number)) for found in own
    )


def _inherited(original: Sequence[Block], pair: Pair) -> tuple[Provenance, ...]:
    """Gather the pages of the blocks that one block renders."""
    score = _page_score(original, pair)
    pages: dict[int, Provenance] = {}
    for row in pair.originals:
        for found in original[row].provenance:
            there = pages.get(found.page_number)
            pages[found.page_number] = found if there is None else _united(there, found)
    if score >= _SURE and all(found.source == "exact" for found in pages.values()):
        return tuple(pages.values())
    return tuple(
        replace(
            found,
            source="aligned" if found.source == "exact" else found.source,
            score=found.score * score,
        )
        for found in pages.values()
    )


def _page_score(original: Sequence[Block], pair: Pair) -> float:
    """Give the probability that the first page of a pair is right, if the original's is."""
    first = _first_page(original[pair.originals[0]])
    around = range(
        max(pair.originals[0] - _REACH, 0), min(pair.originals[-1] + _REACH + 1, len(original))
    )
    pages = [_first_page(original[row]) for row in around if row not in pair.originals]
    elsewhere = sum(page not in {first, None} for page in pages) / max(len(pages), 1)
    return 1.0 - (1.0 - pair.score) * min(1.0, 2.0 * elsewhere)


def _first_page(block: Block) -> int | None:
    return block.provenance[0].page_number if block.provenance else None


def _united(one: Provenance, other: Provenance) -> Provenance:
    """Join what two blocks say of the same page; the less sure of both speaks."""
    surer, less = (one, other) if one.score >= other.score else (other, one)
    source = less.source if surer.source == "exact" else surer.source
    return replace(less, source=source, bbox=_hull(one.bbox, other.bbox))


def _hull(one: BBox | None, other: BBox | None) -> BBox | None:
    if one is None or other is None:
        return one or other
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def _lost_between(original: Sequence[Block], pairing: Pairing) -> list[tuple[Provenance, ...]]:
    """For each block say where it stands if it renders none: between its neighbours."""
    before: list[Provenance | None] = []
    after: list[Provenance | None] = []
    last: Provenance | None = None
    for pair in pairing.pairs:
        before.append(last)
        if pair.originals and (found := original[pair.originals[-1]].provenance):
            last = found[-1]
    last = None
    for pair in reversed(pairing.pairs):
        after.append(last)
        if pair.originals and (found := original[pair.originals[0]].provenance):
            last = found[0]
    return [_guess(b, a) for b, a in zip(before, reversed(after), strict=True)]


def _guess(before: Provenance | None, after: Provenance | None) -> tuple[Provenance, ...]:
    known = [found for found in (before, after) if found is not None]
    if not known:
        return ()
    same = len(known) == 2 and known[0].page_number == known[1].page_number
    score = min(found.score for found in known) * (_BETWEEN if same else _AFTER)
    return (Provenance(page_number=known[0].page_number, source="estimated", score=score),)
