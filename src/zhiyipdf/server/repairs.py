"""Pure repairs of the engine's Markdown: Chinese text, empty fences, tables and pictures.

liteparse leaves Chinese headings as paragraphs, joins wrapped Chinese lines with a space, writes an
empty ``text`` fence for a page without text, and says nothing where a table or picture came from.
All of this was measured in the engine study; curly quotes folded to ASCII cannot be undone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "HeadingCandidate",
    "body_size",
    "count_sizes",
    "drop_controls",
    "drop_empty_fences",
    "find_tables",
    "has_text",
    "has_words",
    "heading_levels",
    "image_tag",
    "is_heading_text",
    "join_wrapped_cjk",
    "promote_headings",
    "replace_pictures",
    "replace_tables",
]

# Han, kana, and CJK punctuation; Hangul is left out: Korean puts spaces between words.
_CJK = (
    "\u2e80-\u2fdf\u3000-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U00020000-\U000323af"
)
_HAN_OR_KANA = re.compile(
    "[\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]"
)
_WRAP = re.compile(f"(?<=[{_CJK}]) (?=[{_CJK}])")
_FENCE = re.compile(r"^(```+|~~~+)")
_EMPTY_FENCE = re.compile(r"^(```+)text\n\s*\1[ \t]*$\n?", re.MULTILINE)
_DELIMITER_ROW = re.compile(r"^\|(?:\s*:?-+:?\s*\|)+\s*$")
_PICTURE = re.compile(r"!\[[^\]\n]*\]\(img_p\d+_\d+\.\w+\)")
# Form feeds and other controls come out of broken fonts; some readers take them for page marks.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
_UNREADABLE = re.compile(
    "[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202f\ue000-\uf8ff\ufeff\ufffd]"
)

_LETTERS = re.compile(r"[^\W\d_]+")
_ROMAN = re.compile(r"[ivxlcdm]+|[IVXLCDM]+")

# Numbers of the engine study's repair (a).
HEADING_MAX_CHARACTERS = 60
HEADING_MIN_RATIO = 1.15
_NO_HEADING_ENDS = "。；，.,;:："
_DEEPEST_HEADING = 6

# The tag of the real service's archive, as its vendor published one.
_IMAGE_TAG = '<img src="{src}" style="zoom:70%; display: block; margin: 0 auto;" />'


@dataclass(frozen=True, slots=True)
class HeadingCandidate:
    """A paragraph that may be a heading.

    Attributes:
        text: Its text as the engine gives it.
        size: The size of its largest letters, in points.
    """

    text: str
    size: float


def image_tag(name: str) -> str:
    """The tag for a picture in the archive's ``images`` folder."""
    return _IMAGE_TAG.format(src=f"images/{name}")


def drop_controls(markdown: str) -> str:
    """Take out control characters other than line feed and tab, and lone surrogates."""
    return _CONTROLS.sub("", markdown.replace("\r\n", "\n"))


def drop_empty_fences(markdown: str) -> str:
    """Take out fences that hold nothing: the engine's sign for a page without text."""
    return _EMPTY_FENCE.sub("", markdown).strip("\n")


def has_text(text: str) -> bool:
    """Whether anything readable is there: not only blanks, controls and private-use glyphs."""
    return bool(_UNREADABLE.sub("", text))


def has_words(text: str) -> bool:
    """Whether there is more than numbers, arabic or roman: at least one other run of letters."""
    return any(not _ROMAN.fullmatch(word) for word in _LETTERS.findall(text))


def body_size(sizes: Mapping[float, int]) -> float:
    """The size most characters of the document have; 0 without any.

    Args:
        sizes: Characters by font size in points, over the whole document.
    """
    return max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0


def is_heading_text(text: str) -> bool:
    """Whether a paragraph reads like a Chinese or Japanese heading: short, and no sentence."""
    text = text.strip()
    return (
        0 < len(text) <= HEADING_MAX_CHARACTERS
        and text[-1] not in _NO_HEADING_ENDS
        and bool(_HAN_OR_KANA.search(text))
    )


def heading_levels(candidates: Iterable[HeadingCandidate], *, body: float) -> dict[float, int]:
    """Levels by the rank of sizes: the largest is 1.

    Args:
        candidates: Of the whole document, so that one size has one level throughout.
        body: :func:`body_size`.

    Returns:
        Level by size, for sizes that stand out from the body.
    """
    sizes = {c.size for c in candidates if body > 0 and c.size >= HEADING_MIN_RATIO * body}
    ranked = sorted(sizes, reverse=True)
    return {size: min(rank, _DEEPEST_HEADING) for rank, size in enumerate(ranked, start=1)}


def promote_headings(
    markdown: str, candidates: Sequence[HeadingCandidate], levels: Mapping[float, int]
) -> str:
    """Make headings of the paragraphs whose letters are large enough.

    Args:
        markdown: One page.
        candidates: Its candidates in reading order.
        levels: :func:`heading_levels`.
    """
    wanted = [(_bare(c.text), levels[c.size]) for c in candidates if c.size in levels]
    lines = markdown.split("\n")
    position = 0
    for text, level in wanted:
        found = next((i for i in range(position, len(lines)) if _bare(lines[i]) == text), None)
        if found is not None and not lines[found].startswith("#"):
            lines[found] = f"{'#' * level} {lines[found].strip()}"
        position = position if found is None else found + 1
    return "\n".join(lines)


def _bare(line: str) -> str:
    return re.sub(r"[\s*]+", "", line)


def join_wrapped_cjk(markdown: str) -> str:
    """Take out the space that a wrapped line left between two Chinese or Japanese characters.

    Only in paragraphs and list items: headings (``第一章 概述``), tables, code and tags keep
    theirs.
    """
    lines = markdown.split("\n")
    for number, kind in _line_kinds(lines):
        if kind == "text":
            lines[number] = _WRAP.sub("", lines[number])
    return "\n".join(lines)


def _line_kinds(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence or mark:
            yield number, "code"
            if mark and not fence:
                fence = mark[1]
            elif fence and line.strip().startswith(fence):
                fence = ""
        elif line.startswith("|"):
            yield number, "table"
        elif line.startswith(("#", "<")):
            yield number, "other"
        else:
            yield number, "text"


def replace_tables(markdown: str, tags: Sequence[str | None]) -> str:
    """Put a picture's tag in place of each pipe table.

    Args:
        markdown: One page.
        tags: One tag for each table, in order; None keeps the table.

    Returns:
        The page; unchanged if it has another number of tables than there are tags, because then
        nobody knows which picture belongs to which.
    """
    lines = markdown.split("\n")
    tables = find_tables(lines)
    if len(tables) != len(tags):
        return markdown
    for (first, last), tag in reversed(list(zip(tables, tags, strict=True))):
        if tag is not None:
            lines[first:last] = [tag]
    return "\n".join(lines)


def find_tables(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Where pipe tables are: the first line of each, and the one after its last."""
    rows = [number for number, kind in _line_kinds(lines) if kind == "table"]
    runs: list[list[int]] = []
    for number in rows:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [
        (run[0], run[-1] + 1)
        for run in runs
        if len(run) > 1 and _DELIMITER_ROW.match(lines[run[1]])
    ]


def replace_pictures(markdown: str, tags: Sequence[str]) -> str:
    """Put tags in place of the engine's ``![](img_p1_2.png)`` references, one for one in order.

    Args:
        markdown: One page.
        tags: A tag for each picture of the page, in reading order. A reference beyond them is
            taken out, because there is no file behind it.
    """
    remaining = iter(tags)
    lines = markdown.split("\n")
    for number, kind in _line_kinds(lines):
        if kind != "code":
            lines[number] = _PICTURE.sub(lambda _: next(remaining, ""), lines[number])
    return "\n".join(lines)


def count_sizes(items: Iterable[tuple[str, float]]) -> Counter[float]:
    """Characters by font size, rounded to tenths of a point.

    Args:
        items: Text and font size of each piece of text.
    """
    sizes: Counter[float] = Counter()
    for text, size in items:
        sizes[round(size, 1)] += len(text.strip())
    return sizes
