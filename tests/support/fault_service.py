"""ZhiyiPDF's whole API on raw sockets, with a ledger, failing exactly as a test asks it to.

Every request is answered honestly unless a fault is queued for its kind: ``upload``, ``status``,
``download`` or ``balance``. The ledger knows what was charged for which PDF, so that a test can say
whether somebody paid twice.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import socket
import ssl
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from support.archives import PNG, real_zip
from support.scripted_server import Move, ScriptedServer, Seen, Wire

API = "/api/pdf-to-markdown-proxy"
POINTS_PER_PAGE = {False: 2, True: 3}  # with a translation: True
LONG_ENOUGH_S = 30.0  # for a door that is held open: no test waits so long

Kind = Literal["upload", "status", "download", "balance"]
Fault = Callable[["FaultService", Wire], None]
Framing = Literal["length", "chunked", "close"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Points taken for one upload."""

    sha256: str
    points: int
    task_id: str
    key: str
    idempotency_key: str


@dataclass(slots=True, kw_only=True)
class Task:
    """One task of the service."""

    id: str
    sha256: str
    points: int
    key: str
    polls_left: int
    archive: bytes
    code: str | None = None
    refunded: bool = False
    done: bool = False


@dataclass(repr=False)
class FaultService(ScriptedServer):
    """The service.

    Attributes:
        start: Points on each key at first.
        polls: How often a task is asked for before it is done.
        honours_idempotency: Whether a repeated ``Idempotency-Key`` gives the first task again.
        keep_alive: Whether connections are kept, and closed after ``idle_s`` without a request.
        idle_s: See above.
        tls: A server's TLS context, to speak https.
        most_tasks: Unfinished tasks of a key above which an upload gets 429.
        refused_keys: Keys that are answered with 401.
        code: An error code that every new task fails with.
        archive: What the next tasks make; a small real ZIP that names the PDF's hash if None.
    """

    start: int = 10_000
    polls: int = 1
    honours_idempotency: bool = False
    keep_alive: bool = False
    idle_s: float = 5.0
    tls: ssl.SSLContext | None = None
    most_tasks: int | None = None
    refused_keys: set[str] = field(default_factory=set)
    code: str | None = None
    archive: bytes | None = None

    def __post_init__(self) -> None:
        self.charges: list[Charge] = []
        self.refunds: list[Charge] = []
        self.tasks: dict[str, Task] = {}
        self.foreign = 0  # points that other clients of the key took
        self.handshakes = 0
        self.connections = 0
        self.stopped = threading.Event()
        self._queues: dict[Kind, deque[Fault]] = defaultdict(deque)
        self._always: dict[Kind, Fault] = {}
        self._books = threading.RLock()
        super().__post_init__()
        # A small window: what a client hands out is not far ahead of what is read here.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        if self.tls is not None:
            self.url = f"https://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.stopped.set()
        super().close()

    # -- faults ------------------------------------------------------------------------------------

    def queue(self, kind: Kind, *faults: Fault) -> None:
        """Let the next requests of a kind meet these faults, then be answered honestly."""
        self._queues[kind].extend(faults)

    def always(self, kind: Kind, fault: Fault | None) -> None:
        """Let every request of a kind meet this fault when its queue is empty; None ends it."""
        if fault is None:
            self._always.pop(kind, None)
        else:
            self._always[kind] = fault

    def forgive(self) -> None:
        """Forget the faults that nothing has met yet."""
        self._queues.clear()

    # -- the ledger --------------------------------------------------------------------------------

    def points(self, key: str | None = None) -> int:
        """Points left on a key, or on the only one."""
        with self._books:
            mine = [c for c in self.charges if key is None or c.key == key]
            back = [c for c in self.refunds if key is None or c.key == key]
            return self.start - self.foreign + sum(c.points for c in back) - sum(
                c.points for c in mine
            )  # fmt: skip

    def charges_by_pdf(self) -> Counter[str]:
        """Charges of each PDF that were not returned, by the PDF's SHA-256."""
        with self._books:
            count = Counter(charge.sha256 for charge in self.charges)
            count.subtract(charge.sha256 for charge in self.refunds)
            return count

    @property
    def uploads(self) -> int:
        """Requests for an upload, however they ended."""
        return len(self.of("upload"))

    def of(self, kind: Kind) -> list[Seen]:
        """The requests of a kind."""
        return [seen for seen in list(self.seen) if _kind(seen) == kind]

    def charge_as_another_client(self, points: int) -> None:
        """Let another client of the key spend points."""
        with self._books:
            self.foreign += points

    def refund(self, task: Task) -> None:
        """Give the points of a task back, once."""
        with self._books:
            if not task.refunded:
                task.refunded = True
                (charge,) = (c for c in self.charges if c.task_id == task.id)
                self.refunds.append(charge)

    # -- honest answers ----------------------------------------------------------------------------

    def process(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        """Read an upload, charge for it and make a task.

        Returns:
            HTTP status and payload of the answer.
        """
        wire.read_body()
        if not wire.seen.complete:
            return 400, {"success": False, "error_code": "no_file_found"}
        form = parse_form(wire.seen)
        wire.seen.body = b""  # hundreds of uploads would pile up
        pdf = form["file"]
        translated = form.get("enable_translation") == b"true"
        points = len(re.findall(rb"/Type /Page\b", pdf)) * POINTS_PER_PAGE[translated]
        key, again = _key(wire.seen), wire.seen.headers.get("idempotency-key", "")
        with self._books:
            if key in self.refused_keys:
                return 401, {"success": False, "error_code": "invalid_api_key"}
            busy = [t for t in self.tasks.values() if t.key == key and not t.done]
            if self.most_tasks is not None and len(busy) >= self.most_tasks:
                return 429, {"success": False, "message": "too many tasks"}
            left = self.points(key)
            first = next((c for c in self.charges if c.idempotency_key == again), None)
            if first is not None and self.honours_idempotency:
                return 200, self._accepted(self.tasks[first.task_id], left)
            if left < points:
                return 402, {
                    "success": False,
                    "error_code": "insufficient_points",
                    "points_required": points,
                    "current_points": left,
                }
            task = self._new_task(hashlib.sha256(pdf).hexdigest(), points, key, again)
            return 200, self._accepted(task, left - points)

    def _new_task(self, sha256: str, points: int, key: str, idempotency_key: str) -> Task:
        number = len(self.tasks) + 1
        task = Task(
            id=f"task-{number}",
            sha256=sha256,
            points=points,
            key=key,
            polls_left=self.polls,
            archive=archive_for(sha256) if self.archive is None else self.archive,
            code=self.code,
        )
        self.tasks[task.id] = task
        self.charges.append(
            Charge(
                sha256=sha256,
                points=points,
                task_id=task.id,
                key=key,
                idempotency_key=idempotency_key,
            )
        )
        return task

    def _accepted(self, task: Task, left: int) -> dict[str, Any]:
        return {
            "success": True,
            "task_id": task.id,
            "status": "processing",
            "message": "PDF处理任务已启动",
            "points_deducted": task.points,
            "remaining_points": left,
        }

    def status(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        """What the service says of the task that is asked for."""
        with self._books:
            task = self.tasks.get(wire.seen.target.rpartition("/")[2])
            if _key(wire.seen) in self.refused_keys:
                return 401, {"success": False, "error_code": "invalid_api_key"}
            if task is None or task.key != _key(wire.seen):
                return 404, {"success": False, "message": "任务不存在"}
            if task.polls_left > 1:
                task.polls_left -= 1
                return 200, {"success": True, "status": "processing", "progress": 45}
            task.done = True
            if task.code is not None:
                self.refund(task)
                failed = {"success": False, "status": "failed", "error_code": task.code}
                return 500, {**failed, "message": "失败"}
            return 200, completed(task.id)

    def _honest(self, wire: Wire, kind: Kind) -> None:
        if kind == "upload":
            self.reply(wire, *self.process(wire))
        elif kind == "status":
            self.reply(wire, *self.status(wire))
        elif kind == "balance":
            if _key(wire.seen) in self.refused_keys:
                self.reply(wire, 401, {"success": False, "error_code": "invalid_api_key"})
                return
            points = self.points(_key(wire.seen))
            self.reply(wire, 200, {"success": True, "points": points, "api_key": "sk-xxxxx…"})
        else:
            task = self.tasks.get(wire.seen.target.rpartition("/")[2])
            if task is None:
                self.reply(wire, 404, {"success": False, "message": "任务不存在"})
            else:
                self.reply(wire, 200, task.archive, **{"content-type": "application/zip"})

    def reply(self, wire: Wire, status: int, content: object, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {"content-length": str(len(body)), **headers}
        if self.keep_alive:
            named["connection"] = "keep-alive"
        wire.send(status, body, named)

    # -- connections -------------------------------------------------------------------------------

    def _serve(self, connection: socket.socket) -> None:
        if self.tls is not None:
            self.handshakes += 1
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        super()._serve(connection)

    def _one(self, connection: socket.socket) -> None:
        with self._books:
            self.connections += 1
            number = self.connections
        while (wire := self._receive(connection)) is not None:
            wire.seen.connection = number
            self._next_move(wire.seen)(wire)
            if not self.keep_alive:
                return
            connection.settimeout(self.idle_s)

    def _next_move(self, seen: Seen) -> Move:
        kind = _kind(seen)
        if kind is None:
            return super()._next_move(seen)
        with self._books:
            queue = self._queues[kind]
            fault = queue.popleft() if queue else self._always.get(kind)
        if fault is None:
            return lambda wire: self._honest(wire, kind)
        return lambda wire: fault(self, wire)


def parse_form(seen: Seen) -> dict[str, bytes]:
    """The parts of a ``multipart/form-data`` body (RFC 7578), by name."""
    boundary = seen.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = {}
    for part in seen.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name is not None, head
        parts[name[1].decode()] = content.removesuffix(b"\r\n")
    return parts


def archive_for(sha256: str) -> bytes:
    """A small real result; its Markdown names the PDF it was made of."""
    text = f'# {sha256}\n\n<img src="images/1-1.png" style="zoom:70%;" />\n'
    return real_zip({"paper.md": text.encode(), "images/1-1.png": PNG})


def completed(task_id: str, **result: object) -> dict[str, Any]:
    """The status of a task that is done."""
    return {
        "success": True,
        "status": "completed",
        "progress": 100,
        "message": "处理完成",
        "result": {"task_id": task_id, "download_url": f"{API}/download/{task_id}", **result},
    }


def _kind(seen: Seen) -> Kind | None:
    path = seen.target.partition("?")[0].removeprefix(API)
    if path == "/parse":
        return "upload"
    if path == "/balance":
        return "balance"
    if path.startswith("/status/"):
        return "status"
    return "download" if path.startswith("/download/") else None


def _key(seen: Seen) -> str:
    return seen.headers.get("authorization", "").removeprefix("Bearer ")


# -- faults: where in the request, and what then ---------------------------------------------------


def honestly(service: FaultService, wire: Wire) -> None:
    """No fault; fills a place in a queue."""
    kind = _kind(wire.seen)
    assert kind is not None
    service._honest(wire, kind)


def at_byte(count: int, end: Fault) -> Fault:
    """Read so many bytes of the body, then do ``end``; negative counts from the body's end."""

    def fault(service: FaultService, wire: Wire) -> None:
        wire.read_body(count if count >= 0 else wire.declared + count)
        end(service, wire)

    return fault


def after_body(end: Fault, *, processed: bool) -> Fault:
    """Read the whole request, charge for it or not, then do ``end``."""

    def fault(service: FaultService, wire: Wire) -> None:
        if processed:
            service.process(wire)
        else:
            wire.read_body()
        end(service, wire)

    return fault


def rst(_service: FaultService, wire: Wire) -> None:
    """Reset the connection."""
    wire.reset()


def fin(_service: FaultService, wire: Wire) -> None:
    """Close the connection without a word."""
    wire.connection.close()


def says(status: int, content: object, **headers: str) -> Fault:
    """Answer with this; ``retry_after=…`` becomes ``retry-after: …``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda service, wire: service.reply(wire, status, content, **named)


def html(status: int, **headers: str) -> Fault:
    """Answer as a gateway does."""
    return says(status, b"<html><h1>Bad Gateway</h1></html>", content_type="text/html", **headers)


def cut_json(service: FaultService, wire: Wire) -> None:
    """Answer an upload with half of a well-framed JSON object."""
    service.reply(wire, 200, b'{"success": true, "task')


def lingering(end: Fault) -> Fault:
    """Answer, then read what still comes before the connection is closed."""

    def fault(service: FaultService, wire: Wire) -> None:
        end(service, wire)
        wire.read_body()

    return fault


def staying_open(end: Fault) -> Fault:
    """Answer, read no more and never close."""

    def fault(service: FaultService, wire: Wire) -> None:
        end(service, wire)
        service.stopped.wait(LONG_ENOUGH_S)

    return fault


def held(end: Fault, *, reached: threading.Event, release: threading.Event) -> Fault:
    """Tell the test that this point is reached, and go on when it says so."""

    def fault(service: FaultService, wire: Wire) -> None:
        reached.set()
        release.wait(LONG_ENOUGH_S)
        end(service, wire)

    return fault


def silence(service: FaultService, _wire: Wire) -> None:
    """Say nothing and keep the connection open."""
    service.stopped.wait(LONG_ENOUGH_S)


def reading_slowly(end: Fault, *, reached: threading.Event) -> Fault:
    """Tell the test when the body has begun, and read the rest in small sips."""

    def fault(service: FaultService, wire: Wire) -> None:
        wire.read_body(1_000_000)
        reached.set()
        while not wire.seen.complete and not service.stopped.wait(0.005):
            before = len(wire.seen.body)
            wire.read_body(before + 65536)
            if len(wire.seen.body) == before:
                return  # the client has gone
        end(service, wire)

    return fault


# -- faults of downloads ---------------------------------------------------------------------------


def _archive(service: FaultService, wire: Wire) -> bytes:
    return service.tasks[wire.seen.target.rpartition("/")[2]].archive


def _begin(wire: Wire, **headers: str) -> None:
    wire.send(200, b"", {name.replace("_", "-"): value for name, value in headers.items()})


def cut_download(percent: int, framing: Framing) -> Fault:
    """Serve so much of the result, then close; only two of the framings show that it is cut."""

    def fault(service: FaultService, wire: Wire) -> None:
        whole = _archive(service, wire)
        part = whole[: len(whole) * percent // 100]
        if framing == "length":
            _begin(wire, content_length=str(len(whole)))
        elif framing == "chunked":
            _begin(wire, transfer_encoding="chunked")
            part = b"%x\r\n%s\r\n" % (len(part), part) if part else b""
        else:
            _begin(wire)
        wire.connection.sendall(part)

    return fault


def dripping(interval_s: float) -> Fault:
    """Serve the result byte by byte."""

    def fault(service: FaultService, wire: Wire) -> None:
        whole = _archive(service, wire)
        _begin(wire, content_length=str(len(whole)))
        for byte in whole:
            if service.stopped.wait(interval_s):
                return
            wire.connection.sendall(bytes([byte]))

    return fault


def gzip_bomb(size: int) -> Fault:
    """Answer with a body that unpacks to so many zeros."""
    packed = gzip.compress(bytes(size))
    return says(200, packed, content_encoding="gzip", content_type="application/zip")


def endless(on_piece: Callable[[int], None] = lambda _sent: None) -> Fault:
    """Answer without an end, until the client has had enough; ``on_piece`` is told bytes sent."""

    def fault(service: FaultService, wire: Wire) -> None:
        wire.read_body()
        _begin(wire, content_type="application/zip")
        piece, sent = bytes(1 << 20), 0
        while not service.stopped.is_set() and sent < 1 << 30:
            wire.connection.sendall(piece)
            sent += len(piece)
            on_piece(sent)

    return fault
