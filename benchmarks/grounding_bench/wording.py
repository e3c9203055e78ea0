"""Writes numbers and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isnan

__all__ = ["percent", "table"]


def percent(share: float, digits: int = 2) -> str:
    """Write a share as per cent; a dash where there is none."""
    return "–" if isnan(share) else f"{100 * share:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a pipe table and a blank line."""
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()
