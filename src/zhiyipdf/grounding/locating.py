"""Weighs what marks, text and names say of each block's page, and says so in its provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from zhiyipdf.grounding.aligning import align
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.hints import estimate, weigh_names
from zhiyipdf.grounding.marks import place_by_marks, placed_exactly, split_at_marks
from zhiyipdf.grounding.page_marks import PageMark, find_marks
from zhiyipdf.models import Block, Provenance
from zhiyipdf.models.page_text import PageSpan, PageText

__all__ = ["Located", "ground", "locate"]

# Marks are checked against blocks whose page the text proves (grounding study, section 4m).
_PROOF = 0.98
_FEWEST_PROOFS = 3
_AGREEMENT = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """Blocks with pages, and where on these their boxes can be had.

    Attributes:
        blocks: With provenance, without boxes.
        spans: For each block the characters of the pages it was found in.
    """

    blocks: tuple[Block, ...]
    spans: tuple[tuple[PageSpan, ...], ...]


def ground(text: str, blocks: Sequence[Block], total_pages: int) -> tuple[Block, ...]:
    """Say of each block which page it comes from, as far as the Markdown alone tells.

    Args:
        text: Markdown of one variant.
        blocks: Of that text, covering all of it.
        total_pages: Pages of the PDF, at least 1.

    Returns:
        The blocks with provenance: source ``exact`` from marks, or if the PDF has one page;
        ``estimated`` from names of pictures. Without marks and names they are unchanged.

    Raises:
        ValueError: ``total_pages`` is less than 1.
    """
    return locate(text, blocks, total_pages, ()).blocks


def locate(
    text: str, blocks: Sequence[Block], total_pages: int, pages: Sequence[PageText]
) -> Located:
    """Find the page of each block from the best evidence there is.

    In this order: page marks that the pages' text does not contradict, the pages' text itself, the
    names of pictures. Marks become blocks of their own, of kind ``page_break``; a mark inside a
    block cuts it in two. Joining the blocks still gives the text to the letter.

    Args:
        text: Markdown of the original.
        blocks: Of that text, covering all of it.
        total_pages: Number of the last page.
        pages: The text layer of all pages that can be read.

    Returns:
        The blocks and their places.

    Raises:
        ValueError: ``total_pages`` is less than 1.
    """
    if total_pages < 1:
        raise ValueError(f"total_pages must be at least 1, not {total_pages}")
    marks = find_marks(text, blocks, total_pages)
    parted = split_at_marks(text, blocks, marks)
    alignments = align(
        [replace(b, text="") if b.kind == "page_break" else b for b in parted], pages
    )
    spans = tuple(found.spans for found in alignments)
    if total_pages == 1:
        placed = tuple(placed_exactly(block, 1) for block in parted)
        return Located(blocks=placed, spans=spans)
    if marks:
        shift = _shift(parted, marks, alignments, total_pages)
        if shift is not None:
            marks = tuple(replace(mark, page=mark.page + shift) for mark in marks)
            return Located(blocks=place_by_marks(parted, marks, total_pages), spans=spans)
    if not any(found.source == "aligned" or found.method == "ink" for found in alignments):
        return Located(blocks=estimate(parted, total_pages), spans=spans)
    alignments = weigh_names(parted, alignments, total_pages)
    placed = tuple(_placed(b, found) for b, found in zip(parted, alignments, strict=True))
    return Located(blocks=placed, spans=spans)


def _shift(
    blocks: Sequence[Block],
    marks: Sequence[PageMark],
    alignments: Sequence[Alignment],
    total_pages: int,
) -> int | None:
    """Tell by how much the marks' numbers are off, or None if the pages' text contradicts them.

    Marks may hold printed numbers where the PDF has unnumbered pages in front.
    """
    shifts: Counter[int] = Counter()
    by_marks = place_by_marks(blocks, marks, total_pages)
    for block, found in zip(by_marks, alignments, strict=True):
        is_proof = found.source == "aligned" and found.score >= _PROOF
        if is_proof and block.provenance and block.provenance[0].source == "exact":
            shifts[found.pages[0] - block.provenance[0].page_number] += 1
    proofs = shifts.total()
    if proofs < _FEWEST_PROOFS:
        return 0
    shift, count = shifts.most_common(1)[0]
    fits = marks[0].page + shift >= 1 and marks[-1].page + shift <= total_pages
    return shift if fits and count >= _AGREEMENT * proofs else None


def _placed(block: Block, found: Alignment) -> Block:
    pages = sorted({page for page in found.pages if page >= found.pages[0]})
    return replace(
        block,
        provenance=tuple(
            Provenance(page_number=page, source=found.source, score=round(found.score, 4))
            for page in pages
        ),
    )
