"""Where a page's parts stand: blocks from what liteparse knows, running lines included."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from zhiyipdf.server.engine import BlockKind, Box, PageBlock
from zhiyipdf.server.repairs import drop_controls

__all__ = ["layout_of", "readable_share"]

_KINDS: dict[str, BlockKind] = {"heading": "title", "table": "table"}
_WORD = re.compile(r"\w+")
_UNREADABLE = re.compile("[\ue000-\uf8ff\ufffd]")


def readable_share(text: str) -> int:
    """0 to 100: characters that mean something; private-use and replacement characters do not."""
    visible = "".join(text.split())
    return round(100 * (1 - len(_UNREADABLE.findall(visible)) / len(visible))) if visible else 100


def layout_of(page: Any, pictures: Mapping[int, str]) -> tuple[PageBlock, ...]:
    """The blocks of a page, running lines first and last.

    Args:
        page: liteparse's page.
        pictures: File names of its figures, by the place of the block from 1.
    """
    blocks = [
        block
        for position, found in enumerate(page.blocks or (), start=1)
        if (block := _block(found, pictures.get(position))) is not None
    ]
    above, below = _margins(page, blocks)
    return (*above, *blocks, *below)


def _block(found: Any, picture: str | None) -> PageBlock | None:
    if found.bbox is None or found.kind == "rule":
        return None
    box = found.bbox
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    if found.kind == "figure":
        return PageBlock(kind="figure", box=corners, picture=picture) if picture else None
    kind = _KINDS.get(found.kind, "text")
    text = _table_text(found) if kind == "table" else found.text or ""
    return PageBlock(kind=kind, box=corners, text=drop_controls(text).strip())


def _table_text(found: Any) -> str:
    rows = [*([found.header] if found.header else []), *(found.rows or ())]
    return "\n".join("\t".join(cell.text or "" for cell in row) for row in rows)


def _margins(page: Any, blocks: Sequence[PageBlock]) -> tuple[list[PageBlock], list[PageBlock]]:
    """Lines above the first and below the last block that the Markdown leaves out."""
    if not blocks:
        return [], []
    top = min(block.box[1] for block in blocks)
    bottom = max(block.box[3] for block in blocks)
    said = " ".join(_WORD.findall(page.markdown))
    above: dict[float, list[Any]] = {}
    below: dict[float, list[Any]] = {}
    for item in page.text_items or ():
        middle = item.y + item.height / 2
        if item.text.strip() and (middle < top or middle > bottom):
            lines = above if middle < top else below
            lines.setdefault(round(middle / max(item.height, 1.0)), []).append(item)
    return _running(above, said), _running(below, said)


def _running(lines: Mapping[float, Sequence[Any]], said: str) -> list[PageBlock]:
    blocks = []
    for _, items in sorted(lines.items()):
        ordered = sorted(items, key=lambda item: item.x)
        text = drop_controls(" ".join(item.text.strip() for item in ordered)).strip()
        words = " ".join(_WORD.findall(text))
        if not words or (len(words) > 1 and f" {words} " in f" {said} "):
            continue
        blocks.append(PageBlock(kind="margin", box=_around(ordered), text=text))
    return blocks


def _around(items: Sequence[Any]) -> Box:
    return (
        min(item.x for item in items),
        min(item.y for item in items),
        max(item.x + item.width for item in items),
        max(item.y + item.height for item in items),
    )
