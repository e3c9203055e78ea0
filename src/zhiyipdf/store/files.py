"""Files on any fsspec filesystem, each published whole or not at all."""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import fsspec

from zhiyipdf.storage_options import options_for

__all__ = ["Files"]

log = logging.getLogger(__name__)

# One PUT makes the whole object visible at once (transport study, section 5). On these a rename is
# a copy and a deletion, and gains nothing.
ONE_PUT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"})

# Their clients create only if absent: If-None-Match, ifGenerationMatch (scale study 3.2). memory://
# lives in one process.
EXCLUSIVE_PUT = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "memory"})


class Files:
    """A folder on some filesystem.

    ``fs.transaction`` is not used: it is shared by all threads of a process, and a failing one
    deleted another thread's file (transport study, section 5). A final name is never opened for
    writing: a failure in the middle would publish half a file.

    Args:
        url: Any fsspec URL or a local path; ``~`` is expanded.
        storage_options: For fsspec.
    """

    def __init__(self, url: str, storage_options: Mapping[str, Any] | None = None) -> None:
        self.url = str(Path(url).expanduser()) if url.startswith("~") else url
        self._options = options_for(self.url, storage_options)
        self._lock = threading.Lock()
        self._turn = threading.RLock()
        self._opened: tuple[int, Any, str] | None = None

    def __repr__(self) -> str:
        return f"Files({self.shown_url!r})"

    @property
    def shown_url(self) -> str:
        """The folder's URL without a password."""
        return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1@", self.url)

    @property
    def is_local(self) -> bool:
        """Whether reading costs no network."""
        return _is_local(self._root()[0])

    def _root(self) -> tuple[Any, str]:
        """The filesystem and the folder's path on it; made anew after a fork."""
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                fs, root = fsspec.core.url_to_fs(self.url, **self._options)
                self._opened = (os.getpid(), fs, root.rstrip("/"))
            return self._opened[1], self._opened[2]

    @contextmanager
    def _at(self, name: str) -> Iterator[tuple[Any, str]]:
        """The filesystem and a file's path on it.

        Local files, memory and the asynchronous object stores serve many threads at once. The
        others (sftp among them) hang when two threads use one connection, so they take turns.
        """
        fs, root = self._root()
        free = _is_local(fs) or ONE_PUT.intersection(_protocols(fs))
        with nullcontext() if free else self._turn:
            yield fs, f"{root}/{name}"

    def uri(self, name: str) -> str:
        """Full address of a file: ``file:///…`` (RFC 8089), or below the folder's own URL.

        A password in the folder's URL is left out; a user name stays.
        """
        with self._at(name) as (fs, path):
            if _is_local(fs):
                return Path(path).absolute().as_uri()
            return f"{self.shown_url.rstrip('/')}/{name}"

    def size(self, name: str) -> int | None:
        """Size in bytes; None if there is no such file."""
        with self._at(name) as (fs, path):
            try:
                found = fs.info(path)
            except FileNotFoundError:
                return None
            return None if found.get("type") == "directory" else int(found["size"])

    def read(self, name: str) -> bytes | None:
        """The whole content; None if there is no such file."""
        with self._at(name) as (fs, path):
            try:
                return bytes(fs.cat_file(path))
            except FileNotFoundError:
                return None

    def copy_to(self, name: str, to: Path) -> bool:
        """Copy a file to a local path.

        Returns:
            False if there is no such file.
        """
        with self._at(name) as (fs, path):
            try:
                fs.get_file(path, str(to))
            except FileNotFoundError:
                return False
            return True

    def remove(self, name: str) -> None:
        """Delete a file; nothing happens if there is none."""
        with self._at(name) as (fs, path):
            try:
                fs.rm_file(path)
            except FileNotFoundError:
                return

    def publish(self, name: str, content: bytes | Path, *, private: bool = False) -> None:
        """Write a file so that readers see all of it or none.

        Args:
            name: Below the folder, with forward slashes.
            content: Bytes, or a local file to copy.
            private: Readable by this user only, where the filesystem is local.

        Raises:
            OSError: It could not be written; nothing is visible under ``name`` then.
        """
        with self._at(name) as (fs, path):
            if _is_local(fs):
                _publish_locally(Path(path), content, private=private)
                return
            fs.invalidate_cache()
            if ONE_PUT.intersection(_protocols(fs)):
                if isinstance(content, Path) and "memory" not in _protocols(fs):
                    fs.put_file(str(content), path)
                else:
                    fs.pipe_file(
                        path, content.read_bytes() if isinstance(content, Path) else content
                    )
                return
            self._publish_by_rename(fs, path, content)

    def create(self, name: str, content: bytes) -> bool | None:
        """Write a small private file only if there is none.

        Returns:
            True if it is ours, False if somebody else's is there, None if this filesystem cannot
            create exclusively (sftp and webdav overwrite silently; transport study, section 5).
        """
        with self._at(name) as (fs, path):
            if _is_local(fs):
                return _create_locally(Path(path), content)
            if not EXCLUSIVE_PUT.intersection(_protocols(fs)):
                return None
            fs.invalidate_cache()
            try:
                fs.pipe_file(path, content, mode="create")
            except FileExistsError:
                return False
            except OSError:
                # seaweedfs says EINVAL where another was first, AWS 409 where two were at once.
                if fs.exists(path):
                    return False
                raise
            return bytes(fs.cat_file(path)) == content

    def names(self, folder: str, suffix: str) -> list[str]:
        """Names of all files below a folder that end in ``suffix``, sorted."""
        return sorted(name for name in self.sizes(folder) if name.endswith(suffix))

    def sizes(self, folder: str) -> dict[str, int]:
        """Names of all files below a folder and their sizes in bytes."""
        with self._at(folder) as (fs, root):
            fs.invalidate_cache()
            try:
                found = fs.find(root, detail=True)
            except FileNotFoundError:
                return {}
            prefix = root.rpartition(folder)[0]
            return {
                str(path).removeprefix(prefix): int(facts["size"] or 0)
                for path, facts in found.items()
                if not str(path).rpartition("/")[2].startswith(".")
            }

    def _publish_by_rename(self, fs: Any, path: str, content: bytes | Path) -> None:
        folder, _, base = path.rpartition("/")
        fs.makedirs(folder, exist_ok=True)
        part = f"{folder}/.{base}.{uuid.uuid4().hex}.part"
        try:
            if isinstance(content, Path):
                fs.put_file(str(content), part)
            else:
                fs.pipe_file(part, content)
            fs.mv(part, path)
        except BaseException:
            try:
                fs.rm_file(part)
            except OSError:
                log.debug("a temporary file is left behind: %s", part)
            raise


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _is_local(fs: Any) -> bool:
    return bool({"file", "local"}.intersection(_protocols(fs)))


def _create_locally(path: Path, content: bytes) -> bool:
    """Create exclusively; a reader in the very moment may see less than all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    return True


def _publish_locally(path: Path, content: bytes | Path, *, private: bool) -> None:
    """Write beside the final name, flush to the disk, rename over it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex}.part")
    mode = 0o600 if private else 0o666
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if isinstance(content, Path):
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, 1024 * 1024)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        if private:
            _flush_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a loss of power: it is the folder that holds the new name."""
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
