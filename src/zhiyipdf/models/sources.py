"""A PDF before it is converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from zhiyipdf.models.page_ranges import pages_of

__all__ = [
    "Bookmark",
    "DocumentProperties",
    "Estimate",
    "Page",
    "Part",
    "PartSource",
    "Source",
    "SourceEstimate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentProperties:
    """What a PDF says of itself; empty strings where it says nothing.

    Attributes:
        title: Title of the document information dictionary (ISO 32000-1, 14.3.3).
        author: Author.
        creator: The program that made the original.
        producer: The program that made the PDF.
        creationdate: ISO 8601 if the PDF's date can be read, else as it stands there.
    """

    title: str = ""
    author: str = ""
    creator: str = ""
    producer: str = ""
    creationdate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a PDF.

    Attributes:
        number: 1-based.
        label: The printed label if the PDF has labels (ISO 32000-1, 12.4.2), else the number.
    """

    number: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """An entry of a PDF's outline (ISO 32000-1, 12.3.3).

    Attributes:
        level: 0 for the outermost.
        page_number: 1-based page it leads to.
    """

    level: int
    page_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A PDF that was opened, looked at and found fit to convert.

    Attributes:
        uri: As the caller wrote it.
        name: File name with suffix, without folders.
        path: A readable copy on a local disk.
        size_bytes: Its size.
        sha256: Of its bytes, 64 hex digits.
        pages: All pages that can be loaded, in order.
        properties: What the PDF says of itself.
        media_type: ``application/pdf``, or of a picture ``image/png`` or ``image/jpeg``.
    """

    uri: str
    name: str
    path: str
    size_bytes: int
    sha256: str
    pages: tuple[Page, ...]
    properties: DocumentProperties
    media_type: str = "application/pdf"

    @property
    def is_pdf(self) -> bool:
        """Whether PDFium can read it."""
        return self.media_type == "application/pdf"

    @property
    def total_pages(self) -> int:
        """Number of the last page; more than ``len(pages)`` if pages in between are damaged."""
        return self.pages[-1].number if self.pages else 0

    def on_disk(self) -> Source:
        """The source with its bytes in place; blocking for a :class:`PartSource`."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSource(Source):
    """Some pages of a source, as a PDF that is made only if it must be sent.

    Attributes:
        make: Makes the file; gives a source that is on the disk.
    """

    make: Callable[[], Source]

    def on_disk(self) -> Source:
        """Make the file; blocking.

        Raises:
            FileTooLarge: It has more bytes than the service accepts.
            InvalidPDF: A page cannot be copied.
            OSError: The disk is full, for example.
        """
        return self.make()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Pages of a source that are converted as one task.

    Attributes:
        first_page: 1-based.
        last_page: 1-based, inclusive.
        whole: Whether the part is the entire PDF, so that its own bytes are sent.
        ranges: First and last pages of its pieces, if it has gaps: rising, apart from each other,
            the first begins with ``first_page`` and the last ends with ``last_page``.

    Raises:
        ValueError: ``ranges`` is not so.
    """

    first_page: int
    last_page: int
    whole: bool = True
    ranges: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        """Fill in the one range of a part without gaps."""
        ranges = self.ranges or ((self.first_page, self.last_page),)
        ends = (ranges[0][0], ranges[-1][1])
        apart = all(before[1] + 1 < after[0] for before, after in pairwise(ranges))
        apart = apart and all(first <= last for first, last in ranges)
        if ends != (self.first_page, self.last_page) or not apart or ends[0] < 1:
            raise ValueError(f"{ranges} are no ranges from {self.first_page} to {self.last_page}")
        object.__setattr__(self, "ranges", ranges)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of its pages, 1-based, rising."""
        return pages_of(self.ranges)

    @property
    def pages(self) -> int:
        """How many pages the part has."""
        return sum(last - first + 1 for first, last in self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEstimate:
    """What converting one source would cost.

    Attributes:
        source: As the caller wrote it.
        pages: Its pages, or those of them that were asked for.
        points: What uploads would cost; 0 if the store has the result.
        in_store: Whether the store has the result or running tasks.
        parts: How many tasks it takes.
    """

    source: str
    pages: int
    points: int
    in_store: bool
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What converting some sources would cost; made without uploading anything.

    Attributes:
        sources: One entry for each.
        refused: Source and reason of each file that would be refused.
    """

    sources: tuple[SourceEstimate, ...]
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def pages(self) -> int:
        """Pages of all sources."""
        return sum(s.pages for s in self.sources)

    @property
    def points(self) -> int:
        """Points of all sources."""
        return sum(s.points for s in self.sources)
