"""Runs methods over documents and perturbations, and writes down what they answered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grounding_bench.corpus import Document
from grounding_bench.engines import ENGINES, convert
from grounding_bench.perturbations import perturb
from grounding_bench.scans import ink_of_pages, scanned
from grounding_bench.truth import Truth, join, measure, pieces
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["KINDS", "Method", "Plan", "Sheet", "misses", "read_pages", "run", "sheet_of"]

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
        methods: Which methods, by name.
        most_pages: Of each document, at most so many.
        both_engines: Whether the texts of both engines are taken where that is the rule; else one
            of them everywhere.
    """

    documents: Sequence[Document]
    perturbations: Sequence[str]
    methods: Mapping[str, Method]
    most_pages: int = 10_000
    both_engines: bool = True


def read_pages(path: Path, most: int = 10_000) -> list[PageText]:
    """Read the text layer of the first pages, as the package does."""
    from zhiyipdf.textlayer import read_page_texts

    return list(islice(read_page_texts(path), most))


def engines_for(document: Document, perturbation: str, *, both: bool) -> Iterator[str]:
    """Give both engines, or the one that the hash of the document's name chooses."""
    if both and perturbation in BOTH_ENGINES:
        yield from ENGINES
    else:
        chosen = hashlib.sha256(document.name.encode()).digest()[0] % len(ENGINES)
        yield ENGINES[chosen]


def run(plan: Plan) -> Iterator[Sheet]:
    """Run everything there is, one document after the other."""
    for document in plan.documents:
        start = time.process_time()
        pages = read_pages(document.path, plan.most_pages)
        reading_s = time.process_time() - start
        for perturbation in plan.perturbations:
            for engine in engines_for(document, perturbation, both=plan.both_engines):
                outputs = convert(document.path, engine)[: len(pages)]
                original = pieces([(output.number, output.markdown) for output in outputs])
                seed = f"{document.name}/{engine}"
                truth = join(perturb(original, perturbation, seed))
                seen = pages
                if perturbation == "scan20":
                    seen = scanned(pages, ink_of_pages(document.path), seed)
                for name, method in plan.methods.items():
                    start = time.process_time()
                    answers = method(truth.blocks, seen)
                    seconds = time.process_time() - start
                    yield sheet_of(
                        truth,
                        answers,
                        method=name,
                        document=document.name,
                        language=document.language,
                        engine=engine,
                        perturbation=perturbation,
                        pages=len(pages),
                        seconds=seconds,
                        reading_s=reading_s,
                    )


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
    crossing = sheet.last != sheet.first
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
