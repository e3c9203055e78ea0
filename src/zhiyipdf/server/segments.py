"""Pure: take Markdown apart into what is translated and what must come through untouched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Segment", "cell_edges", "protect", "restore", "split_blocks", "split_segments"]

_FENCE = re.compile(r"^(```+|~~~+)")
_PREFIX = re.compile(r"^(\s*(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s?)*)(.*)$", re.DOTALL)
# What must come through untouched inside a line: code, formulas, pictures, tags, link targets.
_PROTECTED = re.compile(
    r"`+[^`]*`+|\$\$.*?\$\$|\$[^$\s](?:[^$]*[^$\s])?\$|\\\(.*?\\\)|\\\[.*?\\\]"
    r"|!\[[^\]]*\]\([^)]*\)|<!--.*?-->|</?[A-Za-z][^<>]*>"
    r"|(?<=\])\([^)\s]*\)|https?://[^\s)>\]]+"
)
_MARK = re.compile("\u27e6(\\d+)\u27e7")
_DELIMITER_ROW = re.compile(r"^\|(?:\s*:?-+:?\s*\|)+\s*$")
_CELL_EDGE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a block: literal, or to be translated.

    Attributes:
        text: The piece.
        literal: True if it is kept as it is.
    """

    text: str
    literal: bool


def split_blocks(markdown: str) -> list[str]:
    """Cut Markdown at blank lines, fences and display formulas kept whole.

    Returns:
        The blocks; joined by one blank line each they are the text again, up to surplus blank
        lines.
    """
    blocks: list[list[str]] = [[]]
    closing = ""
    for line in markdown.split("\n"):
        if not closing and not line.strip():
            blocks.append([])
            continue
        blocks[-1].append(line)
        if closing:
            if line.strip().endswith(closing):
                closing = ""
        elif mark := _FENCE.match(line):
            closing = mark[1]
        elif line.strip() == "$$" or (line.startswith("$$") and line.count("$$") == 1):
            closing = "$$"
        elif line.startswith("<!--") and "-->" not in line:
            closing = "-->"
    return ["\n".join(lines) for lines in blocks if lines]


def split_segments(block: str) -> list[Segment]:
    """Take a block apart: what to translate, and what stands between.

    Code, display formulas, comments, tags and rules are literal; so are list marks, heading marks
    and the edges of table cells. Concatenated, the segments are the block.
    """
    if _FENCE.match(block) or block.startswith(("$$", "\\[", "<!--")):
        return [Segment(block, literal=True)]
    segments: list[Segment] = []
    lines = block.split("\n")
    table = len(lines) > 1 and bool(_DELIMITER_ROW.match(lines[1]))
    for number, line in enumerate(lines):
        if number:
            segments.append(Segment("\n", literal=True))
        if table and line.startswith("|"):
            segments.extend(_row_segments(line, number))
        else:
            prefix, text = _split_prefix(line)
            segments.extend((Segment(prefix, literal=True), _text_segment(text)))
    return [segment for segment in segments if segment.text]


def _row_segments(line: str, number: int) -> list[Segment]:
    if number == 1:
        return [Segment(line, literal=True)]
    segments = []
    start = 0
    for edge in _CELL_EDGE.finditer(line):
        segments.extend(_cell_segments(line[start : edge.start()]))
        segments.append(Segment("|", literal=True))
        start = edge.end()
    segments.extend(_cell_segments(line[start:]))
    return segments


def _cell_segments(cell: str) -> list[Segment]:
    text = cell.strip()
    if not text:
        return [Segment(cell, literal=True)]
    before = cell[: cell.index(text)]
    after = cell[len(before) + len(text) :]
    return [Segment(before, literal=True), _text_segment(text), Segment(after, literal=True)]


def _split_prefix(line: str) -> tuple[str, str]:
    match = _PREFIX.match(line)
    return (match[1], match[2]) if match else ("", line)


def _text_segment(text: str) -> Segment:
    bare = _PROTECTED.sub("", text)
    return Segment(text, literal=not any(character.isalpha() for character in bare))


def protect(text: str) -> tuple[str, list[str]]:
    """Put marks in place of code, formulas, pictures, tags and link targets.

    Returns:
        The text with marks, and what they stand for.
    """
    kept: list[str] = []

    def mark(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\u27e6{len(kept)}\u27e7"

    return _PROTECTED.sub(mark, text), kept


def restore(text: str, kept: Sequence[str]) -> str | None:
    """Put back what :func:`protect` took out.

    Returns:
        The text, or None if a mark is missing, doubled or made up.
    """
    numbers = sorted(int(number) for number in _MARK.findall(text))
    if numbers != list(range(1, len(kept) + 1)):
        return None
    return _MARK.sub(lambda match: kept[int(match[1]) - 1], text)


def cell_edges(text: str) -> int:
    """Count the unescaped bars: one more or less would tear a table."""
    return len(_CELL_EDGE.findall(text))
