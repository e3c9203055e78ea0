r"""Finds the pictures that a Markdown text shows: ``![]()``, ``![][label]`` and ``<img>``.

A scanner of its own, because Markdown parsers do not tell offsets within a line. It follows
CommonMark 0.31 (6.3 links, 6.4 images, 4.7 definitions) and, for tags, the HTML standard's
attribute syntax; it is linear in the length of the text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Literal

from zhiyipdf.images.masking import mask, mask_fences, mask_spans, plain_newlines

__all__ = ["ImageReference", "Scan", "image_references", "scan_images"]

Syntax = Literal["inline", "definition", "html"]

_ATTRIBUTE = re.compile(
    r"([^\s\"'<>/=]+)(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>][^\s<>]*)))?"
)
_DEFINITION = re.compile(
    r"^[ \t>]*+\[(?P<label>(?!\^)(?:[^\[\]\\\n\x7f]|\\.){1,999}+)\]:[ \t]*+(?:\n[ \t>]*+)?"
    r"(?:<(?P<angle>(?:[^<>\n\\\x7f]|\\.)*+)>|(?P<bare>[^\s<\x7f][^\s\x7f]*+))"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$",
    re.MULTILINE,
)
_BRACKET = re.compile(r"\\.|!?\[|\]|\n[ \t]*+(?=\n)")
_ANGLE = re.compile(r"<((?:[^<>\n\\\x7f]|\\.)*+)>")
_BARE_RUN = re.compile(r"(?:[^\s()\\\x7f]|\\[^\s\x7f]|\\(?=\s))*+")
_TITLE_END = re.compile(
    r"(?:\s++(?:\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\)))?\s*+\)", re.DOTALL
)
_SPACES = re.compile(r"\s*+")
_LABEL = re.compile(r"\[((?:[^\[\]\\]|\\.){0,999}+)\]", re.DOTALL)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?:#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{0,31});")
_ESCAPE_OR_ENTITY = re.compile(f"{_ESCAPE.pattern}|{_ENTITY.pattern}")

# The bound markdown-it has too; it keeps hostile text from costing quadratic time.
_MAX_PARENTHESES = 32

# Pictures may stand in each other's alternative texts; the bound keeps that linear.
_MAX_ALT = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """One picture that a text shows.

    Attributes:
        start: Offset of the target's first character, inside quotes and angle brackets.
        end: Offset after its last character.
        target: What the target says: entities and backslash escapes resolved, percent signs left
            as they are.
        alt: The text that stands for the picture; may be empty.
        outer_start: Offset where the picture's syntax begins.
        outer_end: Offset where it ends.
        syntax: ``inline`` for ``![]()``, ``html`` for ``<img>``, ``definition`` for ``![][label]``,
            whose target stands elsewhere and may serve several pictures.
    """

    start: int
    end: int
    target: str
    alt: str
    outer_start: int
    outer_end: int
    syntax: Syntax = "inline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What is known of a text's pictures.

    Attributes:
        references: In the order they are shown.
        definitions: Start and end of each definition that pictures use and links do not.
    """

    references: tuple[ImageReference, ...] = ()
    definitions: tuple[tuple[int, int], ...] = ()


def image_references(text: str) -> tuple[ImageReference, ...]:
    """Find the pictures a Markdown text shows, in order; those in code and comments are none."""
    return scan_images(text).references


def scan_images(text: str) -> Scan:
    """Find the pictures of a text and the definitions that serve nothing else."""
    if "![" not in text and re.search("<img", text, re.IGNORECASE) is None:
        return Scan()
    masked, tags = mask_spans(mask_fences(plain_newlines(text)))
    pictures = [_html_image(text, start, end) for start, end in tags]
    found = [picture for picture in pictures if picture is not None]
    definitions: dict[str, re.Match[str]] = {}
    for match in _DEFINITION.finditer(masked):
        definitions.setdefault(
            _normal_label(text[match.start("label") : match.end("label")]), match
        )
    masked = mask(masked, sorted(match.span() for match in definitions.values()))
    brackets = _Brackets(text, masked, definitions)
    found += brackets.images
    found.sort(key=lambda reference: (reference.outer_start, -reference.outer_end))
    unlinked = brackets.image_labels - brackets.link_labels
    return Scan(
        references=tuple(found),
        definitions=tuple(sorted(definitions[label].span() for label in unlinked)),
    )


def unescape(written: str) -> str:
    """Resolve backslash escapes and entities, as in a Markdown link target."""
    return _ESCAPE_OR_ENTITY.sub(lambda m: m[1] or html.unescape(m[0]), written)


def _unescape_attribute(written: str) -> str:
    return _ENTITY.sub(lambda m: html.unescape(m[0]), written)


def _normal_label(label: str) -> str:
    return " ".join(label.split()).casefold()


def _html_image(text: str, start: int, end: int) -> ImageReference | None:
    """Read one ``<img>`` tag; None if it has no ``src``."""
    values: dict[str, tuple[int, int]] = {}
    for match in _ATTRIBUTE.finditer(text, start + len("<img"), end - 1):
        group = next((g for g in ("double", "single", "bare") if match[g] is not None), None)
        if group is None:
            continue
        value_start, value_end = match.span(group)
        if group == "bare" and value_end == end - 1 and text[value_end - 1] == "/":
            value_end -= 1  # <img src=a.png/>
        values.setdefault(match[1].lower(), (value_start, value_end))
    if "src" not in values:
        return None
    src_start, src_end = values["src"]
    alt_start, alt_end = values.get("alt", (0, 0))
    return ImageReference(
        start=src_start,
        end=src_end,
        target=_unescape_attribute(text[src_start:src_end]),
        alt=" ".join(_unescape_attribute(text[alt_start:alt_end]).split()),
        outer_start=start,
        outer_end=end,
        syntax="html",
    )


class _Brackets:
    """One pass over the brackets of a masked text.

    Args:
        text: As written.
        masked: Of the same length, without anything that is not Markdown's own.
        definitions: By normal label.
    """

    def __init__(self, text: str, masked: str, definitions: dict[str, re.Match[str]]) -> None:
        self._text, self._masked, self._definitions = text, masked, definitions
        self.images: list[ImageReference] = []
        self.image_labels: set[str] = set()
        self.link_labels: set[str] = set()
        opened: list[tuple[int, int]] = []  # where the syntax begins, where its text begins
        at = 0
        while (token := _BRACKET.search(masked, at)) is not None:
            at = token.end()
            if token[0] == "]":
                if opened:
                    at = self._close(*opened.pop(), at)
            elif token[0].endswith("["):
                opened.append(token.span())
            elif token[0].startswith("\n"):  # a paragraph ends, and its brackets with it
                opened.clear()

    def _close(self, outer_start: int, inner_start: int, at: int) -> int:
        """Decide what a closing bracket closes; gives the offset to go on at."""
        is_image = self._masked[outer_start] == "!"
        place = _inline_target(self._masked, at)
        syntax: Syntax = "inline"
        if place is not None:
            start, end, outer_end = place
        else:
            label, outer_end = self._label(inner_start, at)
            definition = self._definitions.get(label)
            if definition is None:
                return at
            (self.image_labels if is_image else self.link_labels).add(label)
            start, end = definition.span("bare" if definition["angle"] is None else "angle")
            syntax = "definition"
        if is_image:
            alt = " ".join(
                unescape(self._text[inner_start : min(at - 1, inner_start + _MAX_ALT)]).split()
            )
            self.images.append(
                ImageReference(
                    start=start,
                    end=end,
                    target=unescape(self._text[start:end]),
                    alt=alt,
                    outer_start=outer_start,
                    outer_end=outer_end,
                    syntax=syntax,
                )
            )
        return outer_end

    def _label(self, inner_start: int, at: int) -> tuple[str, int]:
        """Read which definition is meant: ``[text][label]``, ``[label][]`` or ``[label]``."""
        match = _LABEL.match(self._masked, at)
        if match is not None and (label := _normal_label(self._text[slice(*match.span(1))])):
            return label, match.end()
        # No label is longer, so no more is looked at: nested brackets stay linear.
        own = self._text[inner_start : at - 1] if at - inner_start <= 1000 else ""
        return _normal_label(own), at if match is None else match.end()


def _inline_target(masked: str, at: int) -> tuple[int, int, int] | None:
    """Read ``(target "title")``; gives start and end of the target and the end of it all."""
    if not masked.startswith("(", at):
        return None
    at = _end(_SPACES, masked, at + 1)
    if masked.startswith("<", at):
        angle = _ANGLE.match(masked, at)
        if angle is None:
            return None
        start, end = angle.span(1)
        at = angle.end()
    else:
        start = at
        bare_end = _bare_target_end(masked, at)
        if bare_end is None:
            return None
        end = at = bare_end
    closed = _TITLE_END.match(masked, at)
    return None if closed is None else (start, end, closed.end())


def _bare_target_end(masked: str, at: int) -> int | None:
    """Find the end of a target without angle brackets; its parentheses must pair."""
    depth = 0
    while True:
        at = _end(_BARE_RUN, masked, at)
        following = masked[at : at + 1]
        if following == "(" and depth < _MAX_PARENTHESES:
            depth += 1
        elif following == ")" and depth > 0:
            depth -= 1
        elif following == "(":
            return None
        else:
            return at if depth == 0 else None
        at += 1


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
