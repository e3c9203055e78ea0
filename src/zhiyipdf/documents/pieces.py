"""Cuts the Markdown of a conversion into whole files, pages or blocks, and pairs its variants."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhiyipdf.documents.page_starts import PageRun, runs_of
from zhiyipdf.documents.paging import NOWHERE, GatheredPage, Place, gather, has_words, place_of
from zhiyipdf.models import Block, Conversion, Mode, Variant, resolve_provenance

__all__ = ["Piece", "cut"]

_LEADING_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Text of one variant that becomes one record.

    Attributes:
        position: Which of its like it is: part of the record's id.
        pair: The same for the pieces of other variants that say the same.
        text: Markdown.
        blocks: What the text is made of; empty for a page without text, or if the variant has no
            blocks.
        place: Where it stands.
        runs: Where in the text its pages begin; empty if ``place`` says it all.
        number: Counts the blocks of a variant from 1; None if the piece is no single block.
    """

    position: str
    pair: str
    text: str
    blocks: tuple[Block, ...]
    place: Place = NOWHERE
    runs: tuple[PageRun, ...] = ()
    number: int | None = None


def cut(
    conversion: Conversion,
    variants: Sequence[Variant],
    mode: Mode,
    *,
    include_empty_pages: bool = False,
) -> Mapping[Variant, list[Piece]]:
    """Cut some variants of a conversion into pieces.

    Args:
        conversion: The converted PDF.
        variants: Which of its variants to cut; all are among ``conversion.markdown``.
        mode: ``single``: each variant whole, to the letter. ``page``: a piece for each page with
            text, in the order of pages, or the whole variant where too little is known of pages. A
            block that spans pages stands whole on its first. ``block``: a piece for each block that
            is no comment. Page marks and empty blocks are no part of pages and blocks.
        include_empty_pages: With ``page``, give a piece without text for each page that was
            converted and on which no block begins.

    Returns:
        For each variant its pieces in reading order.
    """
    if mode == "block":
        pairs = _pair_blocks(conversion, variants)
        return {v: _blocks(_spoken(conversion, v), pairs[v]) for v in variants}
    pieces = {}
    for variant in variants:
        blocks = _kept(conversion, variant) if mode == "page" else []
        empty = mode == "page" and include_empty_pages
        pages = gather(blocks, conversion.page_numbers, empty=empty)
        pieces[variant] = [_page(page) for page in pages] or [_whole(conversion, variant)]
    return pieces


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


def _whole(conversion: Conversion, variant: Variant) -> Piece:
    """Take a variant as it is. It has a page of its own only if no more than one was converted."""
    blocks = conversion.blocks_by_variant.get(variant, ())
    numbers = conversion.page_numbers
    one_page = len(numbers) == 1 and any(block.provenance for block in blocks)
    pages = gather(_kept(conversion, variant), numbers) if one_page else []
    place = pages[0].place if len(pages) == 1 else NOWHERE
    places = [place_of(found) for found in resolve_provenance(blocks)]
    return Piece(
        position="file",
        pair="file",
        text=conversion.markdown[variant],
        blocks=blocks,
        place=place,
        runs=_telling_runs(place, [block.start for block in blocks], blocks, places),
    )


def _blocks(blocks: Sequence[Block], pairs: Sequence[str]) -> list[Piece]:
    return [
        Piece(
            position=f"block:{position}",
            pair=pair,
            text=_trimmed(block.text),
            blocks=(block,),
            place=place_of(block.provenance),
            number=position + 1,
        )
        for position, (block, pair) in enumerate(zip(blocks, pairs, strict=True))
    ]


def _page(page: GatheredPage) -> Piece:
    name = f"page:{page.place.page_number}"
    text, starts = _joined(page.blocks)
    places = [
        place_of(block.provenance or (found,))
        for block, found in zip(page.blocks, page.found, strict=True)
    ]
    return Piece(
        position=name,
        pair=name,
        text=text,
        blocks=page.blocks,
        place=page.place,
        runs=_telling_runs(page.place, starts, page.blocks, places),
    )


def _telling_runs(
    place: Place, starts: Sequence[int], blocks: Sequence[Block], places: Sequence[Place]
) -> tuple[PageRun, ...]:
    """Make runs of a piece's blocks; none if they tell no more than the piece's place."""
    runs = runs_of(starts, places, [has_words(block) for block in blocks])
    pages = {(run.place.page_number, run.place.page_number_end) for run in runs}
    return () if pages <= {(place.page_number, place.page_number_end)} else runs


def _joined(blocks: Sequence[Block]) -> tuple[str, list[int]]:
    """Join blocks so that what was left out between two of them does not make them one.

    Returns:
        The text, and where in it each block begins.
    """
    text, end = "", blocks[0].start if blocks else 0
    starts = []
    for block in blocks:
        if block.start != end and not text.endswith("\n\n"):
            text = text.rstrip("\n") + "\n\n"
        starts.append(len(text))
        text, end = text + block.text, block.end
    trimmed = _trimmed(text)
    cut_off = len(text.rstrip()) - len(trimmed)
    return trimmed, [max(start - cut_off, 0) for start in starts]


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
