"""How well boxes cover what they should: intersection over union with the truth's boxes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grounding_bench.corpus import Document
from grounding_bench.engines import convert
from grounding_bench.truth import Passage, Piece, Truth, pieces
from zhiyipdf.models import BBox, Block

__all__ = [
    "LEAST_IOU",
    "Coverage",
    "Overlap",
    "covered",
    "overlaps",
    "summary",
    "with_layout_boxes",
]

LEAST_IOU = 0.5
_LAYOUT_KINDS = frozenset({"heading", "paragraph", "list_item", "table"})
_ONE_COLUMN = re.compile(r"\s*\|[^|\n]*\|\s*\n\s*\|[-: ]+\|\s*(?:\n|\Z)")
_NOT_TEXT = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|(?<=\])\([^)\n]*\)|<[^<>\n]*>|&\w+;")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """One block's box beside the true one.

    Attributes:
        author: Whose boxes are the truth.
        method: Whose box is told.
        kind: Of the block.
        is_page_right: Whether the first page told is the true one.
        iou: Intersection over union from 0 to 1; None without a box on the right page.
        document: Name.
        text: Beginning of the block.
        truth: The true box.
        told: The one given, on whichever page.
    """

    author: str
    method: str
    kind: str
    is_page_right: bool
    iou: float | None
    document: str
    text: str
    truth: BBox
    told: BBox | None


def iou(one: BBox, other: BBox) -> float:
    """Divide the area two boxes share by the area they cover together."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(one) + _area(other) - shared)


def _area(box: BBox) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def overlaps(
    truth: Truth, placed: Sequence[Block], *, author: str, method: str, document: str
) -> Iterator[Overlap]:
    """Compare the boxes of all blocks whose true box is known, found or not."""
    for block, page, box in zip(placed, truth.first, truth.boxes, strict=True):
        if box is None:
            continue
        first = block.provenance[0] if block.provenance else None
        is_right = first is not None and first.page_number == page
        told = first.bbox if first is not None else None
        yield Overlap(
            author=author,
            method=method,
            kind=block.kind,
            is_page_right=is_right,
            iou=iou(told, box) if told and is_right else None,
            document=document,
            text=block.text[:60],
            truth=box,
            told=told,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Over some blocks whose true boxes are known.

    Attributes:
        blocks: How many.
        pages: On how many of these the first page is right.
        given: How many have a box on the right page.
        good: How many of these overlap by :data:`LEAST_IOU` or more.
        mean: Mean overlap of those given; not a number without any.
    """

    blocks: int
    pages: int
    given: int
    good: int
    mean: float

    @property
    def of_given(self) -> float:
        """Share of good boxes among those given on the right page."""
        return self.good / self.given if self.given else float("nan")

    @property
    def of_all(self) -> float:
        """Share of good boxes among all true ones: no box and a wrong page are misses."""
        return self.good / self.blocks if self.blocks else float("nan")


def covered(found: Iterable[Overlap]) -> Coverage:
    """Count overlaps."""
    every = list(found)
    given = [overlap.iou for overlap in every if overlap.iou is not None]
    return Coverage(
        blocks=len(every),
        pages=sum(overlap.is_page_right for overlap in every),
        given=len(given),
        good=sum(value >= LEAST_IOU for value in given),
        mean=sum(given) / len(given) if given else float("nan"),
    )


def summary(found: Iterable[Overlap]) -> Mapping[tuple[str, str, str], Coverage]:
    """Sum up by author, kind and method."""
    groups: dict[tuple[str, str, str], list[Overlap]] = defaultdict(list)
    for overlap in found:
        groups[overlap.author, overlap.kind, overlap.method].append(overlap)
    return {key: covered(group) for key, group in sorted(groups.items())}


def with_layout_boxes(document: Document, most_pages: int) -> list[Piece]:
    """Give liteparse's Markdown with the boxes of its layout, where one has the very same letters.

    A page whose layout has the same letters twice gives them no box. Nor has a table of one column:
    that is a listing in a frame, and the box is the frame's, not the text's.
    """
    result: list[Piece] = []
    outputs = convert(document.path, "liteparse")[:most_pages]
    boxes: dict[tuple[int, str], list[BBox]] = defaultdict(list)
    for output in outputs:
        for element in output.layout:
            letters = _letters(element.text)
            if letters and element.kind in _LAYOUT_KINDS:
                boxes[output.number, letters].append(element.bbox)
    for piece in pieces([(output.number, output.markdown) for output in outputs]):
        (passage, *others) = piece
        found = boxes.get((passage.page, _letters(passage.text)), ())
        if len(found) == 1 and not others and not _ONE_COLUMN.match(passage.text):
            piece = (Passage(passage.text, passage.page, found[0]),)
        result.append(piece)
    return result


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, _NOT_TEXT.sub("", text)))
