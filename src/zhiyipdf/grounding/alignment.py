"""What aligning a text with a PDF's pages tells of one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zhiyipdf.models import PageSource
from zhiyipdf.models.page_text import PageSpan

__all__ = ["Alignment", "Method"]

Method = Literal[
    "seed", "repeated", "exact", "fuzzy", "bag", "running", "picture", "ink", "neighbours", "none"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Where a block stands on the pages.

    Attributes:
        pages: 1-based pages in reading order, the one it begins on first; empty if unknown.
        spans: The characters it was found in.
        source: ``aligned`` where text was found, ``estimated`` where not, ``none`` without a page.
        score: Probability from 0 to 1 that ``pages[0]`` is right.
        method: How it was found.
    """

    pages: tuple[int, ...] = ()
    spans: tuple[PageSpan, ...] = ()
    source: PageSource = "none"
    score: float = 0.0
    method: Method = "none"
