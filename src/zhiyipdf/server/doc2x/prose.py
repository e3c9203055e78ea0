"""Pure: the engine's Markdown as the few kinds of blocks that LaTeX and Word are written from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["Block", "Code", "Heading", "Item", "Paragraph", "Picture", "Span", "Table", "read"]

_IMAGE = re.compile(r"""<img\b[^>]*\bsrc=["']images/([^"']+)["'][^>]*>""")
_BREAK = re.compile(r"(?i)<br\s*/?>")


@dataclass(frozen=True, slots=True)
class Span:
    """Text of one look; a line feed is a line break.

    Attributes:
        text: The text, without markup.
        bold: Whether it is strong.
        italic: Whether it is emphasised.
        code: Whether it is code.
    """

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    spans: Spans


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph of a list item.

    Attributes:
        spans: The text.
        depth: 1 for the outer list.
        ordered: Whether its list is numbered.
        number: Its number, from 1.
        begins: False for a further paragraph of the same item.
    """

    spans: Spans
    depth: int
    ordered: bool
    number: int
    begins: bool = True


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be kept as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; all rows have as many."""

    rows: tuple[tuple[Spans, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the archive's ``images`` folder."""

    name: str


Block = Heading | Paragraph | Item | Code | Table | Picture


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int
    fresh: bool = True


@dataclass(slots=True)
class _State:
    lists: list[_List] = field(default_factory=list)
    heading: int = 0
    rows: list[list[Spans]] = field(default_factory=list)
    in_table: bool = False


def read(markdown: str) -> list[Block]:
    """Read Markdown into blocks.

    Comments are dropped; quotes become plain paragraphs. Text is never lost.

    Args:
        markdown: CommonMark with pipe tables and ``<img>`` tags, as the engine writes it.
    """
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    state = _State()
    return [block for token in parser.parse(markdown) for block in _blocks(token, state)]


def _blocks(token: Token, state: _State) -> Iterator[Block]:
    match token.type:
        case "table_close":
            state.in_table = False
            yield Table(_squared(state.rows))
        case "fence" | "code_block":
            yield Code(token.content.rstrip("\n"))
        case "html_block":
            yield from _html(token.content)
        case "inline":
            yield from _inline(token, state)
        case _:
            _enter_or_leave(token, state)


def _enter_or_leave(token: Token, state: _State) -> None:
    match token.type:
        case "heading_open":
            state.heading = int(token.tag[1:])
        case "heading_close":
            state.heading = 0
        case "bullet_list_open" | "ordered_list_open":
            first = int(token.attrGet("start") or 1)
            state.lists.append(_List(token.type == "ordered_list_open", first - 1))
        case "bullet_list_close" | "ordered_list_close":
            state.lists.pop()
        case "list_item_open":
            state.lists[-1].number += 1
            state.lists[-1].fresh = True
        case "table_open":
            state.rows, state.in_table = [], True
        case "tr_open":
            state.rows.append([])
        case _:
            pass


def _html(content: str) -> Iterator[Block]:
    without_comments = re.sub(r"(?s)<!--.*?-->", "", content)
    for name in _IMAGE.findall(without_comments):
        yield Picture(name)
    text = re.sub(r"<[^>]+>", " ", _BREAK.sub("\n", without_comments)).strip()
    if text:
        yield Paragraph((Span(text),))


def _inline(token: Token, state: _State) -> Iterator[Block]:
    spans, pictures = _spans(token.children or [])
    if state.in_table:
        state.rows[-1].append(spans)
    elif state.heading and spans:
        yield Heading(state.heading, spans)
    elif state.lists and spans:
        inner = state.lists[-1]
        yield Item(spans, len(state.lists), inner.ordered, inner.number, begins=inner.fresh)
        inner.fresh = False
    elif spans:
        yield Paragraph(spans)
    if not state.in_table:
        yield from (Picture(name) for name in pictures)


def _spans(tokens: Sequence[Token]) -> tuple[Spans, list[str]]:
    spans: list[Span] = []
    pictures: list[str] = []
    bold = italic = 0
    for token in tokens:
        text = token.content
        match token.type:
            case "strong_open" | "strong_close":
                bold += token.nesting
                continue
            case "em_open" | "em_close":
                italic += token.nesting
                continue
            case "softbreak":
                text = " "
            case "hardbreak":
                text = "\n"
            case "html_inline":
                pictures += _IMAGE.findall(text)
                text = "\n" if _BREAK.fullmatch(text) else ""
            case _:
                pass
        if text:
            spans.append(Span(text, bold > 0, italic > 0, token.type == "code_inline"))
    if not any(span.text.strip() for span in spans):
        return (), pictures
    return tuple(spans), pictures


def _squared(rows: Sequence[Sequence[Spans]]) -> tuple[tuple[Spans, ...], ...]:
    width = max((len(row) for row in rows), default=0)
    return tuple((*row, *((),) * (width - len(row))) for row in rows)
