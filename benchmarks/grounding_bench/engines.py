"""Has two engines convert each document page by page, and keeps what they wrote by file hash.

liteparse reads with PDFium, as we do, but orders and joins the text by itself; unpdf has a reader
of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grounding_bench.corpus import CACHE, sha256

__all__ = ["ENGINES", "LayoutBlock", "PageOutput", "convert"]

_EMPTY_FENCE = re.compile(r"\A```text\s*```\s*\Z")  # what liteparse writes for a page without text
_PAGE_MARK = re.compile(r"<!-- page (\d+) -->", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutBlock:
    """A block as the engine's layout has it.

    Attributes:
        kind: heading, paragraph, list, table, code, figure.
        text: Its characters; those of all cells for a table.
        bbox: (x0, y0, x1, y1) in points, origin top left of the page as shown.
    """

    kind: str
    text: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutput:
    """What an engine wrote for one page."""

    number: int
    markdown: str
    layout: tuple[LayoutBlock, ...] = ()


def _liteparse(path: Path) -> list[PageOutput]:
    from liteparse import LiteParse

    parser = LiteParse(
        output_format="markdown",
        ocr_enabled=False,
        image_mode="placeholder",
        extract_blocks=True,
        continue_on_page_error=True,
        quiet=True,
    )
    pages = []
    for page in parser.parse(path).pages:
        layout = []
        for block in page.blocks or ():
            text = block.text or ""
            if block.kind == "table":
                rows = [block.header, *block.rows] if block.header else block.rows
                text = " ".join(cell.text for row in rows for cell in row)
            box = block.bbox
            if box is not None:
                edges = (box.x, box.y, box.x + box.width, box.y + box.height)
                layout.append(LayoutBlock(kind=block.kind, text=text, bbox=edges))
        markdown = _EMPTY_FENCE.sub("", page.markdown)
        pages.append(
            PageOutput(number=page.page_num, markdown=markdown.strip("\n"), layout=tuple(layout))
        )
    return pages


def _unpdf(path: Path) -> list[PageOutput]:
    import unpdf

    text = unpdf.to_markdown(path, render_options={"page_markers": "comment"})
    _, *parts = _PAGE_MARK.split(text)
    return [
        PageOutput(number=int(number), markdown=markdown.strip("\n"))
        for number, markdown in zip(parts[::2], parts[1::2], strict=True)
    ]


ENGINES: Mapping[str, Callable[[Path], list[PageOutput]]] = {
    "liteparse": _liteparse,
    "unpdf": _unpdf,
}
_DISTRIBUTIONS = {"liteparse": "liteparse", "unpdf": "unpdf-markdown"}


def convert(path: Path, engine: str) -> list[PageOutput]:
    """Convert a PDF page by page, or read what was kept of that.

    Args:
        path: The PDF.
        engine: One of :data:`ENGINES`.
    """
    release = version(_DISTRIBUTIONS[engine])
    kept = CACHE / "engines" / f"{sha256(path)[:24]}-{engine}-{release}.json"
    if kept.exists():
        return [_page(entry) for entry in json.loads(kept.read_text())]
    pages = ENGINES[engine](path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([asdict(page) for page in pages], ensure_ascii=False))
    return pages


def _page(entry: dict[str, Any]) -> PageOutput:
    layout = tuple(
        LayoutBlock(kind=block["kind"], text=block["text"], bbox=tuple(block["bbox"]))
        for block in entry["layout"]
    )
    return PageOutput(number=entry["number"], markdown=entry["markdown"], layout=layout)
