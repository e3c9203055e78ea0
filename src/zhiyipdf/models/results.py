"""What a conversion yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from zhiyipdf.models.options import VARIANTS, ParseOptions, Variant
from zhiyipdf.models.sources import Page, Source
from zhiyipdf.models.tasks import TaskRef

__all__ = [
    "SUFFIXES",
    "Asset",
    "BBox",
    "Block",
    "BlockKind",
    "Bundle",
    "Conversion",
    "LayoutSpan",
    "Outcome",
    "PageSource",
    "Progress",
    "Provenance",
    "Stage",
]

PageSource = Literal["exact", "aligned", "estimated", "none"]

BlockKind = Literal[
    "heading",
    "paragraph",
    "list",
    "table",
    "image",
    "formula",
    "code",
    "quote",
    "footnote",
    "comment",
    "page_break",
    "rule",
]

BBox = tuple[float, float, float, float]

Stage = Literal["open", "upload", "wait", "convert", "download", "unpack", "done"]

SUFFIXES: Mapping[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "application/json": ".json",
}
"""File suffix by media type. Fixed: ``mimetypes`` reads tables of the machine, and a name made from
a picture's content must be the same everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A picture or other file that came with the Markdown.

    Attributes:
        name: Its path as the Markdown refers to it, for example ``images/3-2.png``.
        sha256: Of its bytes.
        size_bytes: Its size.
        media_type: For example ``image/png``, from its bytes.
        uri: Where the store keeps it.
        referenced: Whether some Markdown of the bundle shows it.
    """

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    uri: str
    referenced: bool = True

    @property
    def is_image(self) -> bool:
        """Whether it can be shown as a picture."""
        return self.media_type.startswith("image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSpan:
    """A piece of Markdown of which the service itself says where it stands.

    Attributes:
        start: Offset of its first character in the variant's Markdown.
        end: Offset after its last character.
        page_number: 1-based page of the PDF that was sent.
        bbox: As in :class:`Provenance`, in the unit of ``page_size``; None where only the page is
            told.
        page_size: Width and height of the page as the service measures it, in pixels for example;
            None if ``bbox`` is in points.
    """

    start: int
    end: int
    page_number: int
    bbox: BBox | None = None
    page_size: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One unpacked result.

    Attributes:
        markdown: Text by variant, as the service wrote it.
        assets: Every other file that Markdown may show, by name.
        missing: References in the Markdown that no file answers to; left as they are.
        sidecars: Text files beside the Markdown (outline, summary), by name.
        layout: By variant, what the service says of pages and boxes, in the order of the text and
            without overlaps; empty where it says nothing.
    """

    markdown: Mapping[Variant, str]
    assets: tuple[Asset, ...] = ()
    missing: tuple[str, ...] = ()
    sidecars: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[Variant, tuple[LayoutSpan, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where in the PDF a block comes from.

    Attributes:
        page_number: 1-based page.
        bbox: ``(x0, y0, x1, y1)`` in points, origin top left of the page as shown; None if unknown.
        source: How the page was found.
        score: Probability from 0 to 1 that the page is right; 1 for ``exact``.
    """

    page_number: int
    bbox: BBox | None = None
    source: PageSource
    score: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of Markdown with its exact place in the text.

    Attributes:
        kind: What it is.
        start: Offset of its first character in the variant's Markdown.
        end: Offset after its last character; the next block begins here, so that joining all
            spans gives the text back to the letter.
        text: The Markdown between them.
        section: Headings above it, outermost first.
        level: 1 to 6 for headings, else 0.
        images: Targets of the pictures it shows, as written.
        provenance: One entry for each page it stands on, in order; empty if unknown.
    """

    kind: BlockKind
    start: int
    end: int
    text: str
    section: tuple[str, ...] = ()
    level: int = 0
    images: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A converted PDF: what the loaders make their documents of.

    Attributes:
        source: The PDF.
        options: What was asked for.
        markdown: Text by variant; with a translation the original is always among them.
        blocks_by_variant: The same text in blocks.
        assets: Pictures and other files.
        tasks: The remote tasks that made it.
        points: Points charged for it by this call: 0 if it came from the store.
        from_store: Whether nothing had to be uploaded.
        seconds: Wall time.
        missing: References in the Markdown that no file answers to.
        sidecars: Text files the service added, by name.
    """

    source: Source
    options: ParseOptions
    markdown: Mapping[Variant, str]
    blocks_by_variant: Mapping[Variant, tuple[Block, ...]]
    assets: tuple[Asset, ...] = ()
    tasks: tuple[TaskRef, ...] = ()
    points: int = 0
    from_store: bool = False
    seconds: float = 0.0
    missing: tuple[str, ...] = ()
    sidecars: Mapping[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages of the PDF."""
        return self.source.pages

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks of the original, or of the only variant there is."""
        present = (v for v in VARIANTS if v in self.blocks_by_variant)
        return next((self.blocks_by_variant[v] for v in present), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one source: a conversion or an error, never both.

    Attributes:
        source: As the caller wrote it.
        conversion: The result.
        error: Why there is none.
    """

    source: str
    conversion: Conversion | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One step of a conversion, for progress bars.

    Attributes:
        source: As the caller wrote it.
        stage: What is being done.
        done: Bytes for ``upload`` and ``download``, percent for ``convert``, tasks ahead for
            ``wait``.
        total: What ``done`` goes up to; None where unknown.
        message: The service's own words, if any.
    """

    source: str
    stage: Stage
    done: int = 0
    total: int | None = None
    message: str = ""
