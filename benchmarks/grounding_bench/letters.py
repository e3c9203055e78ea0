"""Brings Markdown and page text to the same letters, for the baselines; ours has its own way."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

__all__ = ["block_letters", "grams", "page_letters", "placed_letters"]

LONG_GRAM = 12
WIDE_GRAM = 6  # of Han, kana and Hangul, which say more each
WIDE = 0x2E80

_NOT_TEXT = re.compile(
    r"!\[[^\]\n]*\]\([^)\n]*\)|(?<=\])\([^)\n]*\)|<!--.*?-->|<[^<>]*>", re.DOTALL
)


@cache
def _folded(char: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    return "".join(part for part in decomposed if unicodedata.category(part)[0] in "LN")


def _letters(text: str) -> str:
    return unicodedata.normalize("NFC", "".join(map(_folded, text)))


def page_letters(pages: Sequence[PageText]) -> list[str]:
    """Give the letters and digits of each page."""
    return [_letters(page.text()) for page in pages]


def placed_letters(page: PageText) -> tuple[str, list[int]]:
    """Give the letters and digits of a page, and the index of the character each comes from."""
    letters: list[str] = []
    places: list[int] = []
    for index, code in enumerate(page.codes.tolist()):
        for letter in _folded(chr(code)) if code else "":
            letters.append(letter)
            places.append(index)
    return "".join(letters), places


def block_letters(blocks: Sequence[Block]) -> list[str]:
    """Give the letters and digits of each block, without what Markdown adds."""
    return [_letters(html.unescape(_NOT_TEXT.sub(" ", block.text))) for block in blocks]


def grams(text: str) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Hash every run of 12 characters, and every run of 6 wide ones.

    Returns:
        Where each begins, in ascending order, and its hash.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    places, hashes = [], []
    for size in (LONG_GRAM, WIDE_GRAM):
        count = len(codes) - size + 1
        if count <= 0:
            continue
        hashed = np.full(count, size, np.uint64)
        wide = np.ones(count, bool)
        for offset in range(size):
            part = codes[offset : offset + count]
            hashed = (hashed ^ part) * np.uint64(0x9E3779B97F4A7C15)
            hashed ^= hashed >> np.uint64(29)
            wide &= part >= WIDE
        place = np.arange(count)
        if size == WIDE_GRAM:
            place, hashed = place[wide], hashed[wide]
        places.append(place)
        hashes.append(hashed)
    if not places:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    place, hashed = np.concatenate(places), np.concatenate(hashes)
    order = np.argsort(place, kind="stable")
    return place[order], hashed[order]
