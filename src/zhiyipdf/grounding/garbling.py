"""Finds pages whose text layer is garbled: fonts without a usable map to Unicode.

Their letters are shifted, exchanged, private or unknown, so the Markdown knows none of their short
pieces, not even those that every page of the language has. So a page that the Markdown merely
lacks is none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.seeds import FIRST_WIDE
from zhiyipdf.grounding.streams import BlockStream, PageStream
from zhiyipdf.models.page_text import PageText

__all__ = ["Garbled", "find_garbled"]

# Pieces so short that half of a page's are on other pages of its language. Of 25 documents of the
# benchmark, the Markdown knows 36 to 100 % of a page's, 13 to 98 % where it lacks the page (but of
# a few pages in all), and of the same page with other letters at most 12 %.
_PIECE, _WIDE_PIECE = 5, 2
_KNOWN_SHARE = 0.15  # of what it knows of the best pages
_STRANGE_SHARE = 0.6  # of a page's pieces are in lines of which it knows next to nothing
_BEST = 90  # percentile
_LEAST_KNOWN = 0.5  # of the best pages; else the PDF is another one, or in another language
_FEWEST_PIECES = 40  # to judge a page by
_LINE_PIECES, _LINE_SHARE = 4, 0.5  # so much of a line is known where its font is a good one
# What says by itself that nobody can read it.
_REPLACEMENT = 0xFFFD
_PRIVATE = ((0xE000, 0xF900), (0xF0000, 0x110000))
_GLYPH_NUMBER = "(cid:"  # what some tools write for a glyph without a code point: (cid:12)
_UNREADABLE_SHARE = 0.5  # of what is to be seen on a page: bullets and formulas have a few

_BASE = np.uint64(0x9E3779B97F4A7C15)
_WIDE_SALT = np.uint64(0xD1B54A32D192ED03)
_SLAB = 200_000  # pieces at once, to bound memory
_SLOTS = 32  # of the table of pieces for each letter of the Markdown: few are taken by chance
_MOST_SLOTS = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Garbled:
    """What of the pages nobody can read.

    Attributes:
        lines: For each line of the page stream whether it is garbled.
        letters: For each page how many characters are; 0 on a page that can be read.
        is_text: For each page whether they are letters that might be another document's.
    """

    lines: NDArray[np.bool_]
    letters: NDArray[np.int64]
    is_text: NDArray[np.bool_]


def find_garbled(pages: Sequence[PageText], body: PageStream, said: BlockStream) -> Garbled:
    """Compare what the Markdown knows of each page with what it knows of the best ones.

    Lines of a garbled page that the Markdown knows stay readable: a heading in another font.

    Args:
        pages: In order.
        body: Their text, without running lines.
        said: The Markdown's.
    """
    private = np.array([_unreadable(page) for page in pages], np.int64)
    known = _known(body, said)
    line_pieces, line_known = _by_line(body, known)
    page_of_line = np.repeat(np.arange(len(pages)), np.diff(body.line_starts))
    pieces, have = (
        np.bincount(page_of_line, counts, minlength=len(pages))
        for counts in (line_pieces, line_known)
    )
    shares = have / np.maximum(pieces, 1)
    judged = pieces >= _FEWEST_PIECES
    is_text = np.zeros(len(pages), bool)
    if judged.any():
        best = float(np.percentile(shares[judged], _BEST, method="higher"))
        if best >= _LEAST_KNOWN:
            unknown = line_known < _KNOWN_SHARE * best * line_pieces
            strange = np.bincount(page_of_line, line_pieces * unknown, minlength=len(pages))
            is_text = judged & (strange >= _STRANGE_SHARE * pieces)
    garbled = is_text | (private > 0)
    lines = np.zeros(len(page_of_line), bool)
    letters = np.zeros(len(pages), np.int64)
    if garbled.any():
        is_known = (line_pieces >= _LINE_PIECES) & (line_known >= _LINE_SHARE * line_pieces)
        lines = garbled[page_of_line] & ~is_known
        page = np.repeat(np.arange(len(pages)), np.diff(body.page_starts))
        letters = np.bincount(page[lines[body.line]], minlength=len(pages))
        letters = np.where(private > 0, private, letters)
    return Garbled(lines=lines, letters=letters, is_text=is_text)


def _unreadable(page: PageText) -> int:
    """Count the characters without a meaning if most of a page's are; else 0."""
    codes = page.codes
    seen = (codes > ord(" ")) & (codes != 0xAD)
    unreadable = codes == _REPLACEMENT
    for first, end in _PRIVATE:
        unreadable |= (codes >= first) & (codes < end)
    numbered = np.ones(max(len(codes) - len(_GLYPH_NUMBER), 0), bool)
    for at, char in enumerate(_GLYPH_NUMBER):
        numbered &= codes[at : at + len(numbered)] == ord(char)
    numbers = int(np.count_nonzero(numbered))
    count = int(np.count_nonzero(unreadable)) + numbers
    taken = count + numbers * len(_GLYPH_NUMBER)
    enough = count >= _FEWEST_PIECES and taken >= _UNREADABLE_SHARE * np.count_nonzero(seen)
    return count if enough else 0


def _known(body: PageStream, said: BlockStream) -> NDArray[np.bool_]:
    """Tell for each piece of the pages, by its first character, whether the Markdown has it."""
    wanted = min(max(_SLOTS * len(said.codes), 1 << 16), _MOST_SLOTS)
    slots = 1 << (wanted - 1).bit_length()
    table = np.zeros(slots, bool)
    for _, slot in _pieces(said.codes, slots):
        table[slot] = True
    known = np.zeros(max(len(body.codes) - _PIECE + 1, 0), bool)
    for at, slot in _pieces(body.codes, slots):
        known[at : at + len(slot)] = table[slot]
    return known


def _pieces(codes: NDArray[np.uint32], slots: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give a text's pieces their slots: five letters, or two of those that say as much alone.

    Args:
        codes: The text.
        slots: A power of two.

    Yields:
        Offset of the first piece, and the slot of it and of those after it.
    """
    for at in range(0, len(codes) - _PIECE + 1, _SLAB):
        slab = codes[at : at + _SLAB + _PIECE - 1]
        count = len(slab) - _PIECE + 1
        value = np.zeros(count, np.uint64)
        wide = slab[:count] >= FIRST_WIDE
        wide &= slab[1 : count + 1] >= FIRST_WIDE
        with np.errstate(over="ignore"):
            for step in range(_PIECE):
                value *= _BASE
                value += slab[step : step + count]
                if step == _WIDE_PIECE - 1 and wide.any():
                    short = value ^ _WIDE_SALT
            if wide.any():
                value = np.where(wide, short, value)
            value ^= value >> np.uint64(29)
            value *= _BASE
            value ^= value >> np.uint64(32)
        yield at, (value & np.uint64(slots - 1)).astype(np.int64)


def _by_line(
    body: PageStream, known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the pieces that lie within each line, and those of them that the Markdown has."""
    count = int(body.line_starts[-1])
    line = body.line[: len(known)]
    within = line == body.line[_PIECE - 1 :]
    return (
        np.bincount(line[within], minlength=count),
        np.bincount(line[within & known], minlength=count),
    )
