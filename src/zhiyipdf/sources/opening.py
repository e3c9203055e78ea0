"""Bring a source to the local disk, look at it, and refuse what the service would refuse."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from zhiyipdf.errors import EmptyFile, FileTooLarge, NotAPDF, TooManyPages, ZhiyiPDFError
from zhiyipdf.models import DocumentProperties, Page, Source
from zhiyipdf.policy import Limits
from zhiyipdf.sources.addresses import without_query
from zhiyipdf.sources.listing import STREAM, SourceRef
from zhiyipdf.sources.remote import RemoteFile, hasten, readable
from zhiyipdf.sources.streams import PIECE_BYTES, content_uri, pieces, sha256_of
from zhiyipdf.textlayer import inspect_pdf

__all__ = ["HEADER_BYTES", "PDF", "image_type", "opened"]

logger = logging.getLogger(__name__)

HEADER_BYTES = 1024
"""``%PDF-`` must stand within these (ISO 32000-1, annex H, implementation note 13)."""


PDF = "application/pdf"
IMAGE_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@contextmanager
def opened(
    ref: SourceRef, *, folder: Path | None, limits: Limits, may_be_cut: bool = False
) -> Iterator[Source]:
    """Yield a source that is on the local disk and fit to convert.

    A local file is used where it is; anything else is copied to a temporary file first, which is
    removed on the way out. Reading a remote file to its end before anything is uploaded means that
    a broken connection to it cannot waste a paid upload (transport study 1.3).

    Args:
        ref: From :func:`~.listing.expand`.
        folder: Where temporary files go, made if need be; None for the system's own place.
        limits: ``max_file_bytes`` (also while copying), ``max_pages`` and, where the service takes
            pictures, ``max_image_bytes`` are enforced.
        may_be_cut: Only some pages may be sent, or in parts: of the limits ``max_source_bytes``
            alone is enforced.

    Raises:
        EmptyFile: It has no bytes. This and the following in this order, with ``source`` set.
        FileTooLarge: More bytes than the limit.
        NotAPDF: No ``%PDF-`` within the first 1024 bytes, and no picture that is taken.
        InvalidPDF: PDFium cannot open it, or no page of it can be loaded.
        EncryptedPDF: It needs a password.
        TooManyPages: More pages than the limit.
        FileNotFoundError: It is not there (any more).
        OSError: It cannot be read or copied.
    """
    if may_be_cut:
        limits = replace(limits, max_file_bytes=limits.max_source_bytes, max_pages=sys.maxsize)
    with _on_disk(ref, folder, limits.max_file_bytes) as path:
        yield _examined(path, ref, limits)


@contextmanager
def _on_disk(ref: SourceRef, folder: Path | None, limit_bytes: int) -> Iterator[Path]:
    if isinstance(ref.place, Path) and (ref.place.is_file() or not ref.place.exists()):
        yield ref.place
        return
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix="zhiyipdf-", suffix=".pdf", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            _copy(ref, copy, limit_bytes)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _copy(ref: SourceRef, copy: BinaryIO, limit_bytes: int) -> None:
    written = 0
    with closing(_pieces_of(ref, limit_bytes)) as content:
        for piece in content:
            written += len(piece)
            if written > limit_bytes:
                size = len(piece) if piece is ref.place else None
                raise _too_large(ref.uri, size, limit_bytes)
            copy.write(piece)
    logger.debug("Copied %s (%d bytes) to a temporary file", without_query(ref.uri), written)


def _pieces_of(ref: SourceRef, limit_bytes: int) -> Generator[bytes, None, None]:
    place = ref.place
    if isinstance(place, bytes):
        yield place
    elif isinstance(place, RemoteFile):
        yield from _pieces_of_remote(ref.uri, place, limit_bytes)
    elif isinstance(place, Path):  # a pipe or device: neither its size nor a second reading
        with place.open("rb") as file:
            yield from pieces(file)
    else:
        yield from pieces(place)


def _pieces_of_remote(
    uri: str, place: RemoteFile, limit_bytes: int
) -> Generator[bytes, None, None]:
    with place.opened() as (file, size):
        if size is not None and size > limit_bytes:
            raise _too_large(uri, size, limit_bytes)
        with readable(place.url):
            hasten(file, size)
        read = 0
        while True:
            with readable(place.url):
                piece = file.read(PIECE_BYTES)
            if not piece:
                break
            read += len(piece)
            yield piece
    if size is not None and read != size:
        raise OSError(f"{without_query(uri)}: ended after {read:,} of {size:,} bytes")


def image_type(head: bytes) -> str | None:
    """Tell a picture that services take by its first bytes; None for all else."""
    signed = (kind for signature, kind in IMAGE_SIGNATURES.items() if head.startswith(signature))
    return next(signed, None)


def _media_type(head: bytes, *, takes_images: bool) -> str | None:
    """Tell a PDF, and where they are taken a picture, by its first bytes."""
    picture = image_type(head) if takes_images else None
    return picture or (PDF if b"%PDF-" in head else None)


def _too_large(uri: str, size: int | None, limit: int) -> FileTooLarge:
    known = "" if size is None else f"{size:,} bytes, "
    message = f"The file is too large: {known}the limit is {limit:,} bytes."
    return FileTooLarge(message, size_bytes=size, limit_bytes=limit, source=uri)


def _examined(path: Path, ref: SourceRef, limits: Limits) -> Source:
    uri = ref.uri
    size = path.stat().st_size
    if size == 0:
        raise EmptyFile("The file is empty.", source=uri)
    if size > limits.max_file_bytes:
        raise _too_large(uri, size, limits.max_file_bytes)
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
        media_type = _media_type(head, takes_images=limits.max_image_bytes is not None)
        if media_type is None:
            raise NotAPDF("The file is not a PDF.", source=uri)
        file.seek(0)
        sha256 = sha256_of(pieces(file))
    if uri == STREAM:
        uri = content_uri(sha256)
    if media_type == PDF:
        pages, properties = _inspected(path, uri, limits)
    elif size > (limits.max_image_bytes or 0):
        raise _too_large(uri, size, limits.max_image_bytes or 0)
    else:
        pages, properties = (Page(number=1, label="1"),), DocumentProperties()
    return Source(
        uri=uri,
        name=ref.name,
        path=str(path),
        size_bytes=size,
        sha256=sha256,
        pages=pages,
        properties=properties,
        media_type=media_type,
    )


def _inspected(path: Path, uri: str, limits: Limits) -> tuple[tuple[Page, ...], DocumentProperties]:
    try:
        inspection = inspect_pdf(path)
    except ZhiyiPDFError as exc:
        exc.about(source=uri)
        raise
    if len(inspection.pages) > limits.max_pages:
        raise TooManyPages(
            f"The PDF has {len(inspection.pages)} pages, the limit is {limits.max_pages}.",
            pages=len(inspection.pages),
            limit_pages=limits.max_pages,
            source=uri,
        )
    return inspection.pages, inspection.properties
