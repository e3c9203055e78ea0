"""Cites pieces of documents: tells the pages of the place where one stands."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast, get_args

from zhiyipdf.documents.chunk_search import RECENT_TEXTS, Span, search_of
from zhiyipdf.documents.fingerprint import UNCHECKED, Fingerprint, read_fingerprint
from zhiyipdf.documents.metadata import (
    PAGE_KEYS,
    PAGE_LABELS_KEY,
    PAGE_STARTS_KEY,
    TEXT_FINGERPRINT_KEY,
    page_keys,
)
from zhiyipdf.documents.page_starts import (
    label_of,
    place_of_span,
    read_labels,
    read_runs,
    write_labels,
)
from zhiyipdf.documents.paging import NOWHERE, Place
from zhiyipdf.models import BBox, PageSource

__all__ = [
    "Citation",
    "check_document",
    "check_ours",
    "citation",
    "cited_metadata",
    "document_key",
    "fingerprint_of",
    "spans_alone",
    "spans_within",
]

# Line ends between a block's last word and the next block.
_BLANKS_BETWEEN_BLOCKS = 3


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
        ValueError: The metadata is not ours, or was damaged.
    """
    check_ours(metadata)
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
        New metadata. If it is unknown where the piece stands, only what holds for all of the
        document: no page, unless the document is itself a page. As it was, if the document says
        nothing of its pages or has only one.

    Raises:
        ValueError: The metadata was damaged.
    """
    if PAGE_STARTS_KEY not in metadata:
        return dict(metadata)
    place, labels = _place(metadata, spans), _labels(metadata)
    own = page_keys(place, lambda number: _label(metadata, labels, number))
    if labels and "page_number_end" in own:  # else the last page's label would be lost
        first, last = cast("int", own["page_number"]), cast("int", own["page_number_end"])
        numbers = range(first, last + 1)
        written = write_labels({n: label_of(labels, n) for n in numbers}, numbers)
        own |= {} if written is None else {PAGE_LABELS_KEY: written}
    cited: dict[str, Any] = {}
    for key, value in metadata.items():
        if key == PAGE_STARTS_KEY:
            cited.update(own)
        elif key not in {*PAGE_KEYS, PAGE_LABELS_KEY, TEXT_FINGERPRINT_KEY}:
            cited[key] = value
    return cited


def spans_within(text: str, chunk: str, *, near: int | None = None) -> list[Span]:
    """Tell where a piece may stand in its document's text; see :meth:`ChunkSearch.spans`."""
    return search_of(text).spans(chunk, near=near)


def spans_alone(
    metadata: Mapping[str, Any], chunk: str, *, near: int | None = None
) -> Sequence[Span]:
    """Tell where a piece may stand in a document that is not at hand.

    Args:
        metadata: What the piece inherited from it.
        chunk: The piece's text.
        near: Where it is said to begin; believed only if the document's fingerprint agrees.

    Returns:
        The place that is said, else those that the fingerprint tells, each followed by one that is
        wider at the ends that may be others than the document's; nothing if it cannot tell.

    Raises:
        ValueError: The metadata was damaged.
    """
    fingerprint = fingerprint_of(metadata)
    if fingerprint is None or PAGE_STARTS_KEY not in metadata:
        return []
    span = fingerprint.span_at(chunk, near)
    if span is not None:
        return [span]
    runs = read_runs(_text(PAGE_STARTS_KEY, metadata[PAGE_STARTS_KEY]))
    block_starts = {run.start for run in runs}
    return [
        possible
        for found in fingerprint.search(chunk)
        for possible in (found, _loosened(found, block_starts))
    ]


def _loosened(span: Span, block_starts: Container[int]) -> Span:
    """Widen the ends of a place by what was not checked, but those where a page's text ends too.

    A splitter that changed the text there would have to hit them by chance.
    """
    start, end = span
    if start not in block_starts:
        start = max(start - UNCHECKED, 0)
    if not any(after in block_starts for after in range(end, end + _BLANKS_BETWEEN_BLOCKS + 1)):
        end += UNCHECKED
    return start, end


def fingerprint_of(metadata: Mapping[str, Any]) -> Fingerprint | None:
    """Read the fingerprint of the text of a document of several pages; None if there is none.

    Raises:
        ValueError: It was damaged.
    """
    written = metadata.get(TEXT_FINGERPRINT_KEY)
    return None if written is None else read_fingerprint(_text(TEXT_FINGERPRINT_KEY, written))


def document_key(metadata: Mapping[str, Any]) -> tuple[Any, ...]:
    """Name the document that has this metadata, or that a piece inherited it from."""
    names = ("content_sha256", "variant", "page_number", PAGE_STARTS_KEY)
    return tuple(metadata.get(name) for name in names)


def check_ours(metadata: Mapping[str, Any]) -> None:
    """See that metadata is that of a document of ours, or of a piece of one.

    Raises:
        ValueError: It is not; the message says what to do.
    """
    missing = [key for key in ("source", "page_source") if key not in metadata]
    if missing:
        raise ValueError(
            f"no metadata of a zhiyipdf document: {' and '.join(missing)} missing. A splitter that"
            " takes bare text leaves it out: give its chunks"
            " {**document.metadata, **chunk.metadata}"
        )


def check_document(metadata: Mapping[str, Any], text: str) -> None:
    """See that a document is as it was loaded: what says where its pages begin counts on that.

    Raises:
        ValueError: It is a piece, its text was changed, or its metadata is not ours; the message
            says what to do.
    """
    check_ours(metadata)
    written = metadata.get(TEXT_FINGERPRINT_KEY)
    if written is not None and not _is_of(_text(TEXT_FINGERPRINT_KEY, written), text):
        raise ValueError(
            f"not the text of the document that was loaded from {metadata['source']!r}: it was cut"
            " or changed since, and its page_starts do not fit. Give the document itself, and the"
            " piece as the chunk"
        )


@lru_cache(RECENT_TEXTS)
def _is_of(fingerprint: str, text: str) -> bool:
    return read_fingerprint(fingerprint).is_of(text)


def _place(metadata: Mapping[str, Any], spans: Sequence[Span]) -> Place:
    written = metadata.get(PAGE_STARTS_KEY)
    if written is None or not spans:
        return _own_place(metadata)
    runs = read_runs(_text(PAGE_STARTS_KEY, written))
    places = [place_of_span(runs, start, end) for start, end in spans]
    pages = {(place.page_number, place.page_number_end) for place in places}
    if len(pages) == 1:
        return places[0]
    first = next(place for place in places if place.page_number is not None)
    return replace(first, source="estimated", score=first.score / len(pages))


def _own_place(metadata: Mapping[str, Any]) -> Place:
    """Read what :func:`page_keys` wrote."""
    number = metadata.get("page_number")
    if number is None:
        return NOWHERE
    source = metadata.get("page_source")
    if source not in get_args(PageSource):
        raise ValueError(f"no page_source: {source!r}")
    return Place(  # some stores give numbers back as floats
        page_number=int(number),
        page_number_end=int(_or(metadata.get("page_number_end"), number)),
        source=cast("PageSource", source),
        score=float(_or(metadata.get("page_score"), 1.0)),
    )


def _or(value: Any, otherwise: Any) -> Any:
    """Take a value for absent if it is None: stores of one schema for all fill rows with it."""
    return otherwise if value is None else value


def _labels(metadata: Mapping[str, Any]) -> tuple[tuple[int, str], ...]:
    written = metadata.get(PAGE_LABELS_KEY)
    return () if written is None else read_labels(_text(PAGE_LABELS_KEY, written))


def _label(metadata: Mapping[str, Any], labels: Sequence[tuple[int, str]], number: int) -> str:
    if not labels and number == metadata.get("page_number"):
        return str(metadata.get("page_label", number))
    return label_of(labels, number)


def _bbox(metadata: Mapping[str, Any]) -> BBox | None:
    bbox = metadata.get("bbox")
    if bbox is None:
        return None
    try:
        x0, y0, x1, y1 = map(float, json.loads(bbox) if isinstance(bbox, str) else bbox)
    except (TypeError, ValueError) as error:
        raise ValueError(f"no bbox: {bbox!r:.80}") from error
    return x0, y0, x1, y1


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"no {key}: {value!r:.80}")  # noqa: TRY004 - bad content, not a bad call
    return value
