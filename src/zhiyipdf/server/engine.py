"""What the server asks of an engine: count a PDF's pages, make Markdown and pictures of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal, Protocol, cast

__all__ = [
    "PAGES_FILE",
    "PICTURE_FOLDER",
    "Engine",
    "EngineFailure",
    "FailureKind",
    "PageMarkdown",
    "load_engine",
    "read_pages",
    "write_pages",
]

FailureKind = Literal["encrypted", "invalid", "failed"]
PAGES_FILE = "pages.jsonl"
PICTURE_FOLDER = "images"


class EngineFailure(Exception):
    """The engine gives a PDF up.

    Attributes:
        kind: ``encrypted`` (a password is needed), ``invalid`` (no reader can open it) or
            ``failed`` (it opens, but cannot be converted).
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class PageMarkdown:
    """One converted page.

    Attributes:
        number: From 1.
        width: In points, after rotation.
        height: The same.
        markdown: Its text; pictures are ``<img>`` tags that name files in :data:`PICTURE_FOLDER`.
    """

    number: int
    width: float
    height: float
    markdown: str


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
        on_page: Callable[[int], None],
    ) -> Sequence[PageMarkdown]:
        """Convert the whole document.

        Args:
            pdf: The file.
            folder: Where to write pictures, into :data:`PICTURE_FOLDER`; exists and is empty.
            table_mode: Tables as pipe tables or as pictures.
            on_page: Called with the number of each page as it is begun, in order.

        Returns:
            The pages in order. Their text is small beside their pictures, which go to disk.

        Raises:
            EngineFailure: The PDF cannot be converted.
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
        return [PageMarkdown(**json.loads(line)) for line in file]
