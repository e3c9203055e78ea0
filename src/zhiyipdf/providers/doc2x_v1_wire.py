"""The answers of Doc2X's first API, read tolerantly and without I/O (wire notes, section 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from zhiyipdf.models import Secret
from zhiyipdf.providers.doc2x_pages import StatusPage, pages_of
from zhiyipdf.transport import Reply

__all__ = [
    "DIRECT",
    "THROTTLED",
    "V1State",
    "V1Status",
    "code_of",
    "message_of",
    "namespace",
    "read_pages",
    "read_remaining",
    "read_status",
    "read_token",
    "read_uuid",
]

THROTTLED = "parse_task_limit_exceeded"
"""The one refusal that comes with HTTP 200: too many live tasks (1.4)."""

DIRECT = "sk-"
"""How keys begin that are used as they are; others are access tokens."""

V1State = Literal["waiting", "processing", "translating", "parsed", "translated", "failed"]

# "data.status" on the wire (1.3).
_STATES: Mapping[str, V1State] = {
    "ready": "waiting",
    "processing": "processing",
    "translate_processing": "translating",
    "success": "parsed",
    "translate_success": "translated",
    "pages limit exceeded": "failed",
    "failed": "failed",
}
_TRANSLATION_KEYS = ("raw", "translated", "page_idx", "page_width", "page_height", "x", "y")


@dataclass(frozen=True, slots=True, kw_only=True)
class V1Status:
    """How a task stands.

    Attributes:
        state: None if the service named one that nobody documented.
        named: As the service wrote it.
        progress: 0 to 100.
        texts: Once done: the Markdown of each page in the order of the pages, or each translated
            piece.
    """

    state: V1State | None
    named: str
    progress: int = 0
    texts: tuple[str, ...] = ()


def namespace(key: Secret) -> str:
    """The part of the path that depends on the kind of key (1.1)."""
    return "v1" if key.starts_with(DIRECT) else "platform"


def code_of(reply: Reply) -> str:
    """The service's own code; empty if there is none."""
    code = (reply.payload or {}).get("code")
    return code if isinstance(code, str) else ""


def message_of(reply: Reply) -> str:
    """What the service says, in one line for an error message."""
    payload = reply.payload
    if payload is None:
        return reply.excerpt
    words = (payload.get(name) for name in ("code", "msg", "detail"))
    return " ".join(": ".join(w for w in words if isinstance(w, str) and w).split())[:300]


def read_token(reply: Reply) -> str | None:
    """The access token of an answer to ``/token/refresh``; None if the key was not accepted."""
    token = _data(reply).get("token")
    accepted = code_of(reply) in ("", "success")
    return token if accepted and isinstance(token, str) and token else None


def read_remaining(reply: Reply) -> int | None:
    """Pages left; None if the answer does not say."""
    remain = _data(reply).get("remain")
    if isinstance(remain, float) and remain.is_integer():
        return int(remain)
    return remain if isinstance(remain, int) and not isinstance(remain, bool) else None


def read_uuid(reply: Reply) -> str | None:
    """The new task's name; its presence is success, whatever ``code`` says (5.1, number 3)."""
    uuid = _data(reply).get("uuid")
    return uuid if isinstance(uuid, str) and uuid else None


def read_status(reply: Reply) -> V1Status | None:
    """How a task stands; None if the answer does not say."""
    data = _data(reply)
    named = data.get("status")
    if not isinstance(named, str):
        return None
    state = _STATES.get(named)
    result = data.get("result")
    if state == "parsed":
        return V1Status(state=state, named=named, progress=100, texts=_page_texts(result))
    if state == "translated":
        return V1Status(state=state, named=named, progress=100, texts=_translations(result))
    progress = 0 if state == "waiting" else _percent(data.get("progress"))
    return V1Status(state=state, named=named, progress=progress)


def read_pages(reply: Reply) -> tuple[StatusPage, ...] | None:
    """The pages of a parsed file, in order; None if the answer is not about one."""
    status = read_status(reply)
    if status is None or status.state != "parsed":
        return None
    result = _data(reply).get("result")
    return pages_of(result if isinstance(result, dict) else {})


def _page_texts(result: object) -> tuple[str, ...]:
    # Without pages it is empty, and a success all the same.
    return tuple(page.markdown for page in pages_of(result if isinstance(result, dict) else {}))


def _translations(result: object) -> tuple[str, ...]:
    """The translated pieces; the list comes as JSON inside a string (1.3)."""
    if isinstance(result, str):
        try:
            result = json.loads(result)
        except (ValueError, RecursionError):
            return ()
    items: Sequence[object] = result if isinstance(result, list) else ()
    return tuple(
        str(item["translated"])
        for item in items
        if isinstance(item, dict) and all(key in item for key in _TRANSLATION_KEYS)
    )


def _percent(progress: object) -> int:
    try:
        return max(0, min(100, int(float(progress))))  # type: ignore[arg-type]  # the except
    except (TypeError, ValueError, OverflowError):
        return 0


def _data(reply: Reply) -> dict[str, Any]:
    data = (reply.payload or {}).get("data")
    return data if isinstance(data, dict) else {}
