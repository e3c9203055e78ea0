"""Tell on standard error how the conversion goes: bars on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from zhiyipdf.cli.failures import told
from zhiyipdf.models import Conversion, Progress, Stage

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Reporter", "counted", "done_line", "stage_text"]

SHOWN_AT_ONCE = 3
"""Running sources named beside the bar; five and more are usual and would not fit a line."""

_DOING: dict[Stage, str] = {
    "open": "opening",
    "upload": "uploading",
    "wait": "waiting",
    "convert": "converting",
    "download": "downloading",
    "unpack": "unpacking",
    "ground": "finding pages",
}


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 page``, ``12 pages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def done_line(source: str, conversion: Conversion) -> str:
    """Say in one line what became of a source: ``paper.pdf: done, 12 pages, 24 points``."""
    pages = counted(len(conversion.pages), "page")
    if conversion.options.pages is not None:
        pages = f"pages {conversion.options.pages} of {len(conversion.pages)}"
    cost = f"{pages}, {counted(conversion.points, 'point')}"
    return f"{source}: done, {cost}{' (from the store)' if conversion.from_store else ''}"


def stage_text(progress: Progress) -> str:
    """Say what is being done with a source: ``uploading 40%``, ``waiting, 2 ahead``."""
    text = _DOING.get(progress.stage, progress.stage)
    if progress.stage == "wait":
        return f"{text}, {progress.done} ahead" if progress.done else text
    if progress.total:
        return f"{text} {100 * progress.done // progress.total}%"
    return text


class Reporter:
    """Says how it goes. Progress may come from another thread.

    Args:
        quiet: Say nothing but errors.
        total: How many sources there are, where that is known before they are looked for.
    """

    def __init__(self, *, quiet: bool, total: int | None) -> None:
        self._quiet = quiet
        self._total = total
        self._bar: tqdm[Any] | None = None
        self._running: dict[str, str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from tqdm import tqdm

            # miniters=0: news of running sources is drawn although no further one is finished.
            self._bar = tqdm(
                total=self._total, unit="file", file=sys.stderr, leave=False, miniters=0
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def progress(self, progress: Progress) -> None:
        """Take note of a step of a source."""
        with self._lock:
            if progress.stage == "done":
                self._running.pop(progress.source, None)
            else:
                self._running[progress.source] = stage_text(progress)
            self._draw(0)

    def done(self, source: str, conversion: Conversion) -> None:
        """A source is converted and written."""
        if not self._quiet:
            self._say(done_line(source, conversion))
        self._finished(source)

    def failed(self, source: str, error: BaseException) -> None:
        """A source is given up."""
        self._say(f"error: {told(error, source)}")
        self._finished(source)

    def warn(self, text: str) -> None:
        """Say something that is no failure and yet matters."""
        if not self._quiet:
            self._say(f"warning: {text}")

    def summary(self, done: int, failed: int, points: int) -> None:
        """Sum up, if there was more than one source."""
        if not self._quiet and done + failed > 1:
            self._say(f"{done} done, {failed} failed, {counted(points, 'point')}")

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room on the terminal for what is written meanwhile."""
        if self._bar is None:
            yield
            return
        with self._bar.external_write_mode(file=sys.stdout):
            yield

    def _finished(self, source: str) -> None:
        with self._lock:
            self._running.pop(source, None)
            self._draw(1)

    def _draw(self, finished: int) -> None:
        if self._bar is None:
            return
        shown = [f"{_base(source)} {text}" for source, text in self._running.items()]
        more = len(shown) - SHOWN_AT_ONCE
        text = ", ".join(shown[:SHOWN_AT_ONCE]) + (f" and {more} more" if more > 0 else "")
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(finished)

    def _say(self, line: str) -> None:
        with self.aside():
            click.echo(line, err=True)


def _base(source: str) -> str:
    return source.rstrip("/").rpartition("/")[2] or source
