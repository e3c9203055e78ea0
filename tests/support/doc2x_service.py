"""Doc2X's second API on raw sockets, with a ledger, failing exactly as a test asks it to.

Written from the wire notes, section 5.2; shares no code with the client or the embedded server.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from support.archives import PNG
from support.scripted_server import Move, ScriptedServer, Seen, Wire

Kind = Literal[
    "preupload", "put", "status", "picture", "image", "image_now", "image_status", "export", "file"
]
Fault = Callable[["Doc2XService", Wire], None]
SIGNATURE = "X-Amz-Signature=5e7d0c4a9b"
FIGURE = '<img src="{cdn}"/>'


@dataclass(slots=True, kw_only=True)
class Task:
    """One uid."""

    uid: str
    key: str
    model: str
    polls_left: int
    pdf: bytes | None = None
    code: str | None = None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.pdf or b"").hexdigest()


@dataclass(repr=False)
class Doc2XService(ScriptedServer):
    """The service, its object store and its CDN.

    Attributes:
        polls: How often a task is asked for before it is done.
        throttled: How often a new task is answered with a throttle code first.
        unseen: How often a new task is answered with ``parse_status_not_found`` first.
        code: A code that every new task fails with.
        refused_keys: Keys that are answered with 401.
        most_tasks: Unfinished tasks of a key above which a preupload is throttled.
        pages: What the next results hold, instead of pages that name their PDF.
        picture: What the CDN serves.
    """

    polls: int = 1
    throttled: int = 0
    unseen: int = 0
    code: str | None = None
    refused_keys: set[str] = field(default_factory=set)
    most_tasks: int | None = None
    pages: list[dict[str, Any]] | None = None
    picture: bytes = PNG
    image_zip: str | None = None

    def __post_init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.charged: list[str] = []  # SHA-256 of a PDF for each uid that was charged
        self.used: set[str] = set()  # uids whose signed URL was answered with 200
        self.exports: dict[str, str] = {}
        self._numbers = itertools.count()
        self._queues: dict[Kind, deque[Fault]] = defaultdict(deque)
        self._books = threading.RLock()
        super().__post_init__()

    # -- faults and ledger -------------------------------------------------------------------------

    def queue(self, kind: Kind, *faults: Fault) -> None:
        """Let the next requests of a kind meet these faults, then be answered honestly."""
        self._queues[kind].extend(faults)

    def of(self, kind: Kind) -> list[Seen]:
        """The requests of a kind."""
        return [seen for seen in list(self.seen) if kind_of(seen) == kind]

    def charges_by_pdf(self) -> Counter[str]:
        with self._books:
            return Counter(self.charged)

    # -- honest answers ----------------------------------------------------------------------------

    def ok(self, **data: Any) -> tuple[int, dict[str, Any]]:
        return 200, {"code": "success", "data": data}

    def preupload(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        wire.read_body()
        key = key_of(wire.seen)
        if key in self.refused_keys:
            return 401, {"code": "unauthorized", "msg": "bad key"}
        model = json.loads(wire.seen.body or b"{}").get("model", "v2")
        if model not in ("v2", "v3-2026"):
            return 200, {"code": "parse_create_task_error", "msg": "model"}
        with self._books:
            live = [t for t in self.tasks.values() if t.key == key and t.pdf and t.polls_left]
            if self.most_tasks is not None and len(live) >= self.most_tasks:
                return 200, {"code": "parse_task_limit_exceeded", "msg": "busy"}
            uid = f"0192d745-5776-7261-abbd-{next(self._numbers):012d}"
            self.tasks[uid] = Task(
                uid=uid, key=key, model=model, polls_left=self.polls, code=self.code
            )
        return self.ok(uid=uid, url=f"{self.url}/store/{uid}.pdf?{SIGNATURE}\\u0026a=1")

    def store(self, wire: Wire) -> int:
        """Take an object; gives the HTTP status."""
        wire.read_body()
        parts = urlsplit(wire.seen.target)
        uid = parts.path.removeprefix("/store/").removesuffix(".pdf")
        if not wire.seen.complete or parts.query != f"{SIGNATURE}&a=1":
            return 403
        with self._books:
            if uid in self.used or uid not in self.tasks:
                return 403
            self.used.add(uid)
            task = self.tasks[uid]
            task.pdf = wire.seen.body
            self.charged.append(task.sha256)
        return 200

    def status(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        wire.read_body()
        query = parse_qs(urlsplit(wire.seen.target).query)
        task = self.tasks.get(query.get("uid", [""])[0])
        if key_of(wire.seen) in self.refused_keys:
            return 401, {"code": "unauthorized", "msg": "bad key"}
        with self._books:
            known = task is not None and task.key == key_of(wire.seen) and task.pdf is not None
            if task is None or not known or self.unseen:
                self.unseen -= known
                return 200, {"code": "parse_status_not_found", "msg": "?"}
            return self.progress(task)

    def progress(self, task: Task) -> tuple[int, dict[str, Any]]:
        """How a task stands whose file is there."""
        if self.throttled:
            self.throttled -= 1
            return 200, {"code": "parse_concurrency_limit", "msg": "busy"}
        if task.polls_left > 1:
            task.polls_left -= 1
            return self.ok(status="processing", progress=40, detail="")
        task.polls_left = 0
        if task.code is not None:
            return 200, {"code": task.code, "msg": "no"}
        pages = self.pages_of(task) if self.pages is None else self.pages
        result = {"version": "v1", "pages": pages}
        return self.ok(status="success", progress=100, detail="", result=result)

    def cdn(self, uid: str, page: int) -> str:
        """Address of a figure, as the service's Markdown has it."""
        return f"{self.url}/cdn/{uid}_{page}.jpg?x=1&y=2&w=3&h=4&r=0"

    def pages_of(self, task: Task) -> list[dict[str, Any]]:
        count = len(re.findall(rb"/Type ?/Page\b", task.pdf or b"")) or 1
        return [
            {
                "url": "",
                "page_idx": number,
                "page_width": 1700,
                "page_height": 2200,
                "md": f"# Page {number + 1}\n\nText of {task.sha256}, \\(x_{number}\\)\n"
                + (f"\n{FIGURE.format(cdn=self.cdn(task.uid, 0))}\n" if number == 0 else ""),
                "score": 89,
            }
            for number in range(count)
        ]

    def honest(self, wire: Wire, kind: Kind) -> None:
        if kind == "preupload":
            self.reply(wire, *self.preupload(wire))
        elif kind == "put":
            self.reply(wire, self.store(wire), b"")
        elif kind == "status":
            self.reply(wire, *self.status(wire))
        elif kind == "picture":
            wire.read_body()
            self.reply(wire, 200, self.picture)
        elif kind == "image":
            self.reply(wire, *self.image(wire))
        elif kind == "image_now":
            status, answer = self.image(wire)
            if status == 200:
                answer["data"] |= self.image_result()
            self.reply(wire, status, answer)
        elif kind == "image_status":
            wire.read_body()
            self.reply(wire, *self.ok(status="success", **self.image_result()))
        elif kind == "export":
            self.reply(wire, *self.export(wire))
        else:
            wire.read_body()
            self.reply(wire, 200, b"PK\x03\x04 of " + urlsplit(wire.seen.target).path.encode())

    def image(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        wire.read_body()
        if key_of(wire.seen) in self.refused_keys:
            return 401, {"code": "unauthorized", "msg": "bad key"}
        self.charged.append(hashlib.sha256(wire.seen.body).hexdigest())
        return self.ok(uid=f"0192d745-0000-7261-abbd-{len(self.charged):012d}")

    def image_result(self) -> dict[str, Any]:
        page = {"page_width": 1000, "page_height": 800, "md": "# Read\n\n\\(E=mc^2\\)\n"}
        return {"result": {"pages": [page]}, "convert_zip": self.image_zip}

    def export(self, wire: Wire) -> tuple[int, dict[str, Any]]:
        """One slot for each uid: the last format that was asked for."""
        wire.read_body()
        if wire.seen.method == "POST":
            asked = json.loads(wire.seen.body)
            suffix = "docx" if asked["to"] == "docx" else "zip"
            self.exports[asked["uid"]] = f"convert_{asked['to']}_any.{suffix}"
            return self.ok(status="processing", url="")
        uid = parse_qs(urlsplit(wire.seen.target).query)["uid"][0]
        url = f"{self.url}/objects/{uid}/{self.exports[uid]}?{SIGNATURE}\\u0026b=2"
        return self.ok(status="success", url=url)

    def reply(self, wire: Wire, status: int, content: object, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        named = {"content-length": str(len(body)), "trace-id": "trace-4711", **headers}
        wire.send(status, body, named)

    def _next_move(self, seen: Seen) -> Move:
        kind = kind_of(seen)
        if kind is None:
            return super()._next_move(seen)
        with self._books:
            queue = self._queues[kind]
            fault = queue.popleft() if queue else None
        if fault is None:
            return lambda wire: self.honest(wire, kind)
        return lambda wire: fault(self, wire)


def kind_of(seen: Seen) -> Kind | None:
    path = urlsplit(seen.target).path
    documented: dict[tuple[str, str], Kind] = {
        ("POST", "/api/v2/parse/preupload"): "preupload",
        ("GET", "/api/v2/parse/status"): "status",
        ("POST", "/api/v2/async/parse/img/layout"): "image",
        ("POST", "/api/v2/parse/img/layout"): "image_now",
        ("GET", "/api/v2/parse/img/layout/status"): "image_status",
        ("POST", "/api/v2/convert/parse"): "export",
        ("GET", "/api/v2/convert/parse/result"): "export",
    }
    if (seen.method, path) in documented:
        return documented[seen.method, path]
    if path.startswith("/store/") and seen.method == "PUT":
        return "put"
    if path.startswith("/cdn/"):
        return "picture"
    return "file" if path.startswith("/objects/") else None


def key_of(seen: Seen) -> str:
    return seen.headers.get("authorization", "").removeprefix("Bearer ")


# -- faults ----------------------------------------------------------------------------------------


def says(status: int, payload: object, **headers: str) -> Fault:
    """Read the request, then answer with this; ``retry_after=…`` becomes ``retry-after: …``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def fault(service: Doc2XService, wire: Wire) -> None:
        wire.read_body()
        service.reply(wire, status, payload, **named)

    return fault


def coded(code: str) -> Fault:
    """Answer as the service refuses: HTTP 200 and a code."""
    return says(200, {"code": code, "msg": "in words"})


def stored_then(end: Callable[[Doc2XService, Wire], None]) -> Fault:
    """Take the object, then do ``end`` instead of answering."""

    def fault(service: Doc2XService, wire: Wire) -> None:
        service.store(wire)
        end(service, wire)

    return fault


def reset(_service: Doc2XService, wire: Wire) -> None:
    """Reset the connection."""
    wire.reset()


def lost(_service: Doc2XService, wire: Wire) -> None:
    """Read the whole request, keep nothing of it, and reset the connection."""
    wire.read_body()
    wire.reset()


def reset_at(count: int) -> Fault:
    """Take so many bytes of the body, then reset the connection."""

    def fault(_service: Doc2XService, wire: Wire) -> None:
        wire.read_body(count)
        wire.reset()

    return fault
