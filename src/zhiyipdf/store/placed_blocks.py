"""Writes blocks with their pages and boxes as JSON, and reads them if they still fit the text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from zhiyipdf.models import BBox, Block, Provenance, Variant

__all__ = ["blocks_from_json", "blocks_to_json"]


def blocks_to_json(
    blocks: Mapping[Variant, Sequence[Block]], markdown: Mapping[Variant, str], version: int
) -> bytes:
    """Write the blocks of every variant.

    Args:
        blocks: By variant; joined they are its text.
        markdown: Text by variant, which the JSON does not repeat.
        version: Of what made them.
    """
    sections: dict[tuple[str, ...], int] = {}
    entries = {
        variant: {
            "sha256": _sha256(markdown[variant]),
            "blocks": [
                {
                    "kind": block.kind,
                    "end": block.end,
                    "level": block.level,
                    "section": sections.setdefault(block.section, len(sections)),
                    "images": block.images,
                    "pair": block.pair,
                    "places": [
                        [f.page_number, f.bbox, f.source, f.score] for f in block.provenance
                    ],
                }
                for block in own
            ],
        }
        for variant, own in blocks.items()
    }
    content = {"version": version, "sections": list(sections), "variants": entries}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def blocks_from_json(
    content: bytes, markdown: Mapping[Variant, str], version: int
) -> dict[Variant, tuple[Block, ...]] | None:
    """Read blocks; None if they are of another version or another text, or damaged."""
    try:
        found = json.loads(content.decode("utf-8", "surrogatepass"))
        if found["version"] != version or set(found["variants"]) != set(markdown):
            return None
        sections = [tuple(section) for section in found["sections"]]
        blocks: dict[Variant, tuple[Block, ...]] = {}
        for variant, text in markdown.items():
            entry = found["variants"][variant]
            if entry["sha256"] != _sha256(text):
                return None
            blocks[variant] = _read(entry["blocks"], text, sections)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return blocks


def _read(
    rows: Sequence[Mapping[str, Any]], text: str, sections: Sequence[tuple[str, ...]]
) -> tuple[Block, ...]:
    blocks: list[Block] = []
    start = 0
    for row in rows:
        blocks.append(
            Block(
                kind=row["kind"],
                start=start,
                end=row["end"],
                text=text[start : row["end"]],
                section=sections[row["section"]],
                level=row["level"],
                images=tuple(row["images"]),
                pair=row["pair"],
                provenance=tuple(
                    Provenance(
                        page_number=page,
                        bbox=None if bbox is None else _box(bbox),
                        source=source,
                        score=score,
                    )
                    for page, bbox, source, score in row["places"]
                ),
            )
        )
        start = row["end"]
    if start != len(text):
        raise ValueError("the blocks do not cover the text")
    return tuple(blocks)


def _box(edges: Sequence[float]) -> BBox:
    x0, y0, x1, y1 = edges
    return x0, y0, x1, y1


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
