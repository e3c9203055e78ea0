"""Doc2X's stored text in the form that is wanted: formulas, comments; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from zhiyipdf.images import Edit, apply_edits, follow_edits
from zhiyipdf.models import Bundle, Comments, Doc2XOptions, LayoutSpan, Variant
from zhiyipdf.providers.doc2x_formulas import dollar_edits

__all__ = ["comment_edits", "finished"]

# Wire notes 3.1: paired marks around figures, tables and footnotes; running heads; text of figures.
_COMMENT = re.compile(
    r"<!--[ \t\r\n]*(?:(?P<mark>Media|Footnote)[ \t\r\n]*|(?P<noise>Meanless)[ \t]*:(?:(?!-->).)*"
    r"|(?P<figure>figureText)[ \t]*:(?:(?!-->).)*)-->",
    re.DOTALL,
)
_BLANK_AFTER = re.compile(r"[ \t]*(?:\r?\n[ \t]*)*")
_LONGEST_TAG = 4000
_PICTURE_BEFORE = re.compile(r"<img\b[^<>]*>[ \t]*\Z", re.IGNORECASE)


def finished(bundle: Bundle, options: Doc2XOptions) -> Bundle:
    """Give a bundle's texts the form that is asked for; the layout moves along.

    Args:
        bundle: As the service wrote it.
        options: ``formula_style`` and ``comments`` matter here.
    """
    markdown: dict[Variant, str] = {}
    layout: dict[Variant, tuple[LayoutSpan, ...]] = {}
    for variant, text in bundle.markdown.items():
        spans = bundle.layout.get(variant, ())
        text, spans = _changed(text, spans, tuple(comment_edits(text, options.comments)))
        if options.formula_style == "dollar":
            text, spans = _changed(text, spans, tuple(dollar_edits(text)))
        markdown[variant] = text
        if spans:
            layout[variant] = spans
    return replace(bundle, markdown=markdown, layout=layout)


def comment_edits(text: str, comments: Comments) -> Iterator[Edit]:
    """Say what must change so that only the comments that are wanted stay.

    A comment that stood alone goes with the blank lines after it. The text of a figure that is kept
    moves before its figure, on the same line: so both are one block (CommonMark, HTML blocks,
    kind 2), whatever the text holds.

    Args:
        text: Markdown.
        comments: See :class:`~zhiyipdf.models.Doc2XOptions`.

    Yields:
        In order, not overlapping.
    """
    if comments == "all":
        return
    at = 0
    for match in _COMMENT.finditer(text):
        if match["figure"] is not None and comments == "figure_text":
            gap = _blank_before(text, match.start())
            picture = _PICTURE_BEFORE.search(text, max(at, gap - _LONGEST_TAG), gap)
            if picture is not None:
                one = f"{match[0]}{picture[0].rstrip()}"
                yield Edit(start=picture.start(), end=match.end(), text=one)
                at = match.end()
            continue
        start, end = match.span()
        before = _blank_before(text, start)
        alone = before == 0 or "\n" in text[before:start]
        after = _BLANK_AFTER.match(text, end)
        if alone and after is not None and (after.end() == len(text) or "\n" in after[0]):
            end = after.end()
        yield Edit(start=start, end=end, text="")
        at = end


def _blank_before(text: str, at: int) -> int:
    """Where the blank lines begin that end at an offset."""
    while at > 0 and text[at - 1] in " \t\r\n":
        at -= 1
    return at


def _changed(
    text: str, spans: Sequence[LayoutSpan], edits: Sequence[Edit]
) -> tuple[str, tuple[LayoutSpan, ...]]:
    if not edits:
        return text, tuple(spans)
    moved = follow_edits(edits)
    return apply_edits(text, edits), tuple(
        replace(span, start=moved(span.start), end=moved(span.end)) for span in spans
    )
