"""Writes down compactly where in a text its pages begin, and reads it back."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import cast

from zhiyipdf.documents.paging import NOWHERE, Place, worst
from zhiyipdf.models import PageSource

__all__ = [
    "PageRun",
    "label_of",
    "place_of_span",
    "read_labels",
    "read_runs",
    "runs_of",
    "write_labels",
    "write_runs",
]

# The chunks of a document share what it says of its pages and come one after the other: without
# this, most of the time of citing them would be spent on reading it again.
_RECENT = 16

_LAST_NUMBER = re.compile(r"[0-9]{1,9}\Z")

LabelStart = tuple[int, str]
"""A page and its label; labels of the pages after it count on from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRun:
    """A stretch of text that stands on the same page or pages; it ends where the next begins.

    Attributes:
        start: Offset of its first character.
        place: The pages.
    """

    start: int
    place: Place


def runs_of(
    starts: Sequence[int], places: Sequence[Place], telling: Sequence[bool] | None = None
) -> tuple[PageRun, ...]:
    """Make as few runs as can be of pieces of text.

    Args:
        starts: Where each piece begins, never falling; one that is empty leaves no trace.
        places: Where each piece stands.
        telling: Whether each piece has words that could be found on its page; None: all have. The
            others (a rule, a picture) are for the most part placed by those around them, so they
            make nothing less sure: in a run with words they do not count, and a run of them alone
            is as sure as the runs beside it that touch its pages, if any do.
    """
    runs: list[PageRun] = []
    tells: list[bool] = []
    telling = [True] * len(places) if telling is None else telling
    for start, place, has_words in zip(starts, places, telling, strict=True):
        if runs and runs[-1].start == start:
            runs.pop()
            tells.pop()
        if not runs or _pages(runs[-1].place) != _pages(place):
            runs.append(PageRun(start=start, place=place))
            tells.append(has_words)
        elif has_words and not tells[-1]:
            runs[-1], tells[-1] = replace(runs[-1], place=place), True
        elif has_words or not tells[-1]:
            runs[-1] = replace(runs[-1], place=_joined(runs[-1].place, place))
    return tuple(_as_sure_as_beside(runs, tells, at) for at in range(len(runs)))


def _as_sure_as_beside(runs: Sequence[PageRun], tells: Sequence[bool], at: int) -> PageRun:
    """Give a run; one without words as sure as those beside it on the same pages."""
    run = runs[at]
    if tells[at] or run.place.page_number is None:
        return run
    beside = [
        (runs[other].place.source, runs[other].place.score)
        for other in (at - 1, at + 1)
        if 0 <= other < len(runs) and tells[other] and _touch(runs[other].place, run.place)
    ]
    if not beside:
        return run
    source, score = worst(beside)
    return replace(run, place=replace(run.place, source=source, score=score))


def _touch(one: Place, other: Place) -> bool:
    """Tell if two places have a page in common."""
    if one.page_number is None or other.page_number is None:
        return False
    one_end, other_end = one.page_number_end, other.page_number_end
    return one.page_number <= (other_end or other.page_number) and other.page_number <= (
        one_end or one.page_number
    )


def place_of_span(runs: Sequence[PageRun], start: int, end: int) -> Place:
    """Tell the pages of a piece of a text.

    Args:
        runs: Of the text.
        start: Offset of the piece's first character.
        end: Offset after its last one, larger than ``start``.

    Returns:
        From the first to the last page; nowhere if that is unknown for more than half of the piece.
    """
    first = max(bisect_right(runs, start, key=lambda run: run.start) - 1, 0)
    last = bisect_right(runs, end - 1, key=lambda run: run.start)
    touched = runs[first:last]
    ends = (*(run.start for run in touched[1:]), end)
    found: Place | None = None
    known = 0
    for run, run_end in zip(touched, ends, strict=True):
        if run.place.page_number is not None:
            found = run.place if found is None else _joined(found, run.place)
            known += run_end - max(run.start, start)
    return NOWHERE if found is None or 2 * known < end - start else found


def write_runs(runs: Iterable[PageRun]) -> str:
    """Write runs as a JSON list.

    Returns:
        For each run ``[start, page, last page, score, source]``; what goes without saying is left
        away from the end: a source that is ``aligned``, a score if the source is ``exact``, a last
        page that is the first, a page that nobody knows.
    """
    return json.dumps([_entry(run) for run in runs], separators=(",", ":"))


@lru_cache(_RECENT)
def read_runs(written: str) -> tuple[PageRun, ...]:
    """Read what :func:`write_runs` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        runs = tuple(_run(*entry) for entry in json.loads(written))
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        raise ValueError(f"no page_starts: {written[:80]!r}") from error
    if not runs:
        raise ValueError("no page_starts: the list is empty")
    return runs


def write_labels(labels: Mapping[int, str], numbers: Sequence[int]) -> str | None:
    """Write the printed labels of some pages as a JSON list of ``[page, label]``.

    A label that only counts on from the one of the page before (``A-9``, ``A-10``) is left out.

    Args:
        labels: By page number.
        numbers: The pages, rising.

    Returns:
        None if the labels are the pages' numbers.
    """
    shown = [(number, labels.get(number) or str(number)) for number in numbers]
    if all(label == str(number) for number, label in shown):
        return None
    starts = shown[:1] + [
        here
        for before, here in pairwise(shown)
        if _counted_on(before[1], here[0] - before[0]) != here[1]
    ]
    return json.dumps(starts, ensure_ascii=False, separators=(",", ":"))


@lru_cache(_RECENT)
def read_labels(written: str) -> tuple[LabelStart, ...]:
    """Read what :func:`write_labels` wrote.

    Raises:
        ValueError: It is something else.
    """
    try:
        return tuple((int(number), str(label)) for number, label in json.loads(written))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"no page_labels: {written[:80]!r}") from error


def label_of(labels: Sequence[LabelStart], number: int) -> str:
    """Give the printed label of a page; its number if there is none."""
    at = bisect_right(labels, number, key=lambda start: start[0]) - 1
    if at < 0:
        return str(number)
    first, label = labels[at]
    return _counted_on(label, number - first) or str(number)


def _counted_on(label: str, pages: int) -> str | None:
    """Count a label on by some pages; None if it ends with no number."""
    if not pages:
        return label
    match = _LAST_NUMBER.search(label)
    return match and f"{label[: match.start()]}{int(match[0]) + pages}"


def _pages(place: Place) -> tuple[int | None, int | None]:
    return place.page_number, place.page_number_end


def _joined(first: Place, second: Place) -> Place:
    """Give the pages of two places that are known, or both unknown."""
    source, score = worst([(first.source, first.score), (second.source, second.score)])
    numbers = [n for place in (first, second) for n in _pages(place) if n is not None]
    return Place(
        page_number=min(numbers, default=None),
        page_number_end=max(numbers, default=None),
        source=source,
        score=score,
    )


def _entry(run: PageRun) -> list[int | float | str | None]:
    place = run.place
    if place.page_number is None:
        return [run.start]
    entry: list[int | float | str | None] = [run.start, place.page_number]
    if place.source == "exact":
        return entry if place.page_number_end == place.page_number else [*entry, _last(place)]
    entry += [_last(place), round(place.score, 3)]
    return entry if place.source == "aligned" else [*entry, place.source]


def _last(place: Place) -> int | None:
    return place.page_number_end or place.page_number


def _run(
    start: int,
    page: int | None = None,
    last: int | None = None,
    score: float | None = None,
    source: str | None = None,
) -> PageRun:
    if page is None:
        return PageRun(start=start, place=NOWHERE)
    how = source or ("exact" if score is None else "aligned")
    return PageRun(
        start=int(start),
        place=Place(
            page_number=int(page),
            page_number_end=int(last or page),
            source=cast("PageSource", how),  # written by us
            score=1.0 if score is None else float(score),
        ),
    )
