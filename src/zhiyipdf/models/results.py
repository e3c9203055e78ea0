"""What a conversion yields."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from zhiyipdf.models.options import VARIANTS, ParseOptions, Variant
from zhiyipdf.models.page_ranges import page_ranges
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
    "resolve_provenance",
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

Stage = Literal["open", "upload", "wait", "convert", "download", "unpack", "ground", "done"]

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
        pixels: Width and height of a picture, where its format tells.
    """

    name: str
    sha256: str
    size_bytes: int
    media_type: str
    uri: str
    referenced: bool = True
    pixels: tuple[int, int] | None = None

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
        pair: In a translation or a bilingual text, the first of the original's blocks that it
            renders, as an index into them; None in the original, and where it renders none.
    """

    kind: BlockKind
    start: int
    end: int
    text: str
    section: tuple[str, ...] = ()
    level: int = 0
    images: tuple[str, ...] = ()
    provenance: tuple[Provenance, ...] = ()
    pair: int | None = None

    @property
    def is_silent(self) -> bool:
        """Whether a reader of the page would not see it: blank, a comment or a page mark."""
        return self.kind in {"comment", "page_break"} or not self.text.strip()


def resolve_provenance(blocks: Sequence[Block]) -> list[tuple[Provenance, ...]]:
    """Tell of each block where it stands, silent ones included.

    A silent block without a page of its own stands where the block before it ends, or if there is
    none, where the one after it begins. Any other block without a page stays without.

    Args:
        blocks: Those of one text, in order.
    """
    found: list[tuple[Provenance, ...]] = []
    leading = 0
    behind: tuple[Provenance, ...] | None = None
    for block in blocks:
        if block.provenance or not block.is_silent:
            if behind is None and block.provenance:
                found = [block.provenance[:1]] * leading
            behind = block.provenance
        elif behind is None:
            leading += 1
        found.append(block.provenance or (behind or ())[-1:])
    return found


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
    def page_numbers(self) -> tuple[int, ...]:
        """The numbers of the pages that were converted, rising: all, or those asked for."""
        numbers = (page.number for page in self.pages)
        if self.options.pages is None:
            return tuple(numbers)
        ranges = page_ranges(self.options.pages)
        return tuple(
            number
            for number in numbers
            if any(first <= number <= (last or number) for first, last in ranges)
        )

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Blocks of the original, or of the only variant there is."""
        present = (v for v in VARIANTS if v in self.blocks_by_variant)
        return next((self.blocks_by_variant[v] for v in present), ())

    def page_of(self, char: int, variant: Variant = "original") -> int | None:
        """Tell the page that a character of the Markdown comes from.

        Args:
            char: Its offset in ``markdown[variant]``, from 0.
            variant: Which text is meant.

        Returns:
            The 1-based page on which its block begins; None if nobody knows.

        Raises:
            IndexError: The text has no such character.
            KeyError: There is no such variant.
        """
        if not 0 <= char < len(self.markdown[variant]):
            raise IndexError(f"the {variant} text has no character {char}")
        (found,) = self._provenance(char, char + 1, variant)
        return found[0].page_number if found else None

    def pages_of(
        self, start: int, end: int, variant: Variant = "original"
    ) -> tuple[int, int] | None:
        """Tell the pages that a piece of the Markdown comes from; white space at its ends is none.

        Args:
            start: Offset of its first character in ``markdown[variant]``, as in a slice.
            end: Offset after its last one, the same.
            variant: Which text is meant.

        Returns:
            The first and the last page, 1-based, of the blocks that it touches; None if it is
            blank, or if nobody knows a page of any of them.

        Raises:
            KeyError: There is no such variant.
        """
        text = self.markdown[variant]
        start, end, _ = slice(start, end).indices(len(text))
        piece = text[start:end]
        if not piece.strip():
            return None
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        numbers = [
            entry.page_number for found in self._provenance(start, end, variant) for entry in found
        ]
        return (min(numbers), max(numbers)) if numbers else None

    def _provenance(
        self, start: int, end: int, variant: Variant
    ) -> Sequence[tuple[Provenance, ...]]:
        """Give the provenance of the blocks that hold some characters, at least one."""
        blocks = self.blocks_by_variant[variant]
        first = bisect_right(blocks, start, key=lambda block: block.start) - 1
        last = bisect_right(blocks, end - 1, key=lambda block: block.start)
        found = [block.provenance for block in blocks[first:last]]
        return found if all(found) else resolve_provenance(blocks)[first:last]


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
