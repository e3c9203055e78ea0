"""Name every PDF behind what the caller passed, without opening one."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, Protocol, runtime_checkable
from urllib.parse import unquote

import fsspec
from fsspec.implementations.local import LocalFileSystem

from zhiyipdf.sources.addresses import (
    UNNAMED,
    file_name,
    has_magic,
    is_url,
    printable,
    public_uri,
    scheme_of,
    without_query,
)
from zhiyipdf.sources.remote import (
    RemoteFile,
    filesystem_of,
    in_this_thread,
    matches,
    missing,
    protocols,
    readable,
)
from zhiyipdf.sources.streams import content_uri, pieces, position, sha256_of

__all__ = ["STREAM", "SourceRef", "expand"]

STREAM = "bytes:stream"
"""The URI of a nameless file object that cannot be read twice, until its content is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRef:
    """One source that was named but not yet opened.

    Attributes:
        uri: As the caller wrote it, without credentials (:func:`~.addresses.public_uri`); below a
            folder or pattern with the file's own path. ``bytes:sha256:…`` where only content is
            known.
        name: File name without folders, query or credentials; ``document.pdf`` if there is none.
        place: Where its bytes are: a local path, a remote file, the bytes, or a binary file object.
    """

    uri: str
    name: str
    place: Path | RemoteFile | bytes | BinaryIO = field(repr=False)


@runtime_checkable
class _Blob(Protocol):
    """LangChain's ``Blob``, by shape: the framework itself is not imported."""

    data: bytes | str | None
    path: str | PurePath | None

    @property
    def source(self) -> str | None: ...
    def as_bytes(self) -> bytes: ...
    def as_bytes_io(self) -> Any: ...


def expand(
    file_path: object,
    *,
    storage_options: Mapping[str, Any] | None = None,
    fs: Any = None,
    suffixes: tuple[str, ...] = (".pdf",),
) -> Iterator[SourceRef]:
    """Name every source behind the input, one after the other, in a fixed order.

    Nothing is listed or looked at before the iteration comes to it.

    Args:
        file_path: A path or URL (``str`` or ``os.PathLike``; ``~`` is expanded), the PDF's bytes,
            a binary file object (read from where it stands), a LangChain ``Blob``, a
            :class:`SourceRef`, or an iterable of these. A folder stands for the files below it,
            sorted, hidden ones left out; a pattern with ``* ? [ ]`` or ``**`` for the files it
            matches. A path that exists is that file, whatever characters it has.
        storage_options: For fsspec, where the source is a URL.
        fs: An fsspec filesystem on which all paths are; it wins over a URL's own.
        suffixes: Which files of a folder, or of a pattern without a suffix of its own, are meant;
            upper and lower case are equal.

    Yields:
        The sources, not yet opened.

    Raises:
        FileNotFoundError: A file is not there, or a folder or pattern holds no PDF.
        ImportError: The URL's protocol needs a package; the message has the pip line.
        OSError: A folder cannot be listed.
        TypeError: The input is none of the above.
    """
    lower = tuple(suffix.lower() for suffix in suffixes)
    yield from _Search(options=storage_options or {}, fs=fs, suffixes=lower).named_by(file_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    options: Mapping[str, Any]
    fs: Any
    suffixes: tuple[str, ...]

    def named_by(self, item: object) -> Iterator[SourceRef]:
        if isinstance(item, SourceRef):
            yield item
        elif isinstance(item, str):
            yield from self._at(item)
        elif isinstance(item, bytes | bytearray | memoryview):
            yield _of_content(bytes(item))
        elif isinstance(item, _Blob):
            yield from self._in_blob(item)
        elif hasattr(item, "read"):
            yield _of_file(item)
        elif isinstance(item, os.PathLike):
            yield from self._at(os.fsdecode(item))
        elif isinstance(item, Iterable) and not isinstance(item, Mapping):
            for member in item:
                yield from self.named_by(member)
        else:
            raise TypeError(
                "a source is a path, URL, bytes, binary file, Blob or an iterable of these, "
                f"not {type(item).__name__}"
            )

    def _at(self, text: str) -> Iterator[SourceRef]:
        if not text:
            raise missing("", "The path is empty")
        if self.fs is not None and not isinstance(self.fs, LocalFileSystem):
            with readable(text):
                fs = in_this_thread(self.fs)
            yield from self._remote(fs, text, url=text)
        elif text.startswith("data:") and "," in text:
            with readable("data:"):
                content = fsspec.filesystem("data").cat_file(text)
            yield _of_content(content)
        elif scheme_of(text) in {"file", "local"} and "::" not in text:
            yield from self._local(_path_of(text), text)
        elif is_url(text, protocols=protocols()):
            with readable(text):
                fs, path = filesystem_of(text, self.options)
            yield from self._remote(fs, path, url=text)
        else:
            yield from self._local(_expanduser(Path(text)), text)

    def _in_blob(self, blob: _Blob) -> Iterator[SourceRef]:
        path = None if blob.path is None else str(blob.path)
        source = None if blob.source is None else str(blob.source)
        if blob.data is None and path is not None:
            refs = list(self._at(path))
            if len(refs) == 1 and source and source != path:
                refs = [replace(refs[0], uri=public_uri(source))]
            yield from refs
            return
        ref = _of_content(blob.as_bytes())
        if source:
            ref = replace(ref, uri=public_uri(source))
        name = file_name(path or source or "")
        yield replace(ref, name=name if PurePath(name).suffix else UNNAMED)

    def _local(self, path: Path, text: str) -> Iterator[SourceRef]:
        is_file_url = bool(scheme_of(text))
        if path.is_dir():
            below = [PurePath(name) for name in _files_below(path)]
            wanted = self._wanted(str(path), {str(p): p.parts for p in below})
            if not wanted:
                raise missing(printable(text), self._nothing("in this folder"))
            for name in wanted:
                uri = f"{text.rstrip('/')}/{PurePath(name).as_posix()}"
                yield _of_path(path / name, uri if is_file_url else str(PurePath(text) / name))
        elif path.exists() or not has_magic(str(path)):
            if not path.exists():
                raise missing(printable(text), _slash_lost(text))
            yield _of_path(path, text)
        else:
            found = [p for p in glob.glob(str(path), recursive=True) if Path(p).is_file()]  # noqa: PTH207 (Path.glob has no absolute patterns)
            wanted = self._wanted(str(path), {p: PurePath(p).parts for p in found})
            if not wanted:
                raise missing(printable(text), self._nothing("matches"))
            for name in wanted:
                yield _of_path(Path(name), f"file://{name}" if is_file_url else name)

    def _remote(self, fs: Any, path: str, *, url: str) -> Iterator[SourceRef]:
        with readable(url):
            single, found = matches(fs, path)
        if single:
            place = RemoteFile(fs=fs, path=path, url=url)
            yield SourceRef(uri=public_uri(url), name=file_name(url), place=place)
            return
        base = re.split(r"[*?\[]", path, maxsplit=1)[0] if has_magic(path) else path
        visible = {
            p: PurePosixPath(p).parts
            for p in found
            if not re.search(r"(^|/)\.", p.removeprefix(base).removeprefix("/"))
        }
        wanted = self._wanted(path, visible)
        if not wanted:
            where = "matches" if has_magic(path) else "in this folder"
            raise missing(without_query(public_uri(url)), self._nothing(where))
        for name in wanted:
            place = RemoteFile(fs=fs, path=name, url=_beside(url, path, name))
            uri = public_uri(place.url)
            yield SourceRef(uri=uri, name=file_name(uri), place=place)

    def _wanted(self, named: str, found: Mapping[str, tuple[str, ...]]) -> list[str]:
        """Sort what was found by its folders; drop what is no PDF unless a suffix was named."""
        suffix = PurePosixPath(named).suffix
        names_suffix = has_magic(named) and bool(suffix) and not has_magic(suffix)
        kept = (n for n in found if names_suffix or n.lower().endswith(self.suffixes))
        return sorted(kept, key=lambda name: found[name])

    def _nothing(self, where: str) -> str:
        return f"No {' or '.join(self.suffixes)} file {where}"


def _of_path(path: Path, uri: str) -> SourceRef:
    return SourceRef(uri=printable(uri), name=printable(path.name), place=path)


def _of_content(content: bytes) -> SourceRef:
    return SourceRef(uri=content_uri(sha256_of([content])), name=UNNAMED, place=content)


def _of_file(file: Any) -> SourceRef:
    """A file object by its name: the path it was opened with, or fsspec's URL."""
    named = getattr(file, "full_name", None) or getattr(file, "name", None)
    if isinstance(named, str) and named and not named.startswith("<"):
        return SourceRef(uri=public_uri(named), name=file_name(named), place=file)
    if position(file) is None:
        return SourceRef(uri=STREAM, name=UNNAMED, place=file)
    return SourceRef(uri=content_uri(sha256_of(pieces(file))), name=UNNAMED, place=file)


def _path_of(file_url: str) -> Path:
    """The path of a ``file://`` URL, percent-encoded (as by ``Path.as_uri``) or not."""
    path = Path(fsspec.core.strip_protocol(file_url))
    decoded = Path(unquote(str(path)))
    return decoded if not path.exists() and decoded.exists() else path


def _expanduser(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no such user: the tilde is part of the name
        return path


def _files_below(folder: Path) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield str(Path(parent, name).relative_to(folder))


def _slash_lost(text: str) -> str | None:
    """Say what became of a URL that went through ``pathlib``."""
    match = re.match(r"([a-z][a-z0-9+.-]+):/[^/]", text)
    if match is None:
        return None
    return "No such file (a Path drops one slash of a URL: pass the URL as a str)"


def _beside(url: str, path: str, found: str) -> str:
    """The URL of a file that was found under another URL.

    Args:
        url: As the caller wrote it, for example ``sftp://host/in/*.pdf``.
        path: The path fsspec made of it: ``/in/*.pdf``.
        found: The path that was found: ``/in/a.pdf``.
    """
    first, chained, rest = url.partition("::")
    trimmed = path.rstrip("/")
    for head, tail in ((first.rstrip("/"), chained + rest), (url.rstrip("/"), "")):
        if head.endswith(trimmed):
            return head[: len(head) - len(trimmed)] + found + tail
    return found
