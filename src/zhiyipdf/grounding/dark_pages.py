"""Places blocks on pages whose text cannot be read: scans, and garbled text layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.running_lines import RunningLines, running_key
from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["dark_pages", "fill_dark_pages"]

# Grounding study, section 4j2.
_FEWEST_LETTERS = 15
_LEAST_INK = 0.003
_GARBLED_HITS = 0.2
_IMAGE_LENGTH = 300
_LEAST_LENGTH = 40
_SURE_LENGTH, _SURE_SHARE = 40, 0.5
_FAIR_LENGTH, _FAIR_SHARE, _RIVAL_SHARE = 18, 0.75, 0.7
_ALONE_LENGTH = 150
_AROUND = 4
_HOLE = 3


def dark_pages(
    pages: Sequence[PageText], body: PageStream, findings: Sequence[Finding | None]
) -> NDArray[np.float64]:
    """Tell how much each page holds that cannot be read.

    Args:
        pages: In order.
        body: Their text, without running lines.
        findings: What was hit.

    Returns:
        For each page its weight; 0 where the text can be read, or there is nothing.
    """
    weights = np.zeros(len(pages))
    counts = np.diff(body.page_starts)
    for index, page in enumerate(pages):
        if counts[index] < _FEWEST_LETTERS and page.ink is not None and page.ink > _LEAST_INK:
            weights[index] = page.ink
    return weights


def fill_dark_pages(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    pages: Sequence[PageText],
    body: PageStream,
    running: RunningLines,
    good: float,
) -> None:
    """Give the blocks between two trusted ones to the dark pages between these, by ink.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        said: Their text.
        pages: The PDF's.
        body: Their text.
        running: Running lines; those that the Markdown kept part its pages.
        good: Share of a block's characters that is hit where the text is good.
    """
    weights = dark_pages(pages, body, findings)
    if not weights.any():
        return
    lengths = np.diff(said.starts)
    trusted = _trusted(findings, good)
    for run, first, last in _gaps(findings, trusted, len(pages)):
        dark = [page for page in range(first, last + 1) if weights[page] > 0]
        if not dark:
            continue
        members = _inside(run, findings, dark)
        if not members:
            continue
        sizes = [_size(blocks[i], int(lengths[i])) for i in members]
        cuts = _marked(members, said, running, len(dark))
        shares = (
            _by_marks(len(members), cuts)
            if cuts is not None
            else _by_ink(members, sizes, blocks, [float(weights[p]) for p in dark])
        )
        for i, at in zip(members, shares, strict=True):
            findings[i] = Finding(
                method="ink", pages=(dark[at],), choices=1 if cuts is not None else len(dark)
            )


def _trusted(findings: Sequence[Finding | None], good: float) -> list[int]:
    """Give the blocks whose place is beyond doubt, in order."""
    sure: list[Finding | None] = [found if _is_sure(found, good) else None for found in findings]
    carrying = backbone(sure)
    kept: list[int] = []
    for at, block in enumerate(carrying):
        found = findings[block]
        if found is None:
            continue
        near = [
            carrying[other]
            for other in (at - 1, at + 1)
            if 0 <= other < len(carrying) and abs(carrying[other] - block) <= _AROUND
        ]
        supported = any(
            abs(other.pages[0] - found.pages[0]) <= 1
            for i in near
            if (other := findings[i]) is not None
        )
        if supported or found.matched >= _ALONE_LENGTH:
            kept.append(block)
    return kept


def _is_sure(found: Finding | None, good: float) -> bool:
    if found is None or found.method != "seed" or found.share < _SURE_SHARE * good:
        return False
    return found.matched >= _SURE_LENGTH or (
        found.matched >= _FAIR_LENGTH
        and found.share > _FAIR_SHARE
        and found.rival < _RIVAL_SHARE * found.matched
    )


def _gaps(
    findings: Sequence[Finding | None], trusted: Sequence[int], count: int
) -> Iterator[tuple[range, int, int]]:
    """Give the runs between trusted blocks and the pages that lie between these."""
    before, page = -1, 0
    for block in (*trusted, len(findings)):
        found = findings[block] if block < len(findings) else None
        next_page = count - 1 if found is None else found.pages[0]
        if block - before > 1 and next_page >= page:
            yield range(before + 1, block), page, next_page
        if found is not None:
            before, page = block, found.pages[-1]


def _inside(
    run: range, findings: Sequence[Finding | None], dark: Sequence[int]
) -> list[int]:
    """Leave out of a run what stands on the readable pages at its ends, and what is sure anyway."""
    first = _edge(run, findings, lambda page: page < dark[0])
    last = _edge(run[::-1], findings, lambda page: page > dark[-1])
    start = run.start if first is None else first + 1
    stop = run.stop if last is None else last
    return [i for i in range(start, stop) if not _is_placed(findings[i])]


def _edge(
    run: range, findings: Sequence[Finding | None], outside: Callable[[int], bool]
) -> int | None:
    """Give the last block from one end of which the readable page is known, without wide holes."""
    edge: int | None = None
    reached = -1
    for at, block in enumerate(run):
        found = findings[block]
        if found is not None and found.pages and found.share > _FAIR_SHARE:
            if not outside(found.pages[0]):
                break
            edge, reached = block, at
        elif at - reached > _HOLE:
            break
    return edge


def _is_placed(found: Finding | None) -> bool:
    return (
        found is not None
        and found.method == "seed"
        and found.matched >= _SURE_LENGTH
        and found.share > _FAIR_SHARE
    )


def _size(block: Block, length: int) -> int:
    if block.images and not length:
        return _IMAGE_LENGTH
    return max(length, _LEAST_LENGTH)


def _marked(
    members: Sequence[int], said: BlockStream, running: RunningLines, count: int
) -> list[int] | None:
    """Give where pages begin among the members, if kept running lines tell; None if they do not."""
    if not running.kept_keys:
        return None
    keys: dict[str, list[int]] = {}
    for at, block in enumerate(members):
        text = said.text[int(said.starts[block]) : int(said.starts[block + 1])]
        key = running_key(text) if text else ""
        if key in running.kept_keys:
            keys.setdefault(key, []).append(at)
    for places in keys.values():
        if len(places) == count:
            return places
    return None


def _by_marks(count: int, cuts: Sequence[int]) -> list[int]:
    """Begin a page at each mark, or end one there if the last mark is the last block."""
    ends = cuts[-1] == count - 1 and cuts[0] > 0
    shares = []
    for at in range(count):
        if ends:
            shares.append(sum(cut < at for cut in cuts))
        else:
            shares.append(max(sum(cut <= at for cut in cuts) - 1, 0))
    return shares


def _by_ink(
    members: Sequence[int], sizes: Sequence[int], blocks: Sequence[Block], ink: Sequence[float]
) -> list[int]:
    """Share members out so that the pages' lengths are as their ink is, cut where a part begins.

    Pages are filled in order. A dynamic program over the cuts weighs how far each page's length is
    from its share against how likely a page begins with such a block.
    """
    count = len(ink)
    if count == 1:
        return [0] * len(members)
    total, all_ink = sum(sizes), sum(ink)
    ends = np.cumsum([0, *sizes])
    wanted = np.cumsum([0.0, *ink]) / all_ink * total
    spread = max(total / count / 6, 1.0)
    shares = [0] * len(members)
    at = 0
    for page in range(1, count):
        target = wanted[page]
        candidates = range(at, len(members) + 1)
        best = min(
            candidates,
            key=lambda cut: abs(float(ends[cut]) - float(target)) / spread
            - _begins_page(blocks, members, cut),
        )
        for i in range(at, best):
            shares[i] = page - 1
        at = best
    for i in range(at, len(members)):
        shares[i] = count - 1
    return shares


def _begins_page(blocks: Sequence[Block], members: Sequence[int], cut: int) -> float:
    """Tell how much more likely than others a page begins with a block."""
    if cut >= len(members):
        return 0.0
    block = blocks[members[cut]]
    if block.kind == "heading":
        return 0.5 if block.level <= 2 else 0.2
    return 0.0
