"""Write tiny PDFs with exactly the pages, labels, properties and damage that a test wants."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

_FIELD_FONT = "/DR << /Font << /F1 3 0 R >> >> /DA (/F1 12 Tf 0 g) /NeedAppearances true"


def pdf_bytes(
    pages: int = 3,
    *,
    text: str | Sequence[str] = "Page {n} of {pages}",
    labels: Sequence[str] | Mapping[int, str] | None = None,
    info: Mapping[str, str] | None = None,
    broken: Collection[int] = (),
    claimed_pages: int | None = None,
    size: tuple[float, float] = (595, 842),
    rotate: int = 0,
    field: str | None = None,
    outline: Sequence[tuple[str, int]] = (),
) -> bytes:
    """The same as :func:`write_pdf`, in memory."""
    file = io.BytesIO()
    _write(file, pages, text, labels, info, broken, claimed_pages, size, rotate, field, 0, outline)
    return file.getvalue()


def write_pdf(
    path: Path,
    pages: int = 3,
    *,
    text: str | Sequence[str] = "Page {n} of {pages}",
    labels: Sequence[str] | Mapping[int, str] | None = None,
    info: Mapping[str, str] | None = None,
    broken: Collection[int] = (),
    claimed_pages: int | None = None,
    size: tuple[float, float] = (595, 842),
    rotate: int = 0,
    field: str | None = None,
    padding: int = 0,
    outline: Sequence[tuple[str, int]] = (),
) -> Path:
    """Write a PDF and return its path.

    Args:
        path: Where to.
        pages: How many pages.
        text: One text for all pages, ``{n}`` and ``{pages}`` filled in, or one for each page;
            ``\\n`` begins a new line. Latin-1 only.
        labels: The printed label of each page; or the label dictionaries by 0-based index of the
            page they begin with, as ``{0: "/S /r", 2: "/S /D /P (A-)"}``.
        info: Entries of the document information dictionary, any Unicode.
        broken: 1-based numbers of pages whose object is missing.
        claimed_pages: ``/Count`` of the page tree, if it shall lie.
        size: Width and height in points.
        rotate: Degrees, a multiple of 90.
        field: Text filled into a form field at the top of the first page; None for no form.
        padding: Bytes of an unused stream; sparse on disk, so 300 MB cost nothing.
        outline: Title and 1-based page of each bookmark.
    """
    with path.open("wb") as file:
        _write(
            file,
            pages,
            text,
            labels,
            info,
            broken,
            claimed_pages,
            size,
            rotate,
            field,
            padding,
            outline,
        )
    return path


def _write(
    file: BinaryIO,
    pages: int,
    text: str | Sequence[str],
    labels: Sequence[str] | Mapping[int, str] | None,
    info: Mapping[str, str] | None,
    broken: Collection[int],
    claimed_pages: int | None,
    size: tuple[float, float],
    rotate: int,
    field: str | None,
    padding: int,
    outline: Sequence[tuple[str, int]],
) -> None:
    offsets: dict[int, int] = {}

    def write_object(number: int, body: bytes) -> None:
        offsets[number] = file.tell()
        file.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    file.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    # 1 catalog, 2 page tree, 3 font, 4 properties, 5 padding, 6 form field, then a page and its
    # content each
    page_numbers = [7 + 2 * i for i in range(pages)]
    kids = " ".join(f"{number} 0 R" for number in page_numbers)
    count = pages if claimed_pages is None else claimed_pages
    form = "" if field is None else f"/AcroForm << /Fields [6 0 R] {_FIELD_FONT} >>"
    first_mark = 8 + 2 * pages
    marks = f"/Outlines {first_mark - 1} 0 R" if outline else ""
    write_object(
        1, f"<< /Type /Catalog /Pages 2 0 R {_page_labels(labels)} {form} {marks} >>".encode()
    )
    write_object(2, f"<< /Type /Pages /Count {count} /Kids [{kids}] >>".encode())
    write_object(
        3, b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    )
    entries = b" ".join(b"/%s %s" % (k.encode(), _string(v)) for k, v in (info or {}).items())
    write_object(4, b"<< %s >>" % entries)
    for i, number in enumerate(page_numbers):
        if i + 1 in broken:
            continue
        lines = (
            (text if isinstance(text, str) else text[i]).format(n=i + 1, pages=pages).split("\n")
        )
        write_object(
            number,
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] /Rotate {rotate} "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {number + 1} 0 R "
            f"/Annots [{'6 0 R' if field is not None and i == 0 else ''}] >>".encode(),
        )
        shown = b" T* ".join(_string(line, unicode=False) + b" Tj" for line in lines)
        content = b"BT /F1 12 Tf 14 TL 72 %d Td %s ET" % (size[1] - 72, shown)
        write_object(
            number + 1, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
        )
    if field is not None:
        box = f"[72 {size[1] - 60} {size[0] - 72} {size[1] - 20}]"
        write_object(
            6,
            f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (field) /Rect {box} /P 7 0 R "
            f"/F 4 /DA (/F1 12 Tf 0 g) /V ({field}) >>".encode(),
        )
    if outline:
        ends = f"/First {first_mark} 0 R /Last {first_mark + len(outline) - 1} 0 R"
        write_object(first_mark - 1, f"<< /Type /Outlines {ends} /Count {len(outline)} >>".encode())
    for i, (title, page) in enumerate(outline):
        following = f"/Next {first_mark + i + 1} 0 R" if i + 1 < len(outline) else ""
        write_object(
            first_mark + i,
            f"<< /Title ({title}) /Parent {first_mark - 1} 0 R {following} "
            f"/Dest [{page_numbers[page - 1]} 0 R /Fit] >>".encode(),
        )
    if padding:
        offsets[5] = file.tell()
        file.write(b"5 0 obj\n<< /Length %d >>\nstream\n" % padding)
        file.seek(padding, io.SEEK_CUR)
        file.write(b"\nendstream\nendobj\n")
    xref, last = file.tell(), max(offsets)
    file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (last + 1))
    for number in range(1, last + 1):
        used = number in offsets
        file.write(
            b"%010d %05d %s \n" % (offsets.get(number, 0), 0 if used else 1, b"n" if used else b"f")
        )
    file.write(
        b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (last + 1, xref)
    )


def _page_labels(labels: Sequence[str] | Mapping[int, str] | None) -> str:
    if labels is None:
        return ""
    if not isinstance(labels, Mapping):
        labels = {i: "/P " + _string(label).decode("ascii") for i, label in enumerate(labels)}
    return "/PageLabels << /Nums [" + " ".join(f"{i} << {d} >>" for i, d in labels.items()) + "] >>"


def _string(text: str, *, unicode: bool = True) -> bytes:
    """A hexadecimal string: UTF-16 for properties and labels, the font's encoding for content."""
    raw = b"\xfe\xff" + text.encode("utf-16-be") if unicode else text.encode("cp1252")
    return b"<" + raw.hex().encode() + b">"
