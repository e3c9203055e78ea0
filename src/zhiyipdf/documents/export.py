"""Writes pictures to any fsspec URL, under names made from their content."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from zhiyipdf.models import SUFFIXES, Asset
from zhiyipdf.sources import public_uri
from zhiyipdf.storage_options import options_for

__all__ = ["as_uri", "export_images"]

# Round trips to an object store, not CPU, are what writing many small pictures waits for.
_PARALLEL_WRITES = 8

_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]+(?:://|::)")


def as_uri(location: str) -> str:
    """Write a place as a URI: a ``file://`` URI for a local path, a URL as it is.

    Args:
        location: A local path, absolute or not, or a URL with its scheme.
    """
    return location if _SCHEME.match(location) else Path(location).expanduser().absolute().as_uri()


def export_images(
    assets: Iterable[Asset],
    *,
    read: Callable[[Asset], bytes],
    image_dir: str | os.PathLike[str],
    storage_options: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """Write pictures to a folder or bucket; what is there already is left alone.

    The name is made from the content, ``<32 hex digits of the SHA-256>.<suffix>``, so that the
    same picture has the same URI in every run and from whichever PDF it comes.

    Args:
        assets: What to write; those that are no pictures are passed over.
        read: Gives an asset's bytes; called from several threads, only for what is missing.
        image_dir: A local folder or any URL fsspec can write to; made if it is not there.
        storage_options: For fsspec.

    Returns:
        For each picture's name its URI: ``file://…`` if local, else ``image_dir`` and the file's
        name, without user name and password if the URL has them.

    Raises:
        OSError: The folder cannot be written.
        ImportError: The package for the URL's protocol is not installed.
    """
    pictures = [asset for asset in assets if asset.is_image]
    if not pictures:
        return {}
    from fsspec.core import url_to_fs
    from fsspec.implementations.local import LocalFileSystem

    url = os.fspath(image_dir)
    fs, root = url_to_fs(url, **options_for(url, storage_options))
    by_content = {asset.sha256: asset for asset in pictures}
    if isinstance(fs, LocalFileSystem):
        folder = Path(root)
        folder.mkdir(parents=True, exist_ok=True)
        for asset in by_content.values():
            _write_local(folder / _file_name(asset), asset, read)
        return {asset.name: (folder / _file_name(asset)).as_uri() for asset in pictures}

    def put(asset: Asset) -> None:
        path = f"{root.rstrip('/')}/{_file_name(asset)}"
        if not _has_size(fs, path, asset.size_bytes):
            fs.pipe_file(path, read(asset))

    fs.invalidate_cache(root)  # another process may have tidied up since it was last listed
    if fs.async_impl:
        # Object stores show a whole object or none; they have no folders to make (that could make
        # a bucket), and are fast only with many requests at once.
        with ThreadPoolExecutor(_PARALLEL_WRITES, thread_name_prefix="zhiyipdf-export") as pool:
            for _ in pool.map(put, by_content.values()):
                pass
    else:
        fs.makedirs(root, exist_ok=True)
        for asset in by_content.values():
            _write_and_rename(fs, f"{root.rstrip('/')}/{_file_name(asset)}", asset, read)
    public = public_uri(url).rstrip("/")
    return {asset.name: f"{public}/{_file_name(asset)}" for asset in pictures}


def _file_name(asset: Asset) -> str:
    suffix = SUFFIXES.get(asset.media_type, "")
    return asset.sha256[:32] + suffix


def _has_size(fs: Any, path: str, size_bytes: int) -> bool:
    """Whether a file is there whole: a remote write that broke off has another size, or none."""
    try:
        return bool(fs.info(path)["size"] == size_bytes)
    except FileNotFoundError:
        return False


def _write_and_rename(fs: Any, path: str, asset: Asset, read: Callable[[Asset], bytes]) -> None:
    """The same as :func:`_write_local`, on another machine."""
    if _has_size(fs, path, asset.size_bytes):
        return
    temporary = f"{path}.{secrets.token_hex(4)}.part"
    try:
        fs.pipe_file(temporary, read(asset))
        fs.mv(temporary, path)
    except BaseException:
        with suppress(OSError):
            fs.rm_file(temporary)
        raise


def _write_local(path: Path, asset: Asset, read: Callable[[Asset], bytes]) -> None:
    """Write beside the place and move there, so that nobody ever reads half a picture."""
    try:
        if path.stat().st_size == asset.size_bytes:
            return
    except FileNotFoundError:
        pass
    content = read(asset)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
