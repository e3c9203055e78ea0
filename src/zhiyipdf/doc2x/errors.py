"""The exceptions that Doc2X's page of asynchronous requests names, within this package's own tree.

::

    ZhiyiPDFError
    ├── FileError              the file cannot be read, or is too large
    ├── RateLimit              too many requests or live tasks; not retried
    ├── RequestError           HTTP 400: a broken file, or one that is locked; not retried
    ├── KeyRefused             also a RuntimeError
    └── StatusError            also a RuntimeError: page limit, a task that failed, an unknown state
"""

from __future__ import annotations

from zhiyipdf.errors import AuthenticationError, InputError, RateLimited, ServiceError

__all__ = ["FileError", "KeyRefused", "RateLimit", "RequestError", "StatusError"]


class FileError(InputError):
    """The file cannot be opened, or is larger than the service accepts. Nothing was sent."""

    default_hint = "Check the path and the size."


class RateLimit(RateLimited):
    """Too many requests, or too many live tasks. It is not retried: wait, then call again."""


class RequestError(ServiceError):
    """The service calls the request bad (HTTP 400): the file is broken or locked. Not retried."""

    default_hint = "Check the file; one that failed several times is locked by the service."


class KeyRefused(AuthenticationError, RuntimeError):
    """The service does not accept the key."""

    default_hint = (
        "Keys that begin with sk- are used as they are; an identity token must go through "
        "refresh_key first."
    )


class StatusError(ServiceError, RuntimeError):
    """A task ended without a result, or is in a state that nobody documented."""
