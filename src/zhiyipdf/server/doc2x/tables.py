"""Pure: pipe tables into the HTML tables the service writes, and joined over page breaks."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from zhiyipdf.server.repairs import find_tables

__all__ = ["html_tables", "join_tables"]

_EDGE = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"(?i)<br\s*/?>")
_STRONG = re.compile(r"(?<![\w*\\])\*{1,3}(?=\S)(.+?)(?<=\S)\*{1,3}(?![\w*])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>$~])")


def html_tables(markdown: str) -> str:
    """Write each pipe table as one line of HTML, all cells ``<td>`` as the service has them.

    Args:
        markdown: One page.
    """
    lines = markdown.split("\n")
    for first, last in reversed(find_tables(lines)):
        rows = [_cells(line) for number, line in enumerate(lines[first:last]) if number != 1]
        lines[first:last] = [_html(rows)]
    return "\n".join(lines)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _EDGE.split(line.strip().removeprefix("|").removesuffix("|"))]


def _html(rows: Sequence[Sequence[str]]) -> str:
    width = max(len(row) for row in rows)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{_cell(cell)}</td>" for cell in [*row, *[""] * (width - len(row))])
        + "</tr>"
        for row in rows
    )
    return f"<table>{body}</table>"


def _cell(text: str) -> str:
    # Emphasis is Markdown and would be read as asterisks within HTML.
    plain = _ESCAPED.sub(r"\1", _STRONG.sub(r"\1", text))
    return "<br>".join(html.escape(part, quote=False) for part in _BREAK.split(plain))


def join_tables(pages: Sequence[str]) -> list[str]:
    """Join a pipe table that ends a page with one of as many columns that begins the next.

    Args:
        pages: Markdown of each page, pipe tables still.

    Returns:
        The pages; the joined table stands on the first of them, without a repeated head.
    """
    joined = [page.strip("\n") for page in pages]
    home = 0
    for number in range(1, len(joined)):
        upper, lower = joined[home].split("\n"), joined[number].split("\n")
        above, below = find_tables(upper), find_tables(lower)
        if not (above and below and above[-1][1] == len(upper) and below[0][0] == 0):
            home = number
            continue
        head = upper[above[-1][0]]
        rows = [line for i, line in enumerate(lower[: below[0][1]]) if i != 1]
        if len(_cells(rows[0])) != len(_cells(head)):
            home = number
            continue
        if _cells(rows[0]) == _cells(head):
            del rows[0]
        joined[home] = "\n".join([*upper, *rows])
        joined[number] = "\n".join(lower[below[0][1] :]).strip("\n")
        if joined[number]:
            home = number
    return joined
