r"""Doc2X's formulas in the one style or the other: ``\( \)`` and ``\[ \]``, or dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zhiyipdf.images import Edit, apply_edits

__all__ = ["dollar_edits", "with_dollars"]

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


def dollar_edits(text: str) -> Iterator[Edit]:
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
                yield Edit(start=match.start(), end=match.end(), text=f"${formula}$")
        elif match["display"] is not None:
            text_between = f"$${match['display']}$$"
            yield Edit(start=match.start(), end=match.end(), text=text_between)


def with_dollars(text: str) -> str:
    """Write a text's formulas between dollars; see :func:`dollar_edits`."""
    return apply_edits(text, tuple(dollar_edits(text)))
