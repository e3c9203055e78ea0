"""Cuts the Markdown of a conversion into whole files, pages or blocks, and pairs its variants."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from zhiyipdf.models import Block, Conversion, Mode, PageSource, Provenance, Variant

__all__ = ["Piece", "Place", "cut", "place_of"]

# From sure to unknown; a page is as sure as the least sure of its blocks.
_CERTAINTY: tuple[PageSource, ...] = ("exact", "aligned", "estimated", "none")

# A block that may stand on more pages than these leaves the file uncut: no page is better than a
# wrong one in a citation.
_MOST_CHOICES = 2
_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The page something stands on.

    Attributes:
        page_number: 1-based first page; None if unknown.
        page_number_end: Last page; None if unknown.
        source: How the page was found.
        score: Probability from 0 to 1 that it is right.
    """

    page_number: int | None = None
    page_number_end: int | None = None
    source: PageSource = "none"
    score: float = 0.0


NOWHERE = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text of one variant that becomes one record.

    Attributes:
        position: Which of its like it is: part of the record's id.
        pair: The same for the pieces of other variants that say the same.
        text: Markdown.
        blocks: What the text is made of; empty only if the variant has no blocks.
        place: Where it stands.
    """

    position: str
    pair: str
    text: str
    blocks: tuple[Block, ...]
    place: Place = NOWHERE


def cut(
    conversion: Conversion, variants: Sequence[Variant], mode: Mode
) -> Mapping[Variant, list[Piece]]:
    """Cut some variants of a conversion into pieces.

    Args:
        conversion: The converted PDF.
        variants: Which of its variants to cut; all are among ``conversion.markdown``.
        mode: ``single``: each variant whole, to the letter. ``page``: a piece for each page with
            text, in the order of pages, or the whole variant where no page is known. ``block``: a
            piece for each block that is no comment. Page marks and empty blocks are no part of
            pages and blocks.

    Returns:
        For each variant its pieces in reading order.
    """
    if mode == "block":
        pairs = _pair_blocks(conversion, variants)
        return {v: _blocks(_spoken(conversion, v), pairs[v]) for v in variants}
    pieces = {}
    for variant in variants:
        blocks = conversion.blocks_by_variant.get(variant, ())
        pages = _pages(_kept(conversion, variant), len(conversion.pages)) if mode == "page" else []
        pieces[variant] = pages or [_whole(conversion, variant, blocks)]
    return pieces


def place_of(block: Block) -> Place:
    """Tell where one block stands."""
    if not block.provenance:
        return NOWHERE
    first, last = block.provenance[0], block.provenance[-1]
    return Place(
        page_number=first.page_number,
        page_number_end=last.page_number,
        source=first.source,
        score=first.score,
    )


def _kept(conversion: Conversion, variant: Variant) -> list[Block]:
    """Leave out page marks and blocks without text."""
    return [block for block in conversion.blocks_by_variant.get(variant, ()) if _is_kept(block)]


def _spoken(conversion: Conversion, variant: Variant) -> list[Block]:
    """Leave out comments too: on their own they answer no question."""
    return [block for block in conversion.blocks_by_variant.get(variant, ()) if _is_spoken(block)]


def _is_kept(block: Block) -> bool:
    return bool(block.text.strip()) and block.kind != "page_break"


def _is_spoken(block: Block) -> bool:
    return _is_kept(block) and block.kind != "comment"


def _whole(conversion: Conversion, variant: Variant, blocks: tuple[Block, ...]) -> Piece:
    """Take a variant as it is. It has a page of its own only if the PDF has no more than one."""
    one_page = len(conversion.pages) == 1 and any(block.provenance for block in blocks)
    pages = _pages(_kept(conversion, variant), 1) if one_page else []
    return Piece(
        position="file",
        pair="file",
        text=conversion.markdown[variant],
        blocks=blocks,
        place=pages[0].place if len(pages) == 1 else NOWHERE,
    )


def _blocks(blocks: Sequence[Block], pairs: Sequence[str]) -> list[Piece]:
    return [
        Piece(
            position=f"block:{position}",
            pair=pair,
            text=_trimmed(block.text),
            blocks=(block,),
            place=place_of(block),
        )
        for position, (block, pair) in enumerate(zip(blocks, pairs, strict=True))
    ]


def _pages(blocks: Sequence[Block], last_page: int) -> list[Piece]:
    """Gather the blocks of each page, in the order of pages; none if too little is known."""
    by_page: dict[int, list[tuple[Block, Provenance]]] = {}
    for block, found in _placed(blocks, last_page):
        if found is None:
            return []
        by_page.setdefault(found.page_number, []).append((block, found))
    pieces = []
    for page_number, placed in sorted(by_page.items()):
        members = tuple(block for block, _ in placed)
        ends = [block.provenance[-1].page_number for block in members if block.provenance]
        place = Place(
            page_number=page_number,
            page_number_end=max([page_number, *ends]),
            source=max((found.source for _, found in placed), key=_CERTAINTY.index),
            score=min(found.score for _, found in placed),
        )
        name = f"page:{page_number}"
        pieces.append(
            Piece(position=name, pair=name, text=_joined(members), blocks=members, place=place)
        )
    return pieces


def _placed(blocks: Sequence[Block], last_page: int) -> Iterator[tuple[Block, Provenance | None]]:
    """Give each block one page, or None where that would be a guess.

    A block without a page stays with the page before it, or with the first page known. It may
    stand on any page from the one before to the one after, each as probable as the others; if
    that is one page, it is as sure as its neighbour, and if it is more than two, nobody knows.
    """
    behind: Provenance | None = None
    for block, ahead in zip(blocks, _ahead(blocks), strict=True):
        if block.provenance:
            behind = block.provenance[-1]
            yield block, block.provenance[0]
            continue
        neighbour = behind or ahead
        if neighbour is None:  # no block has a page
            yield block, None
            continue
        before = behind.page_number if behind else 1
        after = ahead.page_number if ahead else last_page
        choices = abs(after - before) + 1
        if choices > 1:
            neighbour = replace(neighbour, source="estimated", score=1 / choices)
        yield block, neighbour if choices <= _MOST_CHOICES else None


def _ahead(blocks: Sequence[Block]) -> list[Provenance | None]:
    """For each block what says where it is, or where the next block is of which that is known."""
    found: list[Provenance | None] = []
    for block in reversed(blocks):
        found.append(block.provenance[0] if block.provenance else found[-1] if found else None)
    return found[::-1]


def _joined(blocks: Sequence[Block]) -> str:
    """Join blocks so that what was left out between two of them does not make them one."""
    text, end = "", blocks[0].start
    for block in blocks:
        if block.start != end and not text.endswith("\n\n"):
            text = text.rstrip("\n") + "\n\n"
        text, end = text + block.text, block.end
    return _trimmed(text)


def _trimmed(text: str) -> str:
    """Drop blank lines at both ends; spaces before the first word may mean something."""
    return _LEADING_BLANK_LINES.sub("", text).rstrip()


def _pair_blocks(
    conversion: Conversion, variants: Sequence[Variant]
) -> Mapping[Variant, list[str]]:
    """Name for each block of each variant the block of the original that it renders."""
    names = _spoken_names(conversion.blocks_by_variant.get("original", ()), "block")
    pairs: dict[Variant, list[str]] = {}
    for variant in variants:
        own = _spoken_names(conversion.blocks_by_variant.get(variant, ()), variant)
        rendered = range(len(own)) if variant == "original" else _rendered(conversion, variant)
        pairs[variant] = [
            name if row is None else names[row] or name
            for name, row in zip(own, rendered, strict=True)
            if name is not None
        ]
    return pairs


def _spoken_names(blocks: Sequence[Block], prefix: str) -> list[str | None]:
    """Number the blocks that say something; None for the others."""
    count = itertools.count()
    return [f"{prefix}:{next(count)}" if _is_spoken(block) else None for block in blocks]


def _rendered(conversion: Conversion, variant: Variant) -> Sequence[int | None]:
    """Give for each block of a variant the index of the original's block that it renders."""
    blocks = conversion.blocks_by_variant.get(variant, ())
    if any(block.pair is not None for block in blocks):
        return [block.pair for block in blocks]
    # Made by hand, without grounding. Numpy is loaded for these only.
    from zhiyipdf.grounding.translation import pair_bilingual, pair_translated

    original = conversion.blocks_by_variant.get("original", ())
    pair = pair_bilingual if variant == "bilingual" else pair_translated
    return pair(original, blocks).first()
