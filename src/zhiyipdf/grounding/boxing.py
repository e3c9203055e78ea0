"""Puts boxes on blocks: around their text, on their pictures, or in the space left for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite, log, nan

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.figures import find_figures, shown_pictures
from zhiyipdf.grounding.picture_order import match_in_order
from zhiyipdf.models import BBox, Block, Provenance
from zhiyipdf.models.page_text import PageSpan, PageText

__all__ = ["TextBoxes", "with_picture_boxes", "with_text_boxes"]

TextBoxes = Mapping[PageSpan, Sequence[BBox]]
"""The boxes of the lines that some characters stand on."""

# Of the search for each image's picture.
_UNMATCHED = 1.5
_ASPECT = 2.0
_OUT_OF_PLACE = 1.0
_SMALL = 0.3  # decides where nothing else does: what is larger is shown rather than an ornament
_LEAST_GAP_PT = 24.0
_SAME_COLUMN = 0.5
_BLOCKS_AWAY = 4  # what is farther does not bound a picture's space


def with_text_boxes(
    blocks: Sequence[Block], spans: Sequence[Sequence[PageSpan]], boxes: TextBoxes
) -> tuple[Block, ...]:
    """Give each page that a block was found on the box around its text there.

    Args:
        blocks: With provenance.
        spans: For each block where it was found.
        boxes: Of the spans.
    """
    boxed = []
    for block, own in zip(blocks, spans, strict=True):
        by_page: dict[int, list[BBox]] = {}
        for span in own:
            by_page.setdefault(span.page_number, []).extend(boxes.get(span, ()))
        boxed.append(_boxed(block, {page: _around(found) for page, found in by_page.items()}))
    return tuple(boxed)


def with_picture_boxes(
    blocks: Sequence[Block],
    pages: Sequence[PageText],
    sizes: Mapping[str, tuple[int, int]],
) -> tuple[Block, ...]:
    """Give each image the box of its figure, or else of the space between its neighbours.

    The pictures of a page, or its figures where these are as many as its images, are matched with
    them in order, by their shapes and by where the text before and after stands.

    Args:
        blocks: With provenance and the boxes of their text.
        pages: The text layer of the pages.
        sizes: Width and height of the images in pixels, by target, as far as known.
    """
    shown = shown_pictures(pages, sum(len(block.images) for block in blocks))
    by_number = {page.number: index for index, page in enumerate(pages)}
    images: dict[int, list[int]] = {}
    for i, block in enumerate(blocks):
        if block.images and block.provenance and block.provenance[0].bbox is None:
            images.setdefault(block.provenance[0].page_number, []).append(i)
    boxed = list(blocks)
    for number, members in images.items():
        index = by_number.get(number)
        if index is None:
            continue
        page = pages[index]
        gaps = [_gap(blocks, i, number) for i in members]
        matched = _best(blocks, members, gaps, page, shown[index], sizes)
        for i, gap, box in zip(members, gaps, matched, strict=True):
            found = box or (gap if gap is not None and _is_space(gap) else None)
            if found is not None:
                boxed[i] = _boxed(blocks[i], {number: found})
    return tuple(boxed)


def _boxed(block: Block, boxes: Mapping[int, BBox | None]) -> Block:
    if not boxes:
        return block
    return replace(
        block,
        provenance=tuple(
            found
            if found.bbox is not None or boxes.get(found.page_number) is None
            else replace(found, bbox=boxes[found.page_number])
            for found in block.provenance
        ),
    )


def _around(boxes: Sequence[BBox]) -> BBox | None:
    if not boxes:
        return None
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _best(
    blocks: Sequence[Block],
    members: Sequence[int],
    gaps: Sequence[BBox | None],
    page: PageText,
    shown: Sequence[int],
    sizes: Mapping[str, tuple[int, int]],
) -> list[BBox | None]:
    """Match images with the page's pictures, or its figures, of which more images find one.

    If both suit, pictures are taken where there are as many as images. Figures are where there are
    more, as a figure may be made of many pictures, or fewer, as it may be made of none.
    """
    edges = page.pictures[list(shown)].tolist()
    pictures = sorted((_box(own) for own in edges), key=lambda box: (box[1], box[0]))
    matched = _matched(blocks, members, gaps, pictures, sizes)
    if len(pictures) == len(members) and None not in matched:
        return matched
    figures = find_figures(page, shown)
    by_figures = _matched(blocks, members, gaps, figures, sizes)
    if matched.count(None) < by_figures.count(None):
        return matched
    spaces = [_spaces(blocks, i, page.number) for i in members]
    times = Counter(space for own in spaces for space in own)
    chosen = []
    for i, own, figure, picture in zip(members, spaces, by_figures, matched, strict=True):
        whole = _with_parts(figure, [space for space in own if times[space] == 1], figures)
        chosen.append(_likest(_size(blocks[i], sizes), (whole, figure, picture)))
    return chosen


def _likest(size: tuple[int, int] | None, found: Sequence[BBox | None]) -> BBox | None:
    """Give the box whose shape is most like an image's; the first where that is unknown."""
    if size is None:
        return found[0]
    boxes = [box for box in found if box is not None]

    def unlike(box: BBox) -> float:
        difference = abs(_shape(*size) - _shape(box[2] - box[0], box[3] - box[1]))
        return difference if isfinite(difference) else inf

    return min(boxes, key=unlike, default=None)


def _size(block: Block, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Give the size of a block's image in pixels, if it is known and the only one."""
    return sizes.get(block.images[0]) if len(block.images) == 1 else None


def _with_parts(
    figure: BBox | None, spaces: Sequence[BBox], figures: Sequence[BBox]
) -> BBox | None:
    """Add to a figure what else stands in its space: a drawing's parts may lie apart."""
    for space in spaces:
        if figure is not None and _is_inside(figure, space):
            return _around([other for other in figures if _is_inside(other, space)])
    return figure


def _is_inside(box: BBox, gap: BBox) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return gap[0] <= x <= gap[2] and gap[1] <= y <= gap[3]


def _matched(
    blocks: Sequence[Block],
    members: Sequence[int],
    gaps: Sequence[BBox | None],
    pictures: Sequence[BBox],
    sizes: Mapping[str, tuple[int, int]],
) -> list[BBox | None]:
    """Match images with pictures in order, at the least cost."""
    middles = np.array([(top + bottom) / 2 for _, top, _, bottom in pictures])
    areas = np.array([(right - left) * (low - top) for left, top, right, low in pictures])
    small: NDArray[np.float64] = _SMALL * (1 - areas / max(float(areas.max(initial=0.0)), 1.0))
    shapes = np.array([_shape(right - left, low - top) for left, top, right, low in pictures])

    def mismatch(image: int, some: slice) -> NDArray[np.float64]:
        """Tell how unlike an image and some pictures are, in shape and place."""
        size = _size(blocks[members[image]], sizes)
        unlike: NDArray[np.float64] = small[some].copy()
        if size is not None:
            # A shape that is unknown is unlike none.
            unlike += np.nan_to_num(_ASPECT * abs(_shape(*size) - shapes[some]))
        gap = gaps[image]
        if gap is not None:
            inside = (gap[1] <= middles[some]) & (middles[some] <= gap[3])
            unlike += np.where(inside, 0.0, _OUT_OF_PLACE)
        return unlike

    found = match_in_order(len(members), len(pictures), mismatch, cost=_UNMATCHED)
    return [None if at is None else pictures[at] for at in found]


def _shape(width: float, height: float) -> float:
    """Give the logarithm of the aspect; not a number where there is none."""
    return log(width / height) if min(width, height) > 0 else nan


def _gap(blocks: Sequence[Block], index: int, number: int) -> BBox | None:
    """Give the space between the text before and after a block, if both are in one column.

    It has no end where the page has no text before, or after.
    """
    spaces = _spaces(blocks, index, number)
    return spaces[0] if len(spaces) == 1 else None


def _spaces(blocks: Sequence[Block], index: int, number: int) -> list[BBox]:
    """Give the space around a block: between its neighbours, or below the one and above the other.

    The latter where these are in two columns: nothing tells in which of them the block is.
    """
    before = _beside(blocks, index, -1, number)
    after = _beside(blocks, index, 1, number)
    if before is not None and after is not None and before[3] < after[1]:
        shared = min(before[2], after[2]) - max(before[0], after[0])
        if shared >= _SAME_COLUMN * min(before[2] - before[0], after[2] - after[0]):
            left, right = min(before[0], after[0]), max(before[2], after[2])
            return [(left, before[3], right, after[1])]
    spaces = [(before[0], before[3], before[2], inf)] if before is not None else []
    return spaces + ([(after[0], -inf, after[2], after[1])] if after is not None else [])


def _is_space(gap: BBox) -> bool:
    """Whether a picture that the PDF does not tell has room there."""
    return isfinite(gap[1]) and isfinite(gap[3]) and gap[3] - gap[1] >= _LEAST_GAP_PT


def _beside(blocks: Sequence[Block], index: int, step: int, number: int) -> BBox | None:
    """Give the box of the nearest block on one side that has one, on the same page."""
    at = index + step
    while 0 <= at < len(blocks) and abs(at - index) <= _BLOCKS_AWAY:
        found = _on(blocks[at].provenance, number)
        if found is not None and found.bbox is not None and not blocks[at].images:
            return found.bbox
        at += step
    return None


def _on(provenance: Sequence[Provenance], number: int) -> Provenance | None:
    return next((found for found in provenance if found.page_number == number), None)


def _box(edges: Sequence[float]) -> BBox:
    x0, y0, x1, y1 = edges
    return x0, y0, x1, y1
