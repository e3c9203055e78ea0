"""A PDF before it is converted."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DocumentProperties", "Estimate", "Page", "Part", "Source", "SourceEstimate"]


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
    """

    uri: str
    name: str
    path: str
    size_bytes: int
    sha256: str
    pages: tuple[Page, ...]
    properties: DocumentProperties


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A range of a source's pages that is converted as one task.

    Attributes:
        first_page: 1-based.
        last_page: 1-based, inclusive.
        whole: Whether the part is the entire PDF, so that its own bytes are sent.
    """

    first_page: int
    last_page: int
    whole: bool = True

    @property
    def pages(self) -> int:
        """How many pages the part has."""
        return self.last_page - self.first_page + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEstimate:
    """What converting one source would cost.

    Attributes:
        source: As the caller wrote it.
        pages: Its pages.
        points: What an upload would cost; 0 if the store has the result.
        in_store: Whether the store has the result or a running task.
    """

    source: str
    pages: int
    points: int
    in_store: bool


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
