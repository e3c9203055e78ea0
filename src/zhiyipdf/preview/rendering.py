"""Renders a block's Markdown as HTML that can do no harm, whatever the PDF or the service wrote.

What a conversion holds is hostile until proven otherwise. markdown-it lets HTML through, because
tables and pictures often come as HTML; all of its output then goes through Ammonia (package nh3),
which parses it as a browser does and writes out only what is allowed here. Nothing of the Markdown
reaches the page on another way, except as escaped text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

import nh3
from markdown_it import MarkdownIt

from zhiyipdf.markdown.rules import block_parser, matching_tables
from zhiyipdf.models import Block

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

__all__ = ["BlockRenderer"]

_TAGS = """
    a abbr b blockquote br caption cite code col colgroup dd del dfn dl dt em figcaption
    figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong
    sub sup table tbody td tfoot th thead tr u ul var
"""
# No id and no name (they would shadow the page's own), no style (the page's policy forbids it).
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "col": {"span"},
    "colgroup": {"span"},
    "img": {"src", "alt", "title", "width", "height"},
    "li": {"value"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
}
_CLASSES = {"code": {"math"}, "sup": {"note"}}
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
# Pixels only: no scheme of a page, no SVG, which is a document.
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,", re.IGNORECASE)

# "$5 and $10" is no formula: pandoc's rule (extension tex_math_dollars).
_DOLLARS = re.compile(r"\$(?![\s$])(?:[^$\\]|\\.){1,2000}+(?<!\s)\$(?!\d)", re.DOTALL)
_FORMULA_ENDS = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_LONGEST_FORMULA = 2000
"""Of a formula in a line; the bound keeps hostile text from costing quadratic time."""

_LONGEST_BLOCK = 500_000
"""Characters of a block that is rendered; a longer one is shown as its source. A table of ten
thousand cells fits; 50,000 tags in each other cost the parser 7 s, twice as many 22 s."""

_NOTE = re.compile(r"\[\^(?P<label>[^\s\[\]]{1,50})\]")
_NOTE_TEXT = re.compile(r"\s*\[\^(?P<label>[^\s\[\]]{1,50})\]:[ \t]*")
_NOTE_INDENT = re.compile(r"^(?: {4}|\t)", re.MULTILINE)
_NEWLINE = re.compile(r"\r\n?|\n")
_LINE_PREFIX = re.compile(r"^[ \t>]+", re.MULTILINE)


class BlockRenderer:
    """Renders the blocks of one Markdown text.

    Args:
        markdown: All of it: a block's links may be defined in another block.
        picture: Gives the ``data:`` URI of a picture by its target as written, or None where there
            is none.
        left_out: Targets of pictures that the page has no room for.
    """

    def __init__(
        self,
        markdown: str,
        picture: Callable[[str], str | None],
        *,
        left_out: Collection[str] = (),
    ) -> None:
        self._picture = picture
        self._left_out = left_out
        self._parser = _parser()
        self._references = _references(markdown)
        self._shown: dict[str, str] = {}  # data: URIs of the block at hand, by target
        self._cleaner = nh3.Cleaner(
            tags=set(_TAGS.split()),
            attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
            attribute_filter=self._attribute,
            allowed_classes={tag: set(names) for tag, names in _CLASSES.items()},
            url_schemes={"http", "https", "mailto", "data"},
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )

    def render(self, block: Block) -> str:
        """Give a block as HTML.

        A block that shows nothing, such as a comment, or that is huge is shown as its source.
        Pictures that are not there are named below the block.
        """
        self._shown, missing = self._pictures(block.images)
        as_source = block.kind in {"comment", "page_break"} or len(block.text) > _LONGEST_BLOCK
        content = "" if as_source else self._content(block)
        if not _is_visible(content):
            source = block.text.strip()
            content = f'<code class="source">{html.escape(source)}</code>' if source else ""
        return content + "".join(
            f'<p class="missing">{self._absence(target)}: '
            f"<code>{html.escape(_shortened(target))}</code></p>"
            for target in missing
        )

    def _absence(self, target: str) -> str:
        if target in self._left_out:
            return "Picture left out to keep this file small"
        return "Picture not at hand"

    def _content(self, block: Block) -> str:
        text = _NEWLINE.sub("\n", block.text).replace("\0", "\ufffd").replace("\f", " ")
        label = _NOTE_TEXT.match(text) if block.kind == "footnote" else None
        if label is not None:
            text = f"[^{label['label']}] " + _NOTE_INDENT.sub("", text[label.end() :])
        surroundings = {
            "tables": matching_tables(text),
            "references": self._references,
            "lines": text.split("\n"),
        }
        tokens = self._parser.parse(text, surroundings)
        self._adapt(tokens, block, surroundings)
        rendered = self._parser.renderer.render(tokens, self._parser.options, surroundings)
        return self._cleaner.clean(rendered)

    def _adapt(self, tokens: Sequence[Token], block: Block, surroundings: dict[str, Any]) -> None:
        """Change what would be shown otherwise than the blocks have it."""
        for token in tokens:
            if token.type == "pictures":
                line = _LINE_PREFIX.sub("", _source(token, surroundings))
                token.type, token.children = "inline", []
                for inline in self._parser.parseInline(line.strip(), surroundings):
                    token.children += inline.children or []
            elif token.type in {"td_open", "th_open"}:
                # An attribute instead of a style, which the page's policy forbids.
                style = str(token.attrs.pop("style", ""))
                if style:
                    token.attrs["align"] = style.rpartition(":")[2]
            elif token.type.startswith("heading_") and block.kind != "heading" and not token.level:
                token.tag = "p"  # a long paragraph above "---"

    def _pictures(self, targets: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """Look up a block's pictures: ``data:`` URIs by target, and the targets without one."""
        shown: dict[str, str] = {}
        missing: list[str] = []
        for target in dict.fromkeys(targets):
            if _PICTURE.match(target):
                continue
            uri = None if target in self._left_out else self._picture(target)
            if uri is None:
                missing.append(target)
            else:
                # Markdown's own pictures come with their targets percent-encoded, HTML's do not.
                shown[target] = shown[self._parser.normalizeLink(target)] = uri
        return shown, missing

    def _attribute(self, tag: str, name: str, value: str) -> str | None:
        if (tag, name) == ("img", "src"):
            return self._shown.get(value) or (value if _PICTURE.match(value) else None)
        if name == "href":
            return value if _LINK.match(value) else None
        return value


def _shortened(target: str) -> str:
    return target if len(target) <= 200 else f"{target[:200]}…"


def _is_visible(content: str) -> bool:
    return bool(nh3.clean(content, tags={"img", "hr"}).strip())


def _references(markdown: str) -> MutableMapping[str, Any]:
    """Collect the link definitions of a text."""
    parser = MarkdownIt("commonmark")
    found: dict[str, Any] = {}
    parser.block.parse(_NEWLINE.sub("\n", markdown), parser, found, [])
    references: MutableMapping[str, Any] = found.get("references", {})
    return references


def _parser() -> MarkdownIt:
    """Make a parser that sees blocks as :func:`~zhiyipdf.markdown.split_blocks` does."""
    parser = block_parser().enable("strikethrough")
    # Blocks are rendered one by one, so a footnote and its mark never meet.
    parser.disable(["footnote_def", "footnote_inline", "footnote_ref", "footnote_tail"])
    parser.inline.ruler.before("escape", "formula", _inline_formula)
    parser.inline.ruler.before("link", "note", _note)
    for kind, rule in _RULES.items():
        parser.add_render_rule(kind, rule)
    return parser


def _inline_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's own signature
    end = _formula_end(state.src, state.pos, state.posMax)
    if end is None:
        return False
    if not silent:
        state.push("inline_formula", "code", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


def _formula_end(text: str, at: int, last: int) -> int | None:
    """Find where the formula ends that begins at an offset; None if none does before ``last``."""
    closing = _FORMULA_ENDS.get(text[at : at + 2])
    if closing is not None:
        end = text.find(closing, at + 3, min(at + 3 + _LONGEST_FORMULA, last))
        return None if end < 0 else end + 2
    dollars = _DOLLARS.match(text, at, last)
    return None if dollars is None else dollars.end()


def _note(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the same
    found = _NOTE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("note", "sup", 0).content = found["label"]
    state.pos = found.end()
    return True


def _show_formula(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: object, _env: object
) -> str:
    return f'<code class="math">{html.escape(tokens[index].content)}</code>'


def _show_note(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: object, _env: object
) -> str:
    return f'<sup class="note">{html.escape(tokens[index].content)}</sup>'


def _show_display_formula(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: object,
    env: Mapping[str, Any],
) -> str:
    formula = _LINE_PREFIX.sub("", _source(tokens[index], env)).strip()
    return f'<pre><code class="math">{html.escape(formula)}</code></pre>\n'


def _show_source(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: object,
    env: Mapping[str, Any],
) -> str:
    return f"<pre><code>{html.escape(_source(tokens[index], env))}</code></pre>\n"


def _show_html(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: object,
    env: Mapping[str, Any],
) -> str:
    return _source(tokens[index], env)


def _source(token: Token, env: Mapping[str, Any]) -> str:
    first, last = token.map or (0, 0)
    return "\n".join(env["lines"][first:last])


_RULES: Mapping[str, Callable[..., str]] = {
    "inline_formula": _show_formula,
    "note": _show_note,
    "formula": _show_display_formula,
    "front_matter": _show_source,
    "html_table": _show_html,
}
