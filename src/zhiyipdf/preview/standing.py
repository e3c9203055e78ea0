"""Says what is known of a block's place: its grade, and words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Literal, get_args

from zhiyipdf.models import Block, Provenance

__all__ = ["GRADES", "Grade", "count_grades", "described", "grade_of", "mark_of", "pages_of"]

Grade = Literal["exact", "sure", "about", "doubtful", "none"]
"""How much a block's page can be trusted; a class of the page's style."""

GRADES: tuple[Grade, ...] = get_args(Grade)

SURE = 0.9
"""From here on a reader need not look twice: issue 4 asks for 99.5 % right answers there."""

_ISOLATE, _POP = "\u2068", "\u2069"
"""FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode Standard Annex 9): what stands between
does not turn around what stands beside. A title attribute has no other way to say it."""

ABOUT = 0.6
"""Below, the next page is nearly as likely."""


def grade_of(provenance: Provenance | None) -> Grade:
    """Grade one page of a block; ``none`` without one."""
    if provenance is None or provenance.source == "none":
        return "none"
    if provenance.source == "exact":
        return "exact"
    if provenance.score >= SURE:
        return "sure"
    return "about" if provenance.score >= ABOUT else "doubtful"


def first_of(block: Block) -> Provenance | None:
    """What is known of the page a block begins on."""
    return block.provenance[0] if block.provenance else None


def count_grades(blocks: Iterable[Block]) -> dict[Grade, int]:
    """Count blocks by the grade of their first page; every grade has an entry."""
    counted = Counter(grade_of(first_of(block)) for block in blocks)
    return {grade: counted[grade] for grade in GRADES}


def pages_of(block: Block) -> tuple[int, ...]:
    """The 1-based pages a block stands on."""
    return tuple(place.page_number for place in block.provenance if place.source != "none")


def mark_of(block: Block) -> str:
    """A block's pages in the margin: ``p. 3``, ``p. 3–4``, ``≈ p. 3``, ``p. 3 ?`` or a dash.

    The sign says what the colour says, to whoever does not see it.
    """
    pages = pages_of(block)
    if not pages:
        return "–"
    written = f"p. {_span(pages)}"
    grade = grade_of(first_of(block))
    return (
        f"≈ {written}" if grade == "about" else f"{written} ?" if grade == "doubtful" else written
    )


def described(block: Block, number: int) -> str:
    """Describe a block in one line: number, kind, page, score, section.

    Headings are isolated from each other, whichever way they are written.

    Args:
        block: The block.
        number: Its index among the blocks of its variant.
    """
    kind = f"heading {block.level}" if block.kind == "heading" else block.kind.replace("_", " ")
    section = " › ".join(f"{_ISOLATE}{heading}{_POP}" for heading in block.section)
    return " · ".join(part for part in (f"{kind} #{number}", _place(block), section) if part)


def _place(block: Block) -> str:
    first, pages = first_of(block), pages_of(block)
    if first is None or not pages:
        return "page unknown"
    noun = "page" if len(pages) == 1 else "pages"
    score = "" if first.source == "exact" else f" {first.score:.2f}"
    return f"{noun} {_span(pages)}, {first.source}{score}"


def _span(pages: tuple[int, ...]) -> str:
    return f"{pages[0]}" if pages[0] == pages[-1] else f"{pages[0]}–{pages[-1]}"
