"""Run the embedded server inside this process, without a socket and without a key of the user's."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhiyipdf.blocking import LoopThread
from zhiyipdf.errors import ServiceError
from zhiyipdf.models import Secret
from zhiyipdf.transport import InProcess
from zhiyipdf.transport.asgi import AsgiApplication, AsgiClients

if TYPE_CHECKING:
    from zhiyipdf.server.settings import TranslationEndpoint

__all__ = ["BASE_URL", "TRANSLATION_HINT", "LocalServer", "local_server"]

BASE_URL = "http://localhost"
"""What requests carry as their host; nothing listens there."""

POINTS = 1_000_000_000
TRANSLATION_HINT = (
    "Set ZHIYIPDF_TRANSLATION_URL to an OpenAI-compatible endpoint, ZHIYIPDF_TRANSLATION_MODEL to "
    "one of its models and, if it wants one, ZHIYIPDF_TRANSLATION_KEY."
)
START_S = 60.0
STOP_S = 10.0


class LocalServer:
    """The embedded server on a private event loop of this process.

    Its folder is temporary: results live in the store, not here.

    Args:
        translation: Endpoint that translates; None refuses translations.

    Raises:
        ImportError: The extra ``local`` is not installed.
    """

    def __init__(self, translation: TranslationEndpoint | None = None) -> None:
        _require_extra()
        from zhiyipdf.server.accounts import add_key
        from zhiyipdf.server.app import create_app
        from zhiyipdf.server.database import open_database
        from zhiyipdf.server.settings import ServerSettings

        self._folder = Path(tempfile.mkdtemp(prefix="zhiyipdf-local-"))
        self.translates = translation is not None
        settings = ServerSettings(folder=self._folder, translation=translation)
        with open_database(settings.folder) as database:
            self.key = Secret(add_key(database, points=POINTS, name="local").key)
        self._loop = LoopThread(name="zhiyipdf-local-server")
        app = create_app(settings)
        self._lifespan = _Lifespan(app)
        self._loop.submit(self._lifespan.start()).result(START_S)
        self.clients: InProcess = AsgiClients(app, self._loop.submit)
        # At the interpreter's end the folder goes; the workers end by themselves when their
        # input closes.
        self._finalizer = weakref.finalize(self, _remove, self._folder, os.getpid())

    @property
    def engine(self) -> str:
        """What converts here and in which version: another one makes another result."""
        import importlib.metadata

        from zhiyipdf.server.ocr import ocr_is_installed

        # With OCR, Doc2X reads scanned pages that are pictures without it.
        names = ["liteparse", *(["rapidocr"] if ocr_is_installed() else [])]
        return "+".join(f"{name}-{importlib.metadata.version(name)}" for name in names)

    def check_translation(self) -> None:
        """Refuse at once what would be refused for every PDF.

        Raises:
            ServiceError: No endpoint for translations is configured.
        """
        if not self.translates:
            raise ServiceError(
                "the embedded server has no endpoint to translate with", hint=TRANSLATION_HINT
            )

    def close(self) -> None:
        """Stop the workers and remove the folder."""
        self._loop.submit(self._lifespan.stop()).result(STOP_S)
        self._loop.close()
        self._finalizer()


class _Lifespan:
    """The ASGI lifespan protocol (ASGI specification, "Lifespan Protocol"), driven from outside."""

    def __init__(self, app: AsgiApplication) -> None:
        self._app = app
        self._to_app: asyncio.Queue[dict[str, Any]] | None = None
        self._from_app: asyncio.Queue[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._to_app, self._from_app = asyncio.Queue(), asyncio.Queue()
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.create_task(
            self._run(scope, self._to_app, self._from_app), name="zhiyipdf-local-lifespan"
        )
        await self._exchange("lifespan.startup")

    async def stop(self) -> None:
        await self._exchange("lifespan.shutdown")
        if self._task is not None:
            await self._task

    async def _exchange(self, kind: str) -> None:
        if self._to_app is None or self._from_app is None:
            raise RuntimeError("the embedded server was not started")
        await self._to_app.put({"type": kind})
        answer = await self._from_app.get()
        if answer["type"] != f"{kind}.complete":
            raise RuntimeError(f"the embedded server: {answer.get('message') or kind + ' failed'}")

    async def _run(
        self,
        scope: dict[str, Any],
        to_app: asyncio.Queue[dict[str, Any]],
        from_app: asyncio.Queue[Any],
    ) -> None:
        try:
            await self._app(scope, to_app.get, from_app.put)
        except Exception as error:  # noqa: BLE001 - carried to whoever waits
            await from_app.put({"type": "lifespan.startup.failed", "message": str(error)})


class _Shared:
    """The one server of this process, made anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: tuple[int, LocalServer] | None = None
        if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
            os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock, self._live = threading.Lock(), None

    def get(self) -> LocalServer:
        with self._lock:
            if self._live is None or self._live[0] != os.getpid():
                self._live = (os.getpid(), LocalServer(_translation_from_environment()))
            return self._live[1]


# Worker processes are worth sharing: every loader of a process uses the same ones.
_shared = _Shared()


def local_server() -> LocalServer:
    """The embedded server of this process, started by the first call; blocking.

    Raises:
        ImportError: The extra ``local`` is not installed.
    """
    return _shared.get()


def _translation_from_environment() -> TranslationEndpoint | None:
    url = os.environ.get("ZHIYIPDF_TRANSLATION_URL")
    if not url:
        return None
    from zhiyipdf.server.settings import TranslationEndpoint

    try:
        return TranslationEndpoint(
            base_url=url,
            model=os.environ.get("ZHIYIPDF_TRANSLATION_MODEL", ""),
            key=os.environ.get("ZHIYIPDF_TRANSLATION_KEY", ""),
        )
    except ValueError as error:
        raise ServiceError(f"{error}", hint=TRANSLATION_HINT) from error


def _require_extra() -> None:
    needed = ("starlette", "python_multipart", "liteparse")
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"the embedded server needs {', '.join(missing)}: pip install 'zhiyipdf[local]'"
        )


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must not take the parent's folder away
        shutil.rmtree(folder, ignore_errors=True)
