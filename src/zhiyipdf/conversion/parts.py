"""Obtains the parts of one PDF side by side, and cuts a part again that the service cannot take."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from zhiyipdf.conversion.planning import halves
from zhiyipdf.errors import FileTooLarge, TaskFailed, TooManyPages, ZhiyiPDFError
from zhiyipdf.models import ParseOptions, Part, PartSource, Source
from zhiyipdf.sources.streams import pieces, sha256_of
from zhiyipdf.store import Work
from zhiyipdf.tasks.acquisition import Acquisition, Obtained
from zhiyipdf.tasks.surroundings import Surroundings
from zhiyipdf.textlayer import gather_pages
from zhiyipdf.threads import in_thread

__all__ = ["MAX_CUTS", "ObtainedPart", "PartsOfSource"]

log = logging.getLogger(__name__)

MAX_CUTS = 64
"""So often parts of one PDF are cut again. To find one bad page of 800, ten cuts are enough."""

# The service's codes for a part that may be converted in halves (API page, "业务错误代码说明").
_CODES = {"parse_timeout", "parse_page_limit_exceeded"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ObtainedPart:
    """A part and its result."""

    part: Part
    obtained: Obtained


class PartsOfSource:
    """The parts of one source while it is converted; for one conversion or estimate.

    Args:
        surroundings: What it works with.
        acquisition: Obtains each part.
        source: The PDF.
        options: What to make of it.
        folder: A temporary folder that outlives this object.
        split: Whether parts may be cut again.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        acquisition: Acquisition,
        *,
        source: Source,
        options: ParseOptions,
        folder: Path,
        split: bool,
    ) -> None:
        self._with = surroundings
        self._acquisition = acquisition
        self._source = source
        self._options = options
        self._folder = folder
        self._cuts_left = MAX_CUTS if split else 0
        self._making = threading.Lock()
        self._closed = False

    async def obtain(self, parts: Sequence[Part]) -> list[ObtainedPart]:
        """Obtain parts at the same time.

        If one fails the others are cancelled; what they have paid for stays on record.

        Returns:
            In order of their pages; more than were asked for, if some were cut again.

        Raises:
            ZhiyiPDFError: The first that went wrong.
            OSError: The same.
        """
        if len(parts) == 1:
            return await self._obtain(parts[0])
        if self._with.budget.max_points is not None:
            # A budget that ends in the middle would be spent without a result.
            self._with.budget.ensure(await in_thread(partial(self._cost, parts)))
        tasks = [asyncio.ensure_future(self._obtain(part)) for part in parts]
        try:
            found = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [one for several in found for one in several]

    def close(self) -> None:
        """Wait for a part's PDF that is being made, and make no more; blocking.

        The thread that makes it goes on when its caller is cancelled.
        """
        with self._making:
            self._closed = True

    def unpaid(self, part: Part) -> list[Part]:
        """The parts of a part that would have to be paid for; blocking."""
        if self._acquisition.is_paid(self._work(part)):
            return []
        if part.pages > 1 and self._cuts_left and self._was_cut(part):
            return [unpaid for half in halves(part) for unpaid in self.unpaid(half)]
        return [part]

    def _cost(self, parts: Sequence[Part]) -> int:
        """Points that the parts still cost; blocking."""
        cost, options = self._with.provider.cost, self._options
        return sum(cost(one.pages, options) for part in parts for one in self.unpaid(part))

    async def _obtain(self, part: Part) -> list[ObtainedPart]:
        work = self._work(part)
        may_cut = part.pages > 1 and self._cuts_left > 0
        if may_cut and await in_thread(partial(self._was_cut, part)):
            # Sending it again would end as before; its halves may be in the store.
            return await self._obtain_halves(part)
        file = self._folder / f"{work.key[:16]}.pdf"
        sent = self._source if part.whole else self._lazy(part, file)
        try:
            obtained = await self._acquisition.obtain(sent, work, self._folder)
        except (TaskFailed, TooManyPages, _PartTooLarge) as error:
            if part.pages == 1 or self._cuts_left <= 0 or not _is_cause(error):
                raise
            log.info("%s, pages %s: cut in two: %s", self._source.uri, part.ranges, error.message)
        else:
            await in_thread(partial(file.unlink, missing_ok=True))
            return [ObtainedPart(part=part, obtained=obtained)]
        return await self._obtain_halves(part)

    async def _obtain_halves(self, part: Part) -> list[ObtainedPart]:
        self._cuts_left -= 1
        return await self.obtain(halves(part))

    def _was_cut(self, part: Part) -> bool:
        """Whether the last run had to do this part in halves; blocking."""
        read = self._with.store.read_record
        record = read(self._work(part).key)
        if record is None or record.state != "planned":
            return record is not None and record.state == "failed" and record.code in _CODES
        # Its PDF had too many bytes: it was planned and never sent, but its halves were.
        return not part.whole and any(read(self._work(half).key) for half in halves(part))

    def _lazy(self, part: Part, file: Path) -> PartSource:
        """The part's PDF, made when it must be sent and not before: the store may have its result.

        PDFium's output may differ from run to run; nothing that is stored is named after it.
        """
        source = self._source
        wanted = set(part.numbers)
        pages = tuple(page for page in source.pages if page.number in wanted)
        limit = self._with.limits.max_file_bytes

        def make() -> Source:
            with self._making:
                if self._closed:
                    raise FileNotFoundError(f"{file}: nobody waits for it any more")
                return make_file()

        def make_file() -> Source:
            gather_pages(Path(source.path), part.numbers, file)
            size = file.stat().st_size
            if size > limit:
                file.unlink()
                shown = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in part.ranges)
                too_large = FileTooLarge if part.pages == 1 else _PartTooLarge
                raise too_large(
                    f"Page {shown} alone makes a file of {size:,} bytes, the limit is {limit:,}."
                    if part.pages == 1
                    else f"Pages {shown} make a file of {size:,} bytes, the limit is {limit:,}.",
                    size_bytes=size,
                    limit_bytes=limit,
                    source=source.uri,
                )
            with file.open("rb") as content:
                sha256 = sha256_of(pieces(content))
            return Source(
                uri=source.uri,
                name=source.name,
                path=str(file),
                size_bytes=size,
                sha256=sha256,
                pages=pages,
                properties=source.properties,
            )

        return PartSource(
            uri=source.uri,
            name=source.name,
            path="",
            size_bytes=source.size_bytes * part.pages // max(1, len(source.pages)),
            sha256="",
            pages=pages,
            properties=source.properties,
            make=make,
        )

    def _work(self, part: Part) -> Work:
        return Work(
            sha256=self._source.sha256,
            options=self._options,
            provider=self._with.provider.name,
            base_url=self._with.base_url,
            part=part,
        )


class _PartTooLarge(FileTooLarge):
    """Some pages make too large a file; fewer may not. Never leaves this module."""


def _is_cause(error: ZhiyiPDFError) -> bool:
    """Whether fewer pages may do where a part failed."""
    return not isinstance(error, TaskFailed) or error.code in _CODES
