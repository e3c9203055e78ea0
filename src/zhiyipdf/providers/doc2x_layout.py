"""Where each piece of a Doc2X result stands: pages joined to one text, boxes found in it; pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from zhiyipdf.images import image_references
from zhiyipdf.models import LayoutSpan
from zhiyipdf.providers.doc2x_pages import LayoutBlock, StatusPage

__all__ = ["JoinedPages", "join_pages"]

GAP = "\n\n"
_LONG = 8  # letters and digits of a text that hardly stands twice on a page
_MARKUP = re.compile(r"<!--.*?-->|<[^<>]*>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedPages:
    """A result as one text.

    Attributes:
        markdown: Of all pages, blank lines between them.
        layout: A span for each page, or for each piece of a page that has a box.
    """

    markdown: str
    layout: tuple[LayoutSpan, ...]


def join_pages(
    pages: Sequence[StatusPage],
    named: Callable[[str], str] = lambda target: target,
    *,
    in_points: bool = False,
) -> JoinedPages:
    """Join the pages of a result.

    Args:
        pages: In order; their Markdown already shows pictures by their new names.
        named: Gives the new name of a picture's address.
        in_points: Whether a pixel is a point: then boxes need no measure of the page.
    """
    pieces: list[str] = []
    spans: list[LayoutSpan] = []
    at = 0
    for page in pages:
        # Without a byte order mark: whoever reads the file would drop it, and shift all offsets.
        text = page.markdown.lstrip("\ufeff").strip("\r\n")
        if not text.strip():
            continue
        if pieces:
            pieces.append(GAP)
            at += len(GAP)
        pieces.append(text)
        spans += _spans(page, text, at, named, in_points=in_points)
        at += len(text)
    text = "".join(pieces)
    if text:
        text += "\n"
    return JoinedPages(markdown=text, layout=tuple(spans))


def _spans(
    page: StatusPage,
    text: str,
    start: int,
    named: Callable[[str], str],
    *,
    in_points: bool,
) -> Iterator[LayoutSpan]:
    """Cover a page's text with spans: those of its blocks, and what lies between them."""
    size = (page.width, page.height) if page.width and page.height else None
    at = 0
    if size is not None or in_points:
        for block, (begin, end) in _found(page.blocks, text, named):
            if begin > at:
                yield _plain(page, start + at, start + begin)
            yield LayoutSpan(
                start=start + begin,
                end=start + end,
                page_number=page.number,
                bbox=block.bbox,
                page_size=None if in_points else size,
            )
            at = end
    if at < len(text):
        yield _plain(page, start + at, start + len(text))


def _plain(page: StatusPage, start: int, end: int) -> LayoutSpan:
    return LayoutSpan(start=start, end=end, page_number=page.number)


def _found(
    blocks: Sequence[LayoutBlock], text: str, named: Callable[[str], str]
) -> Iterator[tuple[LayoutBlock, tuple[int, int]]]:
    """Find blocks in a page's text, in order of the text and apart from each other.

    Pictures are found by their address. Texts are compared without marks, tags and blanks: long
    ones first, each after the one before it or else anywhere; short ones, which may stand in many
    places, only between what was found of their neighbours.
    """
    shown = {reference.target: reference for reference in image_references(text)}
    page = _Skeleton.of(text)
    places: list[tuple[int, int] | None] = []
    at = 0
    for block in blocks:
        picture = shown.get(named(block.src)) if block.src else None
        if picture is not None:
            places.append((picture.outer_start, picture.outer_end))
            continue
        wanted = _Skeleton.of(block.text).characters
        place = None
        if len(wanted) >= _LONG:
            place = page.find(wanted, at) or page.find(wanted, 0)
        places.append(place)
        at = at if place is None else max(at, place[1])
    for number, block in enumerate(blocks):
        wanted = "" if places[number] else _Skeleton.of(block.text).characters
        if 0 < len(wanted) < _LONG:
            before = [place[1] for place in places[:number] if place]
            after = [place[0] for place in places[number + 1 :] if place]
            end = after[0] if after else len(text)
            places[number] = page.find(wanted, before[-1] if before else 0, end)
    taken = -1
    found = [(place, block) for place, block in zip(places, blocks, strict=True) if place]
    for place, block in sorted(found, key=lambda pair: pair[0]):
        if place[0] >= taken:
            yield block, place
            taken = place[1]


@dataclass(frozen=True, slots=True)
class _Skeleton:
    """The letters and digits of a text, and where they stand."""

    characters: str
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        plain = _MARKUP.sub(lambda match: " " * len(match[0]), text)
        offsets = tuple(at for at, character in enumerate(plain) if character.isalnum())
        return cls("".join(plain[at] for at in offsets), offsets)

    def find(self, wanted: str, start: int, end: int | None = None) -> tuple[int, int] | None:
        """Find characters between two offsets of the text; gives offsets of the text."""
        first = bisect_left(self.offsets, start)
        last = len(self.offsets) if end is None else bisect_left(self.offsets, end)
        at = self.characters.find(wanted, first, last)
        if at < 0:
            return None
        return self.offsets[at], self.offsets[at + len(wanted) - 1] + 1
