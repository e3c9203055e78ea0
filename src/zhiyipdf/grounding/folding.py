"""Folds text to bare letters and digits, so that a PDF's text and its Markdown can be compared.

What converters change without meaning anything goes: case, accents, ligatures, half and full width,
blanks, hyphens, punctuation, emphasis. Both sides are folded alike, so nothing needs to be undone.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from numpy.typing import NDArray

__all__ = ["Folding", "codes_of", "text_of"]

_CODE_POINTS = 0x110000
_UNKNOWN = -1
# One character is looked up in this table before its compatibility decomposition: the variants that
# Arabic fonts and Persian keyboards mix (Unicode Standard, chapter 9.2), and tatweel.
_VARIANTS = {"ى": "ي", "ی": "ي", "ې": "ي", "ے": "ي", "ک": "ك", "ہ": "ه", "ۀ": "ه", "ـ": ""}
# Where Hangul letters and syllables begin; tails count from 1.
_LEADS, _VOWELS, _TAILS, _SYLLABLES, _JAMO = 0x1100, 0x1161, 0x11A7, 0xAC00, 0x100
_FIRST_RADICAL, _LAST_RADICAL = 0x2E80, 0x2FD5


def codes_of(text: str) -> NDArray[np.uint32]:
    """Give the code points of a text; lone surrogates stay what they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def text_of(codes: NDArray[np.uint32]) -> str:
    """Give the text of some code points."""
    return codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


class Folding:
    """Folds code points; remembers those it has met, so that one serves a whole document."""

    def __init__(self) -> None:
        # What each code point becomes: one code point, 0 for nothing, or below -1 for several.
        self._table = np.full(_CODE_POINTS, _UNKNOWN, np.int32)
        self._several: list[NDArray[np.int32]] = []
        self._table[0] = 0

    def fold(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        """Fold some text.

        Args:
            codes: Code points.

        Returns:
            The folded code points, and for each the index of the one it comes from.
        """
        clean = np.where(codes < _CODE_POINTS, codes, 0)
        folded = self._table[clean]
        if (folded == _UNKNOWN).any():
            self._learn(np.unique(clean[folded == _UNKNOWN]))
            folded = self._table[clean]
        source = np.flatnonzero(folded).astype(np.int32)
        folded = folded[source]
        if (folded < 0).any():
            folded, source = self._expanded(folded, source)
        if ((folded >= _LEADS) & (folded < _LEADS + _JAMO)).any():
            folded, source = _with_syllables(folded, source)
        return folded.astype(np.uint32), source

    def _learn(self, codes: NDArray[np.uint32]) -> None:
        for code in codes.tolist():
            letters = _letters(chr(code))
            if len(letters) <= 1:
                self._table[code] = ord(letters) if letters else 0
            else:
                self._several.append(np.array([ord(letter) for letter in letters], np.int32))
                self._table[code] = -1 - len(self._several)

    def _expanded(
        self, folded: NDArray[np.int32], source: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        sizes = np.ones(len(folded), np.int64)
        at = np.flatnonzero(folded < 0)
        several = [self._several[-2 - code] for code in folded[at].tolist()]
        sizes[at] = [len(letters) for letters in several]
        starts = np.cumsum(sizes) - sizes
        expanded = np.repeat(folded, sizes)
        for start, letters in zip(starts[at].tolist(), several, strict=True):
            expanded[start : start + len(letters)] = letters
        return expanded, np.repeat(source, sizes)


def _with_syllables(
    folded: NDArray[np.int32], source: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Join Hangul letters to syllables (Unicode Standard, section 3.12)."""
    lead, vowel, tail = (
        (folded >= first) & (folded < first + count)
        for first, count in ((_LEADS, 19), (_VOWELS, 21), (_TAILS + 1, 27))
    )
    at = np.flatnonzero(lead[:-1] & vowel[1:])
    joined = folded.copy()
    joined[at] = _SYLLABLES + ((folded[at] - _LEADS) * 21 + folded[at + 1] - _VOWELS) * 28
    closed = at[np.append(tail, (False, False))[at + 2]]
    joined[closed] += folded[closed + 2] - _TAILS
    kept = np.ones(len(folded), bool)
    kept[at + 1] = kept[closed + 2] = False
    return joined[kept], source[kept]


def _letters(char: str) -> str:
    """Fold one character: compatibility forms, case, then only letters and digits (L*, N*)."""
    if _FIRST_RADICAL <= ord(char) <= _LAST_RADICAL:
        char = _radical(char)
    text = "".join(_VARIANTS.get(c, c) for c in unicodedata.normalize("NFKD", char))
    text = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c for c in text if unicodedata.category(c)[0] in "LN")
    return unicodedata.normalize("NFC", kept)


def _radical(char: str) -> str:
    """Give the character that a radical stands for, where fonts take one for the other.

    NFKC maps the Kangxi radicals and two of the supplement (U+2E80..2EFF); the rest of the
    supplement says in its name which character it is a form of.
    """
    name = unicodedata.name(char, "")
    simplified = _SUPPLEMENT.get(name.removeprefix("CJK RADICAL "))
    return char if simplified is None else simplified


# CJK Radicals Supplement (Unicode chart U2E80), those that fonts use for whole characters; what
# they stand for is in Unicode's EquivalentUnifiedIdeograph.txt.
_SUPPLEMENT = {
    "C-SIMPLIFIED LONG": "长",
    "C-SIMPLIFIED SHELL": "贝",
    "C-SIMPLIFIED SEE": "见",
    "C-SIMPLIFIED GOLD": "钅",
    "C-SIMPLIFIED GATE": "门",
    "C-SIMPLIFIED TANNED LEATHER": "韦",
    "C-SIMPLIFIED LEAF": "页",
    "C-SIMPLIFIED WIND": "风",
    "C-SIMPLIFIED FLY": "飞",
    "C-SIMPLIFIED EAT": "饣",
    "C-SIMPLIFIED HORSE": "马",
    "C-SIMPLIFIED FISH": "鱼",
    "C-SIMPLIFIED BIRD": "鸟",
    "C-SIMPLIFIED SPEECH": "讠",
    "C-SIMPLIFIED CART": "车",
    "SIMPLIFIED WHEAT": "麦",
    "SIMPLIFIED YELLOW": "黄",
    "C-SIMPLIFIED FROG": "黾",
    "C-SIMPLIFIED EVEN": "齐",
    "C-SIMPLIFIED TOOTH": "齿",
    "C-SIMPLIFIED DRAGON": "龙",
    "C-SIMPLIFIED TURTLE": "龟",
    "J-SIMPLIFIED EVEN": "斉",
    "J-SIMPLIFIED TOOTH": "歯",
    "J-SIMPLIFIED TURTLE": "亀",
    "J-SIMPLIFIED DRAGON": "竜",
    "MOTHER": "母",
    "CIVILIAN": "民",
    "EAT ONE": "食",
    "EAT THREE": "食",
    "BONE": "骨",
    "GHOST": "鬼",
    "WEST ONE": "西",
    "WEST TWO": "西",
    "CHOKE": "旡",
    "LONG ONE": "長",
    "BLUE": "青",
    "RAIN": "雨",
    "SUN": "日",
    "MOON": "月",
    "TIGER": "虎",
    "SIMPLIFIED HORN": "角",
    "HORN": "角",
    "HEAD": "首",
    "C-SIMPLIFIED SALT": "卤",
    "TURTLE": "龜",
}
