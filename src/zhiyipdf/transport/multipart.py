"""The body of an upload: streamed from disk, checked on the way, its end held back by a gate."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = [
    "MultipartUpload",
    "SourceChangedError",
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
class MultipartUpload:
    """A ``multipart/form-data`` body (RFC 7578) with a commit gate.

    Everything but the closing boundary is handed out first. Then ``gate`` is called, which makes a
    durable note that the upload may be paid for from now on, and only then the closing boundary
    follows. Of 28 bodies without their closing boundary, sent to seven server stacks, none was
    accepted (transport study 2.1): a failure before the gate proves that nothing was paid.

    Attributes:
        fields: Text fields, in order; they go before the file.
        path: The file.
        file_name: What the service is told.
        size_bytes: Its size when it was looked at.
        sha256: Its hash then; None to skip the check.
        gate: Called once, between the last byte of the file and the closing boundary.
        on_bytes: Told the number of file bytes handed out so far.
        cancelled: Set by another thread to stop before the gate.
        committed: Whether the gate was passed.
    """

    fields: Mapping[str, str]
    path: Path
    file_name: str
    size_bytes: int
    sha256: str | None = None
    gate: Callable[[], None] = lambda: None
    on_bytes: Callable[[int], None] = lambda _sent: None
    cancelled: threading.Event = field(default_factory=threading.Event)
    committed: bool = field(default=False, init=False)
    boundary: str = field(default_factory=lambda: secrets.token_hex(16), init=False)

    @property
    def content_type(self) -> str:
        """Value of the ``Content-Type`` header."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def content_length(self) -> int:
        """Value of the ``Content-Length`` header, so that no chunked encoding is needed."""
        return len(self._head()) + self.size_bytes + len(self._tail())

    def pieces(self, *, late: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Hand out the body once.

        Args:
            late: Whether the time for the upload is over; asked before each piece up to the gate.

        Raises:
            SourceChangedError: The file grew, shrank or changed.
            UploadCancelledError: ``cancelled`` was set in time.
            UploadTooSlowError: ``late`` said so.
        """
        digest = hashlib.sha256()
        sent = 0
        yield self._head()
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
        self._stop_if_given_up(late)
        self.gate()
        self.committed = True
        yield self._tail()

    def _stop_if_given_up(self, late: Callable[[], bool]) -> None:
        if self.cancelled.is_set():
            raise UploadCancelledError
        if late():
            raise UploadTooSlowError

    def _head(self) -> bytes:
        lines = [
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        lines.append(
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; filename="{_quoted(self.file_name)}"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        )
        return "".join(lines).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """Escape a name as browsers do (WHATWG HTML, "multipart form data")."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
