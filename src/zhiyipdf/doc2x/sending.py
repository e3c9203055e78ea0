"""Files on their way to Doc2X, for calls that keep no record of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from zhiyipdf.doc2x.errors import FileError
from zhiyipdf.sources.opening import HEADER_BYTES, PDF, image_type
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import GatedFile, UploadOutcome

__all__ = ["gated_file", "send"]


def gated_file(path: Path, *, max_bytes: int, pictures_only: bool = False) -> GatedFile:
    """Look at a file; blocking.

    Args:
        path: The file.
        max_bytes: What the service takes.
        pictures_only: Whether PDFs are refused.

    Raises:
        FileError: It cannot be opened, is too large, or is no picture where one is asked for.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            media_type = image_type(file.read(HEADER_BYTES))
    except OSError as error:
        raise FileError(f"cannot open {path}: {error.strerror or error}") from error
    if media_type is None and pictures_only:
        raise FileError(f"{path} is neither PNG nor JPEG")
    if size > max_bytes:
        raise FileError(f"{path} is too large: {size:,} bytes, the limit is {max_bytes:,}")
    return GatedFile(path=path, file_name=path.name, size_bytes=size, media_type=media_type or PDF)


async def send(file: GatedFile, upload: Callable[[], UploadOutcome]) -> UploadOutcome:
    """Upload in a thread; a caller that is cancelled keeps what is not committed from going out.

    Args:
        file: What is sent.
        upload: Sends it; blocking.
    """
    try:
        return await in_thread(upload, name="zhiyipdf-upload")
    except asyncio.CancelledError:
        file.cancelled.set()
        raise
