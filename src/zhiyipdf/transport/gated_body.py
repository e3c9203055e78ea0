"""What every upload has: a file streamed from disk, checked on the way, and a commit gate."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = [
    "PIECE_BYTES",
    "GatedFile",
    "SourceChangedError",
    "UploadBody",
    "UploadCancelledError",
    "UploadTooSlowError",
]

PIECE_BYTES = 256 * 1024


class SourceChangedError(Exception):
    """The file is not what it was when it was looked at; found before the gate, so unpaid."""


class UploadCancelledError(Exception):
    """The caller gave up before the gate, so unpaid."""


class UploadTooSlowError(Exception):
    """The time for the upload was over before the gate, so unpaid."""


@dataclass(slots=True, kw_only=True)
class GatedFile:
    """A file to upload, and the gate that stands before the end of its body.

    ``gate`` is called once, when everything but the last bytes was handed out: it makes a durable
    note that the upload may be paid for from now on. A failure before it proves that nothing was
    paid, since no server takes an incomplete body (transport study 2.1).

    Attributes:
        path: The file.
        file_name: What the service is told.
        size_bytes: Its size when it was looked at.
        sha256: Its hash then; None to skip the check.
        media_type: Of its content.
        gate: See above.
        on_bytes: Told the number of file bytes handed out so far.
        cancelled: Set by another thread to stop before the gate.
        committed: Whether the gate was passed.
    """

    path: Path
    file_name: str
    size_bytes: int
    sha256: str | None = None
    media_type: str = "application/pdf"
    gate: Callable[[], None] = lambda: None
    on_bytes: Callable[[int], None] = lambda _sent: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    committed: bool = field(default=False, init=False)

    def content(self, *, late: Callable[[], bool]) -> Iterator[bytes]:
        """Hand out the file's bytes, and check that they are what they were.

        Args:
            late: Whether the time for the upload is over; asked before each piece.

        Raises:
            SourceChangedError: The file grew, shrank or changed.
            UploadCancelledError: ``cancelled`` was set in time.
            UploadTooSlowError: ``late`` said so.
        """
        digest = hashlib.sha256()
        sent = 0
        with self.path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self._stop_if_given_up(late)
                digest.update(piece)
                sent += len(piece)
                if sent > self.size_bytes:
                    raise SourceChangedError(f"{self.file_name} grew while it was sent")
                yield piece
                self.on_bytes(sent)
        if sent != self.size_bytes:
            raise SourceChangedError(f"{self.file_name} shrank while it was sent")
        if self.sha256 is not None and digest.hexdigest() != self.sha256:
            raise SourceChangedError(f"{self.file_name} changed after it was looked at")

    def commit(self, *, late: Callable[[], bool]) -> None:
        """Pass the gate; what follows may be paid for.

        Raises:
            UploadCancelledError: ``cancelled`` was set in time.
            UploadTooSlowError: ``late`` said so.
        """
        self._stop_if_given_up(late)
        self.gate()
        self.committed = True

    def _stop_if_given_up(self, late: Callable[[], bool]) -> None:
        if self.cancelled.is_set():
            raise UploadCancelledError
        if late():
            raise UploadTooSlowError


class UploadBody(Protocol):
    """A body made of a :class:`GatedFile`."""

    @property
    def file(self) -> GatedFile:
        """What it carries."""

    @property
    def content_type(self) -> str:
        """Value of the ``Content-Type`` header."""

    @property
    def content_length(self) -> int:
        """Value of the ``Content-Length`` header, so that no chunked encoding is needed."""

    def pieces(self, *, late: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Hand out the body once; raises what :meth:`GatedFile.content` and ``commit`` raise."""
