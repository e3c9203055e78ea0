"""Splits Markdown into blocks whose spans, joined, give the text back to the letter."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from zhiyipdf.images import image_references, remove_images
from zhiyipdf.markdown.rules import block_parser, matching_tables
from zhiyipdf.models import Block, BlockKind

if TYPE_CHECKING:
    from markdown_it.token import Token

__all__ = ["split_blocks"]

# A list longer than this is split between its items: embedding models take about as much.
_LIST_CHARACTERS = 1500
# A longer line, or more than one, above "---" is a paragraph before a rule, not a heading.
_UNDERLINED_CHARACTERS = 200
_TITLE_CHARACTERS = 500

# What CommonMark takes for the end of a line; Python's splitlines() knows more.
_NEWLINE = re.compile(r"\r\n?|\n")
_COMMENTS = re.compile(r"\s*(?:<!--(?:(?!-->).)*+(?:-->\s*+|\Z))+", re.DOTALL)
_HTML_HEADING = re.compile(r"\s*<h([1-6])\b[^<>]*>(.*?)</h\1>\s*", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_FIRST_TAG = re.compile(r"\s*<([a-z0-9]+)", re.IGNORECASE)
_ONE_FORMULA = re.compile(r"\s*(?:\$[^$\n]+\$|\\\((?:(?!\\\)).)+\\\))\s*")

_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "html_table": "table",
    "html_block": "paragraph",
    "pictures": "image",
    "formula": "formula",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "quote",
    "footnote_reference_open": "footnote",
    "front_matter": "comment",
    "hr": "rule",
}
_HTML_KINDS: dict[str, BlockKind] = {
    "hr": "rule",
    "pre": "code",
    "blockquote": "quote",
    "ul": "list",
    "ol": "list",
    "table": "table",
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Where a block begins, and what it is as far as the parser tells."""

    line: int
    kind: BlockKind
    html: bool = False
    level: int = 0
    title: str = ""


def split_blocks(text: str) -> tuple[Block, ...]:
    """Split Markdown into its top-level blocks, in linear time.

    Each block reaches to the beginning of the next: blank lines belong to the block before, those
    at the very beginning to the first one. A long list is split between its items. Link definitions
    are text of the block they stand in.

    Args:
        text: CommonMark with tables, footnotes, formulas, HTML.

    Returns:
        Blocks without provenance; none for an empty text.
    """
    if not text:
        return ()
    line_starts = [0, *(match.end() for match in _NEWLINE.finditer(text))]
    # Line by line the same; a form feed would hide the heading after it.
    source = _NEWLINE.sub("\n", text).replace("\0", "\ufffd").replace("\f", " ")
    tokens: list[Token] = []
    parser = _block_parser()
    parser.block.parse(source, parser, {"tables": matching_tables(source)}, tokens)
    pieces = list(_pieces(tokens, line_starts, len(text))) or [_Piece(0, "paragraph")]
    starts = [0, *(line_starts[piece.line] for piece in pieces[1:])]
    images: list[list[str]] = [[] for _ in pieces]
    for reference in image_references(text):
        images[bisect_right(starts, reference.outer_start) - 1].append(reference.target)
    blocks: list[Block] = []
    above: list[tuple[int, str]] = []
    for piece, (start, end), shown in zip(
        pieces, pairwise([*starts, len(text)]), images, strict=True
    ):
        content = text[start:end]
        kind, level, title = _refined(piece, content, has_images=bool(shown))
        if level:
            while above and above[-1][0] >= level:
                above.pop()
        blocks.append(
            Block(
                kind=kind,
                start=start,
                end=end,
                text=content,
                section=tuple(heading for _, heading in above),
                level=level,
                images=tuple(shown),
            )
        )
        if level:
            above.append((level, title))
    return tuple(blocks)


def _pieces(tokens: Sequence[Token], line_starts: Sequence[int], length: int) -> Iterator[_Piece]:
    """Give the blocks of the token stream, long lists in parts."""
    for index, token in enumerate(tokens):
        if token.level or token.nesting < 0 or token.map is None:
            continue
        kind = _KINDS.get(token.type, "paragraph")
        line, end = token.map
        if kind == "heading":
            yield _heading(token, tokens[index + 1].content, line)
        elif kind == "list":
            yield from _list_parts(tokens, index, [*line_starts[line : end + 1], length])
        else:
            yield _Piece(line, kind, html=token.type == "html_block")


def _heading(token: Token, content: str, line: int) -> _Piece:
    underlined = token.markup in {"-", "="}
    if underlined and ("\n" in content or len(content) > _UNDERLINED_CHARACTERS):
        return _Piece(line, "paragraph")
    return _Piece(line, "heading", level=int(token.tag[1:]), title=_plain_text(content))


def _list_parts(tokens: Sequence[Token], index: int, starts: Sequence[int]) -> Iterator[_Piece]:
    """Split a list into parts of whole items, as long as one part may be.

    Args:
        tokens: All of them.
        index: Of the token that opens the list.
        starts: Offsets of the list's lines.
    """
    opening = tokens[index]
    first, last = opening.map or (0, 0)
    items: list[int] = []
    for at in range(index + 1, len(tokens)):  # a slice would copy all that comes after each list
        token = tokens[at]
        if token.level == 0:
            break
        if token.level == 1 and token.type == "list_item_open" and token.map is not None:
            items.append(token.map[0])
    begun = first
    yield _Piece(first, "list")
    for item, following in pairwise([*items, last]):
        if item > begun and starts[following - first] - starts[begun - first] > _LIST_CHARACTERS:
            begun = item
            yield _Piece(item, "list")


def _refined(piece: _Piece, content: str, *, has_images: bool) -> tuple[BlockKind, int, str]:
    """Tell kind, heading level and title by what a block holds."""
    if piece.html:
        heading = _HTML_HEADING.fullmatch(content)
        if heading is not None:
            return "heading", int(heading[1]), " ".join(_TAG.sub("", heading[2]).split())
        return _html_kind(content, has_images=has_images), 0, ""
    if piece.kind == "paragraph":
        if has_images and not remove_images(content).strip():
            return "image", 0, ""
        if _ONE_FORMULA.fullmatch(content):
            return "formula", 0, ""
    return piece.kind, piece.level, piece.title


def _html_kind(content: str, *, has_images: bool) -> BlockKind:
    if _COMMENTS.fullmatch(content):
        return "comment"
    tag = _FIRST_TAG.match(content)
    kind = None if tag is None else _HTML_KINDS.get(tag[1].lower())
    if kind is not None:
        return kind
    if has_images and not _TAG.sub("", content).strip():
        return "image"
    return "table" if "<table" in content.lower() else "paragraph"


def _plain_text(content: str) -> str:
    """Give what a heading says, without emphasis, links and tags."""
    said: list[str] = []
    for inline in _inline_parser().parseInline(content[:_TITLE_CHARACTERS]):
        for token in inline.children or ():
            if token.type in {"text", "code_inline", "image", "text_special"}:
                said.append(token.content)
            elif token.type in {"softbreak", "hardbreak"} or token.content.startswith("<br"):
                said.append(" ")
    return " ".join("".join(said).split())


# Parsers are made once and hold no state: what a parse needs is in its own environment.
@cache
def _block_parser() -> MarkdownIt:
    return block_parser()


@cache
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark")
