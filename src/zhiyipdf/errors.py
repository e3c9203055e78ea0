"""Every exception: whose fault it is, whether a retry can help, and what to do next.

::

    ZhiyiPDFError
    ├── InputError                 the PDF; found before any byte was sent
    │   ├── NotAPDF                no ``%PDF-`` within the first 1024 bytes
    │   ├── EmptyFile              zero bytes
    │   ├── InvalidPDF             a PDF, but no reader can open it
    │   ├── EncryptedPDF           opens only with a password
    │   ├── FileTooLarge           above the service's size limit
    │   └── TooManyPages           above the service's page limit
    ├── AuthenticationError        no key, or a key the service refuses
    ├── InsufficientPoints         the account cannot pay for this upload
    ├── BudgetExceeded             your own ``max_points`` stopped the upload
    ├── RateLimited                the service asks to slow down
    ├── ServiceError               the service
    │   ├── TaskFailed             it gave up on the task; points are returned
    │   ├── ResultExpired          the result is no longer kept (7 days)
    │   ├── ServiceUnavailable     unreachable, or answering 5xx
    │   └── ProtocolError          it answered something nobody documented
    ├── ConversionTimeout          the deadline passed; the task goes on and can be resumed
    ├── UploadOutcomeUnknown       nobody can prove whether an upload was paid for
    └── UnsafeArchive              the result's ZIP was refused; it is kept
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, TypedDict, Unpack

__all__ = [
    "AuthenticationError",
    "BudgetExceeded",
    "ConversionTimeout",
    "EmptyFile",
    "EncryptedPDF",
    "FileTooLarge",
    "InputError",
    "InsufficientPoints",
    "InvalidPDF",
    "NotAPDF",
    "ProtocolError",
    "RateLimited",
    "ResultExpired",
    "ServiceError",
    "ServiceUnavailable",
    "TaskFailed",
    "TooManyPages",
    "UnsafeArchive",
    "UploadOutcomeUnknown",
    "ZhiyiPDFError",
]


class ErrorContext(TypedDict, total=False):
    """What every error may be told beside its message; see :class:`ZhiyiPDFError`."""

    hint: str | None
    retryable: bool | None
    source: str | None
    task_id: str | None
    points_charged: bool | None


class ZhiyiPDFError(Exception):
    """The root of all errors this package raises on purpose.

    Args:
        message: One line for a person; never holds a key.
        hint: What to do next; the class's own advice if omitted.
        retryable: Whether the same call can succeed later without a change.
        source: The source as the caller wrote it.
        task_id: The remote task, where one exists.
        points_charged: True if points are gone, False if none were taken or all were returned,
            None if nobody can tell.

    Attributes:
        message: As above, without source and task.
        hint: As above.
        retryable: As above.
        source: As above; filled in by whoever knows it while the error travels up.
        task_id: As above; the same.
        points_charged: As above.
    """

    default_hint: ClassVar[str] = ""
    default_retryable: ClassVar[bool] = False
    default_points_charged: ClassVar[bool | None] = False

    def __init__(self, message: str, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message)
        self.message = message
        hint, retryable = context.get("hint"), context.get("retryable")
        self.hint: str = self.default_hint if hint is None else hint
        self.retryable: bool = self.default_retryable if retryable is None else retryable
        self.source = context.get("source")
        self.task_id = context.get("task_id")
        self.points_charged = context.get("points_charged", self.default_points_charged)

    def about(self, *, source: str | None = None, task_id: str | None = None) -> Self:
        """Fill in the source and the task where they are not known yet.

        Returns:
            The error itself, so that ``raise error.about(source=uri)`` reads well.
        """
        self.source = self.source or source
        self.task_id = self.task_id or task_id
        return self

    def __str__(self) -> str:
        """One line: the source first, then what happened, the task, and what to do."""
        text = self.message
        if self.source and self.source not in text:
            text = f"{self.source}: {text}"
        if self.task_id and self.task_id not in text:
            text = f"{text} (task {self.task_id})"
        if not self.hint:
            return text
        return f"{text}{'' if text.endswith(('.', '!', '?')) else '.'} {self.hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by state: process pools carry these errors, whatever a subclass's arguments."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(
    cls: type[ZhiyiPDFError], args: tuple[Any, ...], state: dict[str, Any]
) -> ZhiyiPDFError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class InputError(ZhiyiPDFError):
    """The input cannot be converted; found before any byte was sent, so nothing was paid.

    Attributes:
        code: The service's own error code, if it was the service that refused.
    """

    code: str | None = None


class NotAPDF(InputError):
    """The content is not a PDF: no ``%PDF-`` within the first 1024 bytes.

    The bound is that of ISO 32000-1, annex H, implementation note 13 to 3.4.1.
    """

    default_hint = "Check the file: its content decides, not its name."


class EmptyFile(NotAPDF):
    """The file has no bytes at all."""

    default_hint = "Check the download or copy that made this file."


class InvalidPDF(InputError):
    """It begins as a PDF, but PDFium cannot open it or finds no page."""

    default_hint = "It may be cut off or damaged; repair it (for example with qpdf) and try again."


class EncryptedPDF(InputError):
    """A password is needed to open it. Files with an owner password only are converted."""

    default_hint = "Remove the password first, for example with qpdf --decrypt --password=…"


class FileTooLarge(InputError):
    """Larger than the service accepts.

    Attributes:
        size_bytes: The file's size, where known.
        limit_bytes: The largest size the service accepts.
    """

    default_hint = "Split the PDF."

    def __init__(
        self,
        message: str,
        *,
        size_bytes: int | None = None,
        limit_bytes: int | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.size_bytes = size_bytes
        self.limit_bytes = limit_bytes


class TooManyPages(InputError):
    """More pages than the service accepts.

    Attributes:
        pages: The PDF's pages, where known.
        limit_pages: The most pages the service accepts.
    """

    default_hint = "Split the PDF."

    def __init__(
        self,
        message: str,
        *,
        pages: int | None = None,
        limit_pages: int | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.pages = pages
        self.limit_pages = limit_pages


class AuthenticationError(ZhiyiPDFError):
    """There is no key, or the service does not accept it. Nothing was charged."""

    default_hint = 'Pass api_key=… or set ZHIYIPDF_API_KEY; base_url="local" needs no key.'


class InsufficientPoints(ZhiyiPDFError):
    """The account has too few points for this upload. Nothing was charged.

    Attributes:
        required: Points the upload costs, where the service said so.
        available: Points the account has, where the service said so.
    """

    default_hint = "Top up the account or use another key; running tasks are not affected."

    def __init__(
        self,
        message: str,
        *,
        required: int | None = None,
        available: int | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.required = required
        self.available = available


class BudgetExceeded(ZhiyiPDFError):
    """``max_points`` would be passed, so the upload was not started.

    Attributes:
        required: Points this upload costs.
        spent: Points already spent under this budget.
        max_points: The budget.
    """

    default_hint = "Raise max_points, or convert fewer pages."

    def __init__(
        self,
        message: str,
        *,
        required: int,
        spent: int,
        max_points: int,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.required = required
        self.spent = spent
        self.max_points = max_points


class RateLimited(ZhiyiPDFError):
    """The service answered 429 for longer than the retries last.

    Attributes:
        retry_after_s: Seconds the service asked to wait, where it did.
    """

    default_hint = "Wait for running tasks to finish, then try again."
    default_retryable = True

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, **context: Unpack[ErrorContext]
    ) -> None:
        super().__init__(message, **context)
        self.retry_after_s = retry_after_s


class ServiceError(ZhiyiPDFError):
    """The service failed, not the input and not the caller."""


class TaskFailed(ServiceError):
    """The service gave the task up; by its documentation all points are returned.

    Attributes:
        code: The service's own error code, for example ``parse_error``.
    """

    def __init__(self, message: str, *, code: str, **context: Unpack[ErrorContext]) -> None:
        super().__init__(message, **context)
        self.code = code


class ResultExpired(ServiceError):
    """The service no longer knows the task; results are kept for 7 days."""

    default_hint = "Convert the PDF again; this will be charged again."
    default_points_charged = True


class ServiceUnavailable(ServiceError):
    """The service cannot be reached or answers with server errors.

    Attributes:
        retry_after_s: Seconds the service asked to wait, where it did.
    """

    retry_after_s: float | None = None

    default_hint = "Try again later; what was paid for is resumed, not paid again."
    default_retryable = True


class ProtocolError(ServiceError):
    """The service answered something its documentation does not have."""

    default_hint = "Check base_url; if it is right, report the answer shown here."
    default_points_charged = None


class ConversionTimeout(ZhiyiPDFError):
    """The deadline passed. The remote task goes on; the next run picks it up again."""

    default_hint = "Run the same call again: the task is resumed, not paid again."
    default_retryable = True
    default_points_charged = True


class UploadOutcomeUnknown(ZhiyiPDFError):
    """The connection broke after the last byte was sent, and nothing proves what became of it.

    Attributes:
        cost: Points the upload costs.
        record: Name of the stored record of this upload.
        balance_before: Points right before the upload, where known.
        balance_after: Points after it, where known.
    """

    default_hint = (
        "Compare your balance; if nothing was paid, `zhiyipdf tasks --forget RECORD` or "
        "Converter.forget(record) lets the PDF be uploaded again."
    )
    default_points_charged = None

    def __init__(
        self,
        message: str,
        *,
        cost: int,
        record: str | None = None,
        balance_before: int | None = None,
        balance_after: int | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.cost = cost
        self.record = record
        self.balance_before = balance_before
        self.balance_after = balance_after


class UnsafeArchive(ZhiyiPDFError):
    """The result's archive was refused before anything of it was written outside its quarantine.

    Attributes:
        reason: Which rule it broke.
        archive: Where the archive is kept, where it is.
    """

    default_hint = "The archive is kept; nothing is paid again when the cause is mended."
    default_points_charged = True

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        archive: str | None = None,
        **context: Unpack[ErrorContext],
    ) -> None:
        super().__init__(message, **context)
        self.reason = reason or message
        self.archive = archive
