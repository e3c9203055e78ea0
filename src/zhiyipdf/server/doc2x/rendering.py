"""Files made of a converted document: Markdown and LaTeX in a ZIP, or a Word document."""

from __future__ import annotations

import os
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zhiyipdf.server.archive import archive_entry
from zhiyipdf.server.doc2x.exports import ExportRequest
from zhiyipdf.server.doc2x.formulas import with_dollars, without_formulas
from zhiyipdf.server.doc2x.latex import latex_of
from zhiyipdf.server.doc2x.pages import crop_name, markdown_of, pixels_of
from zhiyipdf.server.doc2x.tables import join_tables
from zhiyipdf.server.doc2x.word import write_word
from zhiyipdf.server.engine import PICTURE_FOLDER, PageBlock, PageMarkdown, read_pages

__all__ = ["write_export"]


def write_export(
    folder: Path, target: Path, request: ExportRequest, *, image: bool, names_tell_pages: bool
) -> None:
    """Make the file; it appears under its name only when it is complete.

    Args:
        folder: A Doc2X result: pages and pictures.
        target: The file to make; its folder is made too.
        request: What to make.
        image: Whether the document was an image.
        names_tell_pages: Whether pictures are named after page and place, as model ``v3-2026``
            does it.
    """
    pages = _styled(read_pages(folder), request)
    pictures = folder / PICTURE_FOLDER
    names = _picture_names(pages, image=image) if names_tell_pages else {}
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{uuid.uuid4().hex}.part")
    try:
        _write(part, pages, pictures, names, request)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write(
    part: Path,
    pages: Sequence[PageMarkdown],
    pictures: Path,
    names: Mapping[str, str],
    request: ExportRequest,
) -> None:
    match request.to:
        case "md":
            text = "\n\n".join(filter(None, (_markdown(page, names) for page in pages))) + "\n"
            if request.formula_mode == "dollar":
                text = with_dollars(text)
            _write_zip(part, f"{request.file_name}.md", text, pictures, names)
        case "tex":
            text = latex_of(_body(pages), picture=lambda name: f"images/{names.get(name, name)}")
            _write_zip(part, f"{request.file_name}.tex", text, pictures, names)
        case "docx":
            write_word(_body(pages), pictures, part)


def _styled(pages: Sequence[PageMarkdown], request: ExportRequest) -> list[PageMarkdown]:
    texts = [without_formulas(page.markdown, request.formula_level) for page in pages]
    if request.merge_tables:
        texts = join_tables(texts)
    return [replace(page, markdown=text) for page, text in zip(pages, texts, strict=True)]


def _picture_names(pages: Sequence[PageMarkdown], *, image: bool) -> dict[str, str]:
    names: dict[str, str] = {}
    for page in pages:
        for block in page.blocks:
            if block.picture:
                crop = pixels_of(page, image=image).crop(block.box)
                name = crop_name(page.number - 1, crop, Path(block.picture).suffix)
                # Two pictures may lie upon each other: the second keeps the engine's name.
                names[block.picture] = block.picture if name in names.values() else name
    return names


def _markdown(page: PageMarkdown, names: Mapping[str, str]) -> str:
    def source_of(block: PageBlock) -> str:
        return names.get(block.picture or "", block.picture or "")

    return markdown_of(page, source_of=source_of, link=lambda name: f"![{name}](images/{name})")


def _body(pages: Sequence[PageMarkdown]) -> str:
    return "\n\n".join(page.markdown for page in pages if page.markdown)


def _write_zip(
    target: Path, name: str, text: str, pictures: Path, names: Mapping[str, str]
) -> None:
    with target.open("wb") as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(
                archive_entry(name), text.encode("utf-8", "replace"), zipfile.ZIP_DEFLATED
            )
            for picture in sorted(pictures.iterdir()) if pictures.is_dir() else ():
                entry = archive_entry(f"images/{names.get(picture.name, picture.name)}")
                archive.writestr(entry, picture.read_bytes())
        file.flush()
        os.fsync(file.fileno())
