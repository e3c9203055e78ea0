"""What both frameworks' loaders share: conversions in input order, records, a report."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from zhiyipdf import blocking
from zhiyipdf.documents import Record
from zhiyipdf.documents.presentation import Presentation
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.loader_options import LoaderOptions, secrets_of
from zhiyipdf.models import Conversion, Outcome, Progress
from zhiyipdf.threads import in_thread

if TYPE_CHECKING:
    from tqdm import tqdm

    from zhiyipdf.converter import Converter

__all__ = ["ConversionReport", "LoaderOptions", "Loading", "SourceReport", "secrets_of"]

# Records that are made in one go on a worker thread before they are handed to the event loop.
_BATCH = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What became of one source.

    Attributes:
        source: As the caller wrote it.
        task_ids: The remote tasks.
        points: Points charged by this call.
        seconds: Wall time.
        from_store: Whether nothing had to be uploaded.
        error: Why there are no documents, or not all of them.
    """

    source: str
    task_ids: tuple[str, ...] = ()
    points: int = 0
    seconds: float = 0.0
    from_store: bool = False
    error: Exception | None = None

    def __str__(self) -> str:
        """What became of it, in one line."""
        if self.error is not None:
            text = str(self.error)
            return text if self.source in text else f"{self.source}: {text}"
        origin = "from the store" if self.from_store else f"{self.points} points"
        return f"{self.source}: done in {self.seconds:.1f} s, {origin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionReport:
    """What a loader has done: the facts that change from run to run and so are no metadata.

    Attributes:
        sources: One entry for each source, in the order they were given.
    """

    sources: tuple[SourceReport, ...] = ()

    @property
    def points(self) -> int:
        """Points charged for all sources."""
        return sum(source.points for source in self.sources)

    def __str__(self) -> str:
        """One line for each source, for people."""
        return "\n".join(str(source) for source in self.sources) or "nothing converted yet"

    @property
    def failed(self) -> tuple[SourceReport, ...]:
        """Sources that could not be converted."""
        return tuple(source for source in self.sources if source.error is not None)


class Loading:
    """Turns sources into records through one Converter, which is made when it is first needed.

    It may be used from several threads and tasks at once; they share the Converter, and with it
    the limit of tasks in flight for each key. Its pickle holds the options, keys included, and a
    Converter only if one was given.

    Args:
        options: What was asked for.
        converter: A ready Converter. Otherwise one is made from the options.

    Raises:
        ValueError: A Converter is given, and options that only a new one could heed.
    """

    def __init__(self, options: LoaderOptions, *, converter: Converter | None = None) -> None:
        if converter is not None:
            for name in ("api_key", "base_url", "store", "max_points"):
                if getattr(options, name) is not None:
                    raise ValueError(f"{name} has no effect beside converter; give it that one")
        self.options = options
        self._given = converter
        self._converter = converter
        self._lock = threading.Lock()
        self._bars: list[tqdm[Any]] = []
        self._warned = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made from."""
        return partial(Loading, self.options, converter=self._given), ()

    @property
    def converter(self) -> Converter:
        """The Converter behind it all."""
        with self._lock:
            if self._converter is None:
                from zhiyipdf.converter import Converter

                options = self.options
                self._converter = Converter(
                    api_key=options.api_key,
                    base_url=options.base_url,
                    store=options.store,
                    provider=options.provider,
                    max_points=options.max_points,
                    storage_options=options.storage_options,
                    on_progress=self._on_progress if options.show_progress else None,
                )
            return self._converter

    def records(
        self, sources: Any, reports: list[SourceReport], *, fs: Any = None
    ) -> Generator[Record, None, None]:
        """Convert sources and make their records, in input order, as files finish.

        Args:
            sources: Whatever :func:`zhiyipdf.sources.expand` takes.
            reports: Gets an entry for each source.
            fs: An fsspec filesystem the sources are on.

        Raises:
            ZhiyiPDFError: A source cannot be converted, with ``on_error="raise"``.
            OSError: A source cannot be read or a picture not be written, the same.
        """
        converter, options = self.converter, self.options.parse_options
        outcomes = blocking.iterate(
            lambda: converter.aconvert_many(sources, options, ordered=True, fs=fs)
        )
        bar = self._open_bar()
        try:
            with closing(outcomes):
                for outcome in outcomes:
                    yield from self._present(outcome, reports)
                    self._advance(bar)
        finally:
            self._close_bar(bar)

    async def arecords(
        self, sources: Any, reports: list[SourceReport], *, fs: Any = None
    ) -> AsyncGenerator[Record, None]:
        """Do the same on the caller's event loop; see :meth:`records`."""
        converter = await in_thread(lambda: self.converter)
        outcomes = converter.aconvert_many(sources, self.options.parse_options, ordered=True, fs=fs)
        bar = self._open_bar()
        try:
            async for outcome in outcomes:
                records = self._present(outcome, reports)
                batch: list[Record] | None = None
                while batch is None or batch:
                    batch = await in_thread(partial(list[Record], islice(records, _BATCH)))
                    for record in batch:
                        yield record
                self._advance(bar)
        finally:
            self._close_bar(bar)
            await outcomes.aclose()

    def _present(self, outcome: Outcome, reports: list[SourceReport]) -> Iterator[Record]:
        """Make the records of one outcome, and its entry in the report."""
        entry = _source_report(outcome)
        reports.append(entry)
        conversion, error = outcome.conversion, outcome.error
        if conversion is not None:
            try:
                yield from self._records_of(conversion)
            except (ZhiyiPDFError, OSError) as failure:
                error = failure
                place = next(i for i, report in enumerate(reports) if report is entry)
                reports[place] = replace(entry, error=failure)
        if error is None:
            return
        # What is neither the PDF's nor the service's fault (a package that is missing, a bug)
        # would be the same for every source.
        if self.options.on_error == "raise" or not isinstance(error, ZhiyiPDFError | OSError):
            raise error
        text = str(error)
        named = text if outcome.source in text else f"{outcome.source}: {text}"
        logger.error("skipped %s", named)

    def _records_of(self, conversion: Conversion) -> Iterator[Record]:
        options = self.options
        presentation = Presentation(
            read_asset=self.converter.read_asset,
            keeps_assets=self.converter.keeps_assets,
            mode=options.mode,
            include_empty_pages=options.include_empty_pages,
            images=options.images,
            image_dir=options.image_dir,
            metadata_style=options.metadata_style,
            storage_options=options.storage_options,
        )
        if presentation.loses_pictures(conversion) and not self._warned:
            self._warned = True
            logger.warning(
                "store=False keeps no pictures, so links to them stay as the service wrote them; "
                'give an image_dir, or use images="inline" or images="drop"'
            )
        return presentation.records(conversion)

    def _open_bar(self) -> tqdm[Any] | None:
        if not self.options.show_progress:
            return None
        from tqdm import tqdm

        bar = tqdm(desc="Converting", unit="file")
        self._bars.append(bar)
        return bar

    def _advance(self, bar: tqdm[Any] | None) -> None:
        if bar is not None:
            bar.update()

    def _close_bar(self, bar: tqdm[Any] | None) -> None:
        if bar is not None:
            self._bars.remove(bar)
            bar.close()

    def _on_progress(self, progress: Progress) -> None:
        share = f" {100 * progress.done // progress.total}%" if progress.total else ""
        for bar in self._bars:
            bar.set_postfix_str(f"{progress.source}: {progress.stage}{share}")


def _source_report(outcome: Outcome) -> SourceReport:
    conversion, error = outcome.conversion, outcome.error
    if conversion is None:
        task_id = getattr(error, "task_id", None)
        return SourceReport(
            source=outcome.source, task_ids=() if task_id is None else (task_id,), error=error
        )
    return SourceReport(
        source=outcome.source,
        task_ids=tuple(task.id for task in conversion.tasks),
        points=conversion.points,
        seconds=conversion.seconds,
        from_store=conversion.from_store,
        error=error,
    )
