"""Cuts the Markdown of a conversion into whole files, pages or blocks, and pairs its variants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zhiyipdf.documents.page_starts import PageRun, runs_of
from zhiyipdf.documents.paging import NOWHERE, GatheredPage, Place, gather, place_of
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
    return [
        block
        for block in conversion.blocks_by_variant.get(variant, ())
        if block.text.strip() and block.kind != "page_break"
    ]


def _spoken(conversion: Conversion, variant: Variant) -> list[Block]:
    """Leave out comments too: on their own they answer no question."""
    return [block for block in _kept(conversion, variant) if block.kind != "comment"]


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
        runs=_telling_runs(place, [block.start for block in blocks], places),
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
        runs=_telling_runs(page.place, starts, places),
    )


def _telling_runs(
    place: Place, starts: Sequence[int], places: Sequence[Place]
) -> tuple[PageRun, ...]:
    """Make runs of a piece's blocks; none if they tell no more than the piece's place."""
    runs = runs_of(starts, places)
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
    original = _spoken(conversion, "original")
    pairs: dict[Variant, list[str]] = {}
    for variant in variants:
        blocks = _spoken(conversion, variant)
        if variant == "original":
            found: Mapping[int, int] = {i: i for i in range(len(blocks))}
        elif variant == "bilingual":
            found = _pair_bilingual(original, blocks)
        else:
            found = _common(_shapes(original), _shapes(blocks))
        pairs[variant] = [
            f"block:{found[i]}" if i in found else f"{variant}:{i}" for i in range(len(blocks))
        ]
    return pairs


def _pair_bilingual(original: Sequence[Block], blocks: Sequence[Block]) -> dict[int, int]:
    """Pair a text that has each block of the original and, after it, the block's translation."""
    found = _common([_words(b) for b in original], [_words(b) for b in blocks])
    for i in range(1, len(blocks)):
        if i not in found and i - 1 in found and blocks[i].kind == original[found[i - 1]].kind:
            found[i] = found[i - 1]
    return found


def _words(block: Block) -> object:
    return " ".join(block.text.split())


def _shapes(blocks: Iterable[Block]) -> list[object]:
    """What a translation leaves as it is."""
    return [(block.kind, block.level, block.images) for block in blocks]


def _common(first: Sequence[object], second: Sequence[object]) -> dict[int, int]:
    """Find a longest common subsequence: for indices of the second those of the first.

    rapidfuzz does it in well under a second for ten thousand blocks of a few kinds;
    :mod:`difflib` needs quadratic time and more for such sequences.
    """
    if first == second:
        return {i: i for i in range(len(first))}
    from rapidfuzz.distance import LCSseq

    numbers: dict[object, int] = {}
    left = [numbers.setdefault(item, len(numbers)) for item in first]
    right = [numbers.setdefault(item, len(numbers)) for item in second]
    return {
        code.dest_start + step: code.src_start + step
        for code in LCSseq.opcodes(left, right)
        if code.tag == "equal"
        for step in range(code.src_end - code.src_start)
    }
