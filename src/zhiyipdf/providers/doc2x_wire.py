"""The answers of Doc2X's second API, read tolerantly and without I/O (wire notes, section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhiyipdf.errors import (
    AuthenticationError,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
    ZhiyiPDFError,
)
from zhiyipdf.models import TASK_ID, TaskState, TaskStatus
from zhiyipdf.providers.doc2x_codes import CODES, SUCCESS, error_for, undocumented
from zhiyipdf.providers.doc2x_pages import StatusPage, pages_of
from zhiyipdf.transport import Reply

__all__ = [
    "Export",
    "Ticket",
    "is_final",
    "is_throttled",
    "read_export",
    "read_image_result",
    "read_image_uid",
    "read_pages",
    "read_refusal",
    "read_status",
    "read_ticket",
    "read_zip",
    "was_received",
    "words_of",
]

_STATES: Mapping[str, TaskState] = {
    "processing": "processing",
    "success": "completed",
    "failed": "failed",
}
FAILED = "parse_error"
"""The code of a task whose status is ``failed`` without one (failure B of 5.2, number 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to upload one file.

    Attributes:
        uid: The task's name from now on.
        url: Where the file goes; a signature that lives 5 minutes is part of it.
    """

    uid: str
    url: str

    def __repr__(self) -> str:
        return f"Ticket(uid={self.uid!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """How an export stands.

    Attributes:
        state: As for tasks.
        url: Where the file is, once completed; a signature is part of it.
    """

    state: TaskState
    url: str

    def __repr__(self) -> str:
        return f"Export(state={self.state!r})"


def is_final(reply: Reply) -> bool:
    """Whether an answer stands although its HTTP status is 5xx: the service said what is wrong."""
    if reply.status < 500:
        return False
    code = code_of(reply.payload)
    return code != "" and (row := CODES.get(code)) is not None and row.kind != "unavailable"


def is_throttled(reply: Reply) -> bool:
    """Whether an answer says nothing but to ask again later."""
    row = CODES.get(code_of(reply.payload))
    return reply.status == 429 or (row is not None and row.kind == "wait")


def code_of(payload: Mapping[str, Any] | None) -> str:
    """The envelope's code; empty if there is none."""
    code = (payload or {}).get("code")
    return code if isinstance(code, str) else ""


def words_of(reply: Reply, payload: Mapping[str, Any] | None) -> str:
    """What the service says, and the trace-id its support asks for."""
    said = (payload or {}).get("msg")
    words = " ".join(said.split())[:300] if isinstance(said, str) else ""
    trace = f"trace-id {reply.trace_id}" if reply.trace_id else ""
    return "; ".join(part for part in (words, trace) if part)


def read_ticket(reply: Reply) -> Ticket:
    """Read the answer to ``/parse/preupload``.

    Raises:
        ZhiyiPDFError: The service refused, or the answer cannot be understood; nothing is charged.
    """
    data = _data(reply)
    uid, url = data.get("uid"), data.get("url")
    if not (isinstance(uid, str) and TASK_ID.fullmatch(uid) and isinstance(url, str) and url):
        raise _unreadable(reply, "without uid and url")
    return Ticket(uid=uid, url=url)


def read_image_uid(reply: Reply) -> str:
    """Read the answer to ``/async/parse/img/layout``.

    Raises:
        ZhiyiPDFError: As for :func:`read_ticket`; ``points_charged`` is None where it proves
            nothing.
    """
    uid = _data(reply).get("uid")
    if not (isinstance(uid, str) and TASK_ID.fullmatch(uid)):
        raise _unreadable(reply, "without uid")
    return uid


def read_status(reply: Reply, task_id: str) -> TaskStatus:
    """Read the answer to a poll. A failed task is a status, and so is one that is held up.

    Raises:
        AuthenticationError: The key is refused.
        ResultExpired: The service does not know the task (yet, or any more).
        ServiceUnavailable: Trouble that passes.
        ProtocolError: The answer cannot be understood.
    """
    payload = reply.payload
    code, words = code_of(payload), words_of(reply, payload)
    if not _speaks_by_code(reply, code):
        raise _by_status(reply, payload, task_id)
    if payload is None or code not in SUCCESS:
        kind = row.kind if (row := CODES.get(code)) is not None else "failed"
        if kind in ("unknown_task", "key", "unavailable"):
            raise error_for(code, words, task_id=task_id)
        state: TaskState = "waiting" if kind == "wait" else "failed"
        return TaskStatus(state=state, code=code, message=words)
    data = _member(payload, "data")
    named = data.get("status")
    if not isinstance(named, str):
        raise undocumented(f"a status without a state ({words})").about(task_id=task_id)
    # An unknown state is most likely a new name for "not done yet": go on until the deadline.
    state = _STATES.get(named, "processing")
    detail = data.get("detail")
    said = " ".join(detail.split())[:300] if isinstance(detail, str) else ""
    return TaskStatus(
        state=state,
        percent=_percent(data.get("progress")),
        message="; ".join(part for part in (said, words) if part) if state == "failed" else said,
        code=FAILED if state == "failed" else None,
    )


def was_received(reply: Reply) -> bool | None:
    """Whether the service has the upload of a task, by what it answers to a poll.

    Returns:
        None where that proves nothing: ``processing`` without progress may be said of a task whose
        upload is still awaited.
    """
    try:
        status = read_status(reply, "")
    except ResultExpired:
        return False
    except ZhiyiPDFError:
        return None
    return True if status.state != "processing" or status.percent else None


def read_pages(reply: Reply, task_id: str) -> tuple[StatusPage, ...]:
    """Read the pages of a finished task, in order; none is a result too (wire notes 1.3).

    A page whose number is missing has that of its place in the list.

    Raises:
        ZhiyiPDFError: As for :func:`read_status`; also a task that is not finished.
    """
    status = read_status(reply, task_id)
    if status.state != "completed":
        raise undocumented(f"the task is {status.state}, not finished").about(task_id=task_id)
    return pages_of(_member(_data(reply), "result"))


def read_image_result(reply: Reply) -> tuple[str, tuple[StatusPage, ...]]:
    """Read the answer to ``/parse/img/layout``: the picture's uid and its page.

    Raises:
        ZhiyiPDFError: As for :func:`read_image_uid`.
    """
    return read_image_uid(reply), pages_of(_member(_data(reply), "result"))


def read_zip(reply: Reply) -> str | None:
    """The figures of a picture's result as a base64 ZIP; None if there are none."""
    text = _data(reply).get("convert_zip")
    if not isinstance(text, str) or not text:
        return None
    return text.partition(",")[2] if text.startswith("data:") else text


def read_export(reply: Reply, task_id: str) -> Export:
    """Read the answer to a question for an export.

    Raises:
        ZhiyiPDFError: The service refused.
    """
    data = _data(reply)
    state = _STATES.get(str(data.get("status")), "processing")
    url = data.get("url")
    if state == "failed":
        raise error_for(FAILED, words_of(reply, reply.payload), task_id=task_id)
    return Export(state=state, url=url if isinstance(url, str) else "")


def read_refusal(reply: Reply, task_id: str | None = None) -> ZhiyiPDFError:
    """Make the error of an answer that is no success."""
    payload = reply.payload
    code = code_of(payload)
    if _speaks_by_code(reply, code) and code not in SUCCESS:
        error = error_for(code, words_of(reply, payload), task_id=task_id)
        if isinstance(error, RateLimited):
            error.retry_after_s = reply.retry_after_s
        return error
    return _by_status(reply, payload, task_id)


def _speaks_by_code(reply: Reply, code: str) -> bool:
    """Whether the code says more than the HTTP status: what a gateway says is no code of ours."""
    return code in CODES or (code != "" and reply.status not in (401, 429) and reply.status < 500)


def _by_status(
    reply: Reply, payload: Mapping[str, Any] | None, task_id: str | None
) -> ZhiyiPDFError:
    words = words_of(reply, payload) or reply.excerpt or "nothing"
    error: ZhiyiPDFError
    if reply.status == 401:
        error = AuthenticationError(
            f"the service refused the API key ({words})", hint=CODES["unauthorized"].hint
        )
    elif reply.status == 429:
        error = RateLimited(
            f"the service asks to slow down ({words})", retry_after_s=reply.retry_after_s
        )
    elif reply.status >= 500:
        error = ServiceUnavailable(
            f"the service answered HTTP {reply.status}: {words}", points_charged=None
        )
        error.retry_after_s = reply.retry_after_s
    else:
        error = undocumented(f"the service answered HTTP {reply.status}: {words}")
    return error.about(task_id=task_id)


def _unreadable(reply: Reply, what: str) -> ZhiyiPDFError:
    words = words_of(reply, reply.payload) or reply.excerpt or "an empty answer"
    return ProtocolError(f"HTTP {reply.status} {what}: {words}")


def _percent(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e9 < value < 1e9:
        return None
    return max(0, min(100, int(value)))


def _data(reply: Reply) -> Mapping[str, Any]:
    """The envelope's content.

    Raises:
        ZhiyiPDFError: The answer is no success.
    """
    payload = reply.payload
    if payload is None or reply.status >= 300 or code_of(payload) not in SUCCESS:
        raise read_refusal(reply)
    return _member(payload, "data")


def _member(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}
