"""The body of an upload as the file's own bytes: the last of them wait at the gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from zhiyipdf.transport.gated_body import GatedFile

__all__ = ["RawUpload"]


@dataclass(slots=True, kw_only=True)
class RawUpload:
    """A file as a body of its own, for signed URLs of object stores.

    The last piece is held back until the file was checked to its end and its gate passed. The
    declared length is that of the whole file, so what comes before is an incomplete message
    (RFC 9112, section 8), which no store keeps.

    Attributes:
        file: The file.
    """

    file: GatedFile

    @property
    def content_type(self) -> str:
        """Value of the ``Content-Type`` header; no part of the signature (wire notes 2.2)."""
        return self.file.media_type

    @property
    def content_length(self) -> int:
        """Value of the ``Content-Length`` header: object stores refuse chunked bodies."""
        return self.file.size_bytes

    def pieces(self, *, late: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
        """Hand out the body once.

        Args:
            late: Whether the time for the upload is over; asked before each piece up to the gate.

        Raises:
            SourceChangedError: The file grew, shrank or changed.
            UploadCancelledError: ``cancelled`` was set in time.
            UploadTooSlowError: ``late`` said so.
        """
        held = b""
        for piece in self.file.content(late=late):
            if held:
                yield held
            held = piece
        self.file.commit(late=late)
        yield held
