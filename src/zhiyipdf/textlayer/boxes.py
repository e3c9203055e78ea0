"""Reckon with boxes: what is around them, what they share, where a line jumps."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["UserBox", "around", "common", "has_area", "jumps"]

UserBox = tuple[float, float, float, float]
"""left, bottom, right, top, in points of the PDF's user space."""

_SMALLEST = 0.01
"""Points. PDFium gives blanks, and glyphs of fonts it does not have, boxes thinner than this."""

_CRUMB = 4.0
"""Points. Quotes, accents, dots and dashes are thinner than this, and stand beside letters without
overlapping them: 180 of 42,525 lines of 60 manuals and papers, against 7 that jump."""

_BESIDE = 0.25
"""Share of the smaller box's height (or width) that boxes on one base line have in common."""


def has_area(box: UserBox) -> bool:
    """Say whether a box is more than a point or a stroke; one that is no number is not."""
    return box[2] - box[0] > _SMALLEST and box[3] - box[1] > _SMALLEST


def around(boxes: Sequence[UserBox]) -> UserBox | None:
    """The box around those that have an area; None without one."""
    solid = [box for box in boxes if has_area(box)]
    if len(solid) < 2:
        return solid[0] if solid else None
    left, bottom, right, top = zip(*solid, strict=True)
    return min(left), min(bottom), max(right), max(top)


def common(boxes: Sequence[UserBox]) -> UserBox:
    """The part that all share; without an area if there is none."""
    left, bottom, right, top = zip(*boxes, strict=True)
    return max(left), max(bottom), min(right), min(top)


def jumps(boxes: Sequence[UserBox]) -> list[int]:
    """Find where a line goes on elsewhere: neither beside what precedes nor above or below it.

    Args:
        boxes: Of the words of a line, in reading order.

    Returns:
        Indices of the boxes that begin anew.
    """
    found = []
    line: UserBox | None = None
    for i, box in enumerate(boxes):
        if not has_area(box):
            continue
        if line is None:
            line = box
        elif _is_elsewhere(box, line):
            found.append(i)
            line = box
        else:
            line = (
                min(line[0], box[0]),
                min(line[1], box[1]),
                max(line[2], box[2]),
                max(line[3], box[3]),
            )
    return found


def _is_elsewhere(a: UserBox, b: UserBox) -> bool:
    return _is_apart(a[1], a[3], b[1], b[3]) and _is_apart(a[0], a[2], b[0], b[2])


def _is_apart(start: float, end: float, other_start: float, other_end: float) -> bool:
    smaller = min(end - start, other_end - other_start)
    shared = min(end, other_end) - max(start, other_start)
    return smaller >= _CRUMB and shared < _BESIDE * smaller
