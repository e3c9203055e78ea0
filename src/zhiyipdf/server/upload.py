"""Reads uploads from the wire, forms and bare bodies; they go straight to the disk, counted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from zhiyipdf.server.archive import decode_file_name

__all__ = [
    "BadForm",
    "FileTooLarge",
    "Form",
    "NotAPdf",
    "UploadStalled",
    "WrongFile",
    "looks_like_image",
    "looks_like_pdf",
    "receive_body",
    "receive_form",
]

FILE_FIELD = "file"
# The signature must be within the first 1024 bytes (ISO 32000-1, annex H, note 13 to 3.4.1).
SIGNATURE = b"%PDF-"
SIGNATURE_WITHIN = 1024
# ISO/IEC 15948, 5.2, and ISO/IEC 10918-1, B.1.1.3: start of image, then a marker.
IMAGE_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
# Generous for a form of five short fields.
FORM_MAX_BYTES = 64 * 1024
FORM_MAX_PARTS = 64
# What a form may add to its file: boundaries, headers, other fields.
FORM_OVERHEAD = 1024 * 1024
BUFFER_BYTES = 1024 * 1024


class BadForm(ValueError):
    """The body is not a complete ``multipart/form-data`` form."""


class WrongFile(ValueError):
    """The file does not begin as it should."""


class NotAPdf(WrongFile):
    """The file does not begin like a PDF."""


class UploadStalled(TimeoutError):
    """Nothing arrived for too long."""


class FileTooLarge(ValueError):
    """The file is larger than accepted.

    Attributes:
        size: Its size in bytes as far as known: what the client announced, or what had arrived.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes")
        self.size = size


def looks_like_pdf(head: bytes | bytearray) -> bool:
    """Whether a file begins like a PDF.

    Args:
        head: Its first 1024 bytes, or all of them.
    """
    return SIGNATURE in head[:SIGNATURE_WITHIN]


def looks_like_image(head: bytes | bytearray) -> bool:
    """Whether a file begins like a PNG or a JPEG."""
    return head.startswith(IMAGE_SIGNATURES)


@dataclass(slots=True)
class Form:
    """A form that was read to its end.

    Attributes:
        fields: Text fields by name; of fields sent twice the last.
        file_name: Name of the uploaded file; None if the form has no file.
        file_bytes: Its size.
    """

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None
    file_bytes: int = 0


async def receive_form(
    body: AsyncIterator[bytes],
    *,
    content_type: str,
    content_length: int | None,
    target: Path,
    max_file_bytes: int,
    idle_s: float,
    image: bool = False,
) -> Form:
    """Read a form and write its file.

    Args:
        body: The request's body.
        content_type: With the boundary.
        content_length: As announced, if it was.
        target: The file to write; made, with its folder, if the form has a file.
        max_file_bytes: The largest accepted file.
        idle_s: Seconds the body may stand still.
        image: Whether the file is to be a PNG or JPEG, not a PDF.

    Raises:
        BadForm: No form, a broken one, or one that ends early.
        FileTooLarge: Raised as soon as it is known.
        NotAPdf: The same; :class:`WrongFile` for an image.
        UploadStalled: The client stopped sending.
        OSError: The file cannot be written.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadForm("the request is not a multipart/form-data form")
    if content_length is not None and content_length > max_file_bytes + FORM_OVERHEAD:
        raise FileTooLarge(content_length)
    reader = _Reader(boundary, max_file_bytes, content_length, image=image)
    file = None
    try:
        iterator = aiter(body)
        while True:
            chunk = await _next(iterator, idle_s)
            if chunk is None:
                break
            reader.feed(chunk)
            if reader.pending and file is None:
                file = await asyncio.to_thread(_open, target)
            if file is not None and len(reader.pending) >= BUFFER_BYTES:
                await asyncio.to_thread(file.write, reader.take())
        form = reader.finish()
        if file is not None:
            await asyncio.to_thread(file.write, reader.take())
            await asyncio.to_thread(_settle, file)
    finally:
        if file is not None:
            file.close()
    return form


async def receive_body(
    body: AsyncIterator[bytes], *, target: Path, max_bytes: int, idle_s: float
) -> bytes:
    """Write a bare body to a file.

    Args:
        body: The request's body.
        target: The file to write; made with its folder.
        max_bytes: The largest accepted body.
        idle_s: Seconds the body may stand still.

    Returns:
        Its first bytes, 1024 at most.

    Raises:
        FileTooLarge: Raised as soon as it is known.
        UploadStalled: The client stopped sending.
        OSError: The file cannot be written.
    """
    head, size = b"", 0
    pending = bytearray()
    file = await asyncio.to_thread(_open, target)
    try:
        iterator = aiter(body)
        while (chunk := await _next(iterator, idle_s)) is not None:
            size += len(chunk)
            if size > max_bytes:
                raise FileTooLarge(size)
            if len(head) < SIGNATURE_WITHIN:
                head += chunk[: SIGNATURE_WITHIN - len(head)]
            pending += chunk
            if len(pending) >= BUFFER_BYTES:
                await asyncio.to_thread(file.write, bytes(pending))
                pending.clear()
        await asyncio.to_thread(file.write, bytes(pending))
        await asyncio.to_thread(_settle, file)
    finally:
        file.close()
    return head


def _open(target: Path) -> BinaryIO:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("wb")


def _settle(file: BinaryIO) -> None:
    # It is about to be paid for.
    file.flush()
    os.fsync(file.fileno())


async def _next(body: AsyncIterator[bytes], idle_s: float) -> bytes | None:
    try:
        async with asyncio.timeout(idle_s):
            return await anext(body, None)
    except TimeoutError:
        raise UploadStalled(f"nothing arrived for {idle_s:g} s") from None


class _Reader:
    """The form's state between chunks; no I/O."""

    def __init__(
        self, boundary: bytes, max_file_bytes: int, content_length: int | None, *, image: bool
    ) -> None:
        self._image = image
        self.form = Form()
        self.pending = bytearray()
        self._max_file_bytes = max_file_bytes
        self._content_length = content_length
        self._fed = 0
        self._parts = 0
        self._complete = False
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._name = ""
        self._is_file = False
        self._text = bytearray()
        self._text_bytes = 0
        self._head = bytearray()
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_part_end": self._part_end,
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        self._fed += len(chunk)
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise BadForm(f"the form is broken: {error}") from error

    def take(self) -> bytes:
        taken = bytes(self.pending)
        self.pending.clear()
        return taken

    def finish(self) -> Form:
        # A body that ends before the last boundary is a broken upload, never a shorter file.
        if not self._complete:
            raise BadForm("the form ends before its last boundary")
        return self.form

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > FORM_MAX_PARTS:
            raise BadForm("the form has too many parts")
        self._disposition = b""
        self._text.clear()
        self._is_file = False

    def _header_field(self, chunk: bytes, start: int, end: int) -> None:
        self._header += chunk[start:end]

    def _header_value(self, chunk: bytes, start: int, end: int) -> None:
        self._value += chunk[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        raw_name = options.get(b"filename")
        self._is_file = self._name == FILE_FIELD and bool(raw_name)
        if self._is_file:
            if self.form.file_name is not None:
                raise BadForm("the form has more than one file")
            self.form.file_name = decode_file_name(raw_name or b"")

    def _part_data(self, chunk: bytes, start: int, end: int) -> None:
        if not self._is_file:
            self._text_bytes += end - start
            if self._text_bytes > FORM_MAX_BYTES:
                raise BadForm("the form's fields are too long")
            self._text += chunk[start:end]
            return
        self.form.file_bytes += end - start
        if self.form.file_bytes > self._max_file_bytes:
            raise FileTooLarge(max(self.form.file_bytes, self._announced()))
        if len(self._head) < SIGNATURE_WITHIN:
            self._head += chunk[start : min(end, start + SIGNATURE_WITHIN)]
            self._look(at_end=False)
        self.pending += chunk[start:end]

    def _announced(self) -> int:
        # What is left of the body after what came before the file; a few fields may follow it.
        if self._content_length is None:
            return 0
        return self._content_length - (self._fed - self.form.file_bytes)

    def _look(self, *, at_end: bool) -> None:
        begun = len(self._head) >= SIGNATURE_WITHIN
        if not (at_end or begun):
            return
        if self._image and not looks_like_image(self._head):
            raise WrongFile
        if not self._image and not looks_like_pdf(self._head):
            raise NotAPdf

    def _part_end(self) -> None:
        if self._is_file:
            self._look(at_end=True)
        else:
            self.form.fields[self._name] = self._text.decode("utf-8", "replace").strip()

    def _end(self) -> None:
        self._complete = True
