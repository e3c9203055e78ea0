"""Exports of a finished Doc2X task: Markdown, LaTeX or Word files made by the service itself."""

from __future__ import annotations

import asyncio
import logging
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from zhiyipdf.clock import Clock
from zhiyipdf.errors import (
    ConversionTimeout,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
)
from zhiyipdf.models import TASK_ID, Secret
from zhiyipdf.policy import Limits
from zhiyipdf.providers.doc2x_addresses import V2_PREFIX
from zhiyipdf.providers.doc2x_wire import Export, is_final, read_export, read_refusal
from zhiyipdf.transport import ElsewhereURL, HttpTransport

__all__ = ["Doc2XExports", "ExportOptions", "ExportTo", "FormulaMode"]

log = logging.getLogger(__name__)

ExportTo = Literal["md", "tex", "docx"]

FormulaMode = Literal["normal", "dollar"]

POLL_S = 2.0  # wire notes 5.2 propose 2 to 5 s
MAX_POLL_S = 5.0
DEADLINE_S = 600.0  # half of what the service takes for parsing at most (2.5, parse_timeout)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What to export (wire notes 2.3).

    Attributes:
        to: ``md`` and ``tex`` give a ZIP, ``docx`` one file.
        formula_mode: ``normal`` for the service's own delimiters, ``dollar`` for dollars; matters
            for Markdown.
        formula_level: 0 keeps formulas, 1 and 2 turn more and more of them into text; only for
            tasks of the model ``v3-2026``. None leaves it to the service.
        merge_cross_page_forms: Whether tables that go on over a page's end are joined.
        filename: Of the text in the ZIP, without suffix; None is ``output``.

    Raises:
        ValueError: A value is not one of those.
    """

    to: ExportTo
    formula_mode: FormulaMode = "dollar"
    formula_level: Literal[0, 1, 2] | None = None
    merge_cross_page_forms: bool = False
    filename: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the service would refuse."""
        if self.to not in get_args(ExportTo):
            raise ValueError(f"to must be one of {get_args(ExportTo)}, not {self.to!r}")
        if self.formula_mode not in get_args(FormulaMode):
            modes = get_args(FormulaMode)
            raise ValueError(f"formula_mode must be one of {modes}, not {self.formula_mode!r}")
        if self.formula_level not in (None, 0, 1, 2):
            raise ValueError(f"formula_level must be 0, 1 or 2, not {self.formula_level!r}")

    @property
    def fields(self) -> dict[str, object]:
        """As the service wants them, without the task."""
        fields: dict[str, object] = {"to": self.to, "formula_mode": self.formula_mode}
        if self.formula_level is not None:
            fields["formula_level"] = self.formula_level
        if self.merge_cross_page_forms:
            fields["merge_cross_page_forms"] = True
        if self.filename is not None and self.to != "docx":
            fields["filename"] = self.filename
        return fields


class Doc2XExports:
    """Exports, one after the other for each task.

    The service has one place for each task's export: asking for another format overwrites it, and
    a question for the new one may be answered with the old one's address. So exports of a task
    wait for one another here, and an address is believed only if it names the format.

    Args:
        transport: An open transport to the service.
        limits: For the size of files.
        clock: Time.
    """

    def __init__(self, transport: HttpTransport, limits: Limits, clock: Clock) -> None:
        self._transport = transport
        self._limits = limits
        self._clock = clock
        self._one_at_a_time: weakref.WeakValueDictionary[str, asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    async def export(self, task_id: str, options: ExportOptions, *, key: Secret, to: Path) -> None:
        """Export a finished task into a file; costs nothing.

        Args:
            task_id: Of a PDF, converted within the last 24 hours.
            options: What to make.
            key: That paid for the task.
            to: Overwritten.

        Raises:
            ResultExpired: The service does not know the task, or the file, any more.
            ConversionTimeout: It was not done in 10 minutes.
            ZhiyiPDFError: What the service refused.
        """
        if not TASK_ID.fullmatch(task_id):
            raise ProtocolError(f"not a task id: {task_id[:80]!r}")
        lock = self._one_at_a_time.setdefault(task_id, asyncio.Lock())
        async with lock:
            deadline = self._clock.monotonic() + DEADLINE_S
            await self._ask(task_id, options, key, deadline)
            url = await self._wait(task_id, options.to, key, deadline)
            reply = await self._transport.download_elsewhere(
                ElsewhereURL.parse(url, self._transport.origin),
                key=key,
                to=to,
                max_bytes=self._limits.max_download_bytes,
                on_bytes=lambda _done, _total: None,
                what="export",
            )
            if reply.status in (403, 404, 410):
                raise ResultExpired("the exported file is not there any more", task_id=task_id)
            if reply.status != 200:
                raise ServiceUnavailable(f"export: HTTP {reply.status}", task_id=task_id)

    async def _ask(
        self, task_id: str, options: ExportOptions, key: Secret, deadline: float
    ) -> None:
        """POST ``/convert/parse``; what is throttled is asked for again."""
        pause_s = POLL_S
        while True:
            reply = await self._transport.post(
                f"{V2_PREFIX}/convert/parse",
                {"uid": task_id, **options.fields},
                key=key,
                is_final=is_final,
                what="export",
            )
            try:
                read_export(reply, task_id)
            except RateLimited as error:
                if self._clock.monotonic() + pause_s > deadline:
                    raise
                log.info("export of %s: %s", task_id, error.message)
                await self._clock.sleep(pause_s)
                pause_s = min(2 * pause_s, 30.0)
            else:
                return

    async def _wait(self, task_id: str, to: ExportTo, key: Secret, deadline: float) -> str:
        """GET ``/convert/parse/result`` until it has the address of the asked format."""
        pause_s = POLL_S
        while self._clock.monotonic() < deadline:
            await self._clock.sleep(pause_s)
            pause_s = min(1.5 * pause_s, MAX_POLL_S)
            reply = await self._transport.get(
                f"{V2_PREFIX}/convert/parse/result?uid={task_id}",
                key=key,
                is_final=is_final,
                what="export",
            )
            if reply.status >= 400:
                raise read_refusal(reply, task_id)
            export = read_export(reply, task_id)
            if _is_of(export, to):
                return export.url
        raise ConversionTimeout(
            f"the export was not done in {DEADLINE_S:.0f} s",
            task_id=task_id,
            hint="Ask for it again; exports cost nothing.",
        )


def _is_of(export: Export, to: ExportTo) -> bool:
    """Whether an export is done, and of the format that was asked for."""
    name = urlsplit(export.url.replace("\\u0026", "&")).path.rpartition("/")[2]
    return export.state == "completed" and name.startswith(f"convert_{to}_")
