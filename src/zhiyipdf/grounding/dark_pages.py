"""Places blocks on pages whose text cannot be read: scans, and garbled text layers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.hints import hinted_page
from zhiyipdf.grounding.running_lines import RunningLines, running_key
from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.grounding.words import PageWords
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["dark_pages", "fill_dark_pages", "is_blank"]

# Grounding study, section 4j2.
_FEWEST_LETTERS = 15
_LEAST_INK = 0.003
_IMAGE_LENGTH = 300
_LEAST_LENGTH = 4
_HEADING = 1.5
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
        sizes = [_size(blocks[i], int(said.starts[i + 1] - said.starts[i])) for i in run]
        gains -= _PACE * _out_of_pace(sizes, groups, weights)
        for number, members in _shared_out(run, gains, groups).items():
            if groups[number].is_dark:
                ink = [float(weights[page]) for page in groups[number].pages]
                hints = _hints(members, blocks, groups[number].pages, numbers)
                _fill_group(
                    findings, members, groups[number].pages, blocks, said, ink, hints, running
                )
            else:
                _forget_elsewhere(findings, members, groups[number].pages[0])


def _forget_elsewhere(findings: list[Finding | None], members: Sequence[int], page: int) -> None:
    """Forget what was found by chance where the order does not allow it."""
    for i in members:
        found = findings[i]
        if found is not None and found.pages and found.pages[0] != page:
            findings[i] = None


def _fill_group(
    findings: list[Finding | None],
    members: Sequence[int],
    pages: Sequence[int],
    blocks: Sequence[Block],
    said: BlockStream,
    ink: Sequence[float],
    hints: Mapping[int, int],
    running: RunningLines,
) -> None:
    """Share blocks out among dark pages that follow each other."""
    sizes = [_size(blocks[i], int(said.starts[i + 1] - said.starts[i])) for i in members]
    cuts = _marked(members, said, running, len(pages))
    if cuts is not None:
        shares = _by_marks(len(members), cuts)
    else:
        shares = _by_ink(members, sizes, blocks, ink, hints)
    choices = 1 if cuts is not None else len(pages)
    margins = _margins(shares, sizes)
    for i, at, margin in zip(members, shares, margins, strict=True):
        findings[i] = Finding(method="ink", pages=(pages[at],), choices=choices, margin=margin)


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


def _size(block: Block, length: int) -> float:
    """Tell how much ink a block takes, in letters of plain text."""
    if not length:
        return _IMAGE_LENGTH if block.images else _LEAST_LENGTH
    return _LEAST_LENGTH + length * (_HEADING if block.kind == "heading" else 1.0)


def _marked(
    members: Sequence[int], said: BlockStream, running: RunningLines, count: int
) -> list[int] | None:
    """Give where pages begin among the members, if kept running lines tell; None if they do not."""
    if not running.kept_keys or count < 2:
        return None
    keys: dict[str, list[int]] = {}
    for at, block in enumerate(members):
        text = said.text_of(block)
        key = running_key(text) if text else ""
        if key in running.kept_keys:
            keys.setdefault(key, []).append(at)
    for places in keys.values():
        if len(places) == count:
            return places
    return None


def _by_marks(count: int, cuts: Sequence[int]) -> list[int]:
    """Begin a page at each mark, or end one there if the last mark is the last block."""
    if cuts[-1] == count - 1 and cuts[0] > 0:
        return [sum(cut < at for cut in cuts) for at in range(count)]
    return [max(sum(cut <= at for cut in cuts) - 1, 0) for at in range(count)]


def _by_ink(
    members: Sequence[int],
    sizes: Sequence[float],
    blocks: Sequence[Block],
    ink: Sequence[float],
    hints: Mapping[int, int],
) -> list[int]:
    """Share members out so that the pages' lengths are as their ink is, cut where a part begins.

    Args:
        members: Indices of blocks.
        sizes: How much ink each takes.
        blocks: All of them.
        ink: Of each page.
        hints: By position among the members the page that a picture's name tells, never falling.
    """
    count = len(ink)
    if count == 1:
        return [0] * len(members)
    total, all_ink = sum(sizes), sum(ink)
    ends = [0.0, *accumulate(sizes)]
    wanted = [0.0, *(share / all_ink * total for share in accumulate(ink))]
    spread = max(total / count / 6, 1.0)
    hinted, told = list(hints), list(hints.values())
    each = len(members) >= count  # then no page stays empty, but for what names tell
    shares = [count - 1] * len(members)
    at = 0
    for page in range(1, count):
        hint = bisect_left(told, page)
        low = max(at, hinted[hint - 1] + 1 if hint else 0)
        high = max(low, hinted[hint] if hint < len(hinted) else len(members))
        if each:
            low = min(max(low, at + 1), high)
            high = max(low, min(high, len(members) - count + page))
        best = _cut(ends, wanted[page], low, high, spread, blocks, members)
        for i in range(at, best):
            shares[i] = page - 1
        at = best
    return shares


def _cut(
    ends: Sequence[float],
    target: float,
    low: int,
    high: int,
    spread: float,
    blocks: Sequence[Block],
    members: Sequence[int],
) -> int:
    """Choose where a page begins: near the target, rather at a heading."""
    near = bisect_left(ends, target, low, high + 1)
    nearest = min(max(near - 1, low), min(near, high), key=lambda cut: abs(ends[cut] - target))
    reach = abs(ends[nearest] - target) + spread  # what is farther cannot make up for it
    first = bisect_left(ends, target - reach, low, nearest)
    last = bisect_right(ends, target + reach, nearest, high + 1)
    return min(
        range(first, last),
        key=lambda cut: abs(ends[cut] - target) / spread - _begins_page(blocks, members, cut),
    )


def _hints(
    members: Sequence[int], blocks: Sequence[Block], pages: Sequence[int], numbers: Sequence[int]
) -> dict[int, int]:
    """Read the pages that names of pictures tell, as far as they never fall."""
    place = {numbers[page]: at for at, page in enumerate(pages)}
    hints: dict[int, int] = {}
    last = 0
    for at, member in enumerate(members):
        for target in blocks[member].images[:1]:
            page = hinted_page(target, numbers[-1])
            if page in place and place[page] >= last:
                hints[at] = last = place[page]
    return hints


def _margins(shares: Sequence[int], sizes: Sequence[float]) -> list[float]:
    """Tell how far each member is from the nearest cut, in halves of a page."""
    ends = np.cumsum([0.0, *sizes])
    middles = (ends[1:] + ends[:-1]) / 2
    cuts = ends[np.flatnonzero(np.diff(shares)) + 1]
    if not len(cuts):
        return [1.0] * len(sizes)
    half = float(ends[-1]) / (max(shares) + 1) / 2
    after = np.searchsorted(cuts, middles)
    away = np.minimum(
        np.abs(middles - cuts[np.maximum(after - 1, 0)]),
        np.abs(middles - cuts[np.minimum(after, len(cuts) - 1)]),
    )
    return [float(margin) for margin in np.minimum(away / half, 1.0)]


def _begins_page(blocks: Sequence[Block], members: Sequence[int], cut: int) -> float:
    """Tell how much more likely than others a page begins with a block."""
    if cut >= len(members):
        return 0.0
    block = blocks[members[cut]]
    if block.kind == "heading":
        return 1.0 if block.level <= 2 else 0.4
    return 0.0
