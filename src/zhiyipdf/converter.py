"""``Converter``: wires everything below it; the same methods with and without ``await``."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Literal, Self

from zhiyipdf import blocking
from zhiyipdf.clock import Clock
from zhiyipdf.conversion import ConversionPath
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.finding import find_all, find_one
from zhiyipdf.keys import ApiKey, read_keys
from zhiyipdf.local import BASE_URL as LOCAL_URL
from zhiyipdf.local import local_server
from zhiyipdf.models import (
    Asset,
    Balance,
    Conversion,
    Estimate,
    Outcome,
    ParseOptions,
    Progress,
    SourceEstimate,
)
from zhiyipdf.outcomes import OutcomeStream
from zhiyipdf.policy import ArchiveLimits, Limits, Polling, Retry, StoreLimits, Timeouts
from zhiyipdf.services import LOCAL, LOCAL_POLLING, ServiceName, service
from zhiyipdf.sessions import Sessions
from zhiyipdf.sources import SourceRef, public_uri
from zhiyipdf.store import Store, TaskRecord
from zhiyipdf.store.location import store_url
from zhiyipdf.tasks.budget import Budget
from zhiyipdf.tasks.evidence import CommitLocks
from zhiyipdf.tasks.submission import OnAmbiguous
from zhiyipdf.tasks.surroundings import Surroundings
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import HttpTransport, Origin, Refusals

__all__ = ["Converter"]

log = logging.getLogger(__name__)


class Converter:
    """Converts PDFs through a service, paying once for each.

    Constructing it opens nothing and talks to nobody. Used as ``with Converter(…) as converter``
    it keeps its connections between calls; without, every call opens and closes its own.

    Args:
        api_key: One key or several, which are used side by side; the environment variable
            ``ZHIYIPDF_API_KEY`` (comma-separated) if omitted. Not needed for ``"local"``.
        base_url: Where the service is; ``ZHIYIPDF_BASE_URL`` or the hosted one if omitted.
            ``"local"`` runs the embedded server in this process.
        store: fsspec URL of a folder that keeps results and records; ``ZHIYIPDF_STORE`` or the
            user's cache folder if omitted. False keeps nothing, and then nothing that was paid
            for survives the call.
        provider: ``"zhiyipdf"``, or ``"doc2x"``, which reads ``DOC2X_API_KEY`` and
            ``DOC2X_BASE_URL``, takes :class:`~zhiyipdf.models.Doc2XOptions`, counts pages where
            ZhiyiPDF counts points, and cannot tell a balance. ``"doc2x-v1"`` is its first API.
        max_points: Points this converter may spend; an upload that would pass it is not started.
        on_ambiguous: What to do about an upload that was sent whole and not answered, when not
            even the balance proves whether it was paid: ``"raise"`` UploadOutcomeUnknown;
            ``"retry"``, which may pay twice; or a function that is given the error and says True
            to retry.
        storage_options: For fsspec: flat, for sources and store alike, or by protocol
            (``{"s3": {…}, "http": {…}}``).
        on_progress: Told of every step, on the event loop's thread.
        proxy: URL of an HTTP proxy; the usual environment variables are honoured without it.
        ssl_context: For other certificates than certifi's.
        split: Whether a PDF over the service's limits is converted in parts and joined.
        limits: Sizes and numbers.
        polling: Intervals and deadlines.
        retry: How failed calls are repeated.
        timeouts: How long a step of a call may take.
        archive_limits: What a result's archive may hold.
        clock: Time and chance, for tests.

    Raises:
        ValueError: An option is not one of those above.
    """

    def __init__(
        self,
        *,
        api_key: ApiKey | None = None,
        base_url: str | None = None,
        store: str | os.PathLike[str] | Literal[False] | None = None,
        provider: ServiceName = "zhiyipdf",
        max_points: int | None = None,
        on_ambiguous: OnAmbiguous = "raise",
        storage_options: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        split: bool = True,
        limits: Limits | None = None,
        polling: Polling | None = None,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        archive_limits: ArchiveLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._provider = provider
        spoken_to = service(provider)
        if not callable(on_ambiguous) and on_ambiguous not in ("raise", "retry"):
            raise ValueError(
                f"on_ambiguous must be 'raise', 'retry' or a function: {on_ambiguous!r}"
            )
        url = spoken_to.base_url(base_url)
        self._local = url == LOCAL
        self._base_url = url
        self._origin = Origin.parse(LOCAL_URL if self._local else spoken_to.address(url))
        self._keys = read_keys(api_key, environment=spoken_to.key_variable)
        self._storage_options = dict(storage_options or {})
        self.on_progress = on_progress
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._split = split
        self._limits = limits or spoken_to.limits
        self._polling = polling or (LOCAL_POLLING if self._local else spoken_to.polling)
        self._retry = retry or Retry()
        self._timeouts = timeouts or Timeouts()
        self._archive_limits = archive_limits or ArchiveLimits()
        self._clock = clock or Clock()
        self._budget = Budget(max_points)
        self._commits = CommitLocks()
        self._refusals = Refusals()
        self._on_ambiguous: OnAmbiguous = on_ambiguous
        self.keeps_assets = store is not False
        self._store_url = None if store is False else store_url(store)
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._sessions = Sessions(self._open)
        self._held = 0

    def __repr__(self) -> str:
        store = None if self._store_url is None else public_uri(self._store_url)
        return f"Converter(base_url={self._base_url!r}, store={store!r})"

    # -- one ---------------------------------------------------------------------------------------

    async def aconvert(
        self, source: object, options: ParseOptions | None = None, *, fs: Any = None
    ) -> Conversion:
        """Convert one PDF.

        Args:
            source: Anything :func:`zhiyipdf.sources.expand` takes that is one PDF.
            options: What to make of it.
            fs: An fsspec filesystem that ``source`` is a path on.

        Raises:
            ZhiyiPDFError: See :mod:`zhiyipdf.errors`.
            OSError: The source cannot be read.
            ValueError: ``source`` is more than one PDF.
        """
        async with self._session(options) as session:
            find = partial(
                find_one,
                source,
                storage_options=self._storage_options,
                fs=fs,
                suffixes=service(self._provider).suffixes,
            )
            try:
                ref = await in_thread(find)
            except ValueError as error:
                error.add_note("convert_many takes any number of PDFs.")
                raise
            return await session.convert(ref, self._read(options))

    def convert(
        self, source: object, options: ParseOptions | None = None, *, fs: Any = None
    ) -> Conversion:
        """Convert one PDF; see :meth:`aconvert`."""
        return blocking.run(self.aconvert(source, options, fs=fs))

    # -- many --------------------------------------------------------------------------------------

    def aconvert_many(
        self,
        sources: object,
        options: ParseOptions | None = None,
        *,
        ordered: bool = False,
        fs: Any = None,
    ) -> OutcomeStream:
        """Convert many PDFs; nothing is read or uploaded before the first is asked for.

        Args:
            sources: One or more of anything :func:`zhiyipdf.sources.expand` takes.
            options: What to make of them.
            ordered: Hand out in the order of the sources instead of as they finish.
            fs: An fsspec filesystem that ``sources`` are paths on.

        Returns:
            An asynchronous iterator of outcomes; a failing source does not stop the others.
        """
        wanted = self._read(options)

        async def opening(
            stack: AsyncExitStack,
        ) -> tuple[Callable[[SourceRef], Any], Callable[[], int]]:
            session = await stack.enter_async_context(self._session(wanted))
            convert = partial(_outcome, session, wanted)
            # Beyond the tasks in flight a few more are being opened, looked up or unpacked; and
            # in any order more are looked at, so that the longest can start first.
            keys = max(1, len(self._keys))
            more = 3 if ordered else 3 + self._limits.look_ahead_per_key * keys
            return convert, lambda: session.width + more

        return OutcomeStream(self._find(sources, fs), opening, ordered=ordered)

    def convert_many(
        self,
        sources: object,
        options: ParseOptions | None = None,
        *,
        ordered: bool = False,
        fs: Any = None,
    ) -> Generator[Outcome, None, None]:
        """Convert many PDFs; see :meth:`aconvert_many`."""
        return blocking.iterate(
            lambda: self.aconvert_many(sources, options, ordered=ordered, fs=fs)
        )

    # -- without paying ----------------------------------------------------------------------------

    async def aestimate(
        self, sources: object, options: ParseOptions | None = None, *, fs: Any = None
    ) -> Estimate:
        """Count pages and points without uploading anything; needs no key.

        Args:
            sources: As for :meth:`aconvert_many`.
            options: Translations cost more.
            fs: As for :meth:`aconvert_many`.

        Returns:
            What is in the store already costs nothing; what would be refused is listed.
        """
        wanted = self._read(options)
        estimates: list[SourceEstimate] = []
        refused: list[tuple[str, str]] = []
        async with self._session(needs_key=False) as session:
            refs = self._find(sources, fs)
            while (ref := await in_thread(partial(next, refs, None))) is not None:
                if isinstance(ref, Outcome):
                    refused.append((ref.source, str(ref.error)))
                    continue
                try:
                    estimates.append(await session.estimate(ref, wanted))
                except (ZhiyiPDFError, OSError) as error:
                    refused.append((ref.uri, str(error)))
        return Estimate(sources=tuple(estimates), refused=tuple(refused))

    def estimate(
        self, sources: object, options: ParseOptions | None = None, *, fs: Any = None
    ) -> Estimate:
        """Count pages and points; see :meth:`aestimate`."""
        return blocking.run(self.aestimate(sources, options, fs=fs))

    async def abalance(self) -> Balance:
        """Ask for the points left on every key.

        Raises:
            AuthenticationError: A key is refused.
            ServiceUnavailable: The service does not answer.
        """
        async with self._session() as session:
            return Balance(by_key=await session.balance())

    def balance(self) -> Balance:
        """Ask for the points left on every key; see :meth:`abalance`."""
        return blocking.run(self.abalance())

    # -- what is paid and not fetched ------------------------------------------------------------

    def tasks(self) -> tuple[TaskRecord, ...]:
        """Every task the store knows, paid or not, the latest last; blocking, needs no key."""
        records = self._open_store().records()
        return tuple(sorted(records, key=lambda record: record.updated_at))

    def forget(self, record: str) -> str:
        """Forget a task, so that its PDF is uploaded, and paid for, as if it were new; blocking.

        A result that is already in the store stays there and is still used. Forgetting is the way
        on from :class:`~zhiyipdf.errors.UploadOutcomeUnknown` once you know from your balance that
        nothing was paid, or when a task was paid with a key you lost.

        Args:
            record: The record's name, as the error has it, or its first digits.

        Returns:
            The record's whole name.

        Raises:
            KeyError: There is no such record, or more than one.
        """
        return self._open_store().forget(record)

    def prune(self, limits: StoreLimits) -> tuple[str, ...]:
        """Delete the oldest stored results that the limits leave no room for; blocking.

        Unfinished and doubtful work is never deleted.

        Returns:
            Keys of the work whose results are gone.
        """
        return self._open_store().prune(limits, now=self._clock.now())

    async def aresume(self) -> tuple[Outcome | TaskRecord, ...]:
        """Finish every task that is paid for and not yet in the store; the PDFs are not needed.

        Returns:
            For each a record as it stands now, or an outcome that holds the error.
        """
        if self._local:
            return ()  # its tasks ended with their process
        paid, mine = ("accepted", "completed", "fetched"), self._origin.base
        records = await in_thread(self.tasks)
        unfinished = [
            r
            for r in records
            if r.state in paid and (r.base_url, r.provider) == (mine, self._provider)
        ]
        if not unfinished:
            return ()
        async with self._session() as session:
            room = asyncio.Semaphore(session.width)

            async def finish(record: TaskRecord) -> Outcome | TaskRecord:
                async with room:
                    return await session.finish(record)

            return tuple(await asyncio.gather(*map(finish, unfinished)))

    def resume(self) -> tuple[Outcome | TaskRecord, ...]:
        """Finish every paid task; see :meth:`aresume`."""
        return blocking.run(self.aresume())

    # -- pictures ----------------------------------------------------------------------------------

    def read_asset(self, asset: Asset) -> bytes:
        """The bytes of a picture of a conversion; blocking.

        Raises:
            FileNotFoundError: The store does not hold it any more.
        """
        return self._open_store().read_asset(asset)

    def _read(self, options: ParseOptions | None) -> ParseOptions:
        """Read options as the service has them; refuses what it does not do."""
        return service(self._provider).options(options)

    def _find(self, sources: object, fs: Any) -> Iterator[SourceRef | Outcome]:
        suffixes = service(self._provider).suffixes
        return find_all(sources, storage_options=self._storage_options, fs=fs, suffixes=suffixes)

    # -- life --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._sessions.enter()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._sessions.leave()

    def __enter__(self) -> Self:
        blocking.run(self.__aenter__())
        self._held += 1
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections that ``with`` keeps; nothing happens otherwise."""
        while self._held:
            self._held -= 1
            blocking.run(self._sessions.leave())

    def __getstate__(self) -> dict[str, Any]:
        """Configuration only: no connections, and no keys either.

        A copy in another process takes its key from the environment.
        """
        state = self.__dict__.copy()
        ours = ("_lock", "_sessions", "_store", "_budget", "_commits", "_refusals", "_clock")
        for name in (*ours, "on_progress"):
            state.pop(name)
        state["_keys"] = ()
        state["_max_points"] = self._budget.max_points
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        max_points = state.pop("_max_points")
        self.__dict__.update(state)
        self._budget = Budget(max_points)
        self._commits = CommitLocks()
        self._clock = Clock()
        self.on_progress = None
        self._keys = read_keys(None, environment=service(self._provider).key_variable)
        self._lock = threading.Lock()
        self._sessions = Sessions(self._open)
        self._refusals = Refusals()
        self._store = None
        self._held = 0

    @asynccontextmanager
    async def _session(
        self, options: ParseOptions | None = None, *, needs_key: bool = True
    ) -> AsyncIterator[ConversionPath]:
        """The open transport of the running loop, shared by all calls that run on it.

        Raises:
            ServiceError: ``options`` ask for a translation, which the embedded server has not.
        """
        if needs_key and not self._keys and not self._local:
            raise service(self._provider).no_key()
        path = await self._sessions.enter()
        try:
            if self._local and options is not None and options.translate_to is not None:
                (await in_thread(local_server)).check_translation()
            yield path
        finally:
            await self._sessions.leave()

    async def _open(self, stack: AsyncExitStack) -> ConversionPath:
        server = await in_thread(local_server) if self._local else None
        transport = await stack.enter_async_context(
            HttpTransport(
                self._origin,
                retry=self._retry,
                timeouts=self._timeouts,
                clock=self._clock,
                proxy=self._proxy,
                verify=self._ssl_context,
                in_process=server.clients if server is not None else None,
                refusals=self._refusals,
            )
        )
        return ConversionPath(
            Surroundings(
                provider=service(self._provider).make(transport, self._limits),
                base_url=self._origin.base if server is None else f"{LOCAL}:{server.engine}",
                store=await in_thread(self._open_store),
                keys=(server.key,) if server is not None else self._keys,
                limits=self._limits,
                polling=self._polling,
                retry=self._retry,
                archive_limits=self._archive_limits,
                budget=self._budget,
                commits=self._commits,
                on_ambiguous=self._on_ambiguous,
                clock=self._clock,
                resumable=not self._local,
                on_progress=self._tell,
            ),
            split=self._split,
        )

    def _tell(self, progress: Progress) -> None:
        if self.on_progress is not None:
            self.on_progress(progress)

    def _open_store(self) -> Store:
        with self._lock:
            if self._store is None:
                url = self._store_url
                if url is None:
                    folder = tempfile.TemporaryDirectory(prefix="zhiyipdf-store-")
                    weakref.finalize(self, folder.cleanup)
                    url = folder.name
                self._store = Store(url, self._storage_options)
            return self._store


async def _outcome(path: ConversionPath, options: ParseOptions, ref: SourceRef) -> Outcome:
    try:
        return Outcome(source=ref.uri, conversion=await path.convert(ref, options))
    except Exception as error:  # noqa: BLE001 - an outcome carries whatever went wrong
        return Outcome(source=ref.uri, error=error)
