"""Finds in a text the pieces that a splitter made of it, also those it changed a little."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import groupby

__all__ = ["MOST_PLACES", "RECENT_TEXTS", "ChunkSearch", "Span", "search_of"]

Span = tuple[int, int]
"""Offset of a piece's first character in its document, and the offset after its last one."""

MOST_PLACES = 20
"""A text that stands in more places than these is no better known by looking at all of them."""

# Documents whose chunks are cited in turn, for example those that one retrieval touches; for each
# the text and about as much again is kept.
RECENT_TEXTS = 4

# What a splitter may have left out in one place, in visible characters: a few headings; and in how
# many places of one piece. Judged, not measured.
_LONGEST_GAP = 400
_MOST_GAPS = 50
# A piece with gaps is looked for around its longest stretch without one, if that tells something.
_LEAST_STRETCH = 16

# Of a longer piece, at least one cell of this many characters is a cell of the text. A book of two
# million characters has 39,000 of them: 7 MB, and a thousandth of the time it takes to read it.
_CELL = 64

_WORD = re.compile(r"\S+")
# What decoding makes of half a character at the end of a piece that was cut by tokens.
_HALF_CHARACTER = "\ufffd"


class ChunkSearch:
    """Finds the pieces that a splitter made of a text.

    Args:
        text: The document's.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def spans(self, chunk: str, *, near: int | None = None) -> list[Span]:
        """Tell where a piece may stand; white space at its ends does not count.

        Where the piece is not to be found to the letter, neither white space nor what cannot be
        printed counts. Where it is not to be found so either, its lines are looked for one after
        the other: a splitter may have left out the headings between them.

        Args:
            chunk: The piece's text.
            near: Where it is said to begin; None if that is unknown.

        Returns:
            The place that is said, if the piece does stand there to the letter; else all of them in
            order, or if those are more than 20, the first 20 and the last. None at all if it is
            blank or not to be found.
        """
        before = len(chunk) - len(chunk.lstrip())
        piece = chunk.strip()
        if not piece:
            return []
        if near is not None and near >= 0 and self._text.startswith(piece, near + before):
            return [(near + before, near + before + len(piece))]
        whole = piece.strip(_HALF_CHARACTER).strip()
        if not whole:
            return []
        exact = [(start, start + len(whole)) for start in self._places.of(whole)]
        return exact or self._letters.spans(whole)

    @cached_property
    def _places(self) -> _Places:
        return _Places(self._text)

    @cached_property
    def _letters(self) -> _Letters:
        return _Letters(self._text)


@lru_cache(RECENT_TEXTS)
def search_of(text: str) -> ChunkSearch:
    """Give the search of a text; that of a text met lately is ready."""
    return ChunkSearch(text)


class _Letters:
    """A text without white space and what cannot be printed, and the way back to it."""

    def __init__(self, text: str) -> None:
        words = list(_printable(text))
        self.text = "".join(word for _, word in words)
        self._starts = array("L", (start for start, _ in words))
        self._own_starts = array("L", [0])
        for _, word in words:
            self._own_starts.append(self._own_starts[-1] + len(word))
        self._places = _Places(self.text)

    def spans(self, chunk: str) -> list[Span]:
        """Tell where a piece may stand in the original text."""
        lines = [line for line in map(_squeezed, chunk.splitlines()) if line]
        piece = "".join(lines)
        if not piece:
            return []
        found = [(start, start + len(piece)) for start in self._places.of(piece)]
        return [
            (self._offset_of(start), self._offset_of(end - 1) + 1)
            for start, end in found or self._with_gaps(lines)
        ]

    def _with_gaps(self, lines: list[str]) -> list[Span]:
        """Tell where lines stand in order, with gaps between some of them."""
        stretches = self._stretches(lines)
        if not stretches:
            return []
        longest = max(range(len(stretches)), key=lambda at: len(stretches[at]))
        anchor = stretches[longest]
        places = self._places.of(anchor)
        if len(anchor) < _LEAST_STRETCH or len(places) > MOST_PLACES:
            return []
        found = []
        for place in places:
            start = self._walked_back(stretches[:longest], place)
            end = self._walked_on(stretches[longest + 1 :], place + len(anchor))
            if start is not None and end is not None:
                found.append((start, end))
        return found

    def _stretches(self, lines: list[str]) -> list[str]:
        """Join lines that stand together in the text; none at all if one does not stand there."""
        stretches: list[str] = []
        at = 0
        while at < len(lines):
            ends = range(at + 1, len(lines) + 1)
            joined = bisect_left(ends, True, key=lambda end: not self._has(lines[at:end]))  # noqa: FBT003 - the key to find
            if not joined or len(stretches) == _MOST_GAPS:
                return []
            stretches.append("".join(lines[at : at + joined]))
            at += joined
        return stretches

    def _has(self, lines: list[str]) -> bool:
        return "".join(lines) in self.text

    def _walked_back(self, stretches: list[str], start: int) -> int | None:
        """Tell where the first of some stretches before an offset begins."""
        for stretch in reversed(stretches):
            start = self.text.rfind(stretch, max(start - len(stretch) - _LONGEST_GAP, 0), start)
            if start < 0:
                return None
        return start

    def _walked_on(self, stretches: list[str], end: int) -> int | None:
        """Tell where the last of some stretches after an offset ends."""
        for stretch in stretches:
            start = self.text.find(stretch, end, end + len(stretch) + _LONGEST_GAP)
            if start < 0:
                return None
            end = start + len(stretch)
        return end

    def _offset_of(self, own: int) -> int:
        """Tell where a character stands in the original text."""
        word = bisect_right(self._own_starts, own) - 1
        return self._starts[word] + own - self._own_starts[word]


def _printable(text: str) -> Iterator[tuple[int, str]]:
    """Give the stretches of printable characters that are no white space, and their offsets."""
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isprintable():
            yield match.start(), word
            continue
        at = match.start()
        for printable, stretch in groupby(word, str.isprintable):
            kept = "".join(stretch)
            if printable:
                yield at, kept
            at += len(kept)


def _squeezed(text: str) -> str:
    return "".join(word for _, word in _printable(text))


class _Places:
    """Finds a piece in a text without reading all of it each time: it knows where its cells are."""

    def __init__(self, text: str) -> None:
        self._text = text

    def of(self, piece: str) -> list[int]:
        """Tell where a piece begins; of more than 20 places the first 20 and the last."""
        if len(piece) < 2 * _CELL - 1:
            return self._read(piece)
        found = []
        for shift in range(_CELL):  # wherever the piece stands, some cell of it is one of the text
            cells = self._cells.get(piece[shift : shift + _CELL], ())
            found += [at - shift for at in cells if self._text.startswith(piece, at - shift)]
        found.sort()
        return found if len(found) <= MOST_PLACES else [*found[:MOST_PLACES], found[-1]]

    def _read(self, piece: str) -> list[int]:
        found: list[int] = []
        at = self._text.find(piece)
        while at >= 0 and len(found) < MOST_PLACES:
            found.append(at)
            at = self._text.find(piece, at + 1)
        if at >= 0:
            found.append(self._text.rfind(piece))
        return found

    @cached_property
    def _cells(self) -> dict[str, list[int]]:
        cells: dict[str, list[int]] = {}
        for at in range(0, len(self._text) - _CELL + 1, _CELL):
            cells.setdefault(self._text[at : at + _CELL], []).append(at)
        return cells
