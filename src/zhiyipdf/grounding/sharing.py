"""Chooses for each block of a run a readable page or dark ones, never going back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.ink import ink_size
from zhiyipdf.grounding.streams import BlockStream
from zhiyipdf.grounding.words import PageWords, WindowWords
from zhiyipdf.models import Block

__all__ = ["Group", "choose_groups"]

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


@dataclass(frozen=True, slots=True)
class Group:
    """Readable pages, or dark pages, that follow each other."""

    pages: tuple[int, ...]
    is_dark: bool


def choose_groups(
    findings: Sequence[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    words: PageWords,
    run: range,
    groups: Sequence[Group],
    weights: NDArray[np.float64],
) -> list[tuple[Group, list[int]]]:
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
        groups: The pages that they may stand on.
        weights: How much each page holds that cannot be read.

    Returns:
        Groups, perhaps joined ones, and the blocks that stand there.
    """
    readable = [group.pages[0] for group in groups if not group.is_dark]
    if len(groups) * len(run) > _MOST_STATES:
        groups = _joined(groups)
    sizes = [ink_size(blocks[i], int(said.starts[i + 1] - said.starts[i])) for i in run]
    ink = [float(weights[list(group.pages)].sum()) for group in groups]
    too_many = len(groups) * len(run) > _MOST_STATES or len(readable) * len(run) > _MOST_COMPARED
    if too_many:
        paced = _in_pace(findings, run, sizes, groups, ink)
        return [(groups[number], members) for number, members in paced.items()]
    known = words.over(readable)
    gains = np.array([_gains(findings[i], blocks[i], i, said, known, groups) for i in run])
    gains -= _PACE * _out_of_pace(sizes, groups, ink)
    shared = _shared_out(run, gains, groups)
    return [(groups[number], members) for number, members in shared.items()]


def _joined(groups: Sequence[Group]) -> list[Group]:
    """Join readable pages that follow each other."""
    joined: list[Group] = []
    for group in groups:
        if joined and not group.is_dark and not joined[-1].is_dark:
            group = Group(joined.pop().pages + group.pages, is_dark=False)
        joined.append(group)
    return joined


def _gains(
    found: Finding | None,
    block: Block,
    index: int,
    said: BlockStream,
    words: WindowWords,
    groups: Sequence[Group],
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
    sizes: Sequence[float], groups: Sequence[Group], ink: Sequence[float]
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
    groups: Sequence[Group],
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
    run: range, gains: NDArray[np.float64], groups: Sequence[Group]
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
