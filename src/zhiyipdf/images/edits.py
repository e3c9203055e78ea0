"""Changes of a text as data: they can be applied, and offsets can be followed through them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

__all__ = ["Edit", "apply_edits", "follow_edits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change of a text.

    Attributes:
        start: Offset of the first character that goes.
        end: Offset after the last one.
        text: What comes instead.
    """

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Give the text with its changes.

    Args:
        text: Any text.
        edits: In order, not overlapping.
    """
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.text)
        at = edit.end
    return "".join((*pieces, text[at:]))


def follow_edits(edits: Sequence[Edit]) -> Callable[[int], int]:
    """Give the function that says where an offset of the text is after the edits.

    What lies inside an edit moves to its end, so offsets keep their order.

    Args:
        edits: In order, not overlapping.
    """
    starts = [edit.start for edit in edits]
    growth = [len(edit.text) - (edit.end - edit.start) for edit in edits]
    shifts = [0, *accumulate(growth)]

    def moved(offset: int) -> int:
        done = bisect_right(starts, offset - 1)  # edits that begin before it
        if done and offset < edits[done - 1].end:
            offset = edits[done - 1].end
        return offset + shifts[done]

    return moved
