"""Where results go: standard output, or files for each source anywhere fsspec reaches."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

import click

from zhiyipdf.documents import Record
from zhiyipdf.sources.addresses import file_name

__all__ = [
    "Folder",
    "Format",
    "Output",
    "StandardOutput",
    "as_jsonl",
    "as_markdown",
    "ending_of",
    "free_stem",
]

Format = Literal["markdown", "jsonl"]

MAX_STEM_BYTES = 200
"""Of the 255 that file systems allow a name; the rest is for endings."""

# What Windows refuses in names, and separators everywhere.
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')


def as_markdown(records: Iterable[Record]) -> dict[str, str]:
    """Join the texts of each variant, a blank line between two; a picture's own record has none."""
    texts: dict[str, list[str]] = {}
    for record in records:
        if record.kind == "text":
            variant = str(record.metadata.get("variant", "original"))
            texts.setdefault(variant, []).append(record.text)
    return {variant: _joined(parts) for variant, parts in texts.items()}


def _joined(parts: list[str]) -> str:
    text = parts[0] if len(parts) == 1 else "\n\n".join(part.strip("\n") for part in parts)
    return text if text.endswith("\n") else f"{text}\n"


def as_jsonl(records: Iterable[Record]) -> str:
    """Write one JSON object a line for each record: id, text, metadata."""
    lines = (
        json.dumps(
            {"id": record.id, "text": record.text, "metadata": record.metadata}, ensure_ascii=False
        )
        for record in records
    )
    return "".join(f"{line}\n" for line in lines)


def rendered(records: Iterable[Record], form: Format) -> dict[str, str]:
    """Write records in a format.

    Returns:
        The content of each file, by how its name ends: the original's with ``.md``, another
        variant's with ``_<variant>.md``.
    """
    if form == "jsonl":
        return {".jsonl": as_jsonl(records)}
    return {ending_of(variant): text for variant, text in as_markdown(records).items()}


def ending_of(variant: str) -> str:
    """How the Markdown file of a variant ends."""
    return ".md" if variant == "original" else f"_{variant}.md"


def free_stem(name: str, endings: Iterable[str], taken: set[str]) -> str:
    """Choose how the files of a source are called, and note them as taken.

    Args:
        name: The source's file name.
        endings: Of the files it needs.
        taken: Names in use, case-folded: some file systems know no case. The new ones are added.

    Returns:
        The name without ``.pdf``, made fit for every file system, with ``-2``, ``-3``, … after it
        where a file of that name exists already.
    """
    stem = re.sub(r"(?i)\.pdf$", "", _UNFIT.sub("_", name)).strip(" .")
    stem = stem.encode()[:MAX_STEM_BYTES].decode(errors="ignore") or "document"
    needed = list(endings)
    chosen, number = stem, 1
    while any(f"{chosen}{ending}".casefold() in taken for ending in needed):
        number += 1
        chosen = f"{stem}-{number}"
    taken.update(f"{chosen}{ending}".casefold() for ending in needed)
    return chosen


class Output(Protocol):
    """Takes the records of one source after the other, in the order of the sources."""

    def write(self, name: str, records: Iterable[Record]) -> None:
        """Write what was made of a source.

        Raises:
            OSError: It cannot be written.
        """

    def skip(self, source: str) -> None:
        """A source failed; the names of those after it must not depend on that."""


class StandardOutput:
    """One source after the other on standard output, as UTF-8 whatever the terminal's locale.

    Args:
        form: What to write.
        aside: Makes room on the terminal while it is entered.
    """

    def __init__(self, form: Format, aside: Callable[[], AbstractContextManager[None]]) -> None:
        self._form = form
        self._aside = aside
        self._begun = False

    def write(self, name: str, records: Iterable[Record]) -> None:  # noqa: ARG002 - see Output
        """Write the documents, in Markdown with a blank line between two."""
        texts = list(rendered(records, self._form).values())
        with self._aside():
            for text in texts:
                gap = "\n" if self._begun and self._form == "markdown" else ""
                click.echo(f"{gap}{text}".encode(), nl=False)
                self._begun = True

    def skip(self, source: str) -> None:
        """Leave nothing behind."""


class Folder:
    """One file for each source and variant in a folder or bucket.

    Existing files of the same name are replaced, at once where the disk is local.

    Args:
        url: A local folder or any fsspec URL.
        form: What to write.
        endings: The endings that each source's files will have.

    Raises:
        OSError: There can be no such folder.
        ValueError: fsspec does not know the URL's protocol.
        ImportError: The package for the URL's protocol is not installed.
    """

    def __init__(self, url: str, form: Format, endings: Iterable[str]) -> None:
        from fsspec.core import url_to_fs
        from fsspec.implementations.local import LocalFileSystem

        fs, root = url_to_fs(url)
        self._form = form
        self._endings = tuple(endings)
        self._taken: set[str] = set()
        self._fs, self._root = fs, root.rstrip("/")
        self._folder = Path(root) if isinstance(fs, LocalFileSystem) else None
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
        elif not fs.async_impl:  # object stores have no folders, and making one can make a bucket
            fs.makedirs(root, exist_ok=True)

    def write(self, name: str, records: Iterable[Record]) -> None:
        """Write the source's files."""
        contents: Mapping[str, str] = rendered(records, self._form)
        stem = free_stem(name, {*self._endings, *contents}, self._taken)
        for ending, text in contents.items():
            self._put(f"{stem}{ending}", text.encode())

    def _put(self, name: str, content: bytes) -> None:
        if self._folder is None:
            self._fs.pipe_file(f"{self._root}/{name}", content)
        else:
            _write_whole(self._folder / name, content)

    def skip(self, source: str) -> None:
        """Keep the name that the source would have had."""
        free_stem(file_name(source), self._endings, self._taken)


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside the place and move there, so that nobody ever reads half a file."""
    temporary = path.with_name(f".zhiyipdf-{secrets.token_hex(6)}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
