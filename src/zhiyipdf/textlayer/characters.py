"""Read a page's characters by PDFium's index, and part them into lines."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import pypdfium2.raw as pdfium_c
from numpy.typing import NDArray

__all__ = ["Characters", "inked", "line_ranges", "read_characters"]

_IS_INK = np.ones(0x10000, np.bool_)
"""By code point, those above U+FFFF taken for the last one: not Unicode's White_Space, zero-width
space, byte order mark, or 0, which is nothing to be seen."""
_IS_INK[list(map(ord, "\0\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"))] = False
_IS_INK[0x2000:0x200C] = False

_LINE_FEED, _CARRIAGE_RETURN, _SOFT_HYPHEN, _UNKNOWN = 0x0A, 0x0D, 0xAD, 0xFFFD

# Where a line ends with a hyphen, PDFium reads the word on in the next line, without a break, and
# writes these for the hyphen; the former also for characters without a code point.
_HYPHEN_IN_TEXT, _HYPHEN_AS_CHARACTER = 0xFFFE, 0x0002


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Characters:
    """The characters of a page.

    Attributes:
        codes: Code points by PDFium's index, uint32 of shape (n,): U+FFFD for a character without
            one, U+00AD for a hyphen at the end of a line, 0 for the second half of a surrogate
            pair.
        hyphens: Indices of those hyphens, in order: the next line goes on behind them.
    """

    codes: NDArray[np.uint32]
    hyphens: NDArray[np.int64]


def read_characters(text: Any) -> Characters:
    """Read the characters of a loaded page of text."""
    count = pdfium_c.FPDFText_CountChars(text)
    if count <= 0:
        return Characters(codes=np.zeros(0, np.uint32), hyphens=np.zeros(0, np.int64))
    buffer = (ctypes.c_ushort * (2 * count + 1))()  # a character may be two units of UTF-16
    written = pdfium_c.FPDFText_GetText(text, 0, count, buffer)
    codes = np.frombuffer(buffer, np.uint16)[: max(written - 1, 0)].astype(np.uint32)
    mark = _HYPHEN_IN_TEXT
    if len(codes) != count:
        # The text leaves out some characters that the page has, so that its indices are not theirs
        # (pypdfium2's issue 261; one page in 28 of the grounding study).
        mark = _HYPHEN_AS_CHARACTER
        codes = np.fromiter(
            (pdfium_c.FPDFText_GetUnicode(text, i) for i in range(count)), np.uint32, count
        )
    marks = np.flatnonzero(codes == mark).tolist()
    hyphens = np.array([i for i in marks if pdfium_c.FPDFText_IsHyphen(text, i) == 1], np.int64)
    codes[hyphens] = _SOFT_HYPHEN
    return Characters(codes=_joined(codes), hyphens=hyphens)


def line_ranges(characters: Characters) -> NDArray[np.int32]:
    """Part characters into lines: at CR and LF, and behind a hyphen that ends a line.

    Returns:
        First and one past the last index of each line that holds more than blanks, of shape (k, 2).
    """
    codes = characters.codes
    is_break = (codes == _LINE_FEED) | (codes == _CARRIAGE_RETURN)
    after_breaks = np.flatnonzero(is_break) + 1
    bounds = np.unique(np.concatenate(([0], after_breaks, characters.hyphens + 1, [len(codes)])))
    starts, ends = bounds[:-1], bounds[1:]
    ends = ends - is_break[ends - 1]
    ink_before = np.concatenate(([0], np.cumsum(inked(codes))))
    kept = ink_before[ends] > ink_before[starts]
    return np.stack((starts[kept], ends[kept]), axis=1).astype(np.int32)


def inked(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Say of each character whether it is more than a blank."""
    return _IS_INK[np.minimum(codes, 0xFFFF)]


def _surrogates(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    return (codes >= 0xD800) & (codes < 0xE000)


def _joined(codes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Join the halves of surrogate pairs and mark what is no character."""
    high = np.flatnonzero((codes[:-1] >= 0xD800) & (codes[:-1] < 0xDC00))
    high = high[(codes[high + 1] >= 0xDC00) & (codes[high + 1] < 0xE000)]
    pairs = 0x10000 + ((codes[high] - 0xD800) << 10) + (codes[high + 1] - 0xDC00)
    unknown = (codes == 0) | (codes == 0xFFFE) | (codes > 0x10FFFF) | _surrogates(codes)
    codes = np.where(unknown, np.uint32(_UNKNOWN), codes)
    codes[high], codes[high + 1] = pairs, 0
    return codes
