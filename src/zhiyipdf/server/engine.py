"""What the server asks of an engine: count pages, make Markdown, boxes and pictures of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol, cast

__all__ = [
    "BLANK_PAGE",
    "PAGES_FILE",
    "PICTURE_FOLDER",
    "PICTURE_PAGE",
    "UNREADABLE_PAGE",
    "BlockKind",
    "Box",
    "Engine",
    "EngineFailure",
    "FailureKind",
    "PageBlock",
    "PageMarkdown",
    "load_engine",
    "read_pages",
    "write_pages",
]

FailureKind = Literal["encrypted", "invalid", "failed", "no_ocr"]
BlockKind = Literal["title", "text", "table", "figure", "margin"]
Box = tuple[float, float, float, float]
PAGES_FILE = "pages.jsonl"
PICTURE_FOLDER = "images"
# What a page's Markdown says instead of text. Without a number on purpose: these must not be taken
# for page marks.
PICTURE_PAGE = "<!-- This page has no text; it is shown as a picture. -->"
BLANK_PAGE = "<!-- This page is blank. -->"
UNREADABLE_PAGE = "<!-- This page is damaged and cannot be read. -->"


class EngineFailure(Exception):
    """The engine gives a PDF up.

    Attributes:
        kind: ``encrypted`` (a password is needed), ``invalid`` (no reader can open it),
            ``failed`` (it opens, but cannot be converted) or ``no_ocr`` (a picture, and the extra
            ``ocr`` is not installed).
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBlock:
    """A part of a page and where it stands.

    Attributes:
        kind: ``title``, ``text``, ``table``, ``figure``, or ``margin``: a running header or footer,
            which the page's Markdown leaves out.
        box: ``x0, y0, x1, y1`` in the page's unit, top-left origin, as the page is shown.
        text: What it says, as Markdown; empty for figures.
        picture: The file of a figure in :data:`PICTURE_FOLDER`.
    """

    kind: BlockKind
    box: Box
    text: str = ""
    picture: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMarkdown:
    """One converted page.

    Attributes:
        number: From 1.
        width: In points, after rotation; in pixels where the input was a picture. 0 if the page
            cannot be read.
        height: The same.
        markdown: Its text; pictures are ``<img>`` tags that name files in :data:`PICTURE_FOLDER`.
        blocks: Its parts in reading order.
        quality: 0 to 100: the share of its characters that are readable, or what the OCR thinks of
            its own work.
    """

    number: int
    width: float
    height: float
    markdown: str
    blocks: tuple[PageBlock, ...] = ()
    quality: int = 100


class Engine(Protocol):
    """Runs in a worker process: it may crash or hang without harm to anything but its task."""

    def count_pages(self, pdf: Path) -> int:
        """Count the pages without converting them.

        Raises:
            EngineFailure: The PDF cannot be opened.
        """
        ...

    def convert(
        self,
        pdf: Path,
        folder: Path,
        *,
        table_mode: Literal["markdown", "image"],
        ocr: bool,
        on_page: Callable[[int], None],
    ) -> Sequence[PageMarkdown]:
        """Convert the whole document.

        Args:
            pdf: The file.
            folder: Where to write pictures, into :data:`PICTURE_FOLDER`; exists and is empty.
            table_mode: Tables as pipe tables or as pictures.
            ocr: Whether to read pages without text, where the extra ``ocr`` is installed; without
                it they become pictures.
            on_page: Called with the number of each page as it is begun, in order.

        Returns:
            The pages in order. Their text is small beside their pictures, which go to disk.

        Raises:
            EngineFailure: The PDF cannot be converted.
        """
        ...

    def check_image(self, image: Path) -> None:
        """Look whether a picture can be read.

        Raises:
            EngineFailure: It is no picture, or there is no OCR.
        """
        ...

    def read_image(self, image: Path, *, straighten: bool) -> PageMarkdown:
        """Read a picture.

        Args:
            image: A PNG or JPEG.
            straighten: Turn it upright first, by the slope of its lines.

        Returns:
            One page, measured in pixels of the picture as it was read.

        Raises:
            EngineFailure: It is no picture, or there is no OCR.
        """
        ...

    def draw(self, pdf: Path, target: Path, *, page: int, box: Box | None, scale: float) -> None:
        """Draw a page of a PDF, or a part of it, as PNG.

        Args:
            pdf: The file.
            target: The file to write.
            page: From 1.
            box: As in :class:`PageBlock`; None for the whole page.
            scale: Pixels a point.

        Raises:
            EngineFailure: The page cannot be loaded, or the box is empty.
        """
        ...


def load_engine(name: str) -> Engine:
    """Make the engine called ``module:class``.

    Raises:
        ImportError: There is no such module.
        AttributeError: The module has no such class.
    """
    module, _, attribute = name.partition(":")
    return cast("Engine", getattr(import_module(module), attribute)())


def write_pages(folder: Path, pages: Sequence[PageMarkdown]) -> None:
    """Leave the pages in the task's folder, one JSON object a line."""
    with (folder / PAGES_FILE).open("w", encoding="utf-8") as file:
        for page in pages:
            # Lone surrogates can come out of broken fonts; they have no place in UTF-8.
            line = json.dumps(asdict(page), ensure_ascii=True)
            file.write(line + "\n")


def read_pages(folder: Path) -> list[PageMarkdown]:
    """Read what :func:`write_pages` left."""
    with (folder / PAGES_FILE).open(encoding="utf-8") as file:
        return [_page(json.loads(line)) for line in file]


def _page(fields: dict[str, Any]) -> PageMarkdown:
    blocks = [{**block, "box": tuple(block["box"])} for block in fields.pop("blocks")]
    return PageMarkdown(**fields, blocks=tuple(PageBlock(**block) for block in blocks))
