"""Runs methods over documents and perturbations, and writes down what they answered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grounding_bench.corpus import Document
from grounding_bench.engines import ENGINES, convert
from grounding_bench.perturbations import perturb
from grounding_bench.scans import garbled, ink_of_pages, scanned
from grounding_bench.truth import Truth, join, measure, pieces
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = [
    "KINDS",
    "Case",
    "Method",
    "Plan",
    "Sheet",
    "cases",
    "misses",
    "one_engine",
    "read_pages",
    "run",
    "sheet_of",
]

Method = Callable[[Sequence[Block], Sequence[PageText]], tuple[Alignment, ...]]

KINDS = (
    "heading",
    "paragraph",
    "list",
    "table",
    "image",
    "formula",
    "code",
    "quote",
    "footnote",
    "comment",
    "page_break",
    "rule",
)
BOTH_ENGINES = frozenset({"clean", "mix"})
EXCERPT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a method answered for the blocks of one document.

    Attributes:
        method: Its name.
        document: Name of the document.
        language: Of the document.
        engine: Who wrote the Markdown.
        perturbation: What was done to it.
        pages: Number of pages.
        seconds: CPU time of the method.
        reading_s: CPU time of reading the text layer, the same for every sheet of a document.
        kind: Of each block, as an index of :data:`KINDS`.
        length: Of each block, letters and digits.
        first: Of each block, its true first page.
        last: Its true last page.
        told_first: The first page answered; 0 if none.
        told_last: The last page answered; 0 if none.
        score: The probability answered.
        texts: The beginnings of blocks, for those whose first page is wrong.
        how: The method by which each was found.
        documents: How many PDFs are bound in the document.
    """

    method: str
    document: str
    language: str
    engine: str
    perturbation: str
    pages: int
    seconds: float
    kind: NDArray[np.int8]
    length: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    told_first: NDArray[np.int32]
    told_last: NDArray[np.int32]
    score: NDArray[np.float64]
    texts: Mapping[int, str]
    how: tuple[str, ...]
    reading_s: float = 0.0
    documents: int = 1

    @property
    def right(self) -> NDArray[np.bool_]:
        """Of each block, whether its first page is right."""
        return np.equal(self.first, self.told_first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run.

    Attributes:
        documents: On which documents.
        perturbations: Which perturbations.
        methods: Which methods, by name, on all of it.
        baselines: Which methods on one engine's Markdown of each document, and only for the
            perturbations of ``baseline_perturbations``.
        baseline_perturbations: Which those are.
        most_pages: Of each document, at most so many.
    """

    documents: Sequence[Document]
    perturbations: Sequence[str]
    methods: Mapping[str, Method]
    baselines: Mapping[str, Method] = field(default_factory=dict)
    baseline_perturbations: Sequence[str] = ()
    most_pages: int = 10_000


def read_pages(path: Path, most: int = 10_000) -> list[PageText]:
    """Read the text layer of the first pages, as the package does."""
    from zhiyipdf.textlayer import read_page_texts

    return list(islice(read_page_texts(path), most))


def one_engine(document: Document) -> str:
    """Give the engine that the hash of the document's name chooses."""
    return ENGINES[hashlib.sha256(document.name.encode()).digest()[0] % len(ENGINES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text to be aligned with the pages of one document.

    Attributes:
        document: Which.
        engine: Who wrote the Markdown.
        perturbation: What was done to it.
        truth: The text and its true pages.
        pages: What can be read of the PDF.
        methods: What is to be run on it.
        reading_s: CPU time that reading took.
    """

    document: Document
    engine: str
    perturbation: str
    truth: Truth
    pages: Sequence[PageText]
    methods: Mapping[str, Method]
    reading_s: float


def cases(plan: Plan) -> Iterator[Case]:
    """Make every text of the plan, one document after the other."""
    for document in plan.documents:
        start = time.process_time()
        pages = read_pages(document.path, plan.most_pages)
        reading_s = time.process_time() - start
        for engine in ENGINES:
            chosen = engine == one_engine(document)
            outputs = convert(document.path, engine)[: len(pages)]
            original = pieces([(output.number, output.markdown) for output in outputs])
            seed = f"{document.name}/{engine}"
            for perturbation in plan.perturbations:
                methods = _methods(plan, perturbation, chosen=chosen)
                if not methods:
                    continue
                seen: Sequence[PageText] = pages
                if perturbation == "scan20":
                    seen = scanned(pages, ink_of_pages(document.path), seed)
                elif perturbation == "garbled20":
                    seen = garbled(pages, seed)
                yield Case(
                    document=document,
                    engine=engine,
                    perturbation=perturbation,
                    truth=join(perturb(original, perturbation, seed)),
                    pages=seen,
                    methods=methods,
                    reading_s=reading_s,
                )


def run(plan: Plan) -> Iterator[Sheet]:
    """Run every method on every text of the plan that is meant for it."""
    for case in cases(plan):
        for name, method in case.methods.items():
            start = time.process_time()
            answers = method(case.truth.blocks, case.pages)
            seconds = time.process_time() - start
            yield sheet_of(
                case.truth,
                answers,
                method=name,
                document=case.document.name,
                language=case.document.language,
                engine=case.engine,
                perturbation=case.perturbation,
                pages=len(case.pages),
                seconds=seconds,
                reading_s=case.reading_s,
            )


def _methods(plan: Plan, perturbation: str, *, chosen: bool) -> dict[str, Method]:
    """Give what is to be run on an engine's text; one of the engines is chosen for everything."""
    methods: dict[str, Method] = {}
    if chosen or perturbation in BOTH_ENGINES:
        methods |= plan.methods
    if chosen and perturbation in plan.baseline_perturbations:
        methods |= plan.baselines
    return methods


def sheet_of(
    truth: Truth,
    answers: Sequence[Alignment],
    *,
    method: str,
    document: str,
    language: str,
    engine: str,
    perturbation: str,
    pages: int,
    seconds: float,
    reading_s: float = 0.0,
    documents: int = 1,
) -> Sheet:
    """Put answers beside the truth."""
    told = np.array([answer.pages[0] if answer.pages else 0 for answer in answers], np.int32)
    first = np.array(truth.first, np.int32)
    return Sheet(
        method=method,
        document=document,
        language=language,
        engine=engine,
        perturbation=perturbation,
        pages=pages,
        seconds=seconds,
        reading_s=reading_s,
        documents=documents,
        kind=np.array([KINDS.index(block.kind) for block in truth.blocks], np.int8),
        length=np.array([measure(block.text) for block in truth.blocks], np.int32),
        first=first,
        last=np.array(truth.last, np.int32),
        told_first=told,
        told_last=np.array([a.pages[-1] if a.pages else 0 for a in answers], np.int32),
        score=np.array([answer.score for answer in answers], np.float64),
        texts={
            int(index): truth.blocks[index].text[:EXCERPT]
            for index in np.flatnonzero((told != first) | (truth.last != np.array(truth.first)))
        },
        how=tuple(answer.method for answer in answers),
    )


def misses(sheet: Sheet) -> Iterator[dict[str, Any]]:
    """Give each block whose first page is wrong, or that crosses pages and was given others."""
    crossing = sheet.last == sheet.first + 1
    wrong = ~sheet.right | (crossing & (sheet.last != sheet.told_last))
    for index in np.flatnonzero(wrong).tolist():
        yield {
            "document": sheet.document,
            "language": sheet.language,
            "engine": sheet.engine,
            "perturbation": sheet.perturbation,
            "index": index,
            "kind": KINDS[sheet.kind[index]],
            "length": int(sheet.length[index]),
            "text": sheet.texts.get(index, ""),
            "truth": [int(sheet.first[index]), int(sheet.last[index])],
            "answer": [int(sheet.told_first[index]), int(sheet.told_last[index])],
            "score": round(float(sheet.score[index]), 4),
            "method": sheet.how[index],
        }
