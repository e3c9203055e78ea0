"""Look into PDFs with PDFium: pages, properties, pictures, parts and bookmarks.

The functions here may be called from any thread; they wait for PDFium's.
"""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from zhiyipdf.errors import InvalidPDF
from zhiyipdf.models import Bookmark, DocumentProperties, Page
from zhiyipdf.textlayer.dates import iso_date
from zhiyipdf.textlayer.opening import damage_as_invalid, opened, pdfium_thread
from zhiyipdf.textlayer.png import png

__all__ = [
    "Inspection",
    "bookmarks",
    "copy_pages",
    "gather_pages",
    "inspect_pdf",
    "page_size",
    "render_page",
]

MAX_PIXELS = 100_000_000
"""Largest picture of a page: 300 MB of memory. An A0 poster at 200 dpi has 62 million pixels."""

_OUTLINE_LEVELS = 3
_MOST_BOOKMARKS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What PDFium sees of a PDF without reading its text.

    Attributes:
        pages: The pages that can be loaded, in order; a damaged page leaves a gap in the numbers.
        properties: What the PDF says of itself.
    """

    pages: tuple[Page, ...]
    properties: DocumentProperties


def inspect_pdf(path: Path) -> Inspection:
    """Open a PDF and list its pages and properties.

    No password is tried but the empty one, so files with an owner password only are opened.

    Raises:
        EncryptedPDF: A password, or a security scheme that PDFium does not know, is needed.
        InvalidPDF: PDFium cannot open it, or no page of it can be loaded.
        OSError: The file cannot be read.
    """
    return pdfium_thread.run(lambda: _inspect(path))


def page_size(path: Path, number: int) -> tuple[float, float]:
    """Width and height of a page as shown (cropped and rotated), in points.

    Raises:
        ValueError: There is no page of this 1-based number.
        EncryptedPDF: See :func:`inspect_pdf`; InvalidPDF and OSError likewise.
    """

    def measure() -> tuple[float, float]:
        with opened(path) as document:
            return _measure(document, number)

    return pdfium_thread.run(measure)


def page_sizes(path: Path, numbers: Iterable[int]) -> dict[int, tuple[float, float]]:
    """Width and height of some pages as :func:`page_size` has them; damaged ones are left out.

    Raises:
        ValueError: There is no page of one of these 1-based numbers.
        EncryptedPDF: See :func:`inspect_pdf`; InvalidPDF and OSError likewise.
    """

    def measure() -> dict[int, tuple[float, float]]:
        sizes: dict[int, tuple[float, float]] = {}
        with opened(path) as document:
            for number in numbers:
                with suppress(InvalidPDF):
                    sizes[number] = _measure(document, number)
        return sizes

    return pdfium_thread.run(measure)


def render_page(path: Path, number: int, *, scale: float, shades: int = 256) -> bytes:
    """Draw a page, with its annotations and form fields, as a PNG picture on white.

    The picture is RGB, or grey where the page is.

    Args:
        path: The PDF.
        number: 1-based.
        scale: Pixels per point, above 0; 1 is 72 dpi.
        shades: How many of each colour are told apart, 2 to 256. Fewer hide the noise of a scan,
            which PNG can hardly pack: 32 halve a photograph and cost it nothing a reader misses.

    Raises:
        ValueError: There is no such page, ``scale`` is not above 0, the picture would have more
            than 100 million pixels, or ``shades`` is out of range.
        InvalidPDF: The page cannot be loaded; EncryptedPDF and OSError as in :func:`inspect_pdf`.
    """
    if not 2 <= shades <= 256:
        raise ValueError(f"shades={shades} is not of 2 to 256")
    width, height, rows = pdfium_thread.run(lambda: _draw(path, number, scale))
    if shades < 256:
        nearest = _nearest(shades)
        rows = [row.translate(nearest) for row in rows]
    return png(width, height, rows)


def _nearest(shades: int) -> bytes:
    """For each of 256 values the nearest of some that are spread evenly, black and white kept."""
    steps = shades - 1
    return bytes(round(round(value * steps / 255) * 255 / steps) for value in range(256))


def copy_pages(path: Path, first: int, last: int, to: Path) -> None:
    """Write a range of pages to a new PDF; damaged pages of the range are left out.

    The copy has no password, outline, page labels or document information. ``to`` appears, or is
    replaced, only when all of it is written.

    Args:
        path: The PDF.
        first: 1-based number of the first page.
        last: 1-based number of the last page, inclusive.
        to: The new file, in a folder that exists.

    Raises:
        ValueError: The range is empty or reaches beyond the PDF.
        InvalidPDF: No page of the range, or not all of what it needs, can be loaded.
        EncryptedPDF: See :func:`inspect_pdf`.
        OSError: ``path`` cannot be read or ``to`` cannot be written.
    """
    pdfium_thread.run(lambda: _copy(path, first, last, to))


def gather_pages(path: Path, numbers: Sequence[int], to: Path) -> None:
    """Write some pages, in the order given, to a new PDF; all of them must be loadable.

    What is said of :func:`copy_pages` holds here too.

    Args:
        path: The PDF.
        numbers: 1-based, at least one.
        to: The new file, in a folder that exists.

    Raises:
        ValueError: A page is none of the PDF's, or there are no numbers.
        InvalidPDF: A page cannot be loaded.
        EncryptedPDF: See :func:`inspect_pdf`.
        OSError: ``path`` cannot be read or ``to`` cannot be written.
    """
    pdfium_thread.run(lambda: _gather(path, numbers, to))


def bookmarks(path: Path) -> tuple[Bookmark, ...]:
    """The outline's entries that lead to a page, in order: the outermost three levels.

    A damaged outline is read as far as it goes; no more than ten thousand entries are.

    Raises:
        InvalidPDF: PDFium cannot open the PDF.
        EncryptedPDF: See :func:`inspect_pdf`.
        OSError: The file cannot be read.
    """
    return pdfium_thread.run(lambda: _bookmarks(path))


# Everything below runs on PDFium's thread.


def _size(document: pdfium.PdfDocument, index: int) -> tuple[float, float] | None:
    """Measure a page, or None if it cannot be loaded.

    This finds the page's dictionary just as FPDF_LoadPage does, without parsing its content:
    13 times as fast on a manual of 1,158 pages.
    """
    size = pdfium_c.FS_SIZEF()
    if not pdfium_c.FPDF_GetPageSizeByIndexF(document, index, size):
        return None
    return float(size.width), float(size.height)


def _measure(document: pdfium.PdfDocument, number: int) -> tuple[float, float]:
    if not 1 <= number <= len(document):
        raise ValueError(f"page {number} is not one of the PDF's {len(document)}")
    size = _size(document, number - 1)
    if size is None:
        raise InvalidPDF(f"Page {number} cannot be loaded.")
    return size


def _text(call: Callable[[Any, int], int]) -> str:
    """Read a text that PDFium writes as UTF-16LE into a buffer of the caller's."""
    size = call(None, 0)
    if size <= 2:  # nothing, or the closing NUL alone
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(buffer, size)
    text = buffer.raw[: size - 2].decode("utf-16-le", errors="replace")
    return text.replace("\0", "").strip()


def _inspect(path: Path) -> Inspection:
    with opened(path) as document:
        loadable = [i for i in range(len(document)) if _size(document, i) is not None]
        if not loadable:
            raise InvalidPDF("The PDF has no page that can be loaded.")
        pages = tuple(Page(number=i + 1, label=_label(document, i)) for i in loadable)
        return Inspection(pages=pages, properties=_properties(document))


def _label(document: pdfium.PdfDocument, index: int) -> str:
    printed = _text(lambda to, size: pdfium_c.FPDF_GetPageLabel(document, index, to, size))
    return printed or str(index + 1)


def _properties(document: pdfium.PdfDocument) -> DocumentProperties:
    def value(key: bytes) -> str:
        return _text(lambda to, size: pdfium_c.FPDF_GetMetaText(document, key, to, size))

    return DocumentProperties(
        title=value(b"Title"),
        author=value(b"Author"),
        creator=value(b"Creator"),
        producer=value(b"Producer"),
        creationdate=iso_date(value(b"CreationDate")),
    )


def _draw(path: Path, number: int, scale: float) -> tuple[int, int, list[bytes]]:
    with opened(path) as document:
        document.init_forms()  # before any page, or filled-in fields stay blank
        width, height = _measure(document, number)
        if not 0 < width * height * scale**2 <= MAX_PIXELS or scale <= 0:
            raise ValueError(
                f"scale={scale} makes a picture of {width * scale:.0f} x {height * scale:.0f}"
            )
        with damage_as_invalid(f"Page {number} cannot be drawn."):
            page = document[number - 1]
            with closing(page), closing(page.render(scale=scale, rev_byteorder=True)) as bitmap:
                line, pixels = bitmap.stride, bitmap.width * bitmap.n_channels
                raw = memoryview(bitmap.buffer)
                rows = [bytes(raw[y * line : y * line + pixels]) for y in range(bitmap.height)]
                del raw
                return bitmap.width, bitmap.height, rows


def _copy(path: Path, first: int, last: int, to: Path) -> None:
    with opened(path) as document:
        if not 1 <= first <= last <= len(document):
            raise ValueError(
                f"pages {first} to {last} are not a range of the PDF's {len(document)}"
            )
        wanted = [i for i in range(first - 1, last) if _size(document, i) is not None]
        if not wanted:  # for import_pages an empty list means all pages
            raise InvalidPDF(f"No page from {first} to {last} can be loaded.")
        with (
            closing(pdfium.PdfDocument.new()) as part,
            damage_as_invalid(f"Pages {first} to {last} cannot be copied."),
        ):
            part.import_pages(document, wanted)
            _save(part, to)


def _gather(path: Path, numbers: Sequence[int], to: Path) -> None:
    with opened(path) as document:
        if not numbers or not all(1 <= number <= len(document) for number in numbers):
            raise ValueError(f"{numbers} are not pages of the PDF's {len(document)}")
        with (
            closing(pdfium.PdfDocument.new()) as part,
            damage_as_invalid("The pages cannot be copied."),
        ):
            part.import_pages(document, [number - 1 for number in numbers])
            _save(part, to)


def _bookmarks(path: Path) -> tuple[Bookmark, ...]:
    found: list[Bookmark] = []
    with opened(path) as document:
        # pypdfium2's own walk writes a line to the log for each branch that it leaves out.
        for entry, level in islice(_outline(document, None, 0, set()), _MOST_BOOKMARKS):
            target = pdfium_c.FPDFBookmark_GetDest(document, entry)
            index = pdfium_c.FPDFDest_GetDestPageIndex(document, target) if target else -1
            if 0 <= index < len(document):
                found.append(Bookmark(level=level, page_number=index + 1))
    return tuple(found)


def _outline(
    document: pdfium.PdfDocument, parent: Any, level: int, seen: set[int]
) -> Iterator[tuple[Any, int]]:
    """Walk the outline; an entry that was seen before ends its row, for rows may be circles."""
    entry = pdfium_c.FPDFBookmark_GetFirstChild(document, parent)
    while entry and (address := ctypes.addressof(entry.contents)) not in seen:
        seen.add(address)
        yield entry, level
        if level + 1 < _OUTLINE_LEVELS:
            yield from _outline(document, entry, level + 1, seen)
        entry = pdfium_c.FPDFBookmark_GetNextSibling(document, entry)


def _save(document: pdfium.PdfDocument, to: Path) -> None:
    number, name = tempfile.mkstemp(dir=to.parent, suffix=".part")
    partial = Path(name)
    try:
        with open(number, "wb") as file:  # noqa: PTH123 (a descriptor has no path)
            writer = _Writer(file)
            document.save(writer)
            writer.check()
        partial.replace(to)
    except BaseException:
        partial.unlink()
        raise


class _Writer:
    """Keeps a write error for later: PDFium calls write() through C, where exceptions are lost."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def write(self, piece: bytes) -> None:
        if self._error is None:
            try:
                self._file.write(piece)
            except OSError as exc:
                self._error = exc

    def check(self) -> None:
        if self._error is not None:
            raise self._error
