"""The embedded server on a real socket: in a thread of the test, or in a process to be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.app import create_app
from zhiyipdf.server.database import open_database
from zhiyipdf.server.service import Service
from zhiyipdf.server.settings import ServerSettings

PREFIX = "/api/pdf-to-markdown-proxy"
PATIENCE_S = 30.0


@dataclass
class Api:
    """Calls as a stranger would make them, who knows the API document and no code of ours."""

    base: str
    key: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_S))

    def parse(
        self, content: bytes, *, name: str = "document.pdf", key: str | None = None, **fields: str
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if "idempotency_key" in fields:
            headers["Idempotency-Key"] = fields.pop("idempotency_key")
        files = {"file": (name, content, "application/pdf")}
        return self.http.post(
            f"{self.base}{PREFIX}/parse", files=files, data=fields, headers=headers
        )

    def get(self, path: str, *, key: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return self.http.get(f"{self.base}{PREFIX}{path}", headers=headers)

    def submit(self, content: bytes, **fields: str) -> dict[str, Any]:
        response = self.parse(content, **fields)
        assert response.status_code == 200, response.text
        return response.json()

    def status(self, task_id: str) -> dict[str, Any]:
        return self.get(f"/status/{task_id}").json()

    def points(self) -> int:
        return self.get("/balance").json()["points"]

    def wait(self, task_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while not until(answer := self.status(task_id)):
            assert time.monotonic() < deadline, answer
            time.sleep(0.01)
        return answer

    def finish(self, task_id: str) -> dict[str, Any]:
        return self.wait(task_id, lambda answer: answer["status"] in {"completed", "failed"})

    def convert(self, content: bytes, **fields: str) -> bytes:
        task_id = self.submit(content, **fields)["task_id"]
        answer = self.finish(task_id)
        assert answer["status"] == "completed", answer
        return self.get(f"/download/{task_id}").content


@dataclass
class Running(Api):
    """A server in a thread; its settings and service are for looking behind the wire."""

    settings: ServerSettings = field(kw_only=True)
    service: Service = field(kw_only=True)

    def new_key(self, points: int) -> str:
        with open_database(self.settings.folder) as database:
            return add_key(database, points=points).key


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


@contextmanager
def running(
    settings: ServerSettings, *, points: int = 1000, clock: Callable[[], float] = time.time
) -> Iterator[Running]:
    with open_database(settings.folder) as database:
        key = add_key(database, points=points).key
    app = create_app(settings, clock=clock)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = _Server(
            uvicorn.Config(app, lifespan="on", log_config=None, access_log=False, ws="none")
        )
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        assert server.up.wait(PATIENCE_S), "the server did not start"
        api = Running(f"http://127.0.0.1:{port}", key, settings=settings, service=app.state.service)
        try:
            yield api
        finally:
            api.http.close()
            server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server did not stop"


PROGRAM = """
import socket, sys, uvicorn
from pathlib import Path
from zhiyipdf.server.app import create_app
from zhiyipdf.server.settings import ServerSettings
settings = ServerSettings(folder=Path(sys.argv[1]), engine=sys.argv[2], workers=1)
listener = socket.create_server(("127.0.0.1", 0))
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(listener.getsockname()[1], flush=True)
Server(uvicorn.Config(create_app(settings), log_config=None, access_log=False)).run([listener])
"""


@contextmanager
def process(folder: Path, engine: str, key: str) -> Iterator[tuple[Api, subprocess.Popen[str]]]:
    """A server in a process of its own, with one worker."""
    paths = [str(Path(entry).resolve()) for entry in sys.path if entry]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), engine],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    ) as child:
        try:
            assert child.stdout is not None
            port = int(child.stdout.readline())
            api = Api(f"http://127.0.0.1:{port}", key)
            yield api, child
            api.http.close()
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGKILL)
