"""Tells where in a text a piece of it stands from a fingerprint of the text alone."""

from __future__ import annotations

from functools import cached_property, lru_cache
from zlib import crc32

from zhiyipdf.documents.chunk_search import MOST_PLACES, Span

__all__ = ["UNCHECKED", "Fingerprint", "read_fingerprint", "write_fingerprint"]

# Characters of text for one character of fingerprint: a fiftieth of the text is about as long as
# what `page_starts` needs for a book. A piece of 143 characters or more holds two cells, wherever
# it was cut.
_CELL = 48
UNCHECKED = _CELL - 1
"""Characters at either end of a piece that a search does not check, at most."""

# What one character can tell apart: the 64 of Base64.
_CODES = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# A place that is said is believed if so many cells agree: a wrong one passes once in 64 ** 2.
_CELLS_TO_BELIEVE = 2
# Without that, all 48 ways to lay the cells are tried at each cell of the text: two million places
# in a book of two million characters. Six cells let a foreign piece pass once in 30,000 there.
_CELLS_TO_SEARCH = 6

# The chunks of a document share its fingerprint. Searched, that of a book takes 7 MB.
_RECENT = 8


class Fingerprint:
    """A text's length and a hash of six bits for each cell of it.

    It travels with each chunk where the text does not: a chunk that a store found, or a node in a
    pipeline. Two splitters in a row leave offsets that count from the piece that the second one
    cut, and nothing in the chunk says so; the cells do.

    Args:
        length: Of the text without white space at its end.
        cells: One character for each cell; the last cell may be shorter.
    """

    def __init__(self, length: int, cells: str) -> None:
        self.length = length
        self._cells = cells

    def span_at(self, chunk: str, start: int | None) -> Span | None:
        """Tell where a piece stands if it does where it is said to; white space at its ends aside.

        Args:
            chunk: The piece's text.
            start: Where it is said to begin; None if that is unknown.

        Returns:
            None if the text there is another, or the piece is too short to tell: 143 characters are
            enough. The whole text needs no start and has any length.
        """
        piece, before = chunk.strip(), len(chunk) - len(chunk.lstrip())
        if piece and self.is_of(chunk):
            return before, before + len(piece)
        if start is None or not self._agrees(piece, start + before, at_least=_CELLS_TO_BELIEVE):
            return None
        return start + before, start + before + len(piece)

    def search(self, chunk: str) -> list[Span]:
        """Tell where a piece may stand, wherever it is said to.

        Returns:
            All places that agree, in order. None at all if those are more than 20, if the piece is
            too short to tell (335 characters are enough), or is not in the text to the letter. Up
            to 47 characters at either end are not checked.
        """
        piece = chunk.strip()
        return [(start, start + len(piece)) for start in self._starts(piece)]

    def is_of(self, text: str) -> bool:
        """Tell if it is that of a text, white space at its end aside."""
        end = len(text.rstrip())
        return end == self.length and _cells(text, 0, end) == self._cells

    def _agrees(self, piece: str, start: int, *, at_least: int) -> bool:
        """Tell if a piece may begin at an offset, so many cells being wholly in it."""
        end = start + len(piece)
        if start < 0 or end > self.length:
            return False
        first = -(-start // _CELL)
        whole = _cells(piece, first * _CELL - start, end - start)
        if end < self.length and (end - first * _CELL) % _CELL:
            whole = whole[:-1]  # the piece ends within this one
        return len(whole) >= at_least and self._cells.startswith(whole, first)

    def _starts(self, piece: str) -> list[int]:
        if len(piece) < _CELL * (_CELLS_TO_SEARCH + 1) - 1:
            return []
        found: list[int] = []
        for shift in range(_CELL):  # one of these lays the piece's cells as the text's lie
            wanted = _cells(piece, shift, shift + _CELLS_TO_SEARCH * _CELL)
            for at in self._places.get(wanted, ()):
                start = at * _CELL - shift
                if self._agrees(piece, start, at_least=_CELLS_TO_SEARCH):
                    found.append(start)
                if len(found) > MOST_PLACES:
                    return []
        return sorted(found)

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for at in range(len(self._cells) - _CELLS_TO_SEARCH + 1):
            places.setdefault(self._cells[at : at + _CELLS_TO_SEARCH], []).append(at)
        return places


def write_fingerprint(text: str) -> str:
    """Write a text's fingerprint: its length, a colon, its cells."""
    end = len(text.rstrip())
    return f"{end}:{_cells(text, 0, end)}"


@lru_cache(_RECENT)
def read_fingerprint(written: str) -> Fingerprint:
    """Read what :func:`write_fingerprint` wrote.

    Raises:
        ValueError: It is something else.
    """
    length, colon, cells = written.partition(":")
    if not colon or not length.isdecimal() or len(cells) != -(-int(length) // _CELL):
        raise ValueError(f"no text_fingerprint: {written[:80]!r}")
    return Fingerprint(int(length), cells)


def _cells(text: str, start: int, end: int) -> str:
    """Hash the cells of a stretch of text, from its start on."""
    return "".join(
        _CODES[crc32(text[at : min(at + _CELL, end)].encode("utf-8", "surrogatepass")) & 63]
        for at in range(start, end, _CELL)
    )
