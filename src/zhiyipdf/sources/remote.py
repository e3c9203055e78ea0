"""The door to fsspec: filesystems from URLs, what stands there, and errors that can be read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import fsspec

from zhiyipdf.policy import Timeouts
from zhiyipdf.sources.addresses import has_magic, public_uri, scheme_of, scrubbed, without_query
from zhiyipdf.storage_options import options_for

__all__ = [
    "RemoteFile",
    "filesystem_of",
    "hasten",
    "in_this_thread",
    "is_http",
    "matches",
    "missing",
    "protocols",
    "readable",
]

_BLOCK_BYTES = 4 * 1024 * 1024
_PREFETCHES = 64
_PREFETCH_BYTES = 32 * 1024 * 1024
# Where the package to install is not called like the module that is missing.
_PACKAGES = {"libarchive": "libarchive-c", "google": "gcsfs", "smbclient": "smbprotocol"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file on an fsspec filesystem.

    Attributes:
        fs: The filesystem.
        path: As the filesystem wants it; over http the whole URL with its credentials.
        url: As the caller wrote it, or would have; for :func:`readable`.
    """

    fs: Any = field(repr=False)
    path: str = field(repr=False)
    url: str = field(repr=False)

    @contextmanager
    def opened(self) -> Iterator[tuple[BinaryIO, int | None]]:
        """Open it for one reading from front to back, with little memory.

        Yields:
            The file, and its size in bytes where the filesystem knows it.

        Raises:
            OSError: See :func:`readable`.
        """
        with readable(self.url):
            fs = in_this_thread(self.fs)  # kept here: an archive closes when it is dropped
            file = self._open_on(fs)
            size = getattr(file, "size", None)
            if size is None and hasattr(file, "stat"):  # paramiko
                size = file.stat().st_size
        with closing(file):
            yield file, size if isinstance(size, int) else None

    def _open_on(self, fs: Any) -> Any:
        if is_http(fs):
            return fs.open(self.path, "rb", block_size=0)  # one streamed GET
        if fs.async_impl:  # object stores; s3fs alone would read 50 MiB at once
            return fs.open(self.path, "rb", block_size=_BLOCK_BYTES, cache_type="readahead")
        return fs.open(self.path, "rb")


def hasten(file: Any, size: int | None) -> None:
    """Let a file opened over SFTP ask for what is next before the last piece is there.

    Else paramiko asks for 32 KiB at a time, each waiting for the one before. Its prefetching may
    keep the whole file in memory (150 MiB of 150 in a test), so only small files get it.
    """
    if size is not None and size <= _PREFETCH_BYTES and hasattr(file, "prefetch"):
        file.prefetch(size, _PREFETCHES)


def in_this_thread(fs: Any) -> Any:
    """The same filesystem for this thread of this process.

    Most filesystems may not be shared: two threads on one SFTP connection take each other's
    answers and wait for ever; asynchronous ones work from all threads, but not after a fork.
    fsspec keeps one instance for each thread and set of options. Zip archives have a lock of
    their own, and a second instance would fetch their directory again.
    """
    if "zip" in _protocols_of(fs):
        return fs
    if fs.async_impl and getattr(fs, "_pid", os.getpid()) == os.getpid():
        return fs
    return type(fs)(*fs.storage_args, **fs.storage_options)


def protocols() -> frozenset[str]:
    """All protocols fsspec knows, installed or not."""
    return frozenset(fsspec.available_protocols())


def _protocols_of(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def is_http(fs: Any) -> bool:
    """Whether files are read over http(s), where every URL may be a file."""
    return "http" in _protocols_of(fs)


def filesystem_of(url: str, storage_options: Mapping[str, Any]) -> tuple[Any, str]:
    """The filesystem of a URL and the path on it; some filesystems connect here.

    Over http(s) the time for a whole file is not limited (aiohttp's own limit is 5 minutes, too
    little for 300 MB on a slow line), only the time without an answer; ``client_kwargs`` in the
    options changes that.

    Raises:
        ImportError: The package for the protocol is missing; the message has the pip line.
        ValueError: fsspec does not know the protocol.
    """
    options = options_for(url, storage_options)
    try:
        for scheme in {scheme_of(link) for link in url.split("::")} & {"http", "https"}:
            if "client_kwargs" not in options:
                options.setdefault(scheme, {"client_kwargs": {"timeout": _patience()}})
        fs, path = fsspec.core.url_to_fs(url, **options)
    except ImportError as exc:
        raise _with_pip_line(exc, public_uri(url)) from exc
    return fs, str(path)


def _patience() -> Any:
    import aiohttp

    waits = Timeouts()
    return aiohttp.ClientTimeout(total=None, sock_connect=waits.connect_s, sock_read=waits.read_s)


def _with_pip_line(exc: ImportError, uri: str) -> ImportError:
    cause = exc.__cause__ if isinstance(exc.__cause__, ImportError) else exc
    module = (cause.name or "").partition(".")[0]
    line = (
        f"pip install {_PACKAGES.get(module, module)}" if module else "pip install 'fsspec[full]'"
    )
    reason = str(exc).rstrip(".")
    return ImportError(f"{without_query(uri)}: {reason}. Run: {line}", name=cause.name)


@contextmanager
def readable(url: str) -> Iterator[None]:
    """Let what goes wrong inside name the source instead of the filesystem's own path.

    Raises:
        FileNotFoundError: There is no such file.
        PermissionError: The other side does not let us.
        TimeoutError: It did not answer.
        OSError: Anything else, with the other side's own words. No message holds the URL's
            credentials or query, and none is chained to one that does.
    """
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as exc:  # noqa: BLE001 (filesystems raise what their libraries raise)
        raise _translated(exc, url) from None


def _translated(exc: Exception, url: str) -> Exception:
    uri = without_query(public_uri(url))
    cause = exc.__cause__
    if isinstance(exc, FileNotFoundError) and isinstance(cause, Exception) and _is_of_http(cause):
        exc = cause  # fsspec's http says "not found" to everything
    status = getattr(exc, "status", None)
    if isinstance(exc, FileNotFoundError) or status in {404, 410}:
        return missing(uri)
    if isinstance(exc, PermissionError) or status in {401, 403}:
        return PermissionError(errno.EACCES, os.strerror(errno.EACCES), uri)
    words = f"{uri}: {type(exc).__name__}: {scrubbed(str(exc), url)}".rstrip(": ")
    if isinstance(exc, TimeoutError):
        return TimeoutError(words)
    if isinstance(exc, ValueError) and "Protocol not known" in words:
        return ValueError(words)
    return OSError(words)


def _is_of_http(exc: Exception) -> bool:
    return type(exc).__module__.startswith("aiohttp") or isinstance(exc, TimeoutError)


def missing(uri: str, reason: str | None = None) -> FileNotFoundError:
    """The error for a source that is not there; its ``filename`` is the source."""
    return FileNotFoundError(errno.ENOENT, reason or os.strerror(errno.ENOENT), uri)


def matches(fs: Any, path: str) -> tuple[bool, list[str]]:
    """What a path stands for: itself, or the files below a folder or behind a pattern.

    A file whose name merely looks like a pattern is that file. Over http every URL is a file,
    but for those that end in ``/`` and link to others below them.

    Returns:
        Whether it is a single file, and the paths on the filesystem, unsorted and unfiltered.

    Raises:
        FileNotFoundError: There is nothing at this path, and it is no pattern.
    """
    pattern = has_magic(path)
    if is_http(fs):
        found = fs.glob(path, detail=True) if pattern else _linked(fs, path)
        return (True, [path]) if not pattern and not found else (False, _files(found))
    if pattern and not fs.exists(path):
        return False, _files(fs.glob(path, detail=True))
    if fs.info(path)["type"] != "directory":
        return True, [path]
    return False, _files(fs.find(path, detail=True))


def _linked(fs: Any, path: str) -> dict[str, Any]:
    if not path.endswith("/"):
        return {}
    found: dict[str, Any] = fs.find(path, detail=True)
    return found


def _files(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [path for path, entry in found.items() if entry["type"] != "directory"]
