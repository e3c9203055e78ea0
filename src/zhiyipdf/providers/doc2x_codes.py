"""Doc2X's codes: what each means, whether it passes, and what to do next (wire notes 2.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zhiyipdf.errors import (
    AuthenticationError,
    FileTooLarge,
    InputError,
    InsufficientPoints,
    NotAPDF,
    ProtocolError,
    RateLimited,
    ResultExpired,
    ServiceUnavailable,
    TaskFailed,
    TooManyPages,
    ZhiyiPDFError,
)

__all__ = ["CODES", "SENT_AGAIN", "SUCCESS", "Code", "Kind", "error_for", "task_error_for"]

SUCCESS = frozenset({"success", "ok"})  # the second is accepted by the vendor's own client (2.1)

Kind = Literal[
    "wait",  # too much at once: the same task, later
    "unknown_task",  # expired, or not known yet
    "unavailable",  # the service's own trouble: the same call, later
    "again",  # the task failed and cost nothing: the same upload may do
    "failed",  # the task failed for good
    "input",  # the file
    "quota",
    "key",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One row of the table.

    Attributes:
        kind: What the client does about it.
        meaning: In words.
        hint: What to do.
    """

    kind: Kind
    meaning: str
    hint: str


_SPLIT = "Split the PDF and convert the pieces."
_WAIT = "Wait for running tasks to finish; what is uploaded is not uploaded again."
_CHECK = "Check the file; one that fails again and again is locked by the service for a day."

CODES: Mapping[str, Code] = {
    "parse_task_limit_exceeded": Code(
        kind="wait", meaning="too many tasks of this key are being worked on", hint=_WAIT
    ),
    "parse_concurrency_limit": Code(
        kind="wait", meaning="too many pages of this key are being worked on", hint=_WAIT
    ),
    "request_limit_exceeded": Code(
        kind="wait", meaning="too many pictures in too short a time", hint=_WAIT
    ),
    "parse_status_not_found": Code(
        kind="unknown_task",
        meaning="the service does not know this task (any more)",
        hint="Results are kept for 24 hours. Convert the file again; that is charged again.",
    ),
    "parse_create_task_error": Code(
        kind="again", meaning="the service could not create the task", hint="Try again later."
    ),
    "parse_error": Code(
        kind="again",
        meaning="the service could not parse the file",
        hint="Check the file; if it is sound, contact the service with the trace-id.",
    ),
    "parse_timeout": Code(
        kind="failed", meaning="parsing took longer than the service allows", hint=_SPLIT
    ),
    "parse_quota_limit": Code(
        kind="quota", meaning="the account has too few pages left", hint="Top up the account."
    ),
    "parse_file_too_large": Code(
        kind="input", meaning="the file is larger than the service accepts", hint=_SPLIT
    ),
    "parse_page_limit_exceeded": Code(
        kind="input", meaning="the PDF has more pages than the service accepts", hint=_SPLIT
    ),
    "parse_file_page_limit": Code(
        kind="input", meaning="the PDF has more pages than the service accepts", hint=_SPLIT
    ),
    "parse_file_lock": Code(
        kind="input",
        meaning="the service has locked the file for a day: it failed several times",
        hint="Repair the file, for example with qpdf; changed bytes are another file.",
    ),
    "parse_file_not_pdf": Code(
        kind="input", meaning="the service does not take the file for a PDF", hint=_CHECK
    ),
    "parse_file_invalid": Code(
        kind="input", meaning="the service calls the file invalid", hint=_CHECK
    ),
    "parse_pdf_invalid": Code(
        kind="input", meaning="the service calls the PDF invalid", hint=_CHECK
    ),
    "parse_file_not_image": Code(
        kind="input", meaning="the service does not take the file for a picture", hint=_CHECK
    ),
    "internal_error": Code(
        kind="unavailable", meaning="the service had an internal error", hint="Try again later."
    ),
    "unauthorized": Code(
        kind="key",
        meaning="the API key is not valid",
        hint="Check the key (DOC2X_API_KEY or api_key); it begins with sk-.",
    ),
}

SENT_AGAIN = frozenset(code for code, row in CODES.items() if row.kind in ("again", "wait"))
"""Failures after which the same upload is sent once more. Those that wait are among them when they
waited so long that the task was given up."""

_INPUT_ERRORS: Mapping[str, type[InputError]] = {
    "parse_file_too_large": FileTooLarge,
    "parse_page_limit_exceeded": TooManyPages,
    "parse_file_page_limit": TooManyPages,
    "parse_file_not_pdf": NotAPDF,
}


def error_for(code: str, words: str, *, task_id: str | None = None) -> ZhiyiPDFError:
    """Make the error of a call that was refused.

    Args:
        code: The service's own; an undocumented one becomes :class:`TaskFailed` with
            ``points_charged=None``.
        words: The service's own, with its trace-id.
        task_id: The task that was asked for, if one was.
    """
    row = CODES.get(code)
    if row is None:
        return task_error_for(code, words, task_id=task_id)
    text, hint = _text(row, words), row.hint
    error: ZhiyiPDFError
    match row.kind:
        case "wait":
            error = RateLimited(text, hint=hint)
        case "unknown_task":
            error = ResultExpired(text, hint=hint)
        case "unavailable":
            error = ServiceUnavailable(text, hint=hint, points_charged=None)
        case "quota":
            error = InsufficientPoints(text, hint=hint)
        case "key":
            error = AuthenticationError(text, hint=hint)
        case "input":
            error = _INPUT_ERRORS.get(code, InputError)(text, hint=hint)
            if isinstance(error, InputError):
                error.code = code
        case "again" | "failed":
            error = task_error_for(code, words)
    return error.about(task_id=task_id)


def task_error_for(code: str, words: str, *, task_id: str | None = None) -> ZhiyiPDFError:
    """Make the error of a task that failed after its upload.

    Whether a failed task costs pages is not public; the service's own clients send files again
    that failed so, and what is refused for its own sake is not worked on.
    """
    row = CODES.get(code)
    if row is None:
        return TaskFailed(
            f"the service answered {code!r}: {words}".rstrip(": "),
            code=code,
            points_charged=None,
            hint="This code is not documented; report it with the trace-id.",
        ).about(task_id=task_id)
    text = _text(row, words)
    if row.kind == "quota":
        return InsufficientPoints(text, hint=row.hint).about(task_id=task_id)
    return TaskFailed(
        text,
        code=code,
        retryable=row.kind in ("again", "wait", "unavailable"),
        hint=row.hint,
        points_charged=None if row.kind == "failed" else False,
    ).about(task_id=task_id)


def undocumented(text: str) -> ProtocolError:
    """Make the error of an answer that is none of those documented."""
    return ProtocolError(text, hint="Check DOC2X_BASE_URL; if it is right, report the answer.")


def _text(row: Code, words: str) -> str:
    return f"{row.meaning} ({words})" if words else row.meaning
