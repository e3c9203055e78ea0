"""Markdown into a Word document, with python-docx."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhiyipdf.server.doc2x.prose import (
    Code,
    Heading,
    Item,
    Paragraph,
    Picture,
    Span,
    Table,
    read,
)

__all__ = ["write_word"]

# What XML 1.0 does not allow (section 2.2).
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# The default template has list styles to the third level.
_DEEPEST_LIST = 3


def write_word(markdown: str, pictures: Path, target: Path) -> None:
    """Write the document.

    Args:
        markdown: The whole document, as the engine writes it.
        pictures: Folder of its pictures.
        target: The file.

    Raises:
        ImportError: python-docx, of the extra ``local``, is not installed.
    """
    from docx import Document

    document = Document()
    for block in read(markdown):
        match block:
            case Heading():
                _fill(document.add_heading(level=block.level), block.spans)
            case Paragraph():
                _fill(document.add_paragraph(), block.spans)
            case Item():
                _fill(document.add_paragraph(style=_list_style(block)), block.spans)
            case Code():
                _fill(document.add_paragraph(), (Span(block.text, code=True),))
            case Table():
                _add_table(document, block)
            case Picture():
                _add_picture(document, pictures / block.name)
    document.save(str(target))


def _list_style(item: Item) -> str:
    begun = "List Number" if item.ordered else "List Bullet"
    kind = begun if item.begins else "List Continue"
    depth = min(item.depth, _DEEPEST_LIST)
    return kind if depth == 1 else f"{kind} {depth}"


def _fill(paragraph: Any, spans: Sequence[Span]) -> None:
    for span in spans:
        # python-docx writes a line feed as a line break.
        run = paragraph.add_run(_NOT_XML.sub("", span.text))
        run.bold, run.italic = span.bold or None, span.italic or None
        if span.code:
            run.font.name = "Courier New"


def _add_table(document: Any, table: Table) -> None:
    if not table.rows or not table.rows[0]:
        return
    made = document.add_table(rows=len(table.rows), cols=len(table.rows[0]))
    made.style = "Table Grid"
    for row, cells in zip(table.rows, made.rows, strict=True):
        for spans, cell in zip(row, cells.cells, strict=True):
            _fill(cell.paragraphs[0], spans)


def _add_picture(document: Any, picture: Path) -> None:
    from docx.image.exceptions import UnrecognizedImageError

    section = document.sections[-1]
    widest = section.page_width - section.left_margin - section.right_margin
    tallest = section.page_height - section.top_margin - section.bottom_margin
    with contextlib.suppress(UnrecognizedImageError):  # a picture no reader of ours knows
        shape = document.add_picture(str(picture))
        factor = min(1.0, widest / shape.width, tallest / shape.height)
        shape.width, shape.height = round(shape.width * factor), round(shape.height * factor)
