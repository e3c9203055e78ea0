"""Looks up text that stands in many places of a PDF, and sees whether it really stands there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq, Opcode

from zhiyipdf.grounding.seeds import GRAM, MOST_PLACES, Grams
from zhiyipdf.grounding.streams import PageStream

__all__ = [
    "LEAST_ALIKE",
    "LEAST_LENGTH",
    "LONGEST_LINE",
    "Repeats",
    "offered",
    "repeats_of",
    "verified",
    "whole_lines",
]

LEAST_LENGTH, LONGEST_LINE = 3, 160
LEAST_ALIKE = 0.6  # two texts of one language are alike to about a half by chance
_COMPARED = 1000  # characters: likeness takes the square
_PIECE, _PARTED_SHARE = 5, 0.8


@dataclass(frozen=True, slots=True)
class Repeats:
    """All places of a block that stands in many: a window of the sorted grams, shifted."""

    places: NDArray[np.int32]
    shift: int

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> int:
        return int(self.places[index]) - self.shift


def repeats_of(entry: NDArray[np.int64], grams: Grams) -> Repeats:
    """Give the places of a block by an entry of :attr:`Hits.repeated`."""
    low, high, shift = (int(value) for value in entry)
    return Repeats(grams.places[low:high], shift)


def verified(text: str, start: int, offset: int, pages: PageStream) -> tuple[int, int, int]:
    """See how much of a block stands where one gram of it does.

    Args:
        text: The block's.
        start: Where it would begin.
        offset: Of the gram in the text.
        pages: The PDF's text.

    Returns:
        How many of its characters are there, and where it begins and ends, on the gram's page if
        what is on the next one is another text.
    """
    end = start + len(text)
    if pages.text.startswith(text, start):
        return len(text), start, end
    page = pages.page_of(start + offset)
    low, high = int(pages.page_starts[page]), int(pages.page_starts[page + 1])
    begin, stop = max(start, 0), min(end, len(pages.text))
    if begin < low and _alike(text[: low - start], pages.text[begin:low]) < LEAST_ALIKE:
        begin = low
    if stop > high and _alike(text[high - end :], pages.text[high:stop]) < LEAST_ALIKE:
        stop = high
    covered = round(_alike(text, pages.text[begin:stop]) * len(text))
    if covered < LEAST_ALIKE * len(text) <= LEAST_ALIKE * LONGEST_LINE:
        begin = max(start - len(text) // 2, low)
        parted = _parted(text, pages.text[begin : min(end + len(text), high)])
        if parted is not None:
            return parted[0], begin + parted[1], begin + parted[2]
        return min(GRAM, len(text)), start + offset, min(start + offset + GRAM, high)
    return max(covered, min(GRAM, len(text))), begin, stop


def _parted(text: str, there: str) -> tuple[int, int, int] | None:
    """Find a text whose pieces stand apart: one side of a line of two columns."""
    same = [
        op for op in LCSseq.opcodes(text, there) if op.tag == "equal" and _piece_size(op) >= _PIECE
    ]
    covered = sum(_piece_size(op) for op in same)
    if covered < _PARTED_SHARE * len(text):
        return None
    return covered, same[0].dest_start, same[-1].dest_end


def _piece_size(piece: Opcode) -> int:
    return piece.dest_end - piece.dest_start


def _alike(text: str, there: str) -> float:
    """Tell how alike two texts are, from 0 to 1, by their beginnings if they are long."""
    return fuzz.ratio(text[:_COMPARED], there[:_COMPARED]) / 100


def whole_lines(pages: PageStream) -> dict[str, list[int]]:
    """Give the places of each line's text, if it is neither very short nor long."""
    places: dict[str, list[int]] = {}
    for start, end in zip(*pages.line_edges, strict=True):
        if LEAST_LENGTH <= end - start <= LONGEST_LINE:
            places.setdefault(pages.text[start:end], []).append(start)
    return places


def offered(places: Sequence[int] | Repeats, ends: Iterable[int], overlap: int) -> Iterable[int]:
    """Give the places worth looking at: for each end the next one after it and the one before.

    Args:
        places: All of them, rising; all are given if they are few.
        ends: Where blocks before may end.
        overlap: How far the block may reach into these.
    """
    if len(places) <= MOST_PLACES:
        return (places[i] for i in range(len(places)))
    wanted: set[int] = set()
    for end in ends:
        at = bisect_left(places, end - overlap)
        wanted.update(i for i in (at - 1, at) if 0 <= i < len(places))
    return (max(places[i], 0) for i in sorted(wanted))
