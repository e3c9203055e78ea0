"""Boxes of text that stands on its true page once and to the letter: how good box truths are.

Where even this does not overlap with a true box, the truth has another notion of the block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grounding_bench.letters import block_letters, placed_letters
from grounding_bench.truth import Truth
from zhiyipdf.models import BBox, Block, Provenance
from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer import span_boxes

__all__ = ["boxes_of_exact_text"]


def boxes_of_exact_text(truth: Truth, path: Path, pages: Sequence[PageText]) -> tuple[Block, ...]:
    """Give the blocks that are found once on their true page their boxes, the others nothing."""
    texts = {page.number: placed_letters(page) for page in pages}
    stretches: dict[int, list[tuple[int, int]]] = defaultdict(list)
    owners: dict[int, list[int]] = defaultdict(list)
    for index, letters in enumerate(block_letters(truth.blocks)):
        text, places = texts.get(truth.first[index], ("", []))
        start = text.find(letters)
        if letters and start >= 0 and text.find(letters, start + 1) < 0:
            stretches[truth.first[index]].append(
                (places[start], places[start + len(letters) - 1] + 1)
            )
            owners[truth.first[index]].append(index)
    found: dict[int, list[BBox]] = {}
    for number, boxes in span_boxes(path, stretches).items():
        for index, lines in zip(owners[number], boxes, strict=True):
            found.setdefault(index, []).extend(lines)
    return tuple(
        replace(
            block,
            provenance=(Provenance(page_number=page, bbox=around(found[index]), source="aligned"),),
        )
        if found.get(index)
        else block
        for index, (block, page) in enumerate(zip(truth.blocks, truth.first, strict=True))
    )


def around(boxes: Sequence[BBox]) -> BBox:
    """Give the box around boxes."""
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)
