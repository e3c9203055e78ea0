r"""What converted PDFs hold beyond CommonMark, as block rules for markdown-it.

Display formulas (``$$``, ``\[``, LaTeX environments), HTML tables with blank lines in them,
pictures alone on a line, front matter. The published formula plugins copy or search the rest of the
text for each formula, which is quadratic; these rules look no further than the paragraph.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock

__all__ = ["block_parser", "matching_tables"]

_INTERRUPTS = ["paragraph", "reference", "blockquote", "list"]
_ENVIRONMENTS = (
    "equation|align|alignat|aligned|flalign|gather|gathered|multline|eqnarray|split|cases|array"
    "|[pbBvV]?matrix|displaymath|math"
)
_FORMULA_OPEN = re.compile(rf"\$\$|\\\[|\\begin\{{(?P<name>(?:{_ENVIRONMENTS})\*?)\}}")
# A formula may be followed by its number or by the sentence's punctuation. What was matched is
# kept: three runs of blanks beside each other would be shared out in every way there is.
_AFTER_FORMULA = re.compile(r"\s*+(?:\([^()\s]{1,20}\)|\\tag\*?\{[^{}]*\})?+\s*+[.,;]?+\s*+")
_PICTURES_ONLY = re.compile(
    r"(?:(?:<img\b[^<>]*>|!\[[^\[\]]*\]\((?:<[^<>]*>|[^()<>\s]*)(?:\s+\"[^\"]*\")?\))\s*)+",
    re.IGNORECASE,
)
_TABLE_LINE = re.compile(
    r"(?:<(?:div|center|html|body|p|figure)\b[^<>]*>\s*)*+(?=<table\b)", re.IGNORECASE
)
_TABLE_TAG = re.compile(r"<(?P<close>/?)table\b[^<>]*>", re.IGNORECASE)
_YAML_LINE = re.compile(r"\s*#|\s*-(?:\s|$)|\s+\S|[\w\"'][^:]*:(?:\s|$)")
_FRONT_MATTER_LINES = 200


def block_parser() -> MarkdownIt:
    """Make a parser; only its block rules are used."""
    parser = MarkdownIt("commonmark").enable("table").use(footnote_plugin)
    # Definitions are text here: blocks must cover all of it.
    parser.disable("reference")
    ruler = parser.block.ruler
    ruler.before("table", "front_matter", _front_matter)
    ruler.before("fence", "formula", _formula, {"alt": _INTERRUPTS})
    ruler.before("html_block", "html_table", _html_table, {"alt": _INTERRUPTS})
    ruler.before("html_table", "pictures", _pictures, {"alt": _INTERRUPTS})
    return parser


def matching_tables(source: str) -> dict[int, int]:
    """Give the end of each HTML table that is closed, by its start."""
    opened: list[int] = []
    ends: dict[int, int] = {}
    for tag in _TABLE_TAG.finditer(source):
        if not tag["close"]:
            opened.append(tag.start())
        elif opened:
            ends[opened.pop()] = tag.end()
    return ends


def _push(state: StateBlock, kind: str, start: int, end: int) -> bool:
    token = state.push(kind, "", 0)
    token.map = [start, end]
    state.line = end
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's own signature
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    opened = _FORMULA_OPEN.match(first)
    if opened is None:
        return False
    name = opened["name"]
    close = f"\\end{{{name}}}" if name else {"$$": "$$", "\\[": "\\]"}[opened[0]]
    # Where it is known already that no formula ends before, so that no line is searched twice.
    hopeless: dict[str, int] = state.env.setdefault("hopeless", {})
    at = first.find(close, opened.end())
    line = start
    while at < 0:
        line += 1
        if (
            line >= end
            or line < hopeless.get(close, 0)
            or state.isEmpty(line)
            or state.sCount[line] < state.blkIndent
        ):
            hopeless[close] = max(line, hopeless.get(close, 0))
            return False
        at = _line(state, line).find(close)
    if not _AFTER_FORMULA.fullmatch(_line(state, line), at + len(close)):
        return False
    return silent or _push(state, "formula", start, line + 1)


def _pictures(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001, FBT001 - the same
    if state.is_code_block(start) or not _PICTURES_ONLY.fullmatch(_line(state, start)):
        return False
    return silent or _push(state, "pictures", start, start + 1)


def _html_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the same
    if state.level or state.is_code_block(start):
        return False
    begin = state.bMarks[start] + state.tShift[start]
    before = _TABLE_LINE.match(state.src, begin, state.eMarks[start])
    if before is None:
        return False
    close = state.env["tables"].get(before.end())
    if close is None:
        return False
    last = bisect_left(state.eMarks, close)
    return last < end and (silent or _push(state, "html_table", start, last + 1))


def _front_matter(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the same
    if start or state.level or _line(state, 0).rstrip() != "---" or state.tShift[0]:
        return False
    for line in range(1, min(end, _FRONT_MATTER_LINES)):
        content = state.src[state.bMarks[line] : state.eMarks[line]]
        if content.rstrip() in {"---", "..."}:
            return line > 1 and (silent or _push(state, "front_matter", start, line + 1))
        if not _YAML_LINE.match(content):
            return False
    return False
