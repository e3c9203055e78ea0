"""The one path of a PDF: open, plan, obtain each part, ground, join."""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from zhiyipdf.acquisition import Acquisition, Obtained, Surroundings
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.grounding import ground
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import (
    Block,
    Conversion,
    Outcome,
    ParseOptions,
    Part,
    Source,
    SourceEstimate,
    Variant,
)
from zhiyipdf.planning import plan_parts
from zhiyipdf.sources import SourceRef, opened
from zhiyipdf.store import TaskRecord, Work
from zhiyipdf.threads import in_thread

__all__ = ["ConversionPath"]


class ConversionPath:
    """Converts sources one by one; many calls may run at the same time on its event loop.

    Args:
        surroundings: What it works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings
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
            async with self._opened(ref) as (source, folder):
                obtained = [
                    await self._acquisition.obtain(
                        source, self._work(source, part, options), folder
                    )
                    for part in plan_parts(source)
                ]
                conversion = await in_thread(partial(_join, source, options, obtained))
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
        async with self._opened(ref) as (source, _):
            points, stored = 0, True
            for part in plan_parts(source):
                work = self._work(source, part, options)
                if not await in_thread(partial(self._acquisition.is_paid, work)):
                    points += self._with.provider.cost(part.pages, options)
                    stored = False
        return SourceEstimate(
            source=ref.uri, pages=len(source.pages), points=points, in_store=stored
        )

    async def finish(self, record: TaskRecord) -> Outcome | TaskRecord:
        """Fetch and unpack what a record says is paid."""
        with tempfile.TemporaryDirectory(prefix="zhiyipdf-") as folder:
            try:
                return await self._acquisition.finish(record, Path(folder))
            except (ZhiyiPDFError, OSError) as error:
                return Outcome(source=record.name or record.key, error=error)

    async def balance(self) -> dict[str, int]:
        """Points left, by the keys' fingerprints."""
        keys, provider = self._with.keys, self._with.provider
        points = await asyncio.gather(*(provider.balance(key=key) for key in keys))
        return {key.fingerprint: left for key, left in zip(keys, points, strict=True)}

    def _work(self, source: Source, part: Part, options: ParseOptions) -> Work:
        return Work(
            sha256=source.sha256,
            options=options,
            provider=self._with.provider.name,
            base_url=self._with.base_url,
            part=part,
        )

    @asynccontextmanager
    async def _opened(self, ref: SourceRef) -> AsyncIterator[tuple[Source, Path]]:
        """A preflighted source and a temporary folder that lives as long."""
        stack = ExitStack()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="zhiyipdf-")))
        try:
            source = await in_thread(
                lambda: stack.enter_context(opened(ref, folder=folder, limits=self._with.limits))
            )
            yield source, folder
        finally:
            await in_thread(stack.close)


def _join(source: Source, options: ParseOptions, obtained: Sequence[Obtained]) -> Conversion:
    """Make one conversion of the parts' results, with pages for every block."""
    (only,) = obtained
    blocks: dict[Variant, tuple[Block, ...]] = {
        variant: ground(text, split_blocks(text), len(source.pages))
        for variant, text in only.bundle.markdown.items()
    }
    return Conversion(
        source=source,
        options=options,
        markdown=only.bundle.markdown,
        blocks_by_variant=blocks,
        assets=only.bundle.assets,
        tasks=() if only.task is None else (only.task,),
        points=only.points,
        from_store=only.points == 0,
        missing=only.bundle.missing,
        sidecars=only.bundle.sidecars,
    )
