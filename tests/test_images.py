"""Pictures in Markdown: found, rewritten, removed."""

from __future__ import annotations

import itertools
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.images import (
    apply_edits,
    follow_edits,
    image_edits,
    image_references,
    image_removals,
    remove_images,
    rewrite_images,
)

SYNTAX = [
    ("![alt](a.png)", [("a.png", "alt")]),
    ('![alt](a.png "title")', [("a.png", "alt")]),
    ("![alt]( a.png 'it''s' )", []),
    ("![alt](\n a.png\n (title) )", [("a.png", "alt")]),
    ("![](<a b.png>)", [("a b.png", "")]),
    ("![](<a b.png> 'title')", [("a b.png", "")]),
    ("![](a b.png)", []),
    ("![](a(1)(2).png)", [("a(1)(2).png", "")]),
    ("![](a(1.png)", []),
    (r"![](a\(1.png)", [("a(1.png", "")]),
    (r"![](images\1.png)", [(r"images\1.png", "")]),
    ("![](a%20b.png)", [("a%20b.png", "")]),
    ("![](a&amp;b.png)", [("a&b.png", "")]),
    ("![](a&b.png)", [("a&b.png", "")]),
    ("![]()", [("", "")]),
    ("![a [nested] *b*](a.png)", [("a.png", "a [nested] *b*")]),
    ("![a ![b](b.png)](a.png)", [("a.png", "a ![b](b.png)"), ("b.png", "b")]),
    ("[![a](a.png)](https://example.org)", [("a.png", "a")]),
    ("[a](a.png)", []),
    (r"\![a](a.png)", []),
    (r"!\[a](a.png)", []),
    (r"\\![a](a.png)", [("a.png", "a")]),
    ("![a]\n\n(a.png)", []),
    ("![a\n\n](a.png)", []),
    ("![a][L]\n\n[l]: <x y.png> 'title'", [("x y.png", "a")]),
    ("![L][]\n\n[l]:\n  x.png", [("x.png", "L")]),
    ("![L  l]\n\n> [l\tL]: x.png", [("x.png", "L l")]),
    ("![L  l]\n\n> [l L]: x.png", [("x.png", "L l")]),
    ("![a][l] ![b][l]\n\n[l]: x.png\n[l]: y.png", [("x.png", "a"), ("x.png", "b")]),
    ("![a][none]", []),
    ("[^1]: ![a](x.png)", [("x.png", "a")]),
    ("<img src=\"a.png\" alt='b'>", [("a.png", "b")]),
    ("<IMG\n  style='x > y'\n  SRC='a b.png'/>", [("a b.png", "")]),
    ("<img alt=x src=a.png/>", [("a.png", "x")]),
    ("<img src=a.png?x=1&amp;y=2 >", [("a.png?x=1&y=2", "")]),
    ("<img src = 'a.png' src='b.png'>", [("a.png", "")]),
    ("<img data-src='a.png'>", []),
    ("<img alt=\"src='a.png'\">", []),
    ('<img alt=it\'s src="a.png">', [("a.png", "it's")]),
    ("<image src='a.png'>", []),
    ("<td><img src='a.png'></td>", [("a.png", "")]),
    ("`![a](a.png)` `` ` <img src='b.png'> ``", []),
    ("` ![a](a.png)", [("a.png", "a")]),
    ("` ![a](a.png)\n\n`", [("a.png", "a")]),
    (r"\`![a](a.png)`", [("a.png", "a")]),
    ("```\n![a](a.png)\n```\n![b](b.png)", [("b.png", "b")]),
    ("~~~ x\n![a](a.png)\n```\n~~~~\n![b](b.png)", [("b.png", "b")]),
    ("- 1. > ```\n      ![a](a.png)\n      ```\n![b](b.png)", [("b.png", "b")]),
    ("```\n![a](a.png)", []),
    ("``` a`b\n![a](a.png)", [("a.png", "a")]),
    ("<!-- ![a](a.png)\n\n<img src='b.png'> -->![c](c.png)", [("c.png", "c")]),
    ("<!-- ![a](a.png)", [("a.png", "a")]),
    ("| ![a](a.png) | <img src='b.png'> |", [("a.png", "a"), ("b.png", "")]),
    ("\r\n![a](a.png)\r![b](b.png)\r\n", [("a.png", "a"), ("b.png", "b")]),
]


@pytest.mark.parametrize(("text", "expected"), SYNTAX)
def test_pictures_are_found_as_markdown_and_html_have_them(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(r.target, r.alt) for r in image_references(text)] == expected


@pytest.mark.parametrize(("text", "expected"), SYNTAX)
def test_a_reference_points_at_its_target_and_its_syntax(
    text: str, expected: list[tuple[str, str]]
) -> None:
    for reference in image_references(text):
        target = text[reference.start : reference.end]
        assert re.sub(r"\\(?=[()])|amp;", "", target) == reference.target
        outer = text[reference.outer_start : reference.outer_end]
        assert outer.lower().startswith(("![", "<img"))
        assert outer[-1] in ")]>"


NEW_TARGETS = [
    "file:///x/a.png",
    "a b.png",
    "a(b.png",
    "a)b(.png",
    "a(b).png",
    "<a>.png",
    'it\'s "quoted".png',
    "a&b&amp;c&copy.png",
    "s3://bucket/a?x=1&y=2",
    r"c:\a\b.png",
    "a|b`c*d_e.png",
    "a\nb\rc.png",
    "图 1.png",
    "",
    "data:image/png;base64,AAAA//==",
]


@pytest.mark.parametrize("target", NEW_TARGETS)
@pytest.mark.parametrize(("text", "expected"), [case for case in SYNTAX if case[1]])
def test_what_is_written_is_read_back_and_the_rest_stays(
    text: str, expected: list[tuple[str, str]], target: str
) -> None:
    new = rewrite_images(text, lambda _: target)
    if "a ![b]" in text:  # there one stands in the other's text, and its brackets count
        return
    assert [r.target for r in image_references(new)] == [target] * len(expected)
    assert surroundings(new) == surroundings(text)


def surroundings(text: str) -> list[str]:
    """The text without the targets and what encloses them."""
    spans = sorted({(r.start, r.end) for r in image_references(text)})
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    pieces = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    return [
        re.sub(r"[<\"']$" if n == 0 else r"^[>\"']|[<\"']$", "", piece)
        for n, piece in enumerate(pieces)
    ]


def test_each_syntax_gets_the_quoting_it_needs() -> None:
    text = "![](a) ![](<a>) <img src=a> <img src='a'> <img src=\"a\"> ![x]\n\n[x]: a"
    assert rewrite_images(text, lambda _: "b \"c'") == (
        "![](<b \"c'>) ![](<b \"c'>) <img src=\"b &quot;c&#39;\"> <img src='b &quot;c&#39;'> "
        '<img src="b &quot;c&#39;"> ![x]\n\n[x]: <b "c\'>'
    )


def test_none_leaves_a_target_alone() -> None:
    text = "![](a%20b.png 'x') <img src=c.png/>"
    assert rewrite_images(text, lambda _: None) == text
    new = rewrite_images(text, lambda t: "d" if t == "c.png" else None)
    assert new == "![](a%20b.png 'x') <img src=\"d\"/>"


def test_a_definition_that_serves_several_pictures_is_written_once() -> None:
    asked: list[str] = []

    def replace(target: str) -> str:
        asked.append(target)
        return "new.png"

    assert rewrite_images("![a][l] ![b][l]\n\n[l]: x.png", replace) == (
        "![a][l] ![b][l]\n\n[l]: new.png"
    )
    assert asked == ["x.png"]


REMOVALS = [
    ("a\n\n![x](a.png)\n\nb", "a\n\nb"),
    ("a\n\n![x](a.png)\n\n<img src='b.png'>\n\nb", "a\n\nb"),
    ("a\n![x](a.png)\nb", "a\nb"),
    ("a ![x](a.png) b", "a b"),
    ("a![x](a.png)b", "ab"),
    ("![x](a.png) b", "b"),
    ("![x](a.png)\n\nb", "b"),
    ("a\n\n![x](a.png)\n", "a\n"),
    ("a\n\n![x](a.png)", "a\n"),
    ("a ![x](a.png)", "a"),
    ("![x](a.png)", ""),
    ("a ![x](a.png)\nb", "a\nb"),
    ("a\n![x](a.png) b", "a\nb"),
    ("- a\n\n  ![x](a.png)\n\n  b", "- a\n\n  b"),
    ("a\r\n\r\n![x](a.png)\r\n\r\nb", "a\r\n\r\nb"),
    ("| ![x](a.png) | b |", "| | b |"),
    ("a [![x](a.png)](https://x) b", "a b"),
    ("a ![x][l] b\n\n[l]: a.png\n\nc", "a b\n\nc"),
    ("a ![x][l] [y][l]\n\n[l]: a.png", "a [y][l]\n\n[l]: a.png"),
    ("![a ![b](b.png)](a.png)c", "c"),
    ("`![x](a.png)` <b>\n\n\n\nc", "`![x](a.png)` <b>\n\n\n\nc"),
    ("```\n\n\n\n\n```\n\n![x](a.png)\n", "```\n\n\n\n\n```\n"),
    ("\ue000![x](a.png)\ue001", "\ue000\ue001"),
]


@pytest.mark.parametrize(("text", "expected"), REMOVALS)
def test_removing_pictures_leaves_no_hole(text: str, expected: str) -> None:
    assert remove_images(text) == expected


markdown_like = st.text(
    st.one_of(st.sampled_from(list("![]()<>\"'`~=/\\ \n\r\t:&;#-*|aimgsrc")), st.characters()),
    max_size=80,
) | st.lists(
    st.sampled_from(
        ["![", "](", ")", "<img ", "src=", '"', "'", ">", "a.png", "`", "```", "\n", "\n\n", " ",
         "[l]", "\n[l]: x.png\n", "<!--", "-->", "\\", "(", "<", "~~~\n", "\r\n", "&amp;", "\f"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(text=markdown_like)
def test_rewriting_with_what_is_there_keeps_the_text_to_the_letter(text: str) -> None:
    assert rewrite_images(text, lambda target: target) == text


@given(text=markdown_like, target=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_new_target_is_read_back_from_any_text(text: str, target: str) -> None:
    references = image_references(text)
    nested = any(b.outer_start < a.outer_end for a, b in itertools.pairwise(references))
    if nested:
        return
    new = rewrite_images(text, lambda _: target)
    assert [r.target for r in image_references(new)] == [target] * len(references)


@given(text=markdown_like)
def test_references_lie_in_order_and_within_their_syntax(text: str) -> None:
    references = image_references(text)
    assert [r.outer_start for r in references] == sorted(r.outer_start for r in references)
    for r in references:
        assert 0 <= r.outer_start < r.outer_end <= len(text)
        if r.syntax != "definition":
            assert r.outer_start < r.start <= r.end < r.outer_end


@given(text=markdown_like)
def test_edits_lie_in_order_and_what_is_outside_them_stays(text: str) -> None:
    for edits in (list(image_removals(text)), list(image_edits(text, lambda target: f"{target}!"))):
        assert all(edit.start <= edit.end for edit in edits)
        assert all(a.end <= b.start for a, b in itertools.pairwise(edits))
        new, moved = apply_edits(text, edits), follow_edits(edits)
        for offset, character in enumerate(text):
            if not any(edit.start <= offset < edit.end for edit in edits):
                assert new[moved(offset)] == character


@given(text=markdown_like)
def test_offsets_keep_their_order_through_edits(text: str) -> None:
    edits = list(image_removals(text))
    moved = [follow_edits(edits)(offset) for offset in range(len(text) + 1)]
    assert moved == sorted(moved)
    assert moved[-1] == len(apply_edits(text, edits))


HOSTILE = ["![", "![](", "![](a(", '![](a "', "![a][", "![![a](b)", "<img '", '<img src="', "`![",
           "``` ![", "<!-- ![", "![](<", "![x](\\", "[", "]", "![a]\n[a", "\n[a]: x ![a]",
           "~~~\n![]",
           "![](a)\n\n", "![](a) "]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_no_faster_than_the_text(piece: str) -> None:
    """Counted in calls of the interpreter, not in seconds: twice the text, about twice the work."""

    def work(size: int) -> int:
        calls = 0

        def count(frame: object, event: str, arg: object) -> None:
            nonlocal calls
            calls += 1

        text = "![](x)" + piece * (size // len(piece))
        sys.setprofile(count)
        try:
            remove_images(rewrite_images(text, lambda _: "y"))
        finally:
            sys.setprofile(None)
        return calls

    assert work(16_000) < 2.5 * work(8_000) + 1000
