"""Places blocks on pages whose text cannot be read: scans, and garbled text layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.ink import fill_by_ink
from zhiyipdf.grounding.picture_names import read_names
from zhiyipdf.grounding.running_lines import RunningLines
from zhiyipdf.grounding.sharing import Group, choose_groups
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
_ASKED_SHARE = 0.25  # of garbled letters that the Markdown must have without another place
_LINE_INK = 0.5  # of a line's box: median of 25 documents of the benchmark, deviation 20 %


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
    weights = garbled.astype(np.float64) * _ink_of_a_letter(pages, counts + garbled)
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
        pages: The PDF's; names of pictures may tell them.
        running: Running lines; those that the Markdown kept part its pages.
        good: Share of a block's characters that is hit where the text is good.

    Returns:
        The weights of those dark pages that were taken for a part of the Markdown.
    """
    used = np.where(garbled > 0, 0.0, weights)
    if not weights.any():
        return used
    filled = np.array([not is_blank(page) for page in pages])
    trusted = _trusted(findings, good)
    named = _named(findings, trusted, blocks, pages)
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
        shared = choose_groups(findings, blocks, said, words, run, groups, own)
        for group, members in shared:
            if group.is_dark:
                ink = [float(own[page]) for page in group.pages]
                fill_by_ink(
                    findings, members, group.pages, blocks, said, ink, named, running,
                    by_letters=bool((garbled[list(group.pages)] > 0).all()),
                )  # fmt: skip
            else:
                _forget_elsewhere(findings, members, group.pages)
    return used


def _named(
    findings: Sequence[Finding | None],
    trusted: Sequence[int],
    blocks: Sequence[Block],
    pages: Sequence[PageText],
) -> dict[int, int]:
    """Give by block the index of the page that the name of its picture tells."""
    places = {
        i: (pages[found.pages[0]].number, pages[found.pages[-1]].number)
        for i in trusted
        if (found := findings[i]) is not None
    }
    names = read_names(blocks, pages[-1].number, places)
    index = {page.number: at for at, page in enumerate(pages)}
    told = ((i, index.get(names.pages[i][0])) for i in names.rising)
    return {i: at for i, at in told if at is not None}


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


def _groups(pages: NDArray[np.int64], weights: NDArray[np.float64]) -> list[Group]:
    groups: list[Group] = []
    dark: list[int] = []
    for page in pages.tolist():
        if weights[page] > 0:
            dark.append(page)
            continue
        if dark:
            groups.append(Group(tuple(dark), is_dark=True))
            dark = []
        groups.append(Group((page,), is_dark=False))
    if dark:
        groups.append(Group(tuple(dark), is_dark=True))
    return groups
