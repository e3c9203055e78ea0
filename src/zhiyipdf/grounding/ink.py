"""Shares blocks out among dark pages that follow each other: by marks, names of pictures, ink."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.running_lines import RunningLines, running_key
from zhiyipdf.grounding.streams import BlockStream
from zhiyipdf.models import Block

__all__ = ["IMAGE_LENGTH", "fill_by_ink", "ink_size"]

# In letters of plain text, as the ink of the benchmark's documents has it.
IMAGE_LENGTH = 300
_LEAST_LENGTH = 4
_HEADING = 1.5
_NO_LETTER = 0.01  # keeps order
# How far a page's share of all may be off before a heading outweighs it, of a page.
_INK_ERROR, _LETTER_ERROR = 1 / 6, 1 / 40
_REMARK = 0.4  # a remark on a picture, which stands before it


def fill_by_ink(
    findings: list[Finding | None],
    members: Sequence[int],
    pages: Sequence[int],
    blocks: Sequence[Block],
    said: BlockStream,
    ink: Sequence[float],
    named: Mapping[int, int],
    running: RunningLines,
    *,
    by_letters: bool = False,
) -> None:
    """Share blocks out among dark pages that follow each other.

    Args:
        findings: By block; is filled in.
        members: Indices of the blocks that stand on these pages.
        pages: Indices of the pages.
        blocks: The Markdown's.
        said: Their text.
        ink: Of each of the pages.
        named: By index of the block the index of the page that the name of its picture tells.
        running: Running lines; those that the Markdown kept part its pages.
        by_letters: The ink is that of counted letters, as on garbled pages, which tell the pages'
            shares more exactly than what is drawn.
    """
    lengths = [int(said.starts[i + 1] - said.starts[i]) for i in members]
    if by_letters:
        sizes: list[float] = [max(length, _NO_LETTER) for length in lengths]
    else:
        sizes = [ink_size(blocks[i], n) for i, n in zip(members, lengths, strict=True)]
    cuts = _marked(members, said, running, len(pages))
    if cuts is not None:
        shares = _by_marks(len(members), cuts)
    else:
        hints = _hints(findings, members, pages, named)
        error = _LETTER_ERROR if by_letters else _INK_ERROR
        shares = _by_ink(members, sizes, blocks, ink, hints, error)
    choices = 1 if cuts is not None else len(pages)
    margins = _margins(shares, sizes)
    for i, at, margin in zip(members, shares, margins, strict=True):
        found = findings[i]
        if found is not None and found.pages[:1] == (pages[at],):
            continue
        findings[i] = Finding(method="ink", pages=(pages[at],), choices=choices, margin=margin)


def ink_size(block: Block, length: int) -> float:
    """Tell how much ink a block takes, in letters of plain text."""
    if not length:
        return IMAGE_LENGTH if block.images else _LEAST_LENGTH
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
    error: float,
) -> list[int]:
    """Share members out so that the pages' lengths are as their ink is, cut where a part begins.

    Args:
        members: Indices of blocks.
        sizes: How much ink each takes.
        blocks: All of them.
        ink: Of each page.
        hints: By position among the members the page that a picture's name, or text of it that
            can be read, tells, never falling.
        error: How far the ink may be off, as a share of a page.
    """
    count = len(ink)
    if count == 1:
        return [0] * len(members)
    total, all_ink = sum(sizes), sum(ink)
    ends = [0.0, *accumulate(sizes)]
    wanted = [0.0, *(share / all_ink * total for share in accumulate(ink))]
    spread = max(total / count * error, 1.0)
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
    findings: Sequence[Finding | None],
    members: Sequence[int],
    pages: Sequence[int],
    named: Mapping[int, int],
) -> dict[int, int]:
    """Read the pages that names of pictures and found text tell, as far as they never fall."""
    place = {page: at for at, page in enumerate(pages)}
    hints: dict[int, int] = {}
    last = 0
    for at, member in enumerate(members):
        found = findings[member]
        told = [place.get(page) for page in (found.pages[:1] if found is not None else ())]
        told.append(place.get(named.get(member, -1)))
        page = next((page for page in told if page is not None), -1)
        if page >= last:
            hints[at] = last = page
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
    if block.kind == "comment" and cut + 1 < len(members) and blocks[members[cut + 1]].images:
        return _REMARK
    return 0.0
