"""The nouns of the data's path: frozen, slotted, without I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

__all__ = [
    "Asset",
    "BBox",
    "Balance",
    "Block",
    "BlockKind",
    "Bundle",
    "Conversion",
    "DocumentProperties",
    "Estimate",
    "Language",
    "Mode",
    "Outcome",
    "Page",
    "PageSource",
    "ParseOptions",
    "Part",
    "Progress",
    "Provenance",
    "Secret",
    "Source",
    "SourceEstimate",
    "Submission",
    "TaskRef",
    "TaskState",
    "TaskStatus",
    "Variant",
]

Mode = Literal["single", "page", "block"]
Variant = Literal["original", "translated", "bilingual"]
TableMode = Literal["markdown", "image"]
# The eight codes of the API page, section "目标语言 (target_language)".
Language = Literal["zh", "en", "ja", "ko", "fr", "de", "es", "ru"]
PageSource = Literal["exact", "aligned", "estimated", "none"]
TaskState = Literal["waiting", "processing", "completed", "failed"]
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
    "rule",
]
BBox = tuple[float, float, float, float]
Stage = Literal["open", "upload", "wait", "convert", "download", "unpack", "done"]

VARIANTS: tuple[Variant, ...] = get_args(Variant)
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Secret:
    """An API key that does not show itself: not in repr, str, logs or f-strings.

    Attributes:
        value: The key. Only :mod:`zhiyipdf.transport` reads it.
        fingerprint: First 8 hex digits of the key's SHA-256, safe to store and show.
    """

    value: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Name the key without revealing it."""
        import hashlib

        return hashlib.sha256(self.value.encode()).hexdigest()[:8]

    def __repr__(self) -> str:
        return f"Secret({self})"

    def __str__(self) -> str:
        return f"***{self.fingerprint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseOptions:
    """What to make of a PDF; everything here changes the output.

    Attributes:
        table_mode: ``markdown`` for pipe tables, ``image`` for pictures of them.
        translate_to: Target language, one of :data:`Language`; None for no translation.
            Translating costs 3 points a page instead of 2.
        variants: What to hand out. Empty means ``("original",)`` without and
            ``("translated",)`` with a translation.

    Raises:
        ValueError: A value is not one of those above, or ``variants`` asks for a translation
            without ``translate_to``.
    """

    table_mode: TableMode = "markdown"
    translate_to: Language | None = None
    variants: tuple[Variant, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the service would refuse, before anything is sent."""
        if self.table_mode not in get_args(TableMode):
            modes = get_args(TableMode)
            raise ValueError(f"table_mode must be one of {modes}, not {self.table_mode!r}")
        if self.translate_to is not None and self.translate_to not in LANGUAGES:
            raise ValueError(f"translate_to must be one of {LANGUAGES}, not {self.translate_to!r}")
        variants = tuple(dict.fromkeys(self.variants))
        unknown = [v for v in variants if v not in VARIANTS]
        if unknown:
            raise ValueError(f"variants must be of {VARIANTS}, not {unknown}")
        if not variants:
            variants = ("original",) if self.translate_to is None else ("translated",)
        if self.translate_to is None and variants != ("original",):
            raise ValueError(f"variants={variants} needs translate_to")
        ordered = tuple(v for v in VARIANTS if v in variants)
        object.__setattr__(self, "variants", ordered)

    @property
    def service_variants(self) -> tuple[Variant, ...]:
        """What is asked of the service: with a translation always the original too (same price)."""
        if self.translate_to is None:
            return ("original",)
        return tuple(v for v in VARIANTS if v == "original" or v in self.variants)


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
class TaskRef:
    """A remote task.

    Attributes:
        provider: Name of the provider, for example ``zhiyipdf``.
        id: The service's id.
        key_fingerprint: Which key paid for it; only that key can ask for it.
    """

    provider: str
    id: str
    key_fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What the service answered to an upload.

    Attributes:
        task_id: The new task.
        state: ``waiting`` if the key already has three tasks in process.
        points: Points taken; None where the service did not say.
        remaining: Points left on the key; None where the service did not say.
    """

    task_id: str
    state: TaskState
    points: int | None = None
    remaining: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """What the service says of a task.

    Attributes:
        state: Where it stands.
        percent: 0 to 100; None where the service does not say.
        ahead: Tasks before it, while waiting.
        message: The service's own words.
        code: The service's error code, if it failed.
        download_url: As the service gave it, if completed; not to be trusted.
    """

    state: TaskState
    percent: int | None = None
    ahead: int | None = None
    message: str = ""
    code: str | None = None
    download_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Points left.

    Attributes:
        by_key: Points of each key, by the key's fingerprint.
    """

    by_key: Mapping[str, int]

    @property
    def points(self) -> int:
        """Points on all keys together."""
        return sum(self.by_key.values())

    def __int__(self) -> int:
        return self.points


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
class Bundle:
    """One unpacked result.

    Attributes:
        markdown: Text by variant, as the service wrote it.
        assets: Every other file that Markdown may show, by name.
        missing: References in the Markdown that no file answers to; left as they are.
        sidecars: Text files beside the Markdown (outline, summary), by name.
    """

    markdown: Mapping[Variant, str]
    assets: tuple[Asset, ...] = ()
    missing: tuple[str, ...] = ()
    sidecars: Mapping[str, str] = field(default_factory=dict)


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


TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a task id may look like; it becomes part of a URL (transport study, section 7)."""
