"""Runs what is beside the table of pages: people's and rough Markdown, and boxes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from grounding_bench.boxes import Overlap, overlaps, with_layout_boxes
from grounding_bench.engines import ROUGH
from grounding_bench.exact_boxes import boxes_of_exact_text
from grounding_bench.methods import OURS, placed
from grounding_bench.people import (
    Written,
    docling,
    icdar,
    people,
    rough,
    volume,
    with_named_pictures,
)
from grounding_bench.running import Method, Plan, Sheet, read_pages, sheet_of
from grounding_bench.truth import join

__all__ = [
    "BESIDE",
    "EXACT",
    "NAMED",
    "WRITTEN",
    "bound",
    "boxes",
    "rough_sheets",
    "written_sheets",
]

WRITTEN = "written"
NAMED = "named"  # the same with pictures whose names tell their pages
EXACT = "exact text"
BESIDE = frozenset({WRITTEN, NAMED, ROUGH})
"""What stands in the place of a perturbation and is none."""


def bound() -> list[Written]:
    """Give what people and docling wrote: the English in one volume, the others in another.

    Alone most are too short for a page to be mistaken.
    """
    every = [*people(), *icdar(), *docling()]
    english = [written for written in every if written.language == "en"]
    others = [written for written in every if written.language != "en"]
    return [volume(parts) for parts in (english, others) if parts]


def _sheets(written: Written, methods: Mapping[str, Method], perturbation: str) -> Iterator[Sheet]:
    truth = join(written.pieces)
    pages = read_pages(written.path, written.pages)
    for name, method in methods.items():
        start = time.process_time()
        answers = method(truth.blocks, pages)
        yield sheet_of(
            truth,
            answers,
            method=name,
            document=written.name,
            language=written.language,
            engine=written.author,
            perturbation=perturbation,
            pages=len(pages),
            seconds=time.process_time() - start,
            documents=written.documents,
        )


def written_sheets(methods: Mapping[str, Method]) -> Iterator[Sheet]:
    """Align what people and docling wrote, then ours alone with pages in the pictures' names."""
    volumes = bound()
    for written in volumes:
        yield from _sheets(written, methods, WRITTEN)
    for written in volumes:
        yield from _sheets(with_named_pictures(written), {OURS: methods[OURS]}, NAMED)


def rough_sheets(plan: Plan) -> Iterator[Sheet]:
    """Align what edgeparse writes of each document."""
    for document in plan.documents:
        written = rough(document, plan.most_pages)
        if written.pieces:
            yield from _sheets(written, plan.methods, ROUGH)


def boxes(plan: Plan) -> Iterator[Overlap]:
    """Compare our boxes with docling's, ICDAR's, edgeparse's and liteparse's."""
    for parts in ([*docling()], [*icdar()]):
        if parts:
            yield from _overlaps(volume(parts), 10_000)
    for document in plan.documents:
        layout = Written(
            name=document.name,
            author="liteparse",
            language=document.language,
            path=document.path,
            pieces=tuple(with_layout_boxes(document, plan.most_pages)),
            pages=document.pages,
        )
        yield from _overlaps(layout, plan.most_pages)
        yield from _overlaps(rough(document, plan.most_pages), plan.most_pages)


def _overlaps(written: Written, most_pages: int) -> Iterator[Overlap]:
    truth = join(written.pieces)
    pages = read_pages(written.path, most_pages)
    for method, blocks in (
        (OURS, placed(truth.markdown, truth.blocks, written.path, pages)),
        (EXACT, boxes_of_exact_text(truth, written.path, pages)),
    ):
        yield from overlaps(
            truth, blocks, author=written.author, method=method, document=written.name
        )
