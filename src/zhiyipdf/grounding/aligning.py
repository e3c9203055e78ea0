"""Aligns a Markdown's blocks with a PDF's pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.cells import fill_cells
from zhiyipdf.grounding.chain import choose
from zhiyipdf.grounding.dark_pages import dark_pages, fill_dark_pages
from zhiyipdf.grounding.filling import fill_exactly, fill_roughly
from zhiyipdf.grounding.findings import Finding, doubtful, pages_of, table_pages_of, twins
from zhiyipdf.grounding.finishing import finish
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.garbling import find_garbled
from zhiyipdf.grounding.leftovers import add_running_ends, fill_by_words, fill_running
from zhiyipdf.grounding.pictures import fill_between
from zhiyipdf.grounding.running_lines import RunningLines, find_running_lines
from zhiyipdf.grounding.same_pdf import most_to_be_believed
from zhiyipdf.grounding.scoring import scores
from zhiyipdf.grounding.seeds import Grams, find_hits, gather, grams_of
from zhiyipdf.grounding.streams import BlockStream, PageStream, block_stream, page_stream
from zhiyipdf.grounding.turning import turned
from zhiyipdf.grounding.words import PageWords
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageSpan, PageText

__all__ = ["Placed", "align", "place_blocks"]

_FEW = 4
_TABLE_SHARE, _ROWS = 0.1, 40
_FAR = 6000
_JUMP = 60
_SURELY_LIKE = 0.9
_BY_TEXT = frozenset({"seed", "repeated", "exact", "fuzzy", "bag", "running"})
_LIKE, _QUITE_LIKE, _FAIRLY_LIKE = 85, 80, 70


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
    work = place_blocks(blocks, pages)
    most = most_to_be_believed(work.findings, work.said, work.body, work.strange)
    if not most:
        return tuple(Alignment() for _ in blocks)
    told = scores(work.findings, np.diff(work.said.starts), work.body, work.dark, work.good)
    return tuple(
        _alignment(found, min(score, most), pages, work)
        for found, score in zip(work.findings, told, strict=True)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """All that is known of the blocks' places.

    Attributes:
        findings: By block.
        said: The blocks' text.
        body: The pages' text, without the running lines that the Markdown has not.
        dark: How much each page holds that cannot be read.
        strange: Whether each page has text of which the Markdown knows nothing.
        good: Share of a block's letters that is hit where the text is good.
        folding: Of both texts.
    """

    findings: list[Finding | None]
    said: BlockStream
    body: PageStream
    dark: NDArray[np.float64]
    strange: NDArray[np.bool_]
    good: float
    folding: Folding


def place_blocks(blocks: Sequence[Block], pages: Sequence[PageText]) -> Placed:
    """Place blocks from the surest evidence to the weakest; see :func:`align`."""
    folding = Folding()
    said = block_stream(blocks, folding)
    whole = page_stream(pages, folding)
    running = find_running_lines(pages, whole, said)
    body = whole.arranged(running.rank).without_lines(running.masked)
    grams = grams_of(body)
    said = turned(said, grams)
    garbled = find_garbled(pages, body, said)
    if garbled.lines.any():
        body = body.without_lines(garbled.lines)
        grams = grams_of(body)
    findings, good = _hit(blocks, said, body, grams)
    _reconsider(findings, said, body, running, len(pages))
    fill_exactly(findings, said, body)
    words = PageWords(pages, folding)
    dark = dark_pages(pages, body, garbled.letters)
    dark = fill_dark_pages(
        findings, blocks, said, words, dark, garbled.letters, pages, running, good
    )
    fill_roughly(findings, said, body, least=_LIKE)
    fill_running(findings, said, running, len(pages), exactly=False)
    fill_roughly(findings, said, body, least=_FAIRLY_LIKE)
    fill_by_words(findings, blocks, said, words, len(pages))
    add_running_ends(findings, said, running)
    fill_between(findings, blocks, pages, body)
    fill_cells(findings, blocks, body, folding)
    return Placed(
        findings=findings,
        said=said,
        body=body,
        dark=dark,
        strange=garbled.is_text,
        good=good,
        folding=folding,
    )


def _reconsider(
    findings: list[Finding | None],
    said: BlockStream,
    body: PageStream,
    running: RunningLines,
    count: int,
) -> None:
    """Forget short blocks far out of order; take those for running lines that are like one."""
    for i in twins(findings):
        if (own := findings[i]) is not None and own.method != "repeated":
            findings[i] = None
    out = doubtful(findings, far=_FAR)
    before = {i: findings[i] for i in out}
    for i in out:
        findings[i] = None
    fill_running(findings, said, running, count, exactly=True)
    fill_running(findings, said, running, count, exactly=False, only=frozenset(out))
    for i, too_far in out.items():
        earlier, now = before[i], findings[i]
        if earlier is None or now is None or too_far:
            continue
        # A heading, say, which the running head of its page, or of the next one, is like.
        is_better = earlier.method != "repeated" and now.likeness < _SURELY_LIKE <= earlier.share
        if is_better or earlier.pages == now.pages:
            findings[i] = earlier
    repeated = {i for i in out if (own := before[i]) is not None and own.method == "repeated"}
    fill_roughly(findings, said, body, least=_QUITE_LIKE, only=repeated)
    for i, too_far in out.items():
        if findings[i] is None and not too_far:
            findings[i] = before[i]


def _hit(
    blocks: Sequence[Block], said: BlockStream, body: PageStream, grams: Grams
) -> tuple[list[Finding | None], float]:
    """Place the blocks that share long enough pieces with the pages."""
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
            stretches: tuple[tuple[int, int], ...] = (
                (choice.start, min(choice.end, len(body.codes))),
            )
            matched, ends = choice.covered, (0, 0)
        else:
            others = [c for c in range(firsts[index], firsts[index + 1]) if c != choice.cluster]
            stretches, matched, ends = finish(
                index, choice, others, blocks=said, pages=body, hits=hits,
                clusters=clusters, is_table=bool(tables[index]),
            )  # fmt: skip
        pages = (
            table_pages_of(stretches, starts, least=max(_FEW, min(_TABLE_SHARE * matched, _ROWS)))
            if tables[index]
            else pages_of(stretches, starts, least=min(_FEW, length), ends=ends)
        )
        findings[index] = Finding(
            method="seed" if not choice.places else "exact" if choice.places == 1 else "repeated",
            stretches=stretches,
            pages=pages,
            matched=matched,
            share=matched / max(length, 1),
            rival=choice.rival,
            ends=ends,
        )
    return findings, good


def _alignment(
    found: Finding | None, score: float, pages: Sequence[PageText], work: Placed
) -> Alignment:
    if found is None or not found.pages:
        return Alignment()
    return Alignment(
        pages=tuple(pages[index].number for index in found.pages),
        spans=tuple(_spans(found, pages, work)),
        source="aligned" if found.method in _BY_TEXT else "estimated",
        score=score,
        method=found.method,
    )


def _spans(found: Finding, pages: Sequence[PageText], work: Placed) -> Iterator[PageSpan]:
    """Give the characters that a block's stretches come from, apart where they jump."""
    for line in found.lines:
        page_text = pages[found.pages[0]]
        first, end = (int(edge) for edge in page_text.lines[line])
        if found.part is not None:
            source = work.folding.fold(page_text.codes[first:end])[1]
            end = first + int(source[found.part[1] - 1]) + 1
            first += int(source[found.part[0]])
        yield PageSpan(page_number=page_text.number, start=first, end=end)
    body = work.body
    for start, end in found.stretches:
        source = body.source[start:end].astype(np.int64)
        page = np.searchsorted(body.page_starts, np.arange(start, end), side="right") - 1
        jumps = (np.diff(page) != 0) | (np.diff(source) < 0) | (np.diff(source) > _JUMP)
        cuts = [0, *(np.flatnonzero(jumps) + 1).tolist(), end - start]
        for a, b in pairwise(cuts):
            if a < b:
                yield PageSpan(
                    page_number=pages[int(page[a])].number,
                    start=int(source[a]),
                    end=int(source[b - 1]) + 1,
                )
