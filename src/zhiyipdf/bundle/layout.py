"""Reads and writes what a service says of pages and boxes, as JSON beside its Markdown."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from zhiyipdf.models import VARIANTS, BBox, LayoutSpan, Variant

__all__ = ["LAYOUT_NAME", "layout_facts", "read_layout", "write_layout"]

log = logging.getLogger(__name__)

LAYOUT_NAME = "zhiyipdf-layout.json"
"""Beside the Markdown in archives that a provider of this package has put together."""

FORMAT = 1

Layout = Mapping[Variant, tuple[LayoutSpan, ...]]


def write_layout(layout: Layout) -> bytes:
    """Write a layout; equal layouts give equal bytes."""
    facts = {"format": FORMAT, "variants": layout_facts(layout)}
    return json.dumps(facts, separators=(",", ":"), sort_keys=True).encode()


def layout_facts(layout: Layout) -> dict[str, list[list[Any]]]:
    """Give a layout as JSON has it: by variant, start, end, page, box and page size."""
    return {
        variant: [
            [span.start, span.end, span.page_number, span.bbox, span.page_size] for span in spans
        ]
        for variant, spans in layout.items()
    }


def read_layout(
    content: bytes | Mapping[str, Any], texts: Mapping[Variant, str]
) -> dict[Variant, tuple[LayoutSpan, ...]]:
    """Read a layout; what does not fit the texts is left out, with a warning in the log.

    Args:
        content: As :func:`write_layout` writes it, or as :func:`layout_facts` gives it.
        texts: The Markdown of each variant.
    """
    try:
        variants = _variants(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        log.warning("%s cannot be read: %s", LAYOUT_NAME, error)
        return {}
    found: dict[Variant, tuple[LayoutSpan, ...]] = {}
    for variant in VARIANTS:
        if variant not in variants or variant not in texts:
            continue
        try:
            found[variant] = _spans(variants[variant], len(texts[variant]))
        except (ValueError, TypeError) as error:
            log.warning("%s does not fit the %s text: %s", LAYOUT_NAME, variant, error)
    return found


def _variants(content: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(content, bytes):
        return content
    facts = json.loads(content)
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']!r}")
    variants = facts["variants"]
    if not isinstance(variants, dict):
        raise TypeError("no variants")
    return variants


def _spans(rows: Sequence[Sequence[Any]], length: int) -> tuple[LayoutSpan, ...]:
    spans = tuple(_span(*row) for row in rows)
    in_order = all(before.end <= after.start for before, after in pairwise(spans))
    if not in_order or any(not 0 <= span.start <= span.end <= length for span in spans):
        raise ValueError("spans overlap or leave the text")
    return spans


def _span(start: int, end: int, page: int, bbox: Any, size: Any) -> LayoutSpan:
    if not all(isinstance(number, int) for number in (start, end, page)) or page < 1:
        raise ValueError(f"no span: {start!r}, {end!r}, {page!r}")
    return LayoutSpan(
        start=start,
        end=end,
        page_number=page,
        bbox=None if bbox is None else _box(bbox),
        page_size=None if size is None else _size(size),
    )


def _box(value: Sequence[float]) -> BBox:
    x0, y0, x1, y1 = (float(edge) for edge in value)
    return x0, y0, x1, y1


def _size(value: Sequence[float]) -> tuple[float, float]:
    width, height = (float(edge) for edge in value)
    return width, height
