"""Markdown with pages that no engine of the main table wrote: people's, docling's, edgeparse's.

All that ``groundtruth`` holds is used but for one thing:

- ``page_NNN.md`` of 3 PDFs: people's Markdown, page by page;
- ``us-017-*.xml``: 6 tables with pages and regions, set by people (:mod:`grounding_bench.icdar`);
- ``items_by_page.json`` of 6 PDFs: docling's own pinned output, as elements with boxes, in the
  order of its ``document.md`` (:mod:`grounding_bench.docling_order`);
- ``document.md`` of ``ocr_test``, one line read from one scanned page: docling's, too.

The six other ``document.md`` say the same as the elements, without pages. edgeparse is run like
the engines.

Pictures are named by hashes, as a service without pages in its names would: of
``<page>-<block>.png`` the package reads the page. :func:`with_named_pictures` gives them such
names, to see what that is worth.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pypdfium2

from grounding_bench.corpus import CACHE, SHARED, Document, sha256
from grounding_bench.docling_order import in_reading_order
from grounding_bench.engines import ROUGH, convert
from grounding_bench.exact_boxes import around
from grounding_bench.icdar import tables
from grounding_bench.truth import Passage, Piece, pieces
from zhiyipdf.models import BBox

__all__ = ["Written", "docling", "icdar", "people", "rough", "volume", "with_named_pictures"]

LEAST_PT = 1.0  # height of a box

MANY_LANGUAGES = "mul"  # as ISO 639-2 has it

_PICTURE = re.compile(r"!\[\]\(images/[0-9a-f]{16}\.png\)")
_PREFIXES = {
    "section_header": "## ",
    "list_item": "- ",
    "checkbox_selected": "- [x] ",
    "checkbox_unselected": "- [ ] ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A PDF and Markdown of it whose pages are known.

    Attributes:
        name: Of the PDF.
        author: ``people``, ``ICDAR``, ``docling`` or ``edgeparse``; more than one of a volume.
        language: Of most of it.
        path: The PDF.
        pieces: The Markdown, block by block; with boxes where they are known.
        pages: Number of pages.
        documents: Of how many PDFs it is made.
    """

    name: str
    author: str
    language: str
    path: Path
    pieces: tuple[Piece, ...]
    pages: int
    documents: int = 1


def _folders() -> Iterator[tuple[Path, Path, str]]:
    manifest = SHARED / "manifest.json"
    if manifest.exists():
        languages = {e["file"]: e["language"] for e in json.loads(manifest.read_text())["files"]}
        for folder in sorted((SHARED / "groundtruth").iterdir()):
            name = f"{folder.name}.pdf"
            yield folder, SHARED / name, (languages.get(name) or "en")[:2]


def people() -> Iterator[Written]:
    """Give what people wrote."""
    for folder, path, language in _folders():
        texts = [
            (int(file.stem.partition("_")[2]), file.read_text(encoding="utf-8").strip("\n"))
            for file in sorted(folder.glob("page_*.md"))
        ]
        if texts:
            yield Written(
                name=folder.name,
                author="people",
                language=language,
                path=path,
                pieces=tuple(pieces(texts)),
                pages=len(texts),
            )


def icdar() -> Iterator[Written]:
    """Give the tables of the table competition, with their boxes."""
    for folder, path, language in _folders():
        if found := tables(folder):
            shown = _frames(path)
            yield Written(
                name=folder.name,
                author="ICDAR",
                language=language,
                path=path,
                pieces=tuple(
                    (Passage(text, page, _flipped(box, shown[page])),) for page, text, box in found
                ),
                pages=len(shown),
            )


def docling() -> Iterator[Written]:
    """Give docling's elements as Markdown, with their boxes; of one scan its text."""
    for folder, path, language in _folders():
        items, whole = folder / "items_by_page.json", folder / "document.md"
        if not items.exists() and not whole.exists():
            continue
        shown = _frames(path)
        if items.exists():
            by_page = json.loads(items.read_text(encoding="utf-8"))
            found = list(_elements(by_page, shown, folder.name, whole.read_text(encoding="utf-8")))
        elif len(shown) == 1:
            found = pieces([(1, whole.read_text(encoding="utf-8").strip("\n"))])
        else:
            continue  # nothing says which page the text is from
        yield Written(
            name=folder.name,
            author="docling",
            language=language,
            path=path,
            pieces=tuple(found),
            pages=len(shown),
        )


def _elements(
    by_page: dict[str, list[dict[str, Any]]],
    shown: dict[int, BBox | None],
    name: str,
    markdown: str,
) -> Iterator[Piece]:
    """Give each element once; one in two columns has the box around both, one on two pages none."""
    places: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, items in by_page.items():
        for item in items:
            places.setdefault(item["ref"], []).append((int(number), item))
    firsts = [(ref, found[0][1]) for ref, found in places.items()]
    order = in_reading_order(
        [(ref, item["text"]) for ref, item in firsts if "text" in item],
        [(ref, item["label"]) for ref, item in firsts if "text" not in item],
        markdown,
    )
    for found in map(places.__getitem__, order):
        (page, first), (last, _) = found[0], found[-1]
        text = _as_markdown(first, name)
        if not text:
            continue
        if page == last:
            boxes = [box for n, i in found if (box := _flipped(i["bbox"], shown[n]))]
            yield (Passage(text, page, around(boxes) if boxes else None),)
        else:
            half = len(text) // 2
            yield Passage(text[:half], page), Passage(text[half:], last)


def _as_markdown(item: dict[str, Any], document: str) -> str:
    if item["layer"] != "body":
        return ""
    label, text = item["label"], item.get("text", "").strip()
    if label == "picture":
        name = hashlib.sha256(f"{document}{item['ref']}".encode()).hexdigest()[:16]
        return f"![](images/{name}.png)"
    if label == "table":
        return "| " + " | ".join(item["cells"]) + " |\n" + "|---" * len(item["cells"]) + "|"
    if label == "code":
        return f"```\n{text}\n```"
    return _PREFIXES.get(label, "") + text if text else ""


def rough(document: Document, most_pages: int) -> Written:
    """Give what edgeparse writes of a document, with its boxes."""
    shown = _frames(document.path)
    outputs = convert(document.path, ROUGH)[: min(most_pages, len(shown))]
    return Written(
        name=document.name,
        author=ROUGH,
        language=document.language,
        path=document.path,
        pieces=tuple(
            (Passage(element.text, output.number, _flipped(element.bbox, shown[output.number])),)
            for output in outputs
            for element in output.layout
        ),
        pages=len(outputs),
    )


def volume(parts: Sequence[Written]) -> Written:
    """Bind several into one PDF, so that their few pages are harder to tell apart."""
    path = CACHE / "volumes" / ("-".join(sha256(part.path)[:8] for part in parts) + ".pdf")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        bound = pypdfium2.PdfDocument.new()
        for part in parts:
            bound.import_pages(pypdfium2.PdfDocument(part.path))
        bound.save(path)
        bound.close()
    moved: list[Piece] = []
    before = 0
    for part in parts:
        moved += _moved(part.pieces, before)
        before += part.pages
    languages = list(dict.fromkeys(part.language for part in parts))
    return Written(
        name=f"volume of {len(parts)}, {'+'.join(languages)}",
        author="+".join(dict.fromkeys(part.author for part in parts)),
        language=languages[0] if len(languages) == 1 else MANY_LANGUAGES,
        path=path,
        pieces=tuple(moved),
        pages=before,
        documents=len(parts),
    )


def _moved(some: Iterable[Piece], by: int) -> Iterator[Piece]:
    """Put pieces so many pages on; no text says on which page it stands."""
    for piece in some:
        yield tuple(replace(passage, page=passage.page + by) for passage in piece)


def with_named_pictures(written: Written) -> Written:
    """Name the pictures ``<page>-<block>.png`` by their true pages, as ZhiyiPDF does."""
    counts: Counter[int] = Counter()

    def named(passage: Passage) -> Passage:
        def name(_: re.Match[str]) -> str:
            counts[passage.page] += 1
            return f"![](images/{passage.page}-{counts[passage.page]}.png)"

        return replace(passage, text=_PICTURE.sub(name, passage.text))

    return replace(written, pieces=tuple(tuple(map(named, piece)) for piece in written.pieces))


def _frames(path: Path) -> dict[int, BBox | None]:
    """Give the frame of each page in the PDF's coordinates; None where the page is turned."""
    pdf = pypdfium2.PdfDocument(path)
    frames: dict[int, BBox | None] = {}
    for number in range(1, len(pdf) + 1):
        page = pdf[number - 1]
        frames[number] = page.get_bbox() if page.get_rotation() == 0 else None
        page.close()
    pdf.close()
    return frames


def _flipped(box: Sequence[float], frame: BBox | None) -> BBox | None:
    """Bring a box whose y grows upwards to the origin top left of the page as shown.

    edgeparse gives some lines no height: that is no box.
    """
    if frame is None or abs(box[3] - box[1]) < LEAST_PT:
        return None
    left, _, _, top = frame
    x0, x1 = sorted((box[0], box[2]))
    y0, y1 = sorted((box[1], box[3]))
    return x0 - left, top - y1, x1 - left, top - y0
