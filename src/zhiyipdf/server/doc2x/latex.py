r"""Pure: Markdown into a LaTeX document for XeLaTeX or LuaLaTeX, and pdfLaTeX where it can."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from zhiyipdf.server.doc2x.prose import (
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Picture,
    Span,
    Table,
    read,
)

__all__ = ["latex_of"]

_CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
}
_SECTIONS = ("section", "subsection", "subsubsection", "paragraph", "subparagraph", "subparagraph")
_DEEPEST_LIST = 4  # LaTeX refuses a fifth level


def latex_of(markdown: str, *, picture: Callable[[str], str]) -> str:
    """A complete document.

    Args:
        markdown: The whole document, as the engine writes it.
        picture: The path of a picture by its name.
    """
    lines: list[str] = []
    open_lists: list[str] = []
    for block in read(markdown):
        depth = min(block.depth, _DEEPEST_LIST) if isinstance(block, Item) else 0
        kind = "enumerate" if isinstance(block, Item) and block.ordered else "itemize"
        while len(open_lists) > depth or (len(open_lists) == depth > 0 and open_lists[-1] != kind):
            lines.append(rf"\end{{{open_lists.pop()}}}")
        while len(open_lists) < depth:
            lines += _begun(lines, kind)
            open_lists.append(kind)
        if isinstance(block, Item) and not block.begins:
            lines += _needed_item(lines)
        lines += _written(block, picture)
    lines += [rf"\end{{{kind}}}" for kind in reversed(open_lists)]
    return "\n".join([*_preamble(markdown), *lines, r"\end{document}", ""])


def _begun(lines: Sequence[str], kind: str) -> list[str]:
    return [*_needed_item(lines), rf"\begin{{{kind}}}"]


def _needed_item(lines: Sequence[str]) -> list[str]:
    # A list must not begin with anything but an item.
    fresh = bool(lines) and lines[-1] in {r"\begin{itemize}", r"\begin{enumerate}"}
    return [r"\item[]"] if fresh else []


def _preamble(markdown: str) -> list[str]:
    return [
        r"\documentclass{article}",
        r"\usepackage{iftex}",
        *([r"\usepackage{ctex}"] if _CJK.search(markdown) else []),
        r"\ifPDFTeX\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{textcomp}\fi",
        r"\usepackage{amsmath,amssymb,graphicx,longtable,array}",
        r"\usepackage[margin=2.5cm]{geometry}",
        r"\setlength{\parindent}{0pt}\setlength{\parskip}{6pt plus 2pt}",
        r"\begin{document}",
        "",
    ]


def _written(block: Block, picture: Callable[[str], str]) -> list[str]:
    match block:
        case Heading():
            return [rf"\{_SECTIONS[block.level - 1]}*{{{_inline(block.spans)}}}", ""]
        case Paragraph():
            return [_inline(block.spans), ""]
        case Item():
            return [(r"\item " if block.begins else "\n") + _inline(block.spans)]
        case Code():
            safe = block.text.replace(r"\end{verbatim}", r"\end {verbatim}")
            return [r"\begin{verbatim}", safe, r"\end{verbatim}", ""]
        case Table():
            return _table(block)
        case Picture():
            options = r"width=\linewidth,height=0.9\textheight,keepaspectratio"
            return [rf"\includegraphics[{options}]{{{picture(block.name)}}}", ""]


def _table(table: Table) -> list[str]:
    if not table.rows or not table.rows[0]:
        return []
    columns = len(table.rows[0])
    # Equal shares of the line, less what the rules and gaps take.
    share = rf"p{{\dimexpr\linewidth/{columns}-2\tabcolsep-2\arrayrulewidth\relax}}|"
    rows = [" & ".join(_inline(cell, cell=True) for cell in row) for row in table.rows]
    return [
        rf"\begin{{longtable}}{{|*{{{columns}}}{{{share}}}}}",
        r"\hline",
        *(rf"{row} \\ \hline" for row in rows),
        r"\end{longtable}",
        "",
    ]


def _inline(spans: Sequence[Span], *, cell: bool = False) -> str:
    return "".join(_span(span, cell=cell) for span in spans)


def _span(span: Span, *, cell: bool) -> str:
    if span.text == "\n":
        return r"\newline " if cell else "\\\\\n"
    # Formulas are not told apart: the engine writes none, and a text about LaTeX is no LaTeX.
    text = _escaped(span.text)
    if span.code:
        text = rf"\texttt{{{text}}}"
    if span.bold:
        text = rf"\textbf{{{text}}}"
    return rf"\emph{{{text}}}" if span.italic else text


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)
