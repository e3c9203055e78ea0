"""Places blocks that nothing else finds: kept running lines, columns whose order was changed."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from rapidfuzz import fuzz

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.folding import Folding, codes_of, text_of
from zhiyipdf.grounding.running_lines import RunningLines
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.models import Block

__all__ = ["fill_by_words", "fill_running"]

_MOST_PAGES = 12
_ALIKE = 75.0
_LONGEST = 200
_FEWEST_WORDS = 3
_WORDS_THERE = 0.5
_AHEAD = 1.15
_MOST_WORDS = 400
_WORD = re.compile(r"[^\s|]+")


def fill_running(
    findings: list[Finding | None], said: BlockStream, whole: PageStream, running: RunningLines
) -> None:
    """Find blocks among the running lines of the pages around them.

    Args:
        findings: By block; is filled in.
        said: The Markdown's blocks.
        whole: The PDF's text with its running lines.
        running: Which these are.
    """
    by_page: dict[int, list[tuple[str, int]]] = {}
    starts = whole.page_starts.tolist()
    for start, end in zip(*whole.line_edges, strict=True):
        line = int(whole.line[start])
        if running.masked[line]:
            page = bisect_right(starts, start) - 1
            by_page.setdefault(page, []).append((whole.text[start:end], int(running.rank[line])))
    if not by_page:
        return
    for block, first, last in _open(findings, said, len(starts) - 1):
        text = said.text[int(said.starts[block]) : int(said.starts[block + 1])]
        if len(text) > _LONGEST:
            continue
        best: tuple[float, int, int] | None = None
        for page in range(first, last + 1):
            for line, edge in by_page.get(page, ()):
                likeness = fuzz.ratio(text, line, score_cutoff=_ALIKE)
                # What runs at the top stands before its page's text, and so near the block behind.
                distance = last - page if edge < 0 else page - first
                if likeness and (best is None or (likeness, -distance) > (best[0], -best[1])):
                    best = (likeness, distance, page)
        if best is not None:
            findings[block] = Finding(
                method="running",
                pages=(best[2],),
                matched=len(text),
                share=best[0] / 100,
                likeness=best[0] / 100,
                choices=1 if best[0] == 100 else 2,
            )


def fill_by_words(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    whole: PageStream,
    folding: Folding,
) -> None:
    """Find blocks whose words stand on a page in another order: columns read row by row.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        said: Their text.
        whole: The PDF's text.
        folding: The one that folded both.
    """
    starts = whole.page_starts.tolist()
    for block, first, last in _open(findings, said, len(starts) - 1):
        words = [
            text_of(folding.fold(codes_of(word))[0])
            for word in _WORD.findall(spoken_text(blocks[block].text))[:_MOST_WORDS]
        ]
        words = [word for word in words if word]
        total = sum(map(len, words))
        if len(words) < _FEWEST_WORDS:
            continue
        shares = []
        for page in range(first, last + 1):
            text = whole.text[starts[page] : starts[page + 1]]
            shares.append((sum(len(word) for word in words if word in text) / total, page))
        shares.sort(reverse=True)
        if shares[0][0] < _WORDS_THERE or (
            len(shares) > 1 and shares[0][0] < _AHEAD * shares[1][0]
        ):
            continue
        findings[block] = Finding(
            method="bag", pages=(shares[0][1],), share=shares[0][0], choices=len(shares)
        )


def _open(
    findings: Sequence[Finding | None], said: BlockStream, count: int
) -> Iterator[tuple[int, int, int]]:
    """Give the blocks with text and without a place, and the pages they lie between."""
    carrying = backbone(findings)
    first_page, begin = 0, 0
    for block in (*carrying, len(findings)):
        found = findings[block] if block < len(findings) else None
        last_page = count - 1 if found is None else found.pages[0]
        if last_page - first_page < _MOST_PAGES:
            for i in range(begin, block):
                if findings[i] is None and said.starts[i] < said.starts[i + 1]:
                    yield i, min(first_page, last_page), max(first_page, last_page)
        if found is not None:
            first_page, begin = found.pages[-1], block + 1
