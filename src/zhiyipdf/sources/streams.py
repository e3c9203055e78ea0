"""Read file objects in pieces and leave them where they stood."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import Any

__all__ = ["PIECE_BYTES", "content_uri", "pieces", "position", "sha256_of"]

PIECE_BYTES = 1024 * 1024


def position(file: Any) -> int | None:
    """Where a file object stands, or None if it cannot go back there."""
    try:
        return int(file.tell()) if file.seekable() else None
    except (AttributeError, OSError, ValueError):
        return None


def pieces(file: Any) -> Generator[bytes, None, None]:
    """The bytes from where the file object stands to its end, 1 MiB at a time.

    Afterwards, also when given up half-way, it stands where it did, if it can go back.

    Raises:
        TypeError: It was opened in text mode.
    """
    start = position(file)
    try:
        while piece := file.read(PIECE_BYTES):
            if isinstance(piece, str):
                raise TypeError("the file object must be opened in binary mode")
            yield bytes(piece)
    finally:
        if start is not None:
            with suppress(OSError, ValueError):
                file.seek(start)


def sha256_of(content: Iterable[bytes]) -> str:
    """SHA-256 of some pieces, 64 hex digits."""
    digest = hashlib.sha256()
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()


def content_uri(sha256: str) -> str:
    """The URI of a PDF that has no other: its content names it."""
    return f"bytes:sha256:{sha256[:16]}"
