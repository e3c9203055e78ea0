"""What a reader of the table must know of how it was measured."""

from __future__ import annotations

from collections.abc import Iterator

from grounding_bench.boxes import LEAST_IOU
from grounding_bench.corpus import MOST_PAGES
from grounding_bench.extras import BESIDE, WRITTEN
from grounding_bench.methods import FUZZY, OURS
from grounding_bench.targets import Measured

__all__ = ["notes"]


def notes(measured: Measured) -> Iterator[str]:
    """Say on what the figures stand, and what makes them milder than they read."""
    own = [sheet for sheet in measured.sheets if sheet.method == OURS]
    read = {sheet.document: sheet for sheet in own if sheet.perturbation not in BESIDE}
    names = {sheet.perturbation for sheet in own} - BESIDE
    yield (
        f"{len(read)} documents in {len({sheet.language for sheet in read.values()})} languages, "
        f"{sum(sheet.pages for sheet in read.values()):,} pages: of each document the first "
        f"{MOST_PAGES} at most; {len(names)} perturbations, clean counted. "
        "The documents of each language are dealt to both halves: the same manual in other "
        "languages is in both. Persian and Arabic are in rows of their own, not in those above."
    )
    if written := [sheet for sheet in own if sheet.perturbation == WRITTEN]:
        yield (
            f"Written by people and docling: {sum(sheet.documents for sheet in written)} PDFs of "
            f"one to seven pages, bound in {len(written)} volumes of "
            f"{' and '.join(str(sheet.pages) for sheet in written)} pages."
        )
    if any(sheet.method == FUZZY for sheet in measured.sheets):
        yield (
            f"{FUZZY} takes seconds a page: it is run on the first pages of one document of each "
            "language only, so its figures are of fewer blocks than the others'."
        )
    if measured.overlaps:
        yield (
            f"Boxes: IoU of {LEAST_IOU} or more among the blocks with a box on the right page → "
            "among all whose true box is known, where no box and a wrong page are misses; `met?` "
            "is about the second. liteparse's boxes are read with PDFium, as ours are; its tables "
            "of one column are left out, being frames around a listing."
        )
