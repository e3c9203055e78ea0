"""Places blocks that are not found in the body: running lines, columns in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rapidfuzz import fuzz

from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.running_lines import RunningLine, RunningLines
from zhiyipdf.grounding.streams import BlockStream
from zhiyipdf.grounding.words import PageWords
from zhiyipdf.models import Block

__all__ = ["add_running_ends", "fill_by_words", "fill_running"]

_MOST_PAGES = 12
_ALIKE, _PIECE_ALIKE = 75.0, 85.0
_LONGEST = 200
_FULL = 12  # letters: longer lines tell no more
_PIECE = 5
_SLACK = 2  # letters that noise may add to a line
_PIECE_WORTH = 0.9
_LEAST_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class _Match:
    block: int
    slot: int
    likeness: float
    before: _Match | None
    used: int  # letters of its slot that it and those before it take


@dataclass(frozen=True, slots=True)
class _Between:
    """Blocks without a place.

    Attributes:
        run: Their indices.
        first: Page where the block before them ends; 0 if there is none.
        last: Page where the block after them begins; the last one if there is none.
        after: Whether there is a block before them.
        before: Whether there is one after them.
    """

    run: list[int]
    first: int
    last: int
    after: bool
    before: bool

    def is_beyond(self, page: int, edge: int) -> bool:
        """Whether one end of a page stands before the one block, or behind the other."""
        if self.first == self.last:
            return False
        if edge < 0:
            return self.after and page == self.first
        return self.before and page == self.last


def fill_running(
    findings: list[Finding | None],
    said: BlockStream,
    running: RunningLines,
    count: int,
    *,
    exactly: bool,
    only: frozenset[int] | None = None,
) -> None:
    """Find blocks among the running lines of the pages around them.

    Args:
        findings: By block; is filled in.
        said: The Markdown's blocks.
        running: The running lines.
        count: Of pages.
        exactly: Letter by letter; else by likeness.
        only: Of these blocks alone.
    """
    if not running.by_page:
        return
    free = _free(findings, said, running)
    for between in _runs(findings, said, count):
        run = between.run if only is None else [block for block in between.run if block in only]
        slots = [
            (page, line)
            for page in range(between.first, between.last + 1)
            for line in free.get(page, ())
            if not between.is_beyond(page, line.edge)
        ]
        if not slots or not run:
            continue
        for block, at, likeness in _matched(run, said, slots, exactly=exactly):
            page, running_line = slots[at]
            text = said.text_of(block)
            findings[block] = Finding(
                method="running",
                pages=(page,),
                lines=running_line.lines,
                part=_part(text, running_line),
                matched=len(text),
                share=likeness,
                likeness=likeness,
                choices=1 + sum(line.text == text for _, line in slots),
            )


def _free(
    findings: Sequence[Finding | None], said: BlockStream, running: RunningLines
) -> dict[int, list[RunningLine]]:
    """Give each page's running lines that no block found there is already."""
    taken = Counter(
        (found.pages[0], said.text_of(block))
        for block, found in enumerate(findings)
        if found is not None and found.pages
    )
    free: dict[int, list[RunningLine]] = {}
    for page, lines in running.by_page.items():
        own = free.setdefault(page, [])
        for line in _with_joined(lines):
            if taken[page, line.text]:
                taken[page, line.text] -= 1
            else:
                own.append(line)
    return free


def add_running_ends(
    findings: list[Finding | None], said: BlockStream, running: RunningLines
) -> None:
    """Add the page of a running line that a converter left at a block's beginning or end.

    Args:
        findings: By block; is changed in place.
        said: The Markdown's blocks.
        running: The running lines.
    """
    for block, found in enumerate(findings):
        if found is None or found.method != "seed" or found.share >= 1 or found.ends is None:
            continue
        begin, end = int(said.starts[block]), int(said.starts[block + 1])
        head, tail = found.ends
        pages = list(found.pages)
        before, after = pages[0] - 1, pages[-1] + 1
        if _has_line(said.text[end - tail : end], running.by_page.get(after, ()), -1):
            pages.append(after)
        if _has_line(said.text[begin : begin + head], running.by_page.get(before, ()), 1):
            pages.insert(0, before)
        if len(pages) != len(found.pages):
            findings[block] = replace(found, pages=tuple(pages))


def _has_line(text: str, lines: Sequence[RunningLine], edge: int) -> bool:
    """Whether a text is like a page's running lines at one edge."""
    return 3 < len(text) <= _LONGEST and any(
        line.edge == edge and fuzz.ratio(text, line.text) >= _ALIKE for line in _with_joined(lines)
    )


def _with_joined(lines: Sequence[RunningLine]) -> Iterator[RunningLine]:
    """Give a page's running lines, and those of one edge as one line: converters join them."""
    for edge in (-1, 1):
        own = [line for line in lines if line.edge == edge]
        yield from own
        if len(own) > 1:
            together = tuple(number for line in own for number in line.lines)
            for ordered in (own, own[::-1]):
                text = "".join(line.text for line in ordered)
                yield RunningLine(text=text, edge=edge, lines=together)


def _matched(
    run: Sequence[int],
    said: BlockStream,
    slots: Sequence[tuple[int, RunningLine]],
    *,
    exactly: bool,
) -> Iterator[tuple[int, int, float]]:
    """Match blocks with running lines in order: a small alignment of two sequences.

    Yields:
        Block, number of the slot, likeness.
    """
    best: list[tuple[float, _Match | None]] = [(0.0, None)] * (len(slots) + 1)
    for block in run:
        text = said.text_of(block)
        if len(text) > _LONGEST:
            continue
        likenesses = [_likeness(text, line.text, exactly=exactly) for _, line in slots]
        if not any(likenesses):
            continue
        updated = best[:]
        for at, likeness in enumerate(likenesses):
            for total, match in _ways(best, block, len(text), at, likeness, slots[at][1]):
                if total > updated[at + 1][0]:
                    updated[at + 1] = (total, match)
        for at in range(1, len(updated)):
            if updated[at - 1][0] > updated[at][0]:
                updated[at] = updated[at - 1]
        best = updated
    last = best[-1][1]
    while last is not None:
        yield last.block, last.slot, last.likeness
        last = last.before


def _ways(
    best: Sequence[tuple[float, _Match | None]],
    block: int,
    size: int,
    at: int,
    likeness: float,
    line: RunningLine,
) -> Iterator[tuple[float, _Match]]:
    """Match a block of so many letters with a slot: anew, or beside one that has a part of it."""
    if not likeness:
        return
    worth = likeness * min(size, _FULL)
    total, before = best[at]
    yield total + worth, _Match(block, at, likeness, before, size)
    total, before = best[at + 1]
    if before is not None and before.slot == at and before.used + size <= len(line.text) + _SLACK:
        yield total + worth, _Match(block, at, likeness, before, before.used + size)


def _likeness(text: str, line: str, *, exactly: bool) -> float:
    """Tell how like a running line, or a piece of one, a block is, from 0 to 1."""
    if text == line:
        return 1.0
    is_piece = _PIECE <= len(text) < len(line)
    if exactly:
        return _PIECE_WORTH if is_piece and text in line else 0.0
    likeness = fuzz.ratio(text, line, score_cutoff=_ALIKE)
    if not likeness and is_piece:
        likeness = _PIECE_WORTH * fuzz.partial_ratio(text, line, score_cutoff=_PIECE_ALIKE)
    return likeness / 100


def _part(text: str, line: RunningLine) -> tuple[int, int] | None:
    """Give where in a running line a piece of it stands."""
    if len(line.lines) != 1 or len(text) >= len(line.text):
        return None
    found = fuzz.partial_ratio_alignment(text, line.text)
    return None if found is None else (found.dest_start, found.dest_end)


def fill_by_words(
    findings: list[Finding | None],
    blocks: Sequence[Block],
    said: BlockStream,
    words: PageWords,
    count: int,
) -> None:
    """Find blocks whose words stand on a page in another order: columns read row by row.

    Args:
        findings: By block; is filled in.
        blocks: The Markdown's.
        said: Their text.
        words: The pages'.
        count: Of pages.
    """
    for between in _runs(findings, said, count):
        run, first = between.run, between.first
        if first == between.last:
            continue
        window = range(first, between.last + 1)
        known = words.over(window)
        shares = [known.shares(blocks[block], telling=True).tolist() for block in run]
        for number, (block, at) in enumerate(_rising(run, shares)):
            share = shares[number][at]
            if share >= _LEAST_SHARE:
                findings[block] = Finding(
                    method="bag", pages=(first + at,), share=min(share, 1.0), choices=len(window)
                )


def _rising(run: Sequence[int], shares: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    """Choose a page for each block, never going back, so that the shares sum to most."""
    width = len(shares[0])
    totals = [0.0] * width
    back: list[list[int]] = []
    for own in shares:
        reached, source, new, sources = -1.0, 0, [], []
        for page in range(width):
            if totals[page] > reached:
                reached, source = totals[page], page
            new.append(reached + own[page])
            sources.append(source)
        totals = new
        back.append(sources)
    page = max(range(width), key=totals.__getitem__)
    chosen: list[int] = []
    for sources in reversed(back):
        chosen.append(page)
        page = sources[page]
    yield from zip(run, reversed(chosen), strict=True)


def _runs(findings: Sequence[Finding | None], said: BlockStream, count: int) -> Iterator[_Between]:
    """Give the runs of blocks with text and without a place, and the pages they lie between."""
    first, begin = 0, 0
    for block in (*backbone(findings), len(findings)):
        found = findings[block] if block < len(findings) else None
        last = count - 1 if found is None else found.pages[0]
        run = [i for i in range(begin, block) if findings[i] is None and said.has_text(i)]
        if run and 0 <= last - first < _MOST_PAGES:
            yield _Between(run, first, last, after=begin > 0, before=found is not None)
        if found is not None:
            first, begin = found.pages[-1], block + 1
