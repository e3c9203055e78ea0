"""What a translation leaves as it is: kinds, levels, lengths, and tokens that both texts hold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.models import Block, BlockKind

__all__ = ["KINDS", "Features", "Side", "compare"]

KINDS: tuple[BlockKind, ...] = get_args(BlockKind)

# Chinese characters and kana are written without blanks; one of them, or of a Korean syllable, says
# as much as 2.2 Latin letters (grounding study, 4n).
_BLANKLESS = "\u2e80-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_WIDE = f"{_BLANKLESS}\uac00-\ud7af"
_WIDE_WEIGHT = 2.2
_WIDE_CHARACTER = re.compile(f"[{_WIDE}]")
# In small letters. First what looks like code: paths, URLs, options, identifiers, plain words.
_TOKEN = re.compile(
    rf"[a-z][a-z0-9_./:@+~#%=&?\\-]+[a-z0-9](?![^\W\d_{_BLANKLESS}])"
    rf"|\d+|[^\W\d_{_BLANKLESS}]{{3,}}"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_RUN = re.compile(f"[{_BLANKLESS}]{{2,}}")
# Chinese and Japanese share characters; texts with less of them are not searched for those.
_HAN_SHARE = 0.01
# The same token counts again in one block only so many times.
_REPEATS = 4
# A token that stands in more than this share of the blocks tells nothing.
_COMMON_SHARE = 0.2
_COMMON_LEAST = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Side:
    """The blocks of one text as arrays.

    Attributes:
        kinds: Index in :data:`KINDS` of each block, int8.
        levels: Heading level of each block, int8.
        lengths: Characters without blanks, wide ones counted 2.2 times, float64.
        blocks: Block of each token, not falling, int32.
        tokens: Number of each token, int32.
    """

    kinds: NDArray[np.int8]
    levels: NDArray[np.int8]
    lengths: NDArray[np.float64]
    blocks: NDArray[np.int32]
    tokens: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """Two texts that can be compared.

    Attributes:
        original: The original's blocks.
        other: The blocks of a translation, or of a bilingual text.
        weights: What sharing each token is worth, float64; 0 for tokens of one side alone.
        unique: Whether each token stands once on either side, bool.
    """

    original: Side
    other: Side
    weights: NDArray[np.float64]
    unique: NDArray[np.bool_]


class _Numbers(dict[str, int]):
    """Gives each token a number when it is first asked for."""

    def __missing__(self, token: str) -> int:
        number = self[token] = len(self)
        return number


def compare(original: Sequence[Block], other: Sequence[Block]) -> Features:
    """Read two texts. Linear in their length."""
    han = _has_han(original) and _has_han(other)
    numbers = _Numbers()
    left = _side(original, numbers.__getitem__, han=han)
    right = _side(other, numbers.get, han=han)
    size = len(numbers)
    counts = [np.bincount(side.tokens, minlength=size) for side in (left, right)]
    few = np.minimum(*counts)
    many = np.maximum(*counts)
    # A word that both languages have by chance is rarely as common in the one as in the other.
    total = len(original) + len(other)
    weights = np.log((total + 2) / (few + many)) * (few / many)
    common = many > max(_COMMON_LEAST, _COMMON_SHARE * max(len(original), len(other), 1))
    weights[common] = 0.0
    return Features(original=left, other=right, weights=weights, unique=(many == 1) & (few == 1))


def _has_han(blocks: Sequence[Block]) -> bool:
    text = sum(len(block.text) for block in blocks)
    return sum(len(_HAN.findall(block.text)) for block in blocks) > _HAN_SHARE * text


def _side(blocks: Sequence[Block], number: Callable[[str], int | None], *, han: bool) -> Side:
    """Make arrays of a text; tokens without a number are passed over."""
    members: list[int] = []
    tokens: list[int] = []
    for index, block in enumerate(blocks):
        for token, seen in Counter(_tokens(block, han=han)).items():
            found = number(token)
            if found is None:
                continue
            tokens.append(found)
            for repeat in range(1, min(seen, _REPEATS)):
                found = number(f"{token} {repeat}")
                if found is not None:
                    tokens.append(found)
        members += [index] * (len(tokens) - len(members))
    return Side(
        kinds=np.array([KINDS.index(block.kind) for block in blocks], np.int8),
        levels=np.array([block.level for block in blocks], np.int8),
        lengths=np.array([_length(block.text) for block in blocks], np.float64),
        blocks=np.array(members, np.int32),
        tokens=np.array(tokens, np.int32),
    )


def _tokens(block: Block, *, han: bool) -> list[str]:
    """Give numbers, words and code, pairs of Chinese characters, pictures, and whole lines."""
    text = unicodedata.normalize("NFKC", block.text).casefold()
    tokens = _TOKEN.findall(text)
    if han:
        for run in _RUN.findall(text):
            tokens += [run[at : at + 2] for at in range(len(run) - 1)]
    tokens += [f"image {target}" for target in block.images]
    tokens += [f"line {line}" for line in map(str.strip, text.splitlines()) if line]
    return tokens


def _length(text: str) -> float:
    solid = "".join(text.split())
    if solid.isascii():
        return float(len(solid))
    return len(solid) + (_WIDE_WEIGHT - 1) * len(_WIDE_CHARACTER.findall(solid))
