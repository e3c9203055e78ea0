"""One step of an alignment of two sequences of blocks."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """Blocks that belong together.

    Attributes:
        row: First block of the original.
        rows: How many: 0, 1 or 2.
        column: First block of the other text.
        columns: How many: 0, 1 or 2.
    """

    row: int
    rows: int
    column: int
    columns: int
