"""Files that Doc2X itself makes of a task: open an exporter, ask for as many as you like."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Literal, Self

from zhiyipdf.clock import Clock
from zhiyipdf.keys import ApiKey
from zhiyipdf.policy import Retry, Timeouts
from zhiyipdf.providers.doc2x import LIMITS
from zhiyipdf.providers.doc2x_exports import Doc2XExports, ExportOptions, ExportTo, FormulaMode
from zhiyipdf.services import service
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import HttpTransport, Origin

__all__ = ["Exporter"]


class Exporter:
    """Fetches Markdown, LaTeX or Word files of tasks that were converted within 24 hours.

    ::

        async with Exporter() as exporter:
            path = await exporter.export(conversion.tasks[0].id, "docx")

    Exports cost nothing. One exporter asks for the formats of a task one after the other, as the
    service wants it.

    Args:
        api_key: The key that paid for the tasks; ``DOC2X_API_KEY`` if omitted.
        base_url: ``DOC2X_BASE_URL`` or the hosted service if omitted.
        clock: Time, for tests.

    Raises:
        AuthenticationError: There is no key.
        ValueError: ``base_url`` is no https address.
    """

    def __init__(
        self,
        *,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        doc2x = service("doc2x")
        self._key = doc2x.first_key(api_key)
        self._origin = Origin.parse(doc2x.address(doc2x.base_url(base_url)))
        self._clock = clock or Clock()
        self._stack = AsyncExitStack()
        self._exports: Doc2XExports | None = None

    async def __aenter__(self) -> Self:
        transport = HttpTransport(
            self._origin, retry=Retry(), timeouts=Timeouts(), clock=self._clock
        )
        await self._stack.enter_async_context(transport)
        self._exports = Doc2XExports(transport, LIMITS, self._clock)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._exports = None
        await self._stack.aclose()

    async def export(
        self,
        task_id: str,
        to: ExportTo,
        output_path: str | os.PathLike[str] = "./Output",
        *,
        formula_mode: FormulaMode = "dollar",
        formula_level: Literal[0, 1, 2] | None = None,
        merge_cross_page_forms: bool = False,
        filename: str | None = None,
    ) -> str:
        """Export one task.

        Args:
            task_id: From ``conversion.tasks``.
            to: ``md`` and ``tex`` give a ZIP, ``docx`` one file.
            output_path: Folder; made if need be.
            formula_mode: ``dollar``, or ``normal`` for the service's own delimiters.
            formula_level: 1 and 2 turn formulas into text; only for the model ``v3-2026``.
            merge_cross_page_forms: Whether tables that go on over a page's end are joined.
            filename: Of the text in the ZIP, without suffix.

        Returns:
            Path of the file, ``<output_path>/<task_id>_<to>.zip`` or ``.docx``.

        Raises:
            ResultExpired: The service does not keep the task any more.
            ConversionTimeout: It was not done in 10 minutes.
            ZhiyiPDFError: What else went wrong.
            ValueError: An option is not one of those above.
        """
        if self._exports is None:
            raise RuntimeError("the exporter is not open; use `async with`")
        options = ExportOptions(
            to=to,
            formula_mode=formula_mode,
            formula_level=formula_level,
            merge_cross_page_forms=merge_cross_page_forms,
            filename=filename,
        )
        folder = Path(output_path)
        await in_thread(partial(folder.mkdir, parents=True, exist_ok=True))
        path = folder / f"{task_id}_{to}.{'docx' if to == 'docx' else 'zip'}"
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            await self._exports.export(task_id, options, key=self._key, to=part)
            await in_thread(partial(part.replace, path))
        finally:
            await in_thread(partial(part.unlink, missing_ok=True))
        return str(path)
