"""Cites pieces of documents: finds where in a document they stand, and tells the page of that."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import Any, cast

from zhiyipdf.documents.metadata import PAGE_KEYS, PAGE_LABELS_KEY, PAGE_STARTS_KEY, page_keys
from zhiyipdf.documents.page_starts import label_of, place_of_span, read_labels, read_runs
from zhiyipdf.documents.paging import NOWHERE, Place
from zhiyipdf.models import BBox, PageSource

__all__ = ["ChunkSearch", "Citation", "Span", "citation", "cited_metadata"]

Span = tuple[int, int]
"""Offset of a piece's first character in its document, and the offset after its last one."""

# A text that stands in more places than these is no better known by looking at the rest.
_MOST_PLACES = 20

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """Where a piece of text comes from.

    Attributes:
        source: The PDF, as the caller wrote it.
        file_name: Its name.
        page_number: 1-based page on which the piece begins; None if unknown.
        page_number_end: The page on which it ends; None if that is the same one, or unknown.
        page_label: The first page's printed label, or its number if the PDF has no labels.
        page_label_end: The last page's.
        page_source: How the pages were found: ``exact``, ``aligned``, ``estimated``, ``none``.
        page_score: Probability from 0 to 1 that they are right; None where it goes without saying.
        bbox: ``(x0, y0, x1, y1)`` of its block on the first page, in points from the top left; None
            unless the document is a block.
    """

    source: str
    file_name: str
    page_number: int | None = None
    page_number_end: int | None = None
    page_label: str | None = None
    page_label_end: str | None = None
    page_source: PageSource = "none"
    page_score: float | None = None
    bbox: BBox | None = None

    def __str__(self) -> str:
        """Write it as people do: ``paper.pdf, p. 17`` or ``paper.pdf, pp. 17–18``."""
        name = self.file_name or self.source
        if self.page_label is None:
            return name
        if self.page_label_end is None:
            return f"{name}, p. {self.page_label}"
        return f"{name}, pp. {self.page_label}–{self.page_label_end}"


def citation(metadata: Mapping[str, Any], spans: Sequence[Span]) -> Citation:
    """Cite a piece of a document.

    Args:
        metadata: The document's, or that of a piece that inherited it.
        spans: Where the piece may stand in the document's text. None: that is unknown, and only
            what holds for all of the document is told. Several: the first is taken, as an estimate
            if others are on other pages.

    Raises:
        ValueError: The metadata is not ours.
    """
    place, labels = _place(metadata, spans), _labels(metadata)
    keys = page_keys(place, lambda number: _label(metadata, labels, number))
    end = cast("int | None", keys.get("page_number_end"))
    return Citation(
        source=str(metadata.get("source", "")),
        file_name=str(metadata.get("file_name", "")),
        page_number=place.page_number,
        page_number_end=end,
        page_label=cast("str | None", keys.get("page_label")),
        page_label_end=None if end is None else _label(metadata, labels, end),
        page_source=place.source,
        page_score=cast("float | None", keys.get("page_score")),
        bbox=_bbox(metadata),
    )


def cited_metadata(metadata: Mapping[str, Any], spans: Sequence[Span]) -> dict[str, Any]:
    """Give a piece the page keys of its own in place of where its document's pages begin.

    Args:
        metadata: What the piece inherited from its document.
        spans: As in :func:`citation`.

    Returns:
        New metadata; as it was, if it is unknown where the piece stands, or the document says
        nothing of its pages or has only one.

    Raises:
        ValueError: The metadata is not ours.
    """
    if PAGE_STARTS_KEY not in metadata or not spans:
        return dict(metadata)
    labels = _labels(metadata)
    own = page_keys(_place(metadata, spans), lambda number: _label(metadata, labels, number))
    cited: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == PAGE_STARTS_KEY:
            cited.update(own)
        elif key not in {*PAGE_KEYS, PAGE_LABELS_KEY}:
            cited[key] = value
    return cited


class ChunkSearch:
    """Finds the pieces that a splitter made of a text.

    Args:
        text: The document's.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def spans(self, chunk: str, *, near: int | None = None) -> list[Span]:
        """Tell where a piece may stand; white space at its ends does not count.

        Where the piece is not to be found to the letter, runs of white space count as equal.

        Args:
            chunk: The piece's text.
            near: Where it is said to begin; None if that is unknown.

        Returns:
            The place that is ``near``, or the nearest to it; without that, all of them in order,
            20 at most. None at all if it is blank or not to be found.
        """
        if not chunk.strip():
            return []
        if near is not None:
            near = max(near, 0) + len(chunk) - len(chunk.lstrip())
        needle = chunk.strip()
        found = _occurrences(self._text, needle, near)
        if found:
            return [(start, start + len(needle)) for start in found]
        words = self._words
        needle = " ".join(needle.split())
        near = None if near is None else words.offset_within(near)
        return [
            (words.offset_of(start), words.offset_of(start + len(needle) - 1) + 1)
            for start in _occurrences(words.text, needle, near)
        ]

    @cached_property
    def _words(self) -> _Words:
        return _Words(self._text)


class _Words:
    """A text with one space for each run of white space, and the way between the two."""

    def __init__(self, text: str) -> None:
        matches = list(_WORD.finditer(text))
        self.text = " ".join(match[0] for match in matches)
        self._starts = [match.start() for match in matches]
        lengths = [len(match[0]) + 1 for match in matches]
        self._own_starts = [0, *accumulate(lengths)][:-1]

    def offset_of(self, own: int) -> int:
        """Tell where a character that is no space stands in the original text."""
        word = bisect_right(self._own_starts, own) - 1
        return self._starts[word] + own - self._own_starts[word]

    def offset_within(self, offset: int) -> int:
        """Tell about where an offset of the original text is here."""
        word = bisect_right(self._starts, offset) - 1
        return self._own_starts[word] if word >= 0 else 0


def _occurrences(text: str, piece: str, near: int | None) -> list[int]:
    if near is not None:
        beside = {text.rfind(piece, 0, near + len(piece)), text.find(piece, near)} - {-1}
        return [min(sorted(beside), key=lambda start: abs(start - near))] if beside else []
    found: list[int] = []
    at = text.find(piece)
    while at >= 0 and len(found) < _MOST_PLACES:
        found.append(at)
        at = text.find(piece, at + 1)
    return found


def _place(metadata: Mapping[str, Any], spans: Sequence[Span]) -> Place:
    written = metadata.get(PAGE_STARTS_KEY)
    if written is None or not spans:
        return _own_place(metadata)
    runs = read_runs(written)
    places = [place_of_span(runs, start, end) for start, end in spans]
    pages = {(place.page_number, place.page_number_end) for place in places}
    if len(pages) == 1:
        return places[0]
    first = next(place for place in places if place.page_number is not None)
    return replace(first, source="estimated", score=first.score / len(places))


def _own_place(metadata: Mapping[str, Any]) -> Place:
    """Read what :func:`page_keys` wrote."""
    number = metadata.get("page_number")
    if number is None:
        return NOWHERE
    return Place(  # some stores give numbers back as floats
        page_number=int(number),
        page_number_end=int(metadata.get("page_number_end", number)),
        source=cast("PageSource", metadata.get("page_source", "none")),
        score=float(metadata.get("page_score", 1.0)),
    )


def _labels(metadata: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    written = metadata.get(PAGE_LABELS_KEY)
    return () if written is None else read_labels(written)


def _label(metadata: Mapping[str, Any], labels: Sequence[tuple[int, str]], number: int) -> str:
    if not labels and number == metadata.get("page_number"):
        return str(metadata.get("page_label", number))
    return label_of(labels, number)


def _bbox(metadata: Mapping[str, Any]) -> BBox | None:
    bbox = metadata.get("bbox")
    if bbox is None:
        return None
    x0, y0, x1, y1 = json.loads(bbox) if isinstance(bbox, str) else bbox
    return float(x0), float(y0), float(x1), float(y1)
