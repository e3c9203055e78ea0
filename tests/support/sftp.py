"""A real SFTP server on loopback (asyncssh)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "reader", "open-sesame!1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sftp:
    """The server.

    Attributes:
        port: On 127.0.0.1.
        root: The local folder that is ``/`` on the server.
    """

    port: int
    root: Path

    @property
    def storage_options(self) -> dict[str, Any]:
        """For fsspec: the login, and no keys of whoever runs the tests."""
        return {
            "username": USER,
            "password": PASSWORD,
            "port": self.port,
            "look_for_keys": False,
            "allow_agent": False,
        }

    def url(self, path: str) -> str:
        """The ``sftp://`` URL of a path below the root, without the login."""
        return f"sftp://127.0.0.1/{path.lstrip('/')}"

    def fs(self) -> Any:
        """An fsspec filesystem of this server."""
        import fsspec

        return fsspec.filesystem("sftp", host="127.0.0.1", **self.storage_options)


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sftp]:
    """A running SFTP server with an empty folder."""
    import asyncssh

    root = tmp_path_factory.mktemp("sftp")
    started: Future[int] = Future()

    connections: list[asyncssh.SSHServerConnection] = []

    class Login(asyncssh.SSHServer):
        def connection_made(self, connection: asyncssh.SSHServerConnection) -> None:
            connections.append(connection)

        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    async def serve(stop: asyncio.Event) -> None:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Login,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
        )
        started.set_result(server.get_port())
        await stop.wait()
        server.close()
        for connection in connections:  # fsspec keeps its own open as long as the process lives
            connection.abort()
            await connection.wait_closed()

    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(stop),), daemon=True)
    thread.start()
    yield Sftp(port=started.result(timeout=30), root=root)
    loop.call_soon_threadsafe(stop.set)
    thread.join(timeout=10)
    loop.close()
