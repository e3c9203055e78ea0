"""Blanks out what only looks like Markdown: fenced code, inline code, comments, HTML pictures.

Every function keeps the length of the text, so that offsets found in a masked text hold in the
original one; and every function is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["MASK", "mask", "mask_fences", "mask_spans", "open_fence", "plain_newlines"]

MASK = "\x7f"
"""Stands for masked characters: an ASCII control, which no bare link target may hold."""

# A fence may stand in quotes and list items (CommonMark 0.31, 4.5, 5.1, 5.2).
_FENCE_OPEN = re.compile(
    r"^(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*+(?P<fence>`{3,}+(?=[^`\n]*$)|~{3,}+)", re.MULTILINE
)
_FENCE_CLOSE = re.compile(r"^[ \t>]*+(?P<fence>`{3,}+|~{3,}+)[ \t]*$", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*+(?=\n)")
_BACKTICKS = re.compile(r"`+")
_SPAN_OPEN = re.compile(r"\\[!-/:-@\[-`{-~]|`+|<!--|<img(?=[\s/>])", re.IGNORECASE)
# Quotes may hide a ">"; where they do not pair, the first ">" ends the tag.
_TAG = re.compile(r"<img\b(?:(?:[^<>\"']|\"[^\"]*\"|'[^']*')*+>|[^<>]*+>)", re.IGNORECASE)


def plain_newlines(text: str) -> str:
    r"""Give a text of the same length in which every line ends with ``\n`` and nothing else."""
    return text.replace("\r\n", " \n").replace("\r", "\n")


def mask(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Replace the characters of some spans, except newlines.

    Args:
        text: Any text.
        spans: Start and end of each, in order, not overlapping.
    """
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        lines = text[start:end].split("\n")
        pieces += (text[at:start], "\n".join(MASK * len(line) for line in lines))
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def mask_fences(text: str) -> str:
    """Mask fenced code; an unclosed fence reaches to the end, as CommonMark has it."""
    return mask(text, _fences(text)[0])


def open_fence(text: str) -> str:
    """The fence that is still open at the end of a text, as it must be closed; else nothing."""
    return _fences(plain_newlines(text))[1]


def _fences(text: str) -> tuple[list[tuple[int, int]], str]:
    """Give the spans of fenced code, and the fence of the last one if nothing closes it."""
    spans: list[tuple[int, int]] = []
    at = 0
    unclosed = ""
    while (opened := _FENCE_OPEN.search(text, at)) is not None:
        fence = opened["fence"]
        at = len(text)
        unclosed = fence
        for closed in _FENCE_CLOSE.finditer(text, opened.end()):
            if closed["fence"].startswith(fence):
                at = closed.end()
                unclosed = ""
                break
        spans.append((opened.start("fence"), at))
    return spans, unclosed


def mask_spans(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Mask inline code, comments and ``<img>`` tags, whichever begins first.

    Args:
        text: Without fenced code.

    Returns:
        The masked text, and start and end of each ``<img>`` tag.
    """
    runs: defaultdict[int, list[int]] = defaultdict(list)
    for run in _BACKTICKS.finditer(text):
        runs[run.end() - run.start()].append(run.start())
    blanks = [blank.start() for blank in _BLANK_LINE.finditer(text)]
    last_comment_end = text.rfind("-->")
    spans: list[tuple[int, int]] = []
    tags: list[tuple[int, int]] = []
    at = 0
    while (opened := _SPAN_OPEN.search(text, at)) is not None:
        start, at = opened.span()
        first = text[start]
        if first == "`":
            end = _code_end(at, runs[at - start], blanks)
            at = at if end is None else end + at - start
        elif opened[0] == "<!--" and at <= last_comment_end:
            at = text.index("-->", at) + 3
        elif first == "<" and (tag := _TAG.match(text, start)) is not None:
            at = tag.end()
            tags.append((start, at))
        else:
            continue
        if at > opened.end():
            spans.append((start, at))
    return mask(text, spans), tags


def _code_end(after: int, closers: list[int], blanks: list[int]) -> int | None:
    """Find the run of backticks that closes inline code; a blank line ends the search."""
    found = bisect_left(closers, after)
    if found == len(closers):
        return None
    blank = bisect_left(blanks, after)
    if blank < len(blanks) and blanks[blank] < closers[found]:
        return None
    return closers[found]
