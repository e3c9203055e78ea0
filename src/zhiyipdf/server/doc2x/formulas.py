r"""Pure: formulas between ``\(…\)`` and ``\[…\]``, written with dollars or as plain text."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["with_dollars", "without_formulas"]

_CODE = re.compile(r"(?s)(```+|~~~+).*?\1|(?<!`)(`+)(?!`).*?(?<!`)\2(?!`)|<[A-Za-z/!][^<>]*>")
_INLINE = re.compile(r"(?s)\\\((.+?)\\\)")
_DISPLAY = re.compile(r"(?s)\\\[(.+?)\\\]")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s*")


def with_dollars(markdown: str) -> str:
    r"""``\(x\)`` as ``$x$`` and ``\[x\]`` as ``$$x$$``; a dollar that was money is escaped.

    Code and tags are left alone.
    """
    return _outside_code(markdown, _dollars)


def _dollars(text: str) -> str:
    escaped = re.sub(r"(?<!\\)\$", r"\\$", text)
    spaced = _DISPLAY.sub(lambda m: f"$${m[1]}$$", escaped)
    return _INLINE.sub(lambda m: f"${m[1].strip()}$", spaced)


def without_formulas(markdown: str, level: int) -> str:
    """Formulas as the text in them.

    Args:
        markdown: One page.
        level: 0 leaves it as it is, 1 degrades formulas within lines, 2 all (notes 2.3).
    """
    if level < 1:
        return markdown

    def plain(text: str) -> str:
        text = _INLINE.sub(lambda m: _bare(m[1]), text)
        return _DISPLAY.sub(lambda m: _bare(m[1]), text) if level > 1 else text

    return _outside_code(markdown, plain)


def _bare(formula: str) -> str:
    named = _COMMAND.sub(r"\1 ", formula)
    return " ".join(re.sub(r"[{}\\]", "", named).split())


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    parts, position = [], 0
    for code in _CODE.finditer(markdown):
        parts += [change(markdown[position : code.start()]), code[0]]
        position = code.end()
    return "".join([*parts, change(markdown[position:])])
