"""Places blocks by the names of pictures: where no text is known, and where it leaves a choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.picture_names import Pages, PictureNames, bounds, read_names
from zhiyipdf.models import Block, Provenance

__all__ = ["estimate", "weigh_names"]

# Text before a first page mark, estimated by length alone, if it can be of one page only.
_ALONE = 0.9
# Text between pictures further apart than neighbouring pages stays without a page: a guess among
# three or more is worse in a citation than none.
_MOST_CHOICES = 2
# Names are compared with blocks whose text tells their page so surely.
_KNOWN = 0.9
# A picture amid text of another page moved: a few blocks, which are no more than so many pages.
# Proven names are right there in 100 % of 86 that moved; 22 % of 9 where a tenth of all are wrong.
_MOVED_PAGES, _MOVED = 2, 0.85
# A remark before a picture, judged by the embedded server's own, which all are of its page.
_REMARK = 0.97
# Text of scans between pictures of two pages that follow each other is on the right one of these in
# 63 % of 1,779 blocks.
_ONE_OF_TWO = 0.6


@dataclass(frozen=True, slots=True)
class _Anchor:
    """A block whose page is known, or an end of the text."""

    index: int
    first: int
    last: int
    is_name: bool = False


def estimate(
    blocks: Sequence[Block], total_pages: int, *, always: bool = False
) -> tuple[Block, ...]:
    """Estimate the page of each block from names of pictures alone.

    Pictures have the page of their name, if the names are worth anything together. Text between
    two of them lies between their pages, by how far it is from one to the other; the text's
    beginning counts as page 1, its end as the last page. Only pictures whose pages rise are relied
    on for that: the others moved. Where the two pages are no neighbours, the text between them
    stays without a page. A remark before a picture is of its page.

    Args:
        blocks: Covering a text.
        total_pages: Its last page.
        always: Estimate by length alone if no picture has such a name.

    Returns:
        The blocks, each with provenance; unchanged if there is no hint.
    """
    names = read_names(blocks, total_pages)
    if not blocks or not (names.pages or always):
        return tuple(blocks)
    placed = list(blocks)
    anchors = [
        _Anchor(i, names.pages[i][0], names.pages[i][-1], is_name=True)
        for i in sorted(names.rising)
    ]
    for left, right in _gaps(anchors, len(blocks), total_pages):
        start = blocks[left.index].end if left.index >= 0 else blocks[0].start
        end = blocks[right.index].start if right.index < len(blocks) else blocks[-1].end
        choices = right.first - left.last + 1
        for index in range(left.index + 1, right.index):
            if index == right.index - 1 and _is_remark_on(right, index, blocks):
                placed[index] = _placed(blocks[index], (right.first,), _REMARK * names.worth)
            elif choices <= _MOST_CHOICES:
                middle = (blocks[index].start + blocks[index].end) / 2
                share = (middle - start) / max(end - start, 1)
                page = left.last + min(int(share * choices), choices - 1)
                score = (names.worth or _ALONE) if choices == 1 else 1 / choices
                placed[index] = _placed(blocks[index], (page,), score)
    for index, pages in names.pages.items():
        placed[index] = _placed(blocks[index], pages, names.worth_of(index))
    return tuple(placed)


def weigh_names(
    blocks: Sequence[Block], alignments: Sequence[Alignment], total_pages: int
) -> tuple[Alignment, ...]:
    """Place pictures by their names where the text leaves a choice, and what stands beside them.

    A name decides between the pages of the text before and after it. Amid text of one page the text
    wins, unless the names are proven by all other text: then the picture moved. What was not found
    by its text and stands between two pictures of one page is on that page; a remark before a
    picture is on the picture's. The scores are those of the names.

    Args:
        blocks: Covering a text.
        alignments: By block, as the text has them.
        total_pages: The last page.

    Returns:
        The alignments; unchanged where names tell nothing.
    """
    places = {
        i: (found.pages[0], found.pages[-1])
        for i, found in enumerate(alignments)
        if found.source == "aligned" and found.score >= _KNOWN
    }
    names = read_names(blocks, total_pages, places)
    weighed = list(alignments)
    agreed: list[_Anchor] = []
    for i, around in bounds(sorted(names.pages), places, total_pages):
        told = names.pages[i]
        if alignments[i].source == "aligned":
            continue
        score = _score(names, i, around)
        if score:
            weighed[i] = replace(alignments[i], pages=told, source="estimated", score=score)
        if score and around[0] <= told[0] <= around[1] and i in names.rising:
            agreed.append(_Anchor(i, told[0], told[-1], is_name=True))
    known = [_Anchor(i, first, last) for i, (first, last) in places.items()]
    anchors = sorted([*known, *agreed], key=lambda anchor: anchor.index)
    for left, right in _gaps(anchors, len(blocks), total_pages):
        for i in range(left.index + 1, right.index):
            if i not in names.pages and weighed[i].source != "aligned":
                weighed[i] = _between(weighed[i], i, left, right, blocks, names.worth)
    return tuple(weighed)


def _score(names: PictureNames, index: int, around: Pages) -> float:
    """Tell how sure a picture's page is, from the pages of the text around it; 0 if it is not."""
    page, (first, last) = names.pages[index][0], around
    if first <= page <= last:
        return names.worth_of(index)
    is_near = first - _MOVED_PAGES <= page <= last + _MOVED_PAGES
    return _MOVED if names.is_proven and is_near else 0.0


def _between(
    found: Alignment,
    index: int,
    left: _Anchor,
    right: _Anchor,
    blocks: Sequence[Block],
    worth: float,
) -> Alignment:
    """Place what has no text of its own between two known blocks, of which one is a picture."""
    if left.last == right.first and (left.is_name or right.is_name):
        score = max(found.score, worth) if found.pages[:1] == (left.last,) else worth
        return replace(found, pages=(left.last,), source="estimated", score=score)
    if index == right.index - 1 and _is_remark_on(right, index, blocks):
        return replace(found, pages=(right.first,), source="estimated", score=_REMARK * worth)
    is_one_of_two = left.last <= right.first <= left.last + 1 and left.is_name and right.is_name
    if is_one_of_two and found.pages and left.last <= found.pages[0] <= right.first:
        return replace(found, score=max(found.score, _ONE_OF_TWO))
    return found


def _is_remark_on(picture: _Anchor, index: int, blocks: Sequence[Block]) -> bool:
    return picture.is_name and blocks[index].kind == "comment"


def _gaps(
    anchors: Sequence[_Anchor], count: int, total_pages: int
) -> Iterator[tuple[_Anchor, _Anchor]]:
    """Give each pair of neighbours among the anchors, with the text's two ends."""
    left = _Anchor(-1, 1, 1)
    for right in (*anchors, _Anchor(count, total_pages, total_pages)):
        yield left, right
        left = right


def _placed(block: Block, pages: Sequence[int], score: float) -> Block:
    provenance = tuple(Provenance(page_number=p, source="estimated", score=score) for p in pages)
    return replace(block, provenance=provenance)
