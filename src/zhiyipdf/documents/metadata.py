"""Writes the metadata of records; every key is named here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Literal

from zhiyipdf.documents.fingerprint import write_fingerprint
from zhiyipdf.documents.page_starts import PageRun, write_labels, write_runs
from zhiyipdf.documents.paging import Place
from zhiyipdf.models import Block, Conversion, Variant

__all__ = [
    "METADATA_STYLES",
    "PAGE_INDEX_KEY",
    "PAGE_KEYS",
    "PAGE_LABELS_KEY",
    "PAGE_STARTS_KEY",
    "TECHNICAL_KEYS",
    "TEXT_FINGERPRINT_KEY",
    "MetadataStyle",
    "MetadataValue",
    "MetadataWriter",
    "page_index",
    "page_keys",
]

MetadataStyle = Literal["rich", "flat"]
MetadataValue = str | int | float | bool | list[str] | list[float]

METADATA_STYLES: tuple[MetadataStyle, ...] = ("rich", "flat")

PAGE_INDEX_KEY = "page"
"""LangChain's own page key, 0-based; see :func:`page_index`."""

PAGE_KEYS = ("page_number", "page_number_end", "page_label", "page_source", "page_score")
"""What :func:`page_keys` may write."""

PAGE_STARTS_KEY = "page_starts"
"""Where in a document's text its pages begin, for a document of several; a string in both styles,
so that every store takes it and a thousand chunks share it in memory."""

PAGE_LABELS_KEY = "page_labels"
"""The printed labels of the pages of a document of several, if they are not their numbers."""

TEXT_FINGERPRINT_KEY = "text_fingerprint"
"""What tells if a place in the text of a document of several pages is a piece's own: the offsets
that a second splitter in a row leaves count from somewhere else."""

TECHNICAL_KEYS = (
    "source",
    "total_pages",
    "content_sha256",
    "page_number_end",
    "page_source",
    "page_score",
    "continues_from",
    PAGE_STARTS_KEY,
    PAGE_LABELS_KEY,
    TEXT_FINGERPRINT_KEY,
    "variant",
    "pair_id",
    "images",
    "image_count",
    "kind",
    "block_number",
    "bbox",
    "creator",
    "producer",
    "creationdate",
)
"""Keys that filters and citations need but that tell a model nothing, or grow without bound."""


def page_index(metadata: Mapping[str, MetadataValue]) -> int | None:
    """Give the 0-based page that LangChain's users filter on, or None if no page is known."""
    number = metadata.get("page_number")
    return number - 1 if isinstance(number, int) else None


def page_keys(place: Place, label_of: Callable[[int], str]) -> dict[str, MetadataValue]:
    """Write where something stands.

    Args:
        place: Its pages.
        label_of: Gives the printed label of a page.
    """
    keys: dict[str, MetadataValue] = {}
    if place.page_number is not None:
        keys["page_number"] = place.page_number
        end = place.page_number_end
        if end is not None and end != place.page_number:
            keys["page_number_end"] = end
        keys["page_label"] = label_of(place.page_number)
    keys["page_source"] = place.source
    if place.source in {"aligned", "estimated"}:
        keys["page_score"] = round(place.score, 4)
    return keys


class MetadataWriter:
    """Writes the metadata of one conversion's records.

    Args:
        conversion: The converted PDF.
        style: Whether lists stay lists or become JSON strings.
    """

    def __init__(self, conversion: Conversion, style: MetadataStyle) -> None:
        self._conversion = conversion
        self._flat = style == "flat"
        self._labels = {page.number: page.label for page in conversion.pages}
        properties = conversion.source.properties
        found = {field.name: str(getattr(properties, field.name)) for field in fields(properties)}
        self._properties = {name: value for name, value in found.items() if value}

    def write(
        self,
        *,
        variant: Variant,
        pair_id: str,
        place: Place,
        runs: Sequence[PageRun] = (),
        text: str = "",
        uris: Sequence[str],
        image_count: int,
        block: Block | None,
        block_number: int | None = None,
    ) -> dict[str, MetadataValue]:
        """Write one record's metadata, its keys in the contract's order.

        Args:
            variant: Which text it is from.
            pair_id: The same for what other variants have in its place.
            place: Where it stands.
            runs: Where in its text pages begin; empty if ``place`` says it all.
            text: The record's; read only if there are ``runs``.
            uris: Where its pictures can be read.
            image_count: How many pictures it shows.
            block: What it is, if it is a block or a picture in one.
            block_number: The block's number, from 1, where records are blocks.
        """
        source, options = self._conversion.source, self._conversion.options
        metadata: dict[str, MetadataValue] = {
            "source": source.uri,
            "file_name": source.name,
            "total_pages": source.total_pages,
            "content_sha256": source.sha256,
            **page_keys(place, self._label_of),
            **self._continuation_keys(place, runs, text),
        }
        if options.translate_to is not None:
            metadata["variant"] = variant
            if variant != "original":  # which language a PDF is in, nobody has said
                metadata["language"] = options.translate_to
            metadata["pair_id"] = pair_id
        if uris:
            metadata["images"] = self._list(uris)
        metadata["image_count"] = image_count
        if block is not None:
            metadata.update(self._block_keys(block, block_number))
        return {**metadata, **self._properties}

    def _continuation_keys(
        self, place: Place, runs: Sequence[PageRun], text: str
    ) -> dict[str, MetadataValue]:
        """Tell what a record of several pages, or beside such a record, must tell of them."""
        keys: dict[str, MetadataValue] = {}
        if place.continues_from is not None:
            keys["continues_from"] = place.continues_from
        if runs:
            keys[PAGE_STARTS_KEY] = write_runs(runs)
        if runs or place.page_number != place.page_number_end:
            numbers = self._numbers((place, *(run.place for run in runs)))
            labels = write_labels(self._labels, numbers)
            if labels is not None:
                keys[PAGE_LABELS_KEY] = labels
        if runs:
            keys[TEXT_FINGERPRINT_KEY] = write_fingerprint(text)
        return keys

    def _numbers(self, places: Iterable[Place]) -> list[int]:
        """Give the pages from the first to the last of some places."""
        ends = [n for p in places for n in (p.page_number, p.page_number_end) if n is not None]
        if not ends:
            return []
        return [number for number in self._labels if min(ends) <= number <= max(ends)]

    def _block_keys(self, block: Block, number: int | None) -> dict[str, MetadataValue]:
        keys: dict[str, MetadataValue] = {"kind": block.kind, "section": " > ".join(block.section)}
        if number is not None:
            keys["block_number"] = number
        if block.provenance and block.provenance[0].bbox is not None:
            bbox = [round(float(edge), 2) for edge in block.provenance[0].bbox]
            keys["bbox"] = json.dumps(bbox) if self._flat else bbox
        return keys

    def _label_of(self, number: int) -> str:
        return self._labels.get(number) or str(number)

    def _list(self, values: Sequence[str]) -> MetadataValue:
        return json.dumps(values, ensure_ascii=False) if self._flat else list(values)
