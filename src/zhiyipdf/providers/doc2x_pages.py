"""The pages of a Doc2X result, which both of its APIs write alike; read without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhiyipdf.models import BBox

__all__ = ["LayoutBlock", "StatusPage", "pages_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBlock:
    """Where a piece of a page stands (model ``v3-2026``).

    Attributes:
        kind: ``Text``, ``Title``, ``Figure``, ``Table``, ``FigureGroup``, ``Caption``, …
        bbox: In pixels of the page's picture, origin top left.
        text: What it says.
        src: Address of its picture; empty if it has none.
    """

    kind: str
    bbox: BBox
    text: str = ""
    src: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPage:
    """A page of a result.

    Attributes:
        number: 1-based.
        markdown: As the service wrote it.
        width: Of the page's picture in pixels; 0 where the service does not say.
        height: The same.
        blocks: In the order the service gives them.
    """

    number: int
    markdown: str
    width: float = 0.0
    height: float = 0.0
    blocks: tuple[LayoutBlock, ...] = ()


def pages_of(result: Mapping[str, Any]) -> tuple[StatusPage, ...]:
    """The pages of a result, in order; both APIs write them alike."""
    pages = result.get("pages")
    found = [
        _page(page, place)
        for place, page in enumerate(pages if isinstance(pages, list) else ())
        if isinstance(page, dict)
    ]
    return tuple(sorted(found, key=lambda page: page.number))


def _page(page: Mapping[str, Any], place: int) -> StatusPage:
    index = page.get("page_idx")
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 1_000_000:
        index = place
    md = page.get("md")
    return StatusPage(
        number=index + 1,
        markdown=md if isinstance(md, str) else "",
        width=_length(page.get("page_width")),
        height=_length(page.get("page_height")),
        blocks=_blocks(page.get("layout")),
    )


def _blocks(layout: object) -> tuple[LayoutBlock, ...]:
    found: list[LayoutBlock] = []
    blocks = layout.get("blocks") if isinstance(layout, dict) else None
    for block in blocks if isinstance(blocks, list) else ():
        if not isinstance(block, dict):
            continue
        bbox = _bbox(block.get("bbox")) or _bbox(block.get("xyxy"))
        if bbox is None:
            continue
        kind, text, src = (block.get(name) for name in ("type", "text", "src"))
        found.append(
            LayoutBlock(
                kind=kind if isinstance(kind, str) else "",
                bbox=bbox,
                text=text if isinstance(text, str) else "",
                src=src if isinstance(src, str) else "",
            )
        )
    return tuple(found)


def _bbox(value: object) -> BBox | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    edges = [_length(edge, negative=True) for edge in value]
    x0, x1 = sorted((edges[0], edges[2]))
    y0, y1 = sorted((edges[1], edges[3]))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _length(value: object, *, negative: bool = False) -> float:
    """A finite number; 0 if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    if not -1e9 < value < 1e9:
        return 0.0
    return float(value) if value > 0 or negative else 0.0
