"""Where each piece of a Doc2X result stands: pages joined to one text, boxes found in it; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from zhiyipdf.images import image_references
from zhiyipdf.models import LayoutSpan
from zhiyipdf.providers.doc2x_wire import LayoutBlock, StatusPage

__all__ = ["JoinedPages", "join_pages"]

GAP = "\n\n"
_LINE_CHARACTERS = 200  # of a text that is not found whole; enough to be the only one on a page


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
    pages: Sequence[StatusPage], named: Callable[[str], str] = lambda target: target
) -> JoinedPages:
    """Join the pages of a result.

    Args:
        pages: In order; their Markdown already shows pictures by their new names.
        named: Gives the new name of a picture's address.
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
        spans += _spans(page, text, at, named)
        at += len(text)
    text = "".join(pieces)
    if text:
        text += "\n"
    return JoinedPages(markdown=text, layout=tuple(spans))


def _spans(
    page: StatusPage, text: str, start: int, named: Callable[[str], str]
) -> Iterator[LayoutSpan]:
    """Cover a page's text with spans: those of its blocks, and what lies between them."""
    size = (page.width, page.height) if page.width and page.height else None
    at = 0
    if size is not None:
        for block, (begin, end) in _found(page.blocks, text, named):
            if begin > at:
                yield _plain(page, start + at, start + begin)
            yield LayoutSpan(
                start=start + begin,
                end=start + end,
                page_number=page.number,
                bbox=block.bbox,
                page_size=size,
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

    Blocks come in reading order for the most part. One that is not found after the one before it is
    looked for from the beginning, where nothing has been found yet.
    """
    shown = {reference.target: reference for reference in image_references(text)}
    taken: list[tuple[int, int, LayoutBlock]] = []
    at = 0
    for block in blocks:
        picture = shown.get(named(block.src)) if block.src else None
        if picture is not None:
            place: tuple[int, int] | None = (picture.outer_start, picture.outer_end)
        else:
            place = _place(block.text, text, at) or _place(block.text, text, 0)
        if place is None or any(place[0] < end and start < place[1] for start, end, _ in taken):
            continue
        taken.append((*place, block))
        at = max(at, place[1])
    for start, end, block in sorted(taken, key=lambda found: found[0]):
        yield block, (start, end)


def _place(wanted: str, text: str, at: int) -> tuple[int, int] | None:
    """Find a text, whole or else by its first line."""
    wanted = wanted.strip()
    if not wanted:
        return None
    start = text.find(wanted, at)
    if start >= 0:
        return start, start + len(wanted)
    line = wanted.partition("\n")[0].strip()[:_LINE_CHARACTERS]
    start = text.find(line, at) if len(line) > 1 else -1
    return None if start < 0 else (start, start + len(line))
