"""ZhiyiPDF's answers, read tolerantly and without I/O.

The shapes are those of the API page; what the vendor's own clients show beyond it (other field
names, missing progress, the status ``pending``) is listed in the wire notes, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zhiyipdf.errors import (
    AuthenticationError,
    InsufficientPoints,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceError,
    ServiceUnavailable,
    ZhiyiPDFError,
)
from zhiyipdf.models import TASK_ID, Submission, TaskState, TaskStatus
from zhiyipdf.providers.zhiyipdf_codes import CODES, Code, error_for
from zhiyipdf.transport import Reply

__all__ = [
    "is_final",
    "read_balance",
    "read_refusal",
    "read_status",
    "read_submission",
]

_STATES: Mapping[str, TaskState] = {
    "waiting": "waiting",
    "queued": "waiting",
    "processing": "processing",
    # Between creation and processing, while the service moves the file (wire notes 3.2).
    "pending": "processing",
    "uploading": "processing",
    "completed": "completed",
    "succeeded": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


_UNKNOWN = Code(meaning="", charge="none", retryable=False, hint="")


def is_final(reply: Reply) -> bool:
    """Whether an answer stands although its HTTP status is 5xx: the service said what is wrong."""
    payload = reply.payload
    return payload is not None and (error_code(payload) is not None or "status" in payload)


def error_code(payload: Mapping[str, Any]) -> str | None:
    """The error code, from ``error_code`` or ``error.code``."""
    code = payload.get("error_code")
    if code is None and isinstance(payload.get("error"), dict):
        code = payload["error"].get("code")
    return code if isinstance(code, str) and code else None


def read_submission(reply: Reply) -> Submission:
    """Read the answer to an upload.

    Raises:
        ZhiyiPDFError: The service refused it (nothing charged, or returned), or the answer proves
            nothing: then ``points_charged`` is None.
    """
    payload = reply.payload
    if payload is None:
        raise _unreadable(reply)
    if error_code(payload) is not None or payload.get("success") is False:
        raise read_refusal(reply)
    task_id = _task_id(payload)
    if task_id is None or reply.status >= 300:
        raise _unreadable(reply)
    return Submission(
        task_id=task_id,
        state=_STATES.get(str(payload.get("status")), "processing"),
        points=_integer(payload, "points_deducted"),
        remaining=_integer(payload, "remaining_points"),
    )


def read_status(reply: Reply, task_id: str) -> TaskStatus:
    """Read the answer to a poll. A failed task is a status, not an exception.

    Raises:
        AuthenticationError: The key is refused.
        ResultExpired: The service does not know the task.
        ProtocolError: The answer cannot be understood.
    """
    payload = reply.payload
    named = payload.get("status") if payload is not None else None
    if payload is None or not isinstance(named, str):
        code = error_code(payload or {})
        if code is not None and CODES.get(code, _UNKNOWN).charge == "returned":
            # Only failed tasks have points to return, whether or not the answer says "failed".
            return TaskStatus(state="failed", message=_message(payload or {}), code=code)
        raise read_refusal(reply, task_id=task_id)
    # An unknown state is most likely a new name for "not done yet": go on until the deadline.
    state = _STATES.get(named.lower(), "processing")
    result = payload.get("result")
    url = result.get("download_url") if isinstance(result, dict) else None
    percent = _integer(payload, "progress")
    return TaskStatus(
        state=state,
        percent=None if percent is None else max(0, min(100, percent)),
        ahead=_ahead(payload),
        message=_message(payload),
        code=error_code(payload) or ("unknown" if state == "failed" else None),
        download_url=url if isinstance(url, str) else None,
    )


def read_balance(reply: Reply) -> int:
    """Read the answer to a question for the balance.

    Raises:
        AuthenticationError: The key is refused.
        ProtocolError: There is no number in it.
    """
    payload = reply.payload
    points = _integer(payload, "points") if payload is not None else None
    if points is None or reply.status >= 400:
        raise read_refusal(reply)
    return points


def read_refusal(reply: Reply, *, task_id: str | None = None) -> ZhiyiPDFError:
    """Make the error of an answer that is no success.

    Args:
        reply: The answer.
        task_id: The task that was asked for, if one was.
    """
    payload = reply.payload or {}
    code, message = error_code(payload), _message(payload)
    if code is not None:
        return error_for(code, message, payload).about(task_id=task_id)
    if reply.status in (401, 403) or _names_a_bad_key(message):
        return AuthenticationError(message or "the service refused the API key")
    if reply.status in (404, 410) and task_id is not None and reply.payload is not None:
        return ResultExpired("the service does not know this task any more", task_id=task_id)
    return _error_by_status(reply, message, payload).about(task_id=task_id)


def _names_a_bad_key(message: str) -> bool:
    """The page's example of an invalid key has no code, only this message."""
    return "invalid api key" in message.lower()


def _error_by_status(reply: Reply, message: str, payload: Mapping[str, Any]) -> ZhiyiPDFError:
    if reply.status == 402:
        return InsufficientPoints(
            message or "the account has too few points",
            required=_integer(payload, "points_required"),
            available=_integer(payload, "current_points"),
        )
    if reply.status == 429:
        return RateLimited(
            message or "the service asks to slow down", retry_after_s=reply.retry_after_s
        )
    text = f"the service answered HTTP {reply.status}: {message or reply.excerpt or 'nothing'}"
    if reply.status >= 500 or (reply.status == 404 and reply.payload is None):
        # A page of HTML comes from a gateway that cannot reach the service.
        return _unavailable(reply, text)
    if payload.get("success") is False:
        # Refused without a code: in the service's own words, and before any points were taken.
        return ServiceError(message or text, points_charged=False)
    return ProtocolError(text, points_charged=None)


def _unreadable(reply: Reply) -> ProtocolError | ServiceUnavailable:
    text = f"HTTP {reply.status} without a task: {reply.excerpt or 'an empty answer'}"
    if reply.status >= 500:
        return _unavailable(reply, text)
    return ProtocolError(text, points_charged=None)


def _unavailable(reply: Reply, text: str) -> ServiceUnavailable:
    """A 5xx without a code: once the whole body was sent, nobody knows what it means."""
    error = ServiceUnavailable(text, points_charged=None)
    error.retry_after_s = reply.retry_after_s
    return error


def _task_id(payload: Mapping[str, Any]) -> str | None:
    for key in ("task_id", "id", "legacy_task_id"):
        value = payload.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and TASK_ID.fullmatch(value):
            return value
    return None


def _ahead(payload: Mapping[str, Any]) -> int | None:
    for key, name in (("queue_info", "ahead_tasks"), ("queue", "ahead")):
        queue = payload.get(key)
        if isinstance(queue, dict):
            return _integer(queue, name)
    return None


def _message(payload: Mapping[str, Any]) -> str:
    message = payload.get("message")
    if not isinstance(message, str) and isinstance(payload.get("error"), dict):
        message = payload["error"].get("message")
    return " ".join(message.split())[:300] if isinstance(message, str) else ""


def _integer(payload: Mapping[str, Any], key: str) -> int | None:
    value = payload.get(key)
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None
