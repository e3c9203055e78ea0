"""Lays a PDF's pages, and a Markdown's blocks, end to end as one folded text each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.folding import Folding, codes_of, text_of
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["BlockStream", "PageStream", "block_stream", "page_stream"]

_PAGE_DEPTH = 31  # characters: more than what short pieces of one text may lie apart


@dataclass(frozen=True, kw_only=True, eq=False)
class PageStream:
    """The folded text of all pages.

    Attributes:
        codes: Folded code points, uint32 of shape (n,).
        text: The same as a string.
        page_starts: Offset of each page's first character and, last, n: shape (pages + 1,).
        source: Index in its page's ``codes`` of what each character comes from, int32.
        line: Number of the line of each character, counted over all pages, int32.
        line_starts: Number of each page's first line and, last, of all lines.
        is_running: Whether each character belongs to a running line; None if none does.
    """

    codes: NDArray[np.uint32]
    text: str
    page_starts: NDArray[np.int64]
    source: NDArray[np.int32]
    line: NDArray[np.int32]
    line_starts: NDArray[np.int64]
    is_running: NDArray[np.bool_] | None = None

    def page_of(self, place: int) -> int:
        """Give the index of the page that a character stands on."""
        return int(np.searchsorted(self.page_starts, place, side="right")) - 1

    @cached_property
    def depth(self) -> NDArray[np.int32]:
        """Offset of each character, and of the end, among those of no running line."""
        if self.is_running is None:
            return np.arange(len(self.codes) + 1, dtype=np.int32)
        return np.concatenate(([0], np.cumsum(~self.is_running))).astype(np.int32)

    @cached_property
    def paged_depth(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Depth of what begins, and of what ends, at each offset, and at the end.

        Running lines have no depth, or each that the Markdown has not would push the blocks apart;
        but a new page has some, or the foot of one would be as near as the head of the next.
        """
        page = np.repeat(
            np.arange(len(self.page_starts) - 1, dtype=np.int32), np.diff(self.page_starts)
        )
        page = _PAGE_DEPTH * np.append(page, page[-1:])
        before = np.append(page[:1], page[:-1])
        return self.depth + page, self.depth + before

    @cached_property
    def steady(self) -> tuple[str, NDArray[np.int32]]:
        """The text without running lines, and the offset of each of its characters."""
        if self.is_running is None:
            return self.text, np.arange(len(self.codes), dtype=np.int32)
        places = np.flatnonzero(~self.is_running).astype(np.int32)
        return text_of(self.codes[places]), places

    @cached_property
    def line_edges(self) -> tuple[list[int], list[int]]:
        """Where each run of one line begins, and where it ends."""
        if not len(self.codes):
            return [], []
        inner = (np.flatnonzero(np.diff(self.line)) + 1).tolist()
        return [0, *inner], [*inner, len(self.codes)]

    def arranged(self, rank: NDArray[np.int8]) -> PageStream:
        """Put lines of each page in another order, and remember them as running.

        Args:
            rank: For each line less than 0 to come before the other lines of its page, more to come
                after them; these in the order of their ranks.
        """
        if not rank.any():
            return self
        page = np.repeat(np.arange(len(self.page_starts) - 1), np.diff(self.page_starts))
        order = np.lexsort((rank[self.line], page))
        codes, line = self.codes[order], self.line[order]
        return replace(
            self,
            codes=codes,
            text=text_of(codes),
            source=self.source[order],
            line=line,
            is_running=rank[line] != 0,
        )

    def without_lines(self, dropped: NDArray[np.bool_]) -> PageStream:
        """Leave some lines out.

        Args:
            dropped: For each line whether it goes.
        """
        if not dropped.any():
            return self
        kept = ~dropped[self.line]
        counts = np.concatenate(([0], np.cumsum(kept)))
        codes = self.codes[kept]
        return PageStream(
            codes=codes,
            text=text_of(codes),
            page_starts=counts[self.page_starts],
            source=self.source[kept],
            line=self.line[kept],
            line_starts=self.line_starts,
            is_running=None if self.is_running is None else self.is_running[kept],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BlockStream:
    """The folded text of all blocks.

    Attributes:
        codes: Folded code points, uint32 of shape (n,).
        text: The same as a string.
        starts: Offset of each block's first character and, last, n: shape (blocks + 1,).
        lines: Offset of each line's first character in the order of the text, lines without
            letters left out.
    """

    codes: NDArray[np.uint32]
    text: str
    starts: NDArray[np.int64]
    lines: NDArray[np.int64]

    def text_of(self, block: int) -> str:
        """Give the folded text of one block."""
        return self.text[int(self.starts[block]) : int(self.starts[block + 1])]

    def has_text(self, block: int) -> bool:
        """Whether a block has a letter or digit."""
        return bool(self.starts[block] < self.starts[block + 1])


def page_stream(pages: Sequence[PageText], folding: Folding) -> PageStream:
    """Fold pages and lay them end to end.

    Args:
        pages: In order.
        folding: The one that folds the blocks too.
    """
    codes: list[NDArray[np.uint32]] = []
    sources: list[NDArray[np.int32]] = []
    lines: list[NDArray[np.int32]] = []
    line_starts = np.cumsum([0, *(len(page.lines) for page in pages)])
    for page, first_line in zip(pages, line_starts.tolist(), strict=False):
        folded, source = folding.fold(page.codes)
        if not len(page.lines):  # nothing there has a place
            folded, source = folded[:0], source[:0]
        line = np.searchsorted(page.lines[:, 0], source, side="right") - 1
        codes.append(folded)
        sources.append(source)
        lines.append((np.maximum(line, 0) + first_line).astype(np.int32))
    joined = _joined(codes, np.uint32)
    return PageStream(
        codes=joined,
        text=text_of(joined),
        page_starts=np.cumsum([0, *map(len, codes)]),
        source=_joined(sources, np.int32),
        line=_joined(lines, np.int32),
        line_starts=line_starts,
    )


def block_stream(blocks: Sequence[Block], folding: Folding) -> BlockStream:
    """Fold the text of blocks and lay it end to end.

    Args:
        blocks: In order.
        folding: The one that folds the pages too.
    """
    spoken = [spoken_text(block.text) for block in blocks]
    ends = np.cumsum([len(text) + 1 for text in spoken])
    raw = codes_of("\n".join((*spoken, "")))
    folded, source = folding.fold(raw)
    newlines = np.flatnonzero(raw == ord("\n"))
    lines = np.unique(np.searchsorted(source, np.concatenate(([0], newlines))))
    starts = np.concatenate(([0], np.searchsorted(source, ends)))
    return BlockStream(
        codes=folded, text=text_of(folded), starts=starts, lines=lines[lines < len(folded)]
    )


def _joined(pieces: Sequence[NDArray[np.generic]], kind: type) -> NDArray:  # type: ignore[type-arg]
    return np.concatenate(pieces) if pieces else np.zeros(0, kind)
