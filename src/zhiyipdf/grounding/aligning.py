"""Aligns a Markdown's blocks with a PDF's pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.chain import choose
from zhiyipdf.grounding.dark_pages import fill_dark_pages
from zhiyipdf.grounding.filling import fill_exactly, fill_roughly
from zhiyipdf.grounding.findings import Finding, doubtful, pages_of
from zhiyipdf.grounding.finishing import finish
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.leftovers import add_running_ends, fill_by_words, fill_running
from zhiyipdf.grounding.pictures import fill_between
from zhiyipdf.grounding.running_lines import RunningLines, find_running_lines
from zhiyipdf.grounding.seeds import find_hits, gather, grams_of
from zhiyipdf.grounding.streams import BlockStream, PageStream, block_stream, page_stream
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["align"]

_FEW = 4
_TABLE_SHARE = 0.1
_FAR = 6000
_LIKE, _FAIRLY_LIKE = 85, 70


def align(blocks: Sequence[Block], pages: Sequence[PageText]) -> tuple[Alignment, ...]:
    """Say for each block on which pages it stands, and in which of their characters.

    Args:
        blocks: Of one text, in order.
        pages: All pages that the text was made of, in order.

    Returns:
        One alignment for each block.
    """
    if not blocks or not pages:
        return tuple(Alignment() for _ in blocks)
    folding = Folding()
    said = block_stream(blocks, folding)
    whole = page_stream(pages, folding)
    running = find_running_lines(pages, whole, said)
    body = whole.arranged(running.rank).without_lines(running.masked)
    findings, good = _hit(blocks, said, body)
    _reconsider(findings, said, running, len(pages))
    fill_exactly(findings, said, body)
    fill_dark_pages(findings, blocks, said, pages, body, running, good)
    fill_roughly(findings, said, body, least=_LIKE)
    fill_running(findings, said, running, len(pages), exactly=False)
    fill_roughly(findings, said, body, least=_FAIRLY_LIKE)
    fill_by_words(findings, blocks, said, pages, folding)
    add_running_ends(findings, said, running, len(pages))
    fill_between(findings, blocks, pages, body)
    return tuple(_alignment(found, pages, body) for found in findings)


def _reconsider(
    findings: list[Finding | None], said: BlockStream, running: RunningLines, count: int
) -> None:
    """Forget short blocks found far out of order, and take those for running lines that are like one."""
    out = doubtful(findings, far=_FAR)
    before = {i: findings[i] for i in out}
    for i in out:
        findings[i] = None
    fill_running(findings, said, running, count, exactly=True)
    fill_running(findings, said, running, count, exactly=False, only=frozenset(out))
    for i, too_far in out.items():
        if findings[i] is None and not too_far:
            findings[i] = before[i]


def _hit(
    blocks: Sequence[Block], said: BlockStream, body: PageStream
) -> tuple[list[Finding | None], float]:
    """Place the blocks that share long enough pieces with the pages."""
    grams = grams_of(body)
    hits = find_hits(said, grams)
    clusters = gather(hits, said, body)
    tables = np.array([block.kind == "table" for block in blocks], bool)
    chosen, good = choose(said, body, hits, grams, clusters, tables)
    starts = body.page_starts.tolist()
    lengths = np.diff(said.starts).tolist()
    firsts = np.searchsorted(clusters.block, np.arange(len(blocks) + 1)).tolist()
    findings: list[Finding | None] = [None] * len(blocks)
    for index, choice in chosen.items():
        length = lengths[index]
        if choice.cluster < 0:
            stretches: tuple[tuple[int, int], ...] = ((choice.start, min(choice.end, len(body.codes))),)
            matched, ends = choice.covered, (0, 0)
        else:
            others = [c for c in range(firsts[index], firsts[index + 1]) if c != choice.cluster]
            stretches, matched, ends = finish(
                index, choice, others, blocks=said, pages=body, hits=hits,
                clusters=clusters, is_table=bool(tables[index]),
            )  # fmt: skip
        least = max(_FEW, _TABLE_SHARE * matched) if tables[index] else _FEW
        findings[index] = Finding(
            method="seed" if not choice.places else "exact" if choice.places == 1 else "repeated",
            stretches=stretches,
            pages=pages_of(stretches, starts, least=min(least, length)),
            matched=matched,
            share=matched / max(length, 1),
            rival=choice.rival,
            ends=ends,
        )
    return findings, good


def _alignment(found: Finding | None, pages: Sequence[PageText], body: PageStream) -> Alignment:
    if found is None or not found.pages:
        return Alignment()
    return Alignment(
        pages=tuple(pages[index].number for index in found.pages),
        source="aligned",
        score=0.5,
        method=found.method,
    )
