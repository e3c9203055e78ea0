"""Finds many short texts in a long one, in time linear in both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.folding import codes_of

__all__ = ["TextSearch"]

_SCANS = 200
"""So often the long text may be read through before it is indexed: about what the index costs."""

_EXACT = 16  # texts up to this long are hashed whole, longer ones by two pieces that cover them
_LONGEST = 1 << 16  # of these there are few: they are read for
_EVERYWHERE = 50  # what stands at every 50th character is never far: it is read for too
_FEW = 1000  # so many places of one text are never too many to keep
_SLAB = 1 << 18  # characters that are hashed at once, to bound memory
_SLOTS = 18  # bits
_BASE = 0x9E3779B97F4A7C15
_SPREAD = np.uint64(0xD1B54A32D192ED03)


class TextSearch:
    """Finds texts as ``str.find`` and ``str.rfind`` do.

    It begins by reading the long text for each of them, which for a few is fastest. Once that has
    been read through too often it looks up in one pass all that are still wanted.
    """

    def __init__(self, text: str, wanted: Callable[[], Iterable[str]]) -> None:
        """Begin.

        Args:
            text: The long one.
            wanted: Tells which texts may be sought from now on; asked once at most. Others are
                found too, but read for.
        """
        self._text = text
        self._wanted = wanted
        self._left = _SCANS * len(text)
        self._places: dict[str, NDArray[np.int32]] | None = None

    def first(self, sought: str, low: int, high: int) -> int:
        """Give the first place of a text within some bounds, -1 if there is none."""
        places = self._known(sought)
        if places is None:
            at = self._text.find(sought, low, high)
            self._count((at if at >= 0 else high) - low)
            return at
        for at in places[places.searchsorted(np.int32(low)) :]:
            if at + len(sought) > high:
                break
            if self._text.startswith(sought, at):
                return int(at)
        return -1

    def last(self, sought: str, low: int, high: int) -> int:
        """Give the last place of a text within some bounds, -1 if there is none."""
        places = self._known(sought)
        if places is None:
            at = self._text.rfind(sought, low, high)
            self._count(high - max(at, low))
            return at
        end = places.searchsorted(np.int32(max(high - len(sought), -1)), side="right")
        for at in places[:end][::-1]:
            if at < low:
                break
            if self._text.startswith(sought, at):
                return int(at)
        return -1

    def _known(self, sought: str) -> NDArray[np.int32] | None:
        return None if self._places is None else self._places.get(sought)

    def _count(self, read: int) -> None:
        if self._places is None:
            self._left -= max(read, 0)
            if self._left < 0:
                wanted = dict.fromkeys(s for s in self._wanted() if 0 < len(s) <= _LONGEST)
                self._places = _places(self._text, [*wanted])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Group:
    """Texts that are hashed by pieces of the same length.

    Attributes:
        slots: Whether any of them begins with a piece whose hash falls there.
        begins: Hashes of their first pieces, sorted.
        by_length: For each length of texts their hashes, sorted, and their numbers in that order.
    """

    slots: NDArray[np.bool_]
    begins: NDArray[np.uint64]
    by_length: Sequence[tuple[int, NDArray[np.uint64], NDArray[np.int64]]]


def _places(text: str, texts: Sequence[str]) -> dict[str, NDArray[np.int32]]:
    """Give all places of each of some different texts, rising; not of those that are everywhere.

    What is given must be looked at once more: another text there may have the same hash.
    """
    groups = _groups(texts)
    codes = codes_of(text)
    reach = max(map(len, texts), default=0)
    most = max(len(codes) // _EVERYWHERE, _FEW)
    counts = [0] * len(texts)
    found: dict[int, list[NDArray[np.int32]]] = {number: [] for number in range(len(texts))}
    for low in range(0, len(codes), _SLAB):
        for size, hashes in _rolled(codes[low : low + _SLAB + reach], groups.keys()):
            for number, places in _met(groups[size], size, hashes):
                counts[number] += len(places)
                if counts[number] <= most:
                    found[number].append((places + low).astype(np.int32))
                else:
                    found.pop(number, None)
    none = np.zeros(0, np.int32)
    return {
        texts[number]: np.concatenate(parts) if parts else none for number, parts in found.items()
    }


def _groups(texts: Sequence[str]) -> dict[int, _Group]:
    """Group texts by the length of the pieces that they are hashed by."""
    codes = codes_of("".join(texts))
    lengths = np.array([len(said) for said in texts], np.int64)
    starts = np.cumsum(lengths) - lengths
    sizes = np.array([_piece(len(said)) for said in texts], np.int64)
    groups: dict[int, _Group] = {}
    for size, hashes in _rolled(codes, sizes.tolist()):
        own = np.flatnonzero(sizes == size)
        begins = hashes[starts[own]]
        slots = np.zeros(1 << _SLOTS, bool)
        slots[_slot(begins)] = True
        by_length = []
        for length in np.unique(lengths[own]).tolist():
            some = own[lengths[own] == length]
            both = _both(hashes[starts[some]], hashes[starts[some] + length - size])
            order = np.argsort(both)
            by_length.append((length, both[order], some[order]))
        groups[size] = _Group(slots=slots, begins=np.unique(begins), by_length=by_length)
    return groups


def _met(
    group: _Group, size: int, hashes: NDArray[np.uint64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give the number of each of a group's texts that a slab has, and where in it they begin."""
    at = np.flatnonzero(group.slots[_slot(hashes[:_SLAB])])
    at = at[_found(group.begins, hashes[at]) >= 0]
    if not len(at):
        return
    for length, wanted, numbers in group.by_length:
        fit = at[: np.searchsorted(at, len(hashes) - (length - size))]
        which = _found(wanted, _both(hashes[fit], hashes[fit + length - size]))
        known = which >= 0
        order = np.argsort(which[known], kind="stable")
        which, fit = which[known][order], fit[known][order]
        firsts = np.flatnonzero(np.diff(which, prepend=-1))
        for text, places in zip(which[firsts], np.split(fit, firsts[1:]), strict=False):
            yield int(numbers[text]), places


def _rolled(
    codes: NDArray[np.uint32], sizes: Iterable[int]
) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Hash all pieces of some lengths, which are those that :func:`_piece` gives, rising."""
    wanted = set(sizes)
    one = codes.astype(np.uint64)
    hashes = one
    size = 1
    while wanted and size <= min(max(wanted), len(codes)):
        if size in wanted:
            yield size, hashes
        step = 1 if size < _EXACT else size
        power = np.uint64(pow(_BASE, step, 1 << 64))
        after = one if step == 1 else hashes
        hashes = hashes[:-step] * power + after[size : size + len(hashes) - step]
        size += step


def _piece(length: int) -> int:
    """Give the length of the pieces that texts of some length are hashed by: half of it or more."""
    return length if length <= _EXACT else 1 << (length.bit_length() - 1)


def _both(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hash texts by the pieces that they begin and end with."""
    return first * _SPREAD + second


def _slot(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (hashes * _SPREAD) >> np.uint64(64 - _SLOTS)


def _found(among: NDArray[np.uint64], sought: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Give the index of each number among some sorted ones, -1 of those that are not there."""
    at = np.minimum(np.searchsorted(among, sought), len(among) - 1)
    return np.where(among[at] == sought, at, -1)
