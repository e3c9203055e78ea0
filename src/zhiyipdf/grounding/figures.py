"""Finds the figures of a page: pictures and drawings that stand together, without what is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.models import BBox
from zhiyipdf.models.page_text import PageText

__all__ = ["find_figures", "shown_pictures"]

Boxes = NDArray[np.float32]

# Of pictures that belong to the text.
_SMALLEST_PT = 8.0
_RUNNING_PAGES = 3
_RUNNING_SHARE = 0.3
_SAME_PT = 3
_SCAN = 0.5  # of a page without text, that its picture covers

# Of figures. In the 26 documents of the tuned half, rules and frames of listings aside, drawings
# are icons of notes, 30 points wide and high, logos and plots.
_APART_PT = 6.0  # parts of a figure are nearer: less than a line of text fits between
_LEAST_AREA, _LEAST_SIDE_PT = 1000.0, 10.0  # of what is drawn without a picture
_GROUND = 0.7  # of the page: what is larger is its ground
_MOST_TEXT = 0.4  # of a drawing's height: lines that take more stand on it, or in its frame


def shown_pictures(pages: Sequence[PageText], images: int = 0) -> list[list[int]]:
    """Give for each page the indices of its pictures that belong to the text.

    Specks do not, nor pictures that stand at the same place on many pages: logos, grounds. These do
    where the Markdown has so many images that it must show them, and where a page has no text: then
    they are the scan.

    Args:
        pages: In order.
        images: How many the Markdown has.
    """
    seen: Counter[tuple[int, ...]] = Counter()
    keys: list[list[tuple[int, ...]]] = []
    for page in pages:
        rounded = [tuple(row) for row in np.round(page.pictures / _SAME_PT).astype(int).tolist()]
        keys.append(rounded)
        seen.update(set(rounded))
    most = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages))
    large = [
        [
            (i, key)
            for i, (key, box) in enumerate(zip(own, page.pictures, strict=True))
            if _is_large(box)
        ]
        for page, own in zip(pages, keys, strict=True)
    ]
    every = sum(map(len, large))
    single = sum(seen[key] < most for own in large for _, key in own)
    if images - single > (every - single) / 2:
        return [[i for i, _ in own] for own in large]
    return [
        [i for i, key in own if seen[key] < most or _is_scan(page, page.pictures[i])]
        for page, own in zip(pages, large, strict=True)
    ]


def find_figures(page: PageText, pictures: Sequence[int]) -> list[BBox]:
    """Give a box around what stands together, from top to bottom.

    What is drawn without a picture counts if it is large enough, and no ground or frame of text or
    of the page. A picture that fills the page is one of its own.

    Args:
        page: With its pictures and drawings.
        pictures: Indices of those that belong to the text.
    """
    own, drawn = page.pictures[list(pictures)], page.drawings
    area = page.width * page.height
    is_ground = _areas(own) > _GROUND * area
    found = list(own[is_ground])
    parts = own[~is_ground]
    if len(drawn):
        drawn = drawn[_areas(drawn) <= _GROUND * area]
        drawn = drawn[_text_height(drawn, page.line_boxes) <= _MOST_TEXT]
    every = np.concatenate((parts, drawn))
    is_picture = np.arange(len(every)) < len(parts)
    for members in _together(every):
        box = np.concatenate((every[members, :2].min(axis=0), every[members, 2:].max(axis=0)))
        if is_picture[members].any() or _is_drawing(box, page.line_boxes):
            found.append(box)
    boxes = [(x0, y0, x1, y1) for x0, y0, x1, y1 in (box.tolist() for box in found)]
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def _is_large(box: Boxes) -> bool:
    return bool(min(box[2] - box[0], box[3] - box[1]) >= _SMALLEST_PT)


def _is_scan(page: PageText, box: Boxes) -> bool:
    covered = (box[2] - box[0]) * (box[3] - box[1]) / (page.width * page.height)
    return page.ink is not None and bool(covered >= _SCAN)


def _together(boxes: Boxes) -> Iterator[NDArray[np.int64]]:
    """Part boxes where a straight gap runs between them, by turns across and down."""
    everything = np.arange(len(boxes))
    undone = [(everything, 1, False)] if len(boxes) else []
    while undone:
        members, axis, is_whole = undone.pop()
        order = members[np.argsort(boxes[members, axis], kind="stable")]
        reached = np.maximum.accumulate(boxes[order, axis + 2])
        cuts = np.flatnonzero(boxes[order[1:], axis] - reached[:-1] > _APART_PT) + 1
        if len(cuts):
            undone += [(part, 1 - axis, False) for part in np.split(order, cuts)]
        elif is_whole:
            yield members
        else:
            undone.append((members, 1 - axis, True))


def _is_drawing(box: Boxes, lines: Boxes) -> bool:
    """Whether paths alone are more than specks, and than the ground or the frame of text."""
    wide, high = box[2] - box[0], box[3] - box[1]
    if wide * high < _LEAST_AREA or min(wide, high) < _LEAST_SIDE_PT:
        return False
    return bool(_text_height(box[None], lines)[0] <= _MOST_TEXT)


def _text_height(boxes: Boxes, lines: Boxes) -> Boxes:
    """Tell for each box how much of its height the lines take whose middle it holds."""
    middles = (lines[:, :2] + lines[:, 2:]) / 2
    is_within = (boxes[:, None, :2] <= middles) & (middles <= boxes[:, None, 2:])
    heights = lines[:, 3] - lines[:, 1]
    taken: Boxes = is_within.all(axis=2) @ heights / (boxes[:, 3] - boxes[:, 1])
    return taken


def _areas(boxes: Boxes) -> Boxes:
    areas: Boxes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return areas
