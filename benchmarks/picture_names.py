"""How often pictures named ``<page>-<block>.png`` and what stands beside them get the right page.

No engine of the benchmark names pictures so. Pictures are put into engines' Markdown of the
documents of benchmarks/grounding.py, at random places, and named: by their page, by their page and
a constant, by chapter and figure as others do, with some names of other pages, and with a quarter
of the pictures moved. The PDF is as it is (`text`), without any text (`scan`), or without text and
its Markdown nothing but pictures with a remark before each, as the embedded server writes scans
(`bare`). Right is the first page.

    python benchmarks/picture_names.py [--half tune]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from grounding_bench.corpus import Document, documents
from grounding_bench.engines import convert
from grounding_bench.perturbations import perturb
from grounding_bench.running import one_engine, read_pages
from grounding_bench.scans import emptied, ink_of_pages
from grounding_bench.truth import Passage, Piece, join, pieces
from zhiyipdf.grounding.locating import locate
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

MOST_PAGES = 60
SHOWING = 0.4  # of the pages of a text have pictures
WRONG = 0.1
CONSTANT = 12
CHAPTER_PAGES = 15
REMARK = "<!-- This page has no text; it is shown as a picture. -->"
LAYERS = ("text", "scan", "bare")
NAMES = ("pages", "pages + 12", "chapters", "some wrong", "moved")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one block was told: on what kind of document, whether rightly, and how surely."""

    layer: str
    names: str
    kind: str
    is_right: bool
    score: float


def with_pictures(all_pieces: Sequence[Piece], names: str, layer: str, seed: str) -> list[Piece]:
    """Put named pictures among the pieces of each page."""
    chance = Random(f"{seed}/{names}/{layer}")
    by_page: dict[int, list[Piece]] = {}
    for piece in all_pieces:
        by_page.setdefault(piece[0].page, []).append(piece)
    made: list[Piece] = []
    last = max(by_page)
    for page, own in by_page.items():
        if layer == "bare":
            own = [(Passage(REMARK, page),)]
        count = 1 if layer == "bare" else chance.randint(1, 2) * (chance.random() < SHOWING)
        for at in range(count):
            name = named(page, at + 1, names, last, chance)
            place = len(own) if layer == "bare" else chance.randint(0, len(own))
            own.insert(place, (Passage(f"![](images/{name}.png)", page),))
        made += own
    return perturb(made, "floats", seed) if names == "moved" else made


def named(page: int, at: int, names: str, last: int, chance: Random) -> str:
    """Name a picture of a page."""
    if names == "pages + 12":
        return f"{page + CONSTANT}-{at}"
    if names == "chapters":
        return f"{page // CHAPTER_PAGES + 1}-{page % CHAPTER_PAGES * 2 + at}"
    if names == "some wrong" and chance.random() < WRONG:
        return f"{chance.randint(1, last)}-{at}"
    return f"{page}-{at}"


def kind_of(block: Block) -> str:
    return block.kind if block.kind in {"image", "comment"} else "text"


def answers(document: Document) -> Iterator[Answer]:
    pages = read_pages(document.path, MOST_PAGES)
    ink = ink_of_pages(document.path)
    outputs = convert(document.path, one_engine(document))[: len(pages)]
    original = pieces([(output.number, output.markdown) for output in outputs])
    if not original:
        return
    for layer in LAYERS:
        seen: Sequence[PageText] = pages
        if layer != "text":
            seen = [emptied(page, ink[page.number]) for page in pages]
        for names in NAMES:
            truth = join(with_pictures(original, names, layer, document.name))
            found = locate(truth.markdown, truth.blocks, len(pages), seen)
            for block, first in zip(found.blocks, truth.first, strict=True):
                told = block.provenance[0] if block.provenance else None
                is_right = told is not None and told.page_number == first
                score = told.score if told is not None else 0.0
                yield Answer(layer, names, kind_of(block), is_right, score)


def rows(found: Iterable[Answer]) -> Iterator[str]:
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for one in found:
        groups.setdefault((one.layer, one.names, one.kind), []).append(one)
    for (layer, names, kind), own in sorted(groups.items()):
        right = np.array([one.is_right for one in own])
        score = np.array([one.score for one in own])
        sure = score >= 0.9
        shares = (right.mean(), score.mean(), sure.mean())
        cells = [f"{100 * share:.1f}" for share in shares]
        cells.append(f"{100 * right[sure].mean():.1f}" if sure.any() else "–")
        yield f"| {layer} | {names} | {kind} | {len(own):,} | " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=("tune", "held", "all"), default="held")
    chosen = parser.parse_args()
    found: list[Answer] = []
    for document in documents():
        if chosen.half in {document.half, "all"}:
            found += answers(document)
    print("| PDF | names | block | blocks | right % | mean score % | >= 0.9 % | of these right % |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
