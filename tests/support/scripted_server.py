"""An HTTP server on a raw socket that does exactly what its script says, faults included.

Most faults that cost money cannot be seen through a mocked transport: resets, early answers,
half-sent bodies. After urllib3's SocketDummyServerTestCase.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Seen:
    """A request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    peer: int = 0
    connection: int = 0
    body: bytes = field(default=b"", repr=False)
    complete: bool = False


class Wire:
    """One connection in the hands of a move."""

    def __init__(self, connection: socket.socket, seen: Seen, rest: bytes) -> None:
        self.connection = connection
        self.seen = seen
        self.seen.body = rest

    @property
    def declared(self) -> int:
        return int(self.seen.headers.get("content-length", "0"))

    def read_body(self, most: int | None = None) -> None:
        wanted = self.declared if most is None else min(most, self.declared)
        body = bytearray(self.seen.body)
        try:
            while len(body) < wanted and (piece := self.connection.recv(65536)):
                body += piece
        finally:
            self.seen.body = bytes(body)
            self.seen.complete = len(body) >= self.declared

    def send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        head = [f"HTTP/1.1 {status} Scripted"]
        named = {"connection": "close", **headers}  # one request a connection: no guessing
        head += [f"{name}: {value}" for name, value in named.items()]
        self.connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Move = Callable[[Wire], None]


def answer(
    status: int, payload: object = None, *, body: bytes | None = None, **headers: str
) -> Move:
    """Read the whole request, then answer; ``retry_after=…`` becomes ``retry-after: …``."""

    def move(wire: Wire) -> None:
        wire.read_body()
        content = json.dumps(payload, ensure_ascii=False).encode() if body is None else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        wire.send(status, content, {"content-length": str(len(content)), **named})

    return move


def answer_before_the_body(status: int, payload: object) -> Move:
    """Answer without reading, and slam the door: unread bytes make the close a reset."""

    def move(wire: Wire) -> None:
        content = json.dumps(payload).encode()
        wire.send(status, content, {"content-length": str(len(content))})

    return move


def reset_after(count: int) -> Move:
    """Take so many bytes of the body, then reset the connection."""

    def move(wire: Wire) -> None:
        wire.read_body(count)
        wire.reset()

    return move


def reset_after_the_body() -> Move:
    """Take all of the request, then reset the connection without an answer."""

    def move(wire: Wire) -> None:
        wire.read_body()
        wire.reset()

    return move


def cut_answer(status: int, body: bytes, sent: int) -> Move:
    """Promise the whole body and send a part of it."""

    def move(wire: Wire) -> None:
        wire.read_body()
        wire.send(status, body[:sent], {"content-length": str(len(body))})

    return move


@dataclass
class ScriptedServer:
    """Answers each path with its next move; the last move repeats."""

    script: dict[str, deque[Move]] = field(default_factory=lambda: defaultdict(deque))
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, path: str, *moves: Move) -> None:
        """Script a path (without its query)."""
        self.script[path] = deque(moves)

    def requests(self, path: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.target.partition("?")[0] == path]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # A thread that waits in accept() would take one more connection.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._one(connection)
        except OSError:
            return

    def _one(self, connection: socket.socket) -> None:
        wire = self._receive(connection)
        if wire is not None:
            self._next_move(wire.seen)(wire)

    def _receive(self, connection: socket.socket) -> Wire | None:
        """Read a request up to its body; None if the client has gone."""
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return None
            received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        seen = Seen(method, target, headers, connection.getpeername()[1])
        with self._lock:
            self.seen.append(seen)
        return Wire(connection, seen, rest)

    def _next_move(self, seen: Seen) -> Move:
        with self._lock:
            moves = self.script[seen.target.partition("?")[0]]
            return moves.popleft() if len(moves) > 1 else (moves[0] if moves else answer(404, {}))
