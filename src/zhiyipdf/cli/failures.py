"""Which failure ends the command with which exit code, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from zhiyipdf.errors import (
    AuthenticationError,
    BudgetExceeded,
    InsufficientPoints,
    ZhiyiPDFError,
)

__all__ = ["exit_code", "failures", "told"]

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""

# The library's advice names parameters, which here are options.
_ADVICE: dict[type[ZhiyiPDFError], str] = {
    AuthenticationError: "Set ZHIYIPDF_API_KEY; --local needs no key.",
    BudgetExceeded: "Raise --max-points, or convert fewer pages.",
}

_KEY_OR_POINTS = (AuthenticationError, InsufficientPoints, BudgetExceeded)


def exit_code(errors: Iterable[BaseException]) -> int:
    """The exit code for what went wrong: 0 nothing, 3 key or points among it, else 1."""
    codes = {3 if isinstance(error, _KEY_OR_POINTS) else 1 for error in errors}
    return max(codes, default=0)


def told(error: BaseException, source: str | None = None) -> str:
    """An error in one line that names its source, with advice in the command's own terms."""
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, ZhiyiPDFError):
        advice = _ADVICE.get(type(error))
        if advice is not None and error.hint == error.default_hint:
            text = f"{text.removesuffix(error.hint).rstrip(' .')}. {advice}"
    elif not isinstance(error, OSError | ImportError | ValueError):
        text = f"{type(error).__name__}: {text}"  # not foreseen, so its kind helps
    return text if source is None or source in text else f"{source}: {text}"


@contextmanager
def failures(context: click.Context) -> Iterator[None]:
    """Turn what a command raises into a line on standard error and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on where this one was", err=True)
        context.exit(INTERRUPTED)
    except BrokenPipeError:
        raise  # whoever read our output has gone; click ends quietly
    except (ZhiyiPDFError, ImportError, OSError) as error:
        click.echo(f"error: {told(error)}", err=True)
        context.exit(exit_code([error]))
