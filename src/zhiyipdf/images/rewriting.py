"""Changes the targets of a text's pictures or takes them out; the rest stays to the letter.

What is written is read back: after ``rewrite_images(text, replace)`` the targets that
:func:`~zhiyipdf.images.image_references` finds are those that ``replace`` gave.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from zhiyipdf.images.edits import Edit, apply_edits
from zhiyipdf.images.references import ImageReference, scan_images

__all__ = ["image_edits", "image_removals", "remove_images", "rewrite_images"]

_ENTITIES = {"<": "&lt;", ">": "&gt;", "`": "&#96;", "\n": "&#10;", "\r": "&#13;", "\x7f": "&#127;"}
_IN_ATTRIBUTE = str.maketrans(
    {**_ENTITIES, "&": "&amp;", '"': "&quot;", "'": "&#39;", "|": "&#124;"}
)
# "|" would end a table's cell.
_IN_TARGET = str.maketrans({**_ENTITIES, "\\": "\\\\", "|": "\\|"})
_LOOKS_LIKE_ENTITY = re.compile(r"&(?=#?[A-Za-z0-9]+;)")
_NEEDS_ANGLES = re.compile(r"[\s\x00-\x20]")
# Where a private mark for "here was something" is taken from: the first that the text has not.
_PRIVATE_USE = (*range(0xE000, 0xF900), *range(0xF0000, 0xFFFFE))
_LINK_CLOSE = re.compile(r"\]\([^()\s]*+\)")
_BY_LABEL = re.compile(r"!\[(?P<alt>(?:[^\[\]\\]|\\.)*+)\](?:\[(?:[^\[\]\\]|\\.)*+\])?", re.DOTALL)
_MAX_PARENTHESES = 32


def rewrite_images(text: str, replace: Callable[[str], str | None]) -> str:
    """Give every picture of a Markdown text the target that a function says.

    Args:
        text: Markdown.
        replace: Gets a target (:attr:`ImageReference.target`), gives the new one, or None to leave
            it. It is called once for each place where a target is written.

    Returns:
        The text; quoting and escaping of a changed target follow the syntax it stands in.
    """
    return apply_edits(text, tuple(image_edits(text, replace)))


def image_edits(
    text: str, replace: Callable[[str], str | None], *, inline: bool = False
) -> Iterator[Edit]:
    """Say what :func:`rewrite_images` changes: edits in order, not overlapping.

    Args:
        text: Markdown.
        replace: As there.
        inline: Give pictures that take their target from a definition one of their own, so that
            they stay what they are beside other texts' definitions.
    """
    edits: dict[int, Edit] = {}
    targets: dict[int, str] = {}  # by where they are written: a definition may serve several
    for reference in scan_images(text).references:
        start = reference.start
        if start not in targets:
            new = replace(reference.target)
            targets[start] = reference.target if new is None else new
        own = _inlined(text, reference, targets[start]) if inline else None
        if own is not None:
            edits[own.start] = own
        elif targets[start] != reference.target:
            spelled = _spell(text, reference, targets[start])
            edits[start] = Edit(start=start, end=reference.end, text=spelled)
    at = 0
    for start in sorted(edits):
        if start >= at:
            yield edits[start]
            at = edits[start].end


def _inlined(text: str, reference: ImageReference, target: str) -> Edit | None:
    """Write ``![alt][label]`` as ``![alt](target)``; None if it is not so simple."""
    start, end = reference.outer_start, reference.outer_end
    simple = _BY_LABEL.fullmatch(text, start, end) if reference.syntax == "definition" else None
    if simple is None:
        return None
    return Edit(start=start, end=end, text=f"![{simple['alt']}]({_spell_bare(target)})")


def remove_images(text: str) -> str:
    """Take all pictures out of a Markdown text, with their alternative texts.

    Lines and paragraphs that held nothing else go with them: a removed picture leaves no more than
    one blank line behind. A link around nothing but a picture goes too.
    """
    return apply_edits(text, tuple(image_removals(text)))


def image_removals(text: str) -> Iterator[Edit]:
    """Say what :func:`remove_images` changes: edits in order, not overlapping."""
    spans = _removed_spans(text)
    if not spans:
        return
    # One character for each picture, so that a pattern sees what stands on both sides of it.
    hole = next(mark for mark in map(chr, _PRIVATE_USE) if mark not in text)
    ends = [0, *(end for _, end in spans)]
    pieces = [text[end:start] for end, (start, _) in zip(ends, spans, strict=False)]
    holed = hole.join((*pieces, text[ends[-1] :]))
    holes = [number + at for number, at in enumerate(accumulate(map(len, pieces)))]
    hidden = [0, *accumulate(end - start - 1 for start, end in spans)]
    gap = re.compile(rf"(?<![ \t\r\n{hole}])[ \t\r\n]*+(?:{hole}[ \t\r\n]*+)++")
    for match in gap.finditer(holed):
        start, end = (at + hidden[bisect_left(holes, at)] for at in match.span())
        yield Edit(start=start, end=end, text=_closed_gap(match, hole))


def _removed_spans(text: str) -> list[tuple[int, int]]:
    """Give the spans of the pictures and of what serves nothing else, in order and merged."""
    scan = scan_images(text)
    spans = [_with_link(text, reference) for reference in scan.references]
    merged: list[tuple[int, int]] = []
    for start, end in sorted([*spans, *scan.definitions]):
        if merged and start < merged[-1][1]:  # inside another one's alternative text
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _spell(text: str, reference: ImageReference, target: str) -> str:
    """Write a target so that it is read back as it is."""
    before = text[reference.start - 1]
    if reference.syntax == "html":
        value = target.translate(_IN_ATTRIBUTE)
        return value if before in "\"'" else f'"{value}"'
    if before == "<":
        return _escaped(target)
    return _spell_bare(target)


def _escaped(target: str) -> str:
    return _LOOKS_LIKE_ENTITY.sub("&amp;", target).translate(_IN_TARGET)


def _spell_bare(target: str) -> str:
    value = _escaped(target)
    if not value or _NEEDS_ANGLES.search(value) or not _parentheses_pair(value):
        return f"<{value}>"
    return value


def _parentheses_pair(value: str) -> bool:
    depth = 0
    for character in value:
        depth += (character == "(") - (character == ")")
        if not 0 <= depth <= _MAX_PARENTHESES:
            return False
    return depth == 0


def _with_link(text: str, reference: ImageReference) -> tuple[int, int]:
    """Give a picture's span, with the link around it if that holds nothing else."""
    start, end = reference.outer_start, reference.outer_end
    around = _LINK_CLOSE.match(text, end)
    if around is not None and text[start - 1 : start] == "[":
        return start - 1, around.end()
    return start, end


def _closed_gap(match: re.Match[str], hole: str) -> str:
    """Decide what stays of the white space around pictures that were taken out."""
    run = match[0]
    at_start, at_end = match.start() == 0, match.end() == len(match.string)
    lines = min(2, max(blank.count("\n") for blank in run.split(hole)))
    if not lines:
        blank = any(part for part in run.split(hole))
        return " " if blank and not (at_start or at_end) else ""
    newline = "\r\n" if "\r\n" in run else "\n"
    first, last = run.split(hole)[0], run.split(hole)[-1]
    indented = last if "\n" in last else first
    indent = indented.rpartition("\n")[2] if "\n" in indented else ""
    if at_end:
        return "" if at_start else newline
    return indent if at_start else newline * lines + indent
