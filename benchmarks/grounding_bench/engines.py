"""Has engines convert each document page by page, and keeps what they wrote by file hash.

liteparse reads with PDFium, as we do, but orders and joins the text by itself; unpdf has a reader
of its own. edgeparse has one too, drops and reorders much more, and gives every element's box: it
stands for the rough engines.
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

__all__ = ["ENGINES", "ROUGH", "Element", "PageOutput", "convert"]

_EMPTY_FENCE = re.compile(r"\A```text\s*```\s*\Z")  # what liteparse writes for a page without text
_PAGE_MARK = re.compile(r"<!-- page (\d+) -->", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A block as the engine's layout has it.

    Attributes:
        kind: heading, paragraph, list_item, table and others, as the engine names them.
        text: liteparse: its characters, those of all cells for a table. edgeparse: its Markdown.
        bbox: (x0, y0, x1, y1) in points. liteparse: origin top left of the page as shown.
            edgeparse: the PDF's own coordinates, y upwards.
    """

    kind: str
    text: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutput:
    """What an engine wrote for one page."""

    number: int
    markdown: str
    layout: tuple[Element, ...] = ()


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
                layout.append(Element(kind=block.kind, text=text, bbox=edges))
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


def _edgeparse(path: Path) -> list[PageOutput]:
    import edgeparse

    try:
        written = edgeparse.convert(path, format="json", raster_table_ocr=False)
    except RuntimeError:  # it repairs no damaged file
        return []
    document = json.loads(written)
    by_page: dict[int, list[Element]] = {}
    for element in document["kids"]:
        text = _as_markdown(element)
        if text.strip():
            by_page.setdefault(element["page number"], []).append(
                Element(kind=element["type"], text=text, bbox=tuple(element["bounding box"]))
            )
    return [
        PageOutput(
            number=number,
            markdown="\n\n".join(element.text for element in by_page.get(number, ())),
            layout=tuple(by_page.get(number, ())),
        )
        for number in range(1, document["number of pages"] + 1)
    ]


def _as_markdown(element: dict[str, Any]) -> str:
    match element["type"]:
        case "header" | "footer":
            return ""
        case "image":
            return f"![]({element['source']})"
        case "heading":
            return "#" * min(6, int(element.get("heading level", 1))) + " " + _words(element)
        case "list":
            return "\n".join(f"- {_words(item)}" for item in element["list items"])
        case "table":
            return _table([[_words(cell) for cell in row["cells"]] for row in element["rows"]])
    return _words(element)


def _table(rows: list[list[str]]) -> str:
    if not any(map(any, rows)):
        return ""
    lines = ["| " + " | ".join(cells).replace("\n", " ") + " |" for cells in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _words(element: dict[str, Any]) -> str:
    inner = (_words(kid) for kid in element.get("kids", ()))
    return " ".join(filter(None, [element.get("content", "").strip(), *inner]))


ENGINES = ("liteparse", "unpdf")
"""Those that the tables of pages are about."""

ROUGH = "edgeparse"

_CONVERTERS: Mapping[str, Callable[[Path], list[PageOutput]]] = {
    "liteparse": _liteparse,
    "unpdf": _unpdf,
    ROUGH: _edgeparse,
}
_DISTRIBUTIONS = {"liteparse": "liteparse", "unpdf": "unpdf-markdown", ROUGH: "edgeparse"}


def convert(path: Path, engine: str) -> list[PageOutput]:
    """Convert a PDF page by page, or read what was kept of that.

    Args:
        path: The PDF.
        engine: One of :data:`ENGINES`, or :data:`ROUGH`.
    """
    release = version(_DISTRIBUTIONS[engine])
    kept = CACHE / "engines" / f"{sha256(path)[:24]}-{engine}-{release}.json"
    if kept.exists():
        return [_page(entry) for entry in json.loads(kept.read_text())]
    pages = _CONVERTERS[engine](path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps([asdict(page) for page in pages], ensure_ascii=False))
    return pages


def _page(entry: dict[str, Any]) -> PageOutput:
    layout = tuple(
        Element(kind=block["kind"], text=block["text"], bbox=tuple(block["bbox"]))
        for block in entry["layout"]
    )
    return PageOutput(number=entry["number"], markdown=entry["markdown"], layout=layout)
