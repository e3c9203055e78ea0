"""The body of an upload as ``multipart/form-data``: its closing boundary waits at the gate."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from zhiyipdf.transport.gated_body import GatedFile

__all__ = ["MultipartUpload"]


@dataclass(slots=True, kw_only=True)
class MultipartUpload:
    """A ``multipart/form-data`` body (RFC 7578) with a commit gate.

    Everything but the closing boundary is handed out first. Then the file's gate is passed, and
    only then the closing boundary follows. Of 28 bodies without their closing boundary, sent to
    seven server stacks, none was accepted (transport study 2.1).

    Attributes:
        fields: Text fields, in order; they go before the file.
        file: The file, in the field ``file``.
    """

    fields: Mapping[str, str]
    file: GatedFile
    boundary: str = field(default_factory=lambda: secrets.token_hex(16), init=False)

    @property
    def content_type(self) -> str:
        """Value of the ``Content-Type`` header."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def content_length(self) -> int:
        """Value of the ``Content-Length`` header, so that no chunked encoding is needed."""
        return len(self._head()) + self.file.size_bytes + len(self._tail())

    def pieces(self, *, late: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Hand out the body once.

        Args:
            late: Whether the time for the upload is over; asked before each piece up to the gate.

        Raises:
            SourceChangedError: The file grew, shrank or changed.
            UploadCancelledError: ``cancelled`` was set in time.
            UploadTooSlowError: ``late`` said so.
        """
        yield self._head()
        yield from self.file.content(late=late)
        self.file.commit(late=late)
        yield self._tail()

    def _head(self) -> bytes:
        lines = [
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
            for name, value in self.fields.items()
        ]
        lines.append(
            f"--{self.boundary}\r\n"
            f'Content-Disposition: form-data; name="file"; '
            f'filename="{_quoted(self.file.file_name)}"\r\n'
            f"Content-Type: {self.file.media_type}\r\n\r\n"
        )
        return "".join(lines).encode()

    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    """Escape a name as browsers do (WHATWG HTML, "multipart form data")."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
