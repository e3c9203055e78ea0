"""What is compared: the package's own method, and the baselines, under their names in the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from grounding_bench.baselines import page_shingles, partial_ratio, unique_grams
from grounding_bench.running import Method
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["BASELINES", "FUZZY", "OURS", "SLOW", "ours", "placed"]

OURS = "ours"
FUZZY = "rapidfuzz per page"


def ours(blocks: Sequence[Block], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Align as the package does."""
    from zhiyipdf.grounding.aligning import align
    from zhiyipdf.grounding.hints import weigh_names

    found = align(blocks, pages)
    return weigh_names(blocks, found, pages[-1].number) if pages else found


BASELINES: Mapping[str, Method] = {
    "page shingles": page_shingles,
    "unique-gram LIS": unique_grams,
}
"""Those that can be run on everything; :func:`partial_ratio` takes minutes for one manual."""

SLOW: Mapping[str, Method] = {FUZZY: partial_ratio}


def placed(
    markdown: str, blocks: Sequence[Block], path: Path, pages: Sequence[PageText]
) -> tuple[Block, ...]:
    """Give the blocks with pages and boxes, as a conversion does."""
    from zhiyipdf.conversion.placing import place

    return tuple(place(markdown, blocks, path, pages))
