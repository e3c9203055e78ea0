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
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Self

from zhiyipdf import blocking
from zhiyipdf.acquisition import Surroundings
from zhiyipdf.budget import Budget
from zhiyipdf.clock import Clock
from zhiyipdf.conversion import ConversionPath
from zhiyipdf.errors import AuthenticationError, ZhiyiPDFError
from zhiyipdf.evidence import CommitLocks
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
from zhiyipdf.policy import ArchiveLimits, Limits, Polling, Retry, Timeouts
from zhiyipdf.providers import Provider
from zhiyipdf.providers.zhiyipdf import BASE_URL, ZhiyiPDF
from zhiyipdf.sources import SourceRef, expand, public_uri
from zhiyipdf.store import Store, TaskRecord
from zhiyipdf.submission import OnAmbiguous
from zhiyipdf.threads import in_thread
from zhiyipdf.transport import HttpTransport, Origin

__all__ = ["Converter", "default_store"]

log = logging.getLogger(__name__)

LOCAL = "local"


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
        provider: ``"zhiyipdf"``.
        max_points: Points this converter may spend; an upload that would pass it is not started.
        on_ambiguous: What to do about an upload that was sent whole and not answered, when not
            even the balance proves whether it was paid: ``"raise"`` UploadOutcomeUnknown;
            ``"retry"``, which may pay twice; or a function that is given the error and says True
            to retry.
        storage_options: For fsspec, for sources and for the store.
        on_progress: Told of every step, on the event loop's thread.
        proxy: URL of an HTTP proxy; the usual environment variables are honoured without it.
        ssl_context: For other certificates than certifi's.
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
        provider: Literal["zhiyipdf"] = "zhiyipdf",
        max_points: int | None = None,
        on_ambiguous: OnAmbiguous = "raise",
        storage_options: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        polling: Polling | None = None,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        archive_limits: ArchiveLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        if provider != "zhiyipdf":
            raise ValueError(f"provider must be 'zhiyipdf', not {provider!r}")
        url = base_url or os.environ.get("ZHIYIPDF_BASE_URL") or BASE_URL
        self._local = url == LOCAL
        self._base_url = url
        self._origin = Origin.parse(LOCAL_URL if self._local else url)
        self._keys = read_keys(api_key)
        self._storage_options = dict(storage_options or {})
        self.on_progress = on_progress
        self._proxy = proxy
        self._ssl_context = ssl_context
        self._limits = limits or Limits()
        self._polling = polling or (LOCAL_POLLING if self._local else Polling())
        self._retry = retry or Retry()
        self._timeouts = timeouts or Timeouts()
        self._archive_limits = archive_limits or ArchiveLimits()
        self._clock = clock or Clock()
        self._budget = Budget(max_points)
        self._commits = CommitLocks()
        self._on_ambiguous: OnAmbiguous = on_ambiguous
        self.keeps_assets = store is not False
        self._store_url = None if store is False else _store_url(store)
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._live: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Live] = (
            weakref.WeakKeyDictionary()
        )
        self._owner = os.getpid()
        self._held = 0

    def __repr__(self) -> str:
        return f"Converter(base_url={self._base_url!r}, store={self._store_url!r})"

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
        async with self._session() as session:
            ref = await in_thread(partial(self._only, source, fs))
            return await session.path.convert(ref, options or ParseOptions())

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
        wanted = options or ParseOptions()

        async def opening(
            stack: AsyncExitStack,
        ) -> tuple[Callable[[SourceRef], Any], int]:
            session = await stack.enter_async_context(self._session())
            convert = partial(_outcome, session.path, wanted)
            # Beyond the tasks in flight a few more are being opened, looked up or unpacked.
            return convert, session.path.width + 3

        return OutcomeStream(self._refs(sources, fs), opening, ordered=ordered)

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
        wanted = options or ParseOptions()
        estimates: list[SourceEstimate] = []
        refused: list[tuple[str, str]] = []
        async with self._session(needs_key=False) as session:
            refs = self._refs(sources, fs)
            while (ref := await in_thread(partial(next, refs, None))) is not None:
                if isinstance(ref, Outcome):
                    refused.append((ref.source, str(ref.error)))
                    continue
                try:
                    estimates.append(await session.path.estimate(ref, wanted))
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
            return Balance(by_key=await session.path.balance())

    def balance(self) -> Balance:
        """Ask for the points left on every key; see :meth:`abalance`."""
        return blocking.run(self.abalance())

    # -- what is paid and not fetched ------------------------------------------------------------

    def tasks(self) -> tuple[TaskRecord, ...]:
        """Every paid task the store knows, the latest last; blocking, needs no key."""
        records = self._open_store().records()
        return tuple(sorted(records, key=lambda record: record.updated_at))

    async def aresume(self) -> tuple[Outcome | TaskRecord, ...]:
        """Finish every task that is paid for and not yet in the store; the PDFs are not needed.

        Returns:
            For each a record as it stands now, or an outcome that holds the error.
        """
        if self._local:
            return ()  # its tasks ended with their process
        paid, mine = ("accepted", "completed", "fetched"), self._origin.base
        records = await in_thread(self.tasks)
        unfinished = [r for r in records if r.state in paid and r.base_url == mine]
        if not unfinished:
            return ()
        async with self._session() as session:
            return tuple(
                await asyncio.gather(*(session.path.finish(record) for record in unfinished))
            )

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

    # -- life --------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self._enter(needs_key=False)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._leave()

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
            blocking.run(self._leave())

    def __getstate__(self) -> dict[str, Any]:
        """Configuration only: no connections, and no keys either.

        A copy in another process takes its key from ``ZHIYIPDF_API_KEY``.
        """
        state = self.__dict__.copy()
        for name in ("_lock", "_live", "_store", "_budget", "_commits", "_clock", "on_progress"):
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
        self._keys = read_keys(None)
        self._start_afresh()

    def _start_afresh(self) -> None:
        """Drop what belongs to another process without closing it: sockets are shared there."""
        self._lock = threading.Lock()
        self._live = weakref.WeakKeyDictionary()
        self._store = None
        self._owner = os.getpid()
        self._held = 0

    @asynccontextmanager
    async def _session(self, *, needs_key: bool = True) -> AsyncIterator[_Live]:
        """The open transport of the running loop, shared by all calls that run on it."""
        live = await self._enter(needs_key=needs_key)
        try:
            yield live
        finally:
            await self._leave()

    async def _enter(self, *, needs_key: bool) -> _Live:
        if needs_key and not self._keys and not self._local:
            raise AuthenticationError("there is no API key")
        loop = asyncio.get_running_loop()
        if self._owner != os.getpid():
            self._start_afresh()
        with self._lock:
            live = self._live.get(loop)
            if live is None:
                live = self._live[loop] = _Live()
        async with live.lock:
            if live.users == 0:
                live.opened = await self._open(live.stack)
            live.users += 1
        return live

    async def _leave(self) -> None:
        with self._lock:
            live = self._live[asyncio.get_running_loop()]
        async with live.lock:
            live.users -= 1
            if live.users == 0:
                live.opened = None
                stack, live.stack = live.stack, AsyncExitStack()
                await stack.aclose()

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
            )
        )
        provider: Provider = ZhiyiPDF(transport, self._limits)
        return ConversionPath(
            Surroundings(
                provider=provider,
                base_url=LOCAL if self._local else self._origin.base,
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
            )
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

    def _only(self, source: object, fs: Any) -> SourceRef:
        refs = expand(source, storage_options=self._storage_options, fs=fs)
        first = next(refs, None)
        if first is None:
            raise ValueError("there is no source to convert")
        if next(refs, None) is not None:
            raise ValueError(f"{first.uri} is one of several PDFs; use convert_many")
        return first

    def _refs(self, sources: object, fs: Any) -> Iterator[SourceRef | Outcome]:
        """Sources one by one; what cannot be found becomes an outcome in its place."""
        several = isinstance(sources, list | tuple | set | frozenset)
        for source in sources if several else (sources,):  # type: ignore[attr-defined]  # checked
            try:
                yield from expand(source, storage_options=self._storage_options, fs=fs)
            except (ZhiyiPDFError, OSError, ImportError, ValueError) as error:
                yield Outcome(source=_shown(source), error=error)


@dataclass(slots=True, weakref_slot=True)
class _Live:
    """What one event loop has open, and how many calls use it."""

    users: int = 0
    opened: ConversionPath | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def path(self) -> ConversionPath:
        if self.opened is None:
            raise RuntimeError("the converter is closed")
        return self.opened


LOCAL_POLLING = Polling(interval_min_s=0.05, interval_max_s=0.5, eager_s=2.0)
"""In this process a poll costs nothing, and the service's wish for 1 to 3 s does not apply."""


async def _outcome(path: ConversionPath, options: ParseOptions, ref: SourceRef) -> Outcome:
    try:
        return Outcome(source=ref.uri, conversion=await path.convert(ref, options))
    except Exception as error:  # noqa: BLE001 - an outcome carries whatever went wrong
        return Outcome(source=ref.uri, error=error)


def default_store() -> str:
    """The folder in the user's cache that keeps results when nothing else is said."""
    import platformdirs

    return platformdirs.user_cache_dir("zhiyipdf", appauthor=False)


def _store_url(store: str | os.PathLike[str] | None) -> str:
    return os.fspath(store) if store else os.environ.get("ZHIYIPDF_STORE") or default_store()


def _shown(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return public_uri(os.fspath(source))
    return f"<{type(source).__name__}>"
