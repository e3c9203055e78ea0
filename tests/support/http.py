"""A real HTTP server on loopback, with the odd habits of real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRoot:
    """The server.

    A path below ``/answer/<status>/`` is answered with that status; one below ``/cut/`` with
    half of the file ``cut/…`` and a Content-Length of all of it.

    Attributes:
        origin: Its base URL without a slash at the end.
        folder: The local folder that is ``/`` on the server; folders are listed.
        requests: ``METHOD /path?query`` of each request so far.
    """

    origin: str
    folder: Path
    requests: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        """The URL of a path below the folder."""
        return f"{self.origin}/{path.lstrip('/')}"


class _Files(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, requests: list[str], **options: object) -> None:
        self.requests = requests
        super().__init__(*args, **options)  # type: ignore[arg-type]  # passed through

    def send_head(self) -> object:  # type: ignore[override]  # the base class's type is private
        self.requests.append(f"{self.command} {self.path}")
        if self.path.startswith("/answer/"):
            self.send_error(int(self.path.split("/")[2]))
            return None
        return super().send_head()

    def copyfile(self, source: object, outputfile: object) -> None:
        if urlsplit(self.path).path.startswith("/cut/"):
            content = source.read()  # type: ignore[attr-defined]  # a file
            outputfile.write(content[: len(content) // 2])  # type: ignore[attr-defined]  # a file
            self.close_connection = True
            return
        super().copyfile(source, outputfile)  # type: ignore[type-var,misc]  # files

    def log_message(self, format: str, *args: object) -> None:
        """Tests read ``requests`` instead."""


@pytest.fixture(scope="session")
def http_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpRoot]:
    """A running HTTP server with an empty folder."""
    folder = tmp_path_factory.mktemp("http")
    requests: list[str] = []
    handler = partial(_Files, directory=str(folder), requests=requests)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield HttpRoot(
            origin=f"http://127.0.0.1:{server.server_address[1]}", folder=folder, requests=requests
        )
        server.shutdown()
        thread.join(timeout=10)
