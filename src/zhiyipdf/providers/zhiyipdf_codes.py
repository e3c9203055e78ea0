"""ZhiyiPDF's error codes: what each means, whether points are gone, what to do next.

The codes, reasons and remedies are those of the API page, section "业务错误代码说明".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zhiyipdf.errors import (
    AuthenticationError,
    FileTooLarge,
    InputError,
    InsufficientPoints,
    NotAPDF,
    ProtocolError,
    ServiceUnavailable,
    TaskFailed,
    TooManyPages,
    ZhiyiPDFError,
)

__all__ = ["CODES", "Code", "error_for"]

Charge = Literal["none", "returned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One row of the table.

    Attributes:
        meaning: In words.
        charge: ``none``: never taken. ``returned``: taken and given back by the service.
        retryable: Whether the same upload can succeed later.
        hint: What to do.
    """

    meaning: str
    charge: Charge
    retryable: bool
    hint: str


_SUPPORT = "Contact the service's support."
_SPLIT = "Split the PDF and convert the pieces."

CODES: Mapping[str, Code] = {
    "invalid_api_key": Code(
        meaning="the API key is not valid",
        charge="none",
        retryable=False,
        hint="Check the key, or ask the service for a new one.",
    ),
    "insufficient_points": Code(
        meaning="the account has too few points",
        charge="none",
        retryable=False,
        hint="Top up the account or use another key; running tasks are not affected.",
    ),
    "no_file_found": Code(
        meaning="the service found no file in the request",
        charge="none",
        retryable=False,
        hint="Check that no proxy changes the request; then report this.",
    ),
    "parse_file_too_large": Code(
        meaning="the file is larger than the service accepts (300 MB)",
        charge="none",
        retryable=False,
        hint=_SPLIT,
    ),
    "parse_page_limit_exceeded": Code(
        meaning="the PDF has more pages than the service accepts (800)",
        charge="none",
        retryable=False,
        hint=_SPLIT,
    ),
    "parse_file_not_pdf": Code(
        meaning="the service does not take the file for a PDF",
        charge="none",
        retryable=False,
        hint="Check the file; its name should end in .pdf.",
    ),
    "file_upload_failed": Code(
        meaning="the service could not store the file",
        charge="none",
        retryable=True,
        hint="Check the network and try again later.",
    ),
    "points_deduction_failed": Code(
        meaning="the service could not take the points",
        charge="none",
        retryable=False,
        hint=_SUPPORT,
    ),
    "task_creation_failed": Code(
        meaning="the service could not create the task",
        charge="returned",
        retryable=True,
        hint=f"Points are returned. {_SUPPORT}",
    ),
    "parse_error": Code(
        meaning="the service could not parse the PDF",
        charge="returned",
        retryable=True,
        hint="Points are returned. Wait a little and try again; if it goes on, contact support.",
    ),
    "parse_file_invalid": Code(
        meaning="the service calls the PDF invalid",
        charge="returned",
        retryable=False,
        hint="Points are returned. Repair the PDF, for example with qpdf or by printing it anew.",
    ),
    "parse_timeout": Code(
        meaning="parsing took longer than the service allows",
        charge="returned",
        retryable=False,
        hint=f"Points are returned. {_SPLIT}",
    ),
}


def error_for(code: str, message: str, payload: Mapping[str, Any]) -> ZhiyiPDFError:
    """Make the error of a code the service answered with.

    Args:
        code: From ``error_code``; an unknown one becomes :class:`TaskFailed` with
            ``points_charged=None``.
        message: The service's own words.
        payload: The answer, for the numbers some codes come with.
    """
    row = CODES.get(code)
    if row is None:
        return TaskFailed(
            f"the service answered {code!r}: {message}".rstrip(": "),
            code=code,
            points_charged=None,
            hint="This code is not documented; check your balance.",
        )
    text = row.meaning if not message else f"{row.meaning} ({message})"
    build = _BUILDERS.get(code)
    if build is not None:
        error = build(text, row, payload)
        if isinstance(error, InputError):
            error.code = code
        return error
    return TaskFailed(text, code=code, retryable=row.retryable, hint=row.hint)


def _insufficient(text: str, row: Code, payload: Mapping[str, Any]) -> ZhiyiPDFError:
    required, available = _integer(payload, "points_required"), _integer(payload, "current_points")
    if required is not None and available is not None:
        text = f"{row.meaning}: {required} are needed, {available} are left"
    return InsufficientPoints(text, required=required, available=available, hint=row.hint)


def _too_large(text: str, row: Code, payload: Mapping[str, Any]) -> ZhiyiPDFError:
    size, limit = _integer(payload, "file_size"), _integer(payload, "max_size")
    return FileTooLarge(text, size_bytes=size, limit_bytes=limit, hint=row.hint)


def _too_many_pages(text: str, row: Code, payload: Mapping[str, Any]) -> ZhiyiPDFError:
    pages, limit = _integer(payload, "page_count"), _integer(payload, "max_pages")
    return TooManyPages(text, pages=pages, limit_pages=limit, hint=row.hint)


# What is not listed here is a TaskFailed.
_BUILDERS: Mapping[str, Callable[[str, Code, Mapping[str, Any]], ZhiyiPDFError]] = {
    "invalid_api_key": lambda text, row, _: AuthenticationError(text, hint=row.hint),
    "insufficient_points": _insufficient,
    "no_file_found": lambda text, row, _: ProtocolError(text, hint=row.hint, points_charged=False),
    "parse_file_too_large": _too_large,
    "parse_page_limit_exceeded": _too_many_pages,
    "parse_file_not_pdf": lambda text, row, _: NotAPDF(text, hint=row.hint),
    "file_upload_failed": lambda text, row, _: ServiceUnavailable(text, hint=row.hint),
}


def _integer(payload: Mapping[str, Any], key: str) -> int | None:
    value = payload.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
