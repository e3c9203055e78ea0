"""Places blocks on pages whose text cannot be read: scans, and garbled text layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.ink import fill_by_ink, ink_size
from zhiyipdf.grounding.running_lines import RunningLines
from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.grounding.words import PageWords, WindowWords
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["dark_pages", "fill_dark_pages", "is_blank"]

# Grounding study, section 4j2.
_FEWEST_LETTERS = 15
_LEAST_INK = 0.003
_SURE_LENGTH, _SURE_SHARE = 40, 0.5
_FAIR_LENGTH, _FAIR_SHARE, _RIVAL_SHARE = 18, 0.75, 0.7
_ALONE_LENGTH = 150
_AROUND = 4
# Blocks times pages between two trusted blocks, so that no PDF takes more than seconds: of the
# search, and of what is compared for it.
_MOST_STATES = 1_000_000
_MOST_COMPARED = 20_000_000
# Of the search for the pages between: gains and losses in letters that are there or are not.
_FULL = 40
_HERE = 0.6
_MISSING = 0.5
_WORDS_HALF = 0.85
_UNUSED = 12.0  # a dark page without a block
_PACE = 0.01  # decides only where no letter does
_ASKED_SHARE = 0.25  # of garbled letters that the Markdown must have without another place
_LINE_INK = 0.5  # of a line's box: median of 25 documents of the benchmark, deviation 20 %


@dataclass(frozen=True, slots=True)
class _Group:
    """Readable pages, or dark pages, that follow each other."""

    pages: tuple[int, ...]
    is_dark: bool


def is_blank(page: PageText) -> bool:
    """Whether there is nothing to be seen on a page."""
    return not len(page.lines) and page.ink is not None and page.ink <= _LEAST_INK


def dark_pages(
    pages: Sequence[PageText], body: PageStream, garbled: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Tell how much each page holds that cannot be read.

    Of a garbled page the characters are counted, which tell its share of the Markdown to 1.4 %
    (median of the benchmark's pages), where ink tells it to 8 %.

    Args:
        pages: In order.
        body: Their text, without running lines and what is garbled.
        garbled: For each page how many garbled characters it has.

    Returns:
        For each page its ink; 0 where the text can be read, or there is nothing.
    """
    counts = np.diff(body.page_starts)
    weights = garbled * _ink_of_a_letter(pages, counts + garbled)
    for index, page in enumerate(pages):
        is_scan = counts[index] < _FEWEST_LETTERS and not garbled[index]
        if is_scan and page.ink is not None and page.ink > _LEAST_INK:
            weights[index] = page.ink
    return weights


def _ink_of_a_letter(pages: Sequence[PageText], letters: NDArray[np.int64]) -> float:
    """Tell how much of a page one character blackens, by the lines' boxes."""
    lines = sum(
        float(np.prod(page.line_boxes[:, 2:] - page.line_boxes[:, :2], axis=1).sum())
        / (page.width * page.height)
        for page in pages
        if len(page.line_boxes)
    )
    return _LINE_INK * lines / max(int(letters.sum()), 1)


def fill_dark_pages(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    words: PageWords,
    weights: NDArray[np.float64],
    garbled: NDArray[np.int64],
    pages: Sequence[PageText],
    running: RunningLines,
    good: float,
) -> NDArray[np.float64]:
    """Share the blocks between two trusted ones among the pages between these.

    What is found on a readable page stays there, if the order allows; what is not found goes to
    the dark pages, in the measure of their ink. Blank pages part nothing. A garbled page gets
    nothing where the Markdown has nothing to go there: then it lacks a page that it cannot know
    any letters of, such as one in another language.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        said: Their text.
        words: The pages' words.
        weights: How much each page holds that cannot be read.
        garbled: How many garbled characters each page has.
        pages: The PDF's; names of pictures may tell their numbers.
        running: Running lines; those that the Markdown kept part its pages.
        good: Share of a block's characters that is hit where the text is good.

    Returns:
        The weights of those dark pages that were taken for a part of the Markdown.
    """
    used = np.where(garbled > 0, 0.0, weights)
    if not weights.any():
        return used
    numbers = [page.number for page in pages]
    filled = np.array([not is_blank(page) for page in pages])
    trusted = _trusted(findings, good)
    for run, first, last in _gaps(findings, trusted, len(weights)):
        inside = slice(first, last + 1)
        own = np.zeros_like(weights)
        own[inside] = weights[inside]
        if garbled[inside].any() and not _is_asked_for(findings, run, said, garbled[inside]):
            own[garbled > 0] = 0.0
        if not own.any():
            continue
        used[inside] = np.maximum(used[inside], own[inside])
        groups = _groups(np.flatnonzero(filled[inside]) + first, own)
        for number, members in _chosen(findings, blocks, said, words, run, groups, own).items():
            group = groups[number]
            if group.is_dark:
                ink = [float(own[page]) for page in group.pages]
                fill_by_ink(
                    findings, members, group.pages, blocks, said, ink, numbers, running,
                    by_letters=bool((garbled[list(group.pages)] > 0).all()),
                )  # fmt: skip
            else:
                _forget_elsewhere(findings, members, group.pages)
    return used


def _is_asked_for(
    findings: Sequence[Finding | None],
    run: range,
    said: BlockStream,
    garbled: NDArray[np.int64],
) -> bool:
    """Whether a run has enough text that no page has for garbled ones to hold it."""
    missing = 0
    for i in run:
        found = findings[i]
        length = int(said.starts[i + 1] - said.starts[i])
        missing += length if found is None else max(length - found.matched, 0)
    return missing >= _ASKED_SHARE * int(garbled.sum())


def _chosen(
    findings: Sequence[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    words: PageWords,
    run: range,
    groups: list[_Group],
    weights: NDArray[np.float64],
) -> dict[int, list[int]]:
    """Choose one of the groups for each block of a run.

    Where blocks times pages are too many, readable pages between two dark ones are taken together,
    for what counts is on which side of these a block stands; if they are still too many, blocks
    that are not found are shared out by ink alone.

    Args:
        findings: By block.
        blocks: The Markdown's.
        said: Their text.
        words: The pages' words.
        run: Indices of blocks.
        groups: The pages that they may stand on; those that follow each other may be joined.
        weights: How much each page holds that cannot be read.

    Returns:
        For numbers of groups the blocks that stand there.
    """
    readable = [group.pages[0] for group in groups if not group.is_dark]
    if len(groups) * len(run) > _MOST_STATES:
        groups[:] = _joined(groups)
    sizes = [ink_size(blocks[i], int(said.starts[i + 1] - said.starts[i])) for i in run]
    ink = [float(weights[list(group.pages)].sum()) for group in groups]
    too_many = len(groups) * len(run) > _MOST_STATES or len(readable) * len(run) > _MOST_COMPARED
    if too_many:
        return _in_pace(findings, run, sizes, groups, ink)
    known = words.over(readable)
    gains = np.array([_gains(findings[i], blocks[i], i, said, known, groups) for i in run])
    gains -= _PACE * _out_of_pace(sizes, groups, ink)
    return _shared_out(run, gains, groups)


def _forget_elsewhere(
    findings: list[Finding | None], members: Sequence[int], pages: Sequence[int]
) -> None:
    """Forget what was found by chance where the order does not allow it."""
    for i in members:
        found = findings[i]
        if found is not None and found.pages and found.pages[0] not in pages:
            findings[i] = None


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


def _groups(pages: NDArray[np.int64], weights: NDArray[np.float64]) -> list[_Group]:
    groups: list[_Group] = []
    dark: list[int] = []
    for page in pages.tolist():
        if weights[page] > 0:
            dark.append(page)
            continue
        if dark:
            groups.append(_Group(tuple(dark), is_dark=True))
            dark = []
        groups.append(_Group((page,), is_dark=False))
    if dark:
        groups.append(_Group(tuple(dark), is_dark=True))
    return groups


def _joined(groups: Sequence[_Group]) -> list[_Group]:
    """Join readable pages that follow each other."""
    joined: list[_Group] = []
    for group in groups:
        if joined and not group.is_dark and not joined[-1].is_dark:
            group = _Group(joined.pop().pages + group.pages, is_dark=False)
        joined.append(group)
    return joined


def _gains(
    found: Finding | None,
    block: Block,
    index: int,
    said: BlockStream,
    words: WindowWords,
    groups: Sequence[_Group],
) -> NDArray[np.float64]:
    """Tell for each group how well a block fits there; 0 means that nothing speaks either way."""
    length = int(said.starts[index + 1] - said.starts[index])
    size = min(length, _FULL)
    gains = np.zeros(len(groups))
    if not size:
        return gains
    is_dark = np.array([group.is_dark for group in groups])
    if found is not None and found.pages:
        gains[~is_dark] = -_MISSING * size
        gains[[found.pages[0] in group.pages for group in groups]] = _HERE * size * found.share
        return gains
    counts = [len(group.pages) for group in groups if not group.is_dark]
    if counts:
        best = np.maximum.reduceat(words.shares(block), np.cumsum([0, *counts[:-1]]))
        gains[~is_dark] = (best - _WORDS_HALF) * size
    return gains


def _out_of_pace(
    sizes: Sequence[float], groups: Sequence[_Group], ink: Sequence[float]
) -> NDArray[np.float64]:
    """Tell how far each block is from each dark group, if all were shared out by ink.

    Args:
        sizes: How much ink each block takes.
        groups: Of pages.
        ink: How much each group holds that cannot be read.

    Returns:
        Shape (blocks, groups), as a share of all; 0 for readable pages.
    """
    edges = np.cumsum([0.0, *ink]) / sum(ink)
    middles = _middles(sizes)[:, None]
    away = np.maximum(np.maximum(edges[:-1] - middles, middles - edges[1:]), 0.0)
    return np.where([group.is_dark for group in groups], away, 0.0)


def _middles(sizes: Sequence[float]) -> NDArray[np.float64]:
    """Tell where the middle of each block is, as a share of all."""
    ends = np.cumsum(sizes)
    return np.asarray((ends - np.asarray(sizes) / 2) / ends[-1])


def _in_pace(
    findings: Sequence[Finding | None],
    run: range,
    sizes: Sequence[float],
    groups: Sequence[_Group],
    ink: Sequence[float],
) -> dict[int, list[int]]:
    """Share blocks that are not found out among dark groups by ink alone."""
    lost = [at for at, i in enumerate(run) if findings[i] is None]
    if not lost:
        return {}
    edges = np.cumsum(ink) / sum(ink)
    places = np.searchsorted(edges, _middles([sizes[at] for at in lost]))
    members: dict[int, list[int]] = {}
    for at, place in zip(lost, np.minimum(places, len(groups) - 1).tolist(), strict=True):
        members.setdefault(place, []).append(run[at])
    return members


def _shared_out(
    run: range, gains: NDArray[np.float64], groups: Sequence[_Group]
) -> dict[int, list[int]]:
    """Choose a group for each block, never going back, so that the gains sum to most."""
    width = len(groups)
    numbers = np.arange(width, dtype=np.int32)
    skipped = np.array([0.0, *np.cumsum([_UNUSED if group.is_dark else 0.0 for group in groups])])
    # Going from group a to b leaves out those between.
    totals = -skipped[:width]
    back = np.zeros((len(gains), width), np.int32)
    for row, own in enumerate(gains):
        back[row] = numbers
        if row:
            left = totals[:-1] + skipped[1:width]  # those between are skipped from here
            best = np.maximum.accumulate(left)
            is_best = np.append(True, left[1:] > best[:-1])[: width - 1]
            source = np.maximum.accumulate(np.where(is_best, numbers[:-1], 0))
            moved = best - skipped[1:width]
            moves = moved > totals[1:]
            back[row, 1:][moves] = source[moves]
            totals[1:] = np.where(moves, moved, totals[1:])
        totals = totals + own
    group = int(np.argmax(totals - (skipped[width] - skipped[1:])))
    members: dict[int, list[int]] = {}
    for row in range(len(gains) - 1, -1, -1):
        members.setdefault(group, []).append(run[row])
        group = int(back[row, group])
    return {number: found[::-1] for number, found in members.items()}
