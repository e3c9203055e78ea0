"""Sorts our misses by what kind of failure they are, and picks an example of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["by_failure", "failure"]

CRUMB = 12  # letters and digits
SURE = 0.9


def failure(miss: Mapping[str, Any]) -> str:
    """Name what went wrong in one line of :func:`~grounding_bench.running.misses`."""
    first_right = miss["truth"][0] == miss["answer"][0]
    rules = (
        ("crosses a page break, other page missed", first_right),
        ("surely wrong: score of 0.9 or more", miss["score"] >= SURE),
        ("on or beside a page without text", miss["perturbation"] in {"scan20", "garbled20"}),
        ("picture, which has no text", miss["kind"] == "image"),
        ("rule, comment or symbols, without a letter", miss["length"] == 0),
        ("running line", miss["method"] == "running"),
        ("the same text on several pages", miss["method"] == "repeated"),
        ("crumb of less than 12 letters", miss["length"] < CRUMB),
        ("not found by its text", miss["method"] in {"neighbours", "bag", "ink", "none"}),
        ("text found, but elsewhere", True),
    )
    return next(name for name, applies in rules if applies)


def by_failure(found: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Group misses by failure, the commonest first."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for miss in found:
        groups.setdefault(failure(miss), []).append(miss)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))
