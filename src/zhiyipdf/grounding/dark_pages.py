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
from zhiyipdf.grounding.words import PageWords
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
_MOST_STATES = 4_000_000  # of the search, so that no PDF takes more than seconds
# Of the search for the pages between: gains and losses in letters that are there or are not.
_FULL = 40
_HERE = 0.6
_MISSING = 0.5
_WORDS_HALF = 0.85
_UNUSED = 12.0  # a dark page without a block
_PACE = 0.01  # decides only where no letter does


@dataclass(frozen=True, slots=True)
class _Group:
    """A readable page, or dark pages that follow each other."""

    pages: tuple[int, ...]
    is_dark: bool


def is_blank(page: PageText) -> bool:
    """Whether there is nothing to be seen on a page."""
    return not len(page.lines) and page.ink is not None and page.ink <= _LEAST_INK


def dark_pages(pages: Sequence[PageText], body: PageStream) -> NDArray[np.float64]:
    """Tell how much each page holds that cannot be read.

    Args:
        pages: In order.
        body: Their text, without running lines.

    Returns:
        For each page its ink; 0 where the text can be read, or there is nothing.
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
    words: PageWords,
    weights: NDArray[np.float64],
    pages: Sequence[PageText],
    running: RunningLines,
    good: float,
) -> None:
    """Share the blocks between two trusted ones among the pages between these.

    What is found on a readable page stays there, if the order allows; what is not found goes to
    the dark pages, in the measure of their ink. Blank pages part nothing.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        said: Their text.
        words: The pages' words.
        weights: How much each page holds that cannot be read.
        pages: The PDF's; names of pictures may tell their numbers.
        running: Running lines; those that the Markdown kept part its pages.
        good: Share of a block's characters that is hit where the text is good.
    """
    if not weights.any():
        return
    numbers = [page.number for page in pages]
    filled = np.array([not is_blank(page) for page in pages])
    trusted = _trusted(findings, good)
    for run, first, last in _gaps(findings, trusted, len(weights)):
        if not weights[first : last + 1].any():
            continue
        groups = _groups(np.flatnonzero(filled[first : last + 1]) + first, weights)
        if len(groups) * len(run) > _MOST_STATES:
            continue
        gains = np.array([_gains(findings[i], blocks[i], i, said, words, groups) for i in run])
        sizes = [ink_size(blocks[i], int(said.starts[i + 1] - said.starts[i])) for i in run]
        gains -= _PACE * _out_of_pace(sizes, groups, weights)
        for number, members in _shared_out(run, gains, groups).items():
            if groups[number].is_dark:
                dark = groups[number].pages
                ink = [float(weights[page]) for page in dark]
                fill_by_ink(findings, members, dark, blocks, said, ink, numbers, running)
            else:
                _forget_elsewhere(findings, members, groups[number].pages[0])


def _forget_elsewhere(findings: list[Finding | None], members: Sequence[int], page: int) -> None:
    """Forget what was found by chance where the order does not allow it."""
    for i in members:
        found = findings[i]
        if found is not None and found.pages and found.pages[0] != page:
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


def _gains(
    found: Finding | None,
    block: Block,
    index: int,
    said: BlockStream,
    words: PageWords,
    groups: Sequence[_Group],
) -> list[float]:
    """Tell for each group how well a block fits there; 0 means that nothing speaks either way."""
    length = int(said.starts[index + 1] - said.starts[index])
    size = min(length, _FULL)
    if not size:
        return [0.0] * len(groups)
    if found is not None and found.pages:
        here = _HERE * size * found.share
        return [
            0.0 if group.is_dark else here if found.pages[0] in group.pages else -_MISSING * size
            for group in groups
        ]
    readable = [group.pages[0] for group in groups if not group.is_dark]
    told = iter(words.shares(block, readable) if readable else ())
    return [0.0 if group.is_dark else (next(told) - _WORDS_HALF) * size for group in groups]


def _out_of_pace(
    sizes: Sequence[float], groups: Sequence[_Group], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Tell how far each block is from each dark group, if all were shared out by ink.

    Args:
        sizes: How much ink each block takes.
        groups: Of pages.
        weights: How much each page holds that cannot be read.

    Returns:
        Shape (blocks, groups), as a share of all; 0 for readable pages.
    """
    ink = [float(weights[list(group.pages)].sum()) for group in groups]
    edges = np.cumsum([0.0, *ink]) / sum(ink)
    ends = np.cumsum(sizes)
    middles = ((ends - np.asarray(sizes) / 2) / ends[-1])[:, None]
    away = np.maximum(np.maximum(edges[:-1] - middles, middles - edges[1:]), 0.0)
    return np.where([group.is_dark for group in groups], away, 0.0)


def _shared_out(
    run: range, gains: NDArray[np.float64], groups: Sequence[_Group]
) -> dict[int, list[int]]:
    """Choose a group for each block, never going back, so that the gains sum to most."""
    width = len(groups)
    skipped = np.array([0.0, *np.cumsum([_UNUSED if group.is_dark else 0.0 for group in groups])])
    # Going from group a to b leaves out those between.
    totals = -skipped[:width]
    back = np.zeros((len(gains), width), np.int32)
    for row, own in enumerate(gains):
        if row:
            base = totals + skipped[1:]  # each left once: those between are skipped from here
            best_at, best = 0, -np.inf
            new = np.empty(width)
            for group in range(width):
                stay = totals[group]
                if group and base[group - 1] > best:
                    best_at, best = group - 1, base[group - 1]
                move = best - skipped[group]
                if stay >= move:
                    new[group], back[row, group] = stay, group
                else:
                    new[group], back[row, group] = move, best_at
            totals = new
        totals = totals + np.asarray(own)
    group = int(np.argmax(totals - (skipped[width] - skipped[1:])))
    members: dict[int, list[int]] = {}
    for row in range(len(gains) - 1, -1, -1):
        members.setdefault(group, []).append(run[row])
        group = int(back[row, group])
    return {number: found[::-1] for number, found in members.items()}
