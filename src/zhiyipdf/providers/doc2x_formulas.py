r"""Doc2X's formulas in the one style or the other: ``\( \)`` and ``\[ \]``, or dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Change", "with_dollars", "with_dollars_changes"]

# Code is left alone: a fence up to its end or the text's, and a span of backticks on one paragraph.
_TOKEN = re.compile(
    r"(?P<fence>^(?P<ticks>`{3,}|~{3,}).*?(?:^(?P=ticks)[`~]*[ \t]*$|\Z))"
    r"|(?P<span>(?P<tick>`+)(?!`)(?:(?!\n[ \t]*\n).)*?(?<!`)(?P=tick)(?!`))"
    r"|(?P<double>\\\\)"
    # A formula may hold "\\\\[2pt]", but no delimiter of its own kind.
    r"|\\\((?P<inline>(?:\\\\|\\(?![()\\])|[^\\\n]|\n(?![ \t]*\n))*+)\\\)"
    r"|\\\[(?P<display>(?:\\\\|\\(?![\[\]\\])|[^\\])*+)\\\]",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of text that is written anew.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last one.
        text: What comes instead.
    """

    start: int
    end: int
    text: str


def with_dollars_changes(text: str) -> Iterator[Change]:
    r"""Say which pieces of a text must change to have ``$`` and ``$$`` around its formulas.

    Args:
        text: Markdown as Doc2X's status has it (wire notes 3.1: ``\( \)`` inline, ``\[ \]`` apart).

    Yields:
        In order, apart from each other. White space just inside inline delimiters goes: with it
        ``$ x $`` is no formula in most readers.
    """
    for match in _TOKEN.finditer(text):
        if match["inline"] is not None:
            formula = match["inline"].strip()
            if formula:
                yield Change(*match.span(), f"${formula}$")
        elif match["display"] is not None:
            yield Change(*match.span(), f"$${match['display']}$$")


def with_dollars(text: str) -> str:
    """Write a text's formulas between dollars; see :func:`with_dollars_changes`."""
    pieces: list[str] = []
    at = 0
    for change in with_dollars_changes(text):
        pieces += (text[at : change.start], change.text)
        at = change.end
    return "".join((*pieces, text[at:]))
