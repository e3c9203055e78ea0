"""Puts docling's pictures and tables back among its texts, where its own Markdown has them.

``items_by_page.json`` lists the texts of a page first, then its tables, then its pictures.
``document.md`` has the same elements in reading order, without pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

__all__ = ["in_reading_order"]

_PICTURE = "<!-- image -->"
_BLANK = re.compile(r"\n\s*\n")


def in_reading_order(
    texts: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], markdown: str
) -> list[str]:
    """Order the elements of a document.

    Args:
        texts: Name and text of each element with text, in reading order.
        others: Name and label, ``picture`` or ``table``, of the others, in reading order.
        markdown: docling's own.

    Returns:
        All names. Each of the others stands before the text that follows it in the Markdown; those
        that the Markdown has not, at the end.
    """
    unused = {
        label: iter([name for name, own in others if own == label])
        for label in ("picture", "table")
    }
    before: dict[str, list[str]] = {}
    waiting: list[str] = []
    known = {letters: name for name, text in reversed(texts) if (letters := _letters(text))}
    for block in filter(None, map(str.strip, _BLANK.split(markdown))):
        label = "picture" if block == _PICTURE else "table" if block.startswith("|") else None
        if label is not None:
            waiting += [name for name in [next(unused[label], None)] if name is not None]
        elif waiting and (following := known.get(_letters(block.partition("\n")[0]))):
            before.setdefault(following, []).extend(waiting)
            waiting = []
    placed = [name for text, _ in texts for name in (*before.get(text, ()), text)]
    return [*placed, *_missing([name for name, _ in others], placed)]


def _missing(names: Sequence[str], placed: Sequence[str]) -> Iterator[str]:
    yield from (name for name in names if name not in set(placed))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, html.unescape(text)))
