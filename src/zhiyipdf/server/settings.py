"""What an operator can set: limits, folder, engine and translation endpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from zhiyipdf.server.doc2x.settings import Doc2XSettings

__all__ = ["ServerSettings", "TranslationEndpoint"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationEndpoint:
    """An OpenAI-compatible chat completions endpoint.

    Attributes:
        base_url: Everything before ``/chat/completions``, for example ``http://127.0.0.1:8000/v1``.
        model: The model's name as the endpoint knows it.
        key: Sent as ``Authorization: Bearer``; empty for endpoints without keys.
        timeout_s: Seconds one answer may take.
        parallel: Requests in flight at the same time.

    Raises:
        ValueError: The URL is not http or https, or the model has no name.
    """

    base_url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    parallel: int = 4

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the translation URL must begin with http:// or https://")
        if not self.model:
            raise ValueError("the translation endpoint needs a model name")
        if self.parallel < 1 or self.timeout_s <= 0:
            raise ValueError("parallel and timeout_s of the translation endpoint must be positive")


def _default_workers() -> int:
    return min(os.cpu_count() or 1, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything the server needs to know before it starts.

    Attributes:
        folder: Database, uploads and results; made if missing. One server at a time.
        max_file_bytes: Largest accepted PDF: 300 MB, counted as 300 * 1024 * 1024 bytes as in the
            API document's example (``max_size``).
        max_pages: Most pages of a PDF (API document, "文件限制").
        in_process_per_key: Tasks of one key in process at the same time (API document, "并发限制").
        waiting_per_key: Tasks of one key that may wait; beyond it the answer is HTTP 429.
        retention_s: Seconds a finished task is kept: 7 days (API document, "数据保留").
        workers: Conversions running at the same time on this machine, over all keys.
        task_timeout_s: Seconds one conversion may take before it fails with ``parse_timeout``.
        count_timeout_s: Seconds counting the pages of an upload may take.
        upload_idle_s: Seconds an upload may stand still.
        linger_s: Seconds to go on reading an upload that was already answered with a refusal, so
            that the client gets to see the answer.
        translation: Where to translate; without it translation is refused.
        engine: ``module:class`` of the engine, loaded in the worker processes.
        doc2x: Limits of the Doc2X wire, which has its own.

    Raises:
        ValueError: A number is out of range.
    """

    folder: Path
    max_file_bytes: int = 300 * 1024 * 1024
    max_pages: int = 800
    in_process_per_key: int = 3
    waiting_per_key: int = 100
    retention_s: float = 7 * 24 * 3600.0
    workers: int = field(default_factory=_default_workers)
    task_timeout_s: float = 900.0
    count_timeout_s: float = 60.0
    upload_idle_s: float = 120.0
    linger_s: float = 5.0
    translation: TranslationEndpoint | None = None
    engine: str = "zhiyipdf.server.liteparse_engine:LiteparseEngine"
    doc2x: Doc2XSettings = field(default_factory=Doc2XSettings)

    def __post_init__(self) -> None:
        for name in (
            "max_file_bytes",
            "max_pages",
            "in_process_per_key",
            "waiting_per_key",
            "retention_s",
            "workers",
            "task_timeout_s",
            "count_timeout_s",
            "upload_idle_s",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        if self.linger_s < 0:
            raise ValueError("linger_s must not be negative")
        if ":" not in self.engine:
            raise ValueError("engine must be module:class")
