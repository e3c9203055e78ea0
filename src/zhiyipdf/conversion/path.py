"""The one path of a PDF: open, plan, obtain each part, ground, join."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from zhiyipdf.conversion.joining import PartResult, join
from zhiyipdf.conversion.parts import ObtainedPart, PartsOfSource
from zhiyipdf.conversion.placing import VERSION, place_blocks
from zhiyipdf.conversion.planning import plan_parts, select_pages
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import (
    Conversion,
    Outcome,
    ParseOptions,
    Part,
    Source,
    SourceEstimate,
)
from zhiyipdf.sources import SourceRef, opened
from zhiyipdf.store import TaskRecord
from zhiyipdf.tasks.acquisition import Acquisition
from zhiyipdf.tasks.surroundings import Surroundings
from zhiyipdf.textlayer import bookmarks
from zhiyipdf.threads import in_thread

__all__ = ["ConversionPath"]


class ConversionPath:
    """Converts sources one by one; many calls may run at the same time on its event loop.

    Args:
        surroundings: What it works with.
        split: Whether a PDF over the service's limits is converted in parts.
    """

    def __init__(self, surroundings: Surroundings, *, split: bool = True) -> None:
        self._with = surroundings
        self._split = split
        self._acquisition = Acquisition(surroundings)

    @property
    def width(self) -> int:
        """Tasks that may be in flight together."""
        return self._acquisition.width

    async def convert(self, ref: SourceRef, options: ParseOptions) -> Conversion:
        """Convert one source.

        Raises:
            ZhiyiPDFError: With ``.source`` filled in.
            OSError: The source cannot be read or the store not written.
        """
        started = self._with.clock.monotonic()
        self._with.tell(ref.uri, "open")
        try:
            async with self._opened(ref, options) as (source, folder):
                planned = await in_thread(partial(self._plan, source, options))
                parts = self._parts_of(source, options, folder)
                try:
                    obtained = await parts.obtain(planned)
                finally:
                    await in_thread(parts.close)
                conversion = await in_thread(partial(self._join, source, options, obtained))
        except ZhiyiPDFError as error:
            error.about(source=ref.uri)
            raise
        self._with.tell(ref.uri, "done")
        if Path(source.path).is_relative_to(folder):
            # The temporary copy is gone when the conversion is handed out.
            source = dataclasses.replace(source, path="")
        seconds = self._with.clock.monotonic() - started
        return dataclasses.replace(conversion, source=source, seconds=seconds)

    async def estimate(self, ref: SourceRef, options: ParseOptions) -> SourceEstimate:
        """Say what one source would cost; nothing is uploaded.

        Raises:
            InputError: The source would be refused.
            OSError: The source cannot be read.
        """
        async with self._opened(ref, options) as (source, folder):
            planned = await in_thread(partial(self._plan, source, options))
            parts = self._parts_of(source, options, folder)
            unpaid = [
                one for part in planned for one in await in_thread(partial(parts.unpaid, part))
            ]
        return SourceEstimate(
            source=ref.uri,
            pages=sum(part.pages for part in planned),
            points=sum(self._with.provider.cost(part.pages, options) for part in unpaid),
            in_store=not unpaid,
            parts=len(planned),
        )

    async def finish(self, record: TaskRecord) -> Outcome | TaskRecord:
        """Fetch and unpack what a record says is paid."""
        with tempfile.TemporaryDirectory(prefix="zhiyipdf-") as folder:
            try:
                return await self._acquisition.finish(record, Path(folder))
            except Exception as error:  # noqa: BLE001 - one record's trouble is not the others'
                return Outcome(source=record.name or record.key, error=error)

    async def balance(self) -> dict[str, int]:
        """Points left, by the keys' fingerprints."""
        keys, provider = self._with.keys, self._with.provider
        points = await asyncio.gather(*(provider.balance(key=key) for key in keys))
        return {key.fingerprint: left for key, left in zip(keys, points, strict=True)}

    def _plan(self, source: Source, options: ParseOptions) -> tuple[Part, ...]:
        """Say which tasks a source takes; blocking."""
        plan = partial(
            plan_parts,
            source,
            select_pages(source, options.pages),
            self._with.limits,
            split=self._split,
        )
        parts = plan()
        return parts if len(parts) == 1 else plan(bookmarks=bookmarks(Path(source.path)))

    def _parts_of(self, source: Source, options: ParseOptions, folder: Path) -> PartsOfSource:
        return PartsOfSource(
            self._with,
            self._acquisition,
            source=source,
            options=options,
            folder=folder,
            split=self._split,
        )

    def _join(
        self, source: Source, options: ParseOptions, obtained: list[ObtainedPart]
    ) -> Conversion:
        """Make one conversion of the parts' results, with pages and boxes for every block."""
        self._with.tell(source.uri, "ground")
        results = [self._placed(source, options, one) for one in obtained]
        joined = join(results, whole=obtained[0].part.whole)
        points = sum(one.obtained.points for one in obtained)
        return Conversion(
            source=source,
            options=options,
            markdown=joined.markdown,
            blocks_by_variant=joined.blocks,
            assets=joined.assets,
            tasks=tuple(one.obtained.task for one in obtained if one.obtained.task is not None),
            points=points,
            from_store=points == 0,
            missing=joined.missing,
            sidecars=joined.sidecars,
        )

    def _placed(self, source: Source, options: ParseOptions, one: ObtainedPart) -> PartResult:
        """Place the blocks of a part's result, or read where they were placed before."""
        # Of a whole PDF the service counts damaged pages too; a part is made without them.
        whole = one.part.whole
        numbers = tuple(range(1, source.total_pages + 1)) if whole else one.part.numbers
        bundle = self._with.provider.finish(one.obtained.bundle, options)
        store, key = self._with.store, one.obtained.key
        blocks = store.read_blocks(key, bundle.markdown, version=VERSION)
        if blocks is None:
            blocks = place_blocks(bundle, source, numbers)
            store.write_blocks(key, blocks, bundle.markdown, version=VERSION)
        return PartResult(numbers=numbers, bundle=bundle, blocks=blocks)

    @asynccontextmanager
    async def _opened(
        self, ref: SourceRef, options: ParseOptions
    ) -> AsyncIterator[tuple[Source, Path]]:
        """A preflighted source and a temporary folder that lives as long."""
        stack = ExitStack()
        # A cancelled call's thread may still write there: what it is told does not matter then.
        temporary = tempfile.TemporaryDirectory(prefix="zhiyipdf-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        may_be_cut = self._split or options.pages is not None
        opening = opened(ref, folder=folder, limits=self._with.limits, may_be_cut=may_be_cut)
        try:
            source = await in_thread(partial(stack.enter_context, opening))
            yield source, folder
        finally:
            await in_thread(stack.close)
