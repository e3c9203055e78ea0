"""An answer other than success, on every wire."""

from __future__ import annotations

from typing import Any

__all__ = ["Refusal"]


class Refusal(Exception):
    """An answer other than success.

    Attributes:
        status: HTTP status.
        content: The JSON body.
        headers: Further headers.
    """

    def __init__(
        self, status: int, content: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, content)
        self.status = status
        self.content = content
        self.headers = headers
