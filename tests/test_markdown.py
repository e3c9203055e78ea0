"""Markdown in blocks: what they are, and that nothing of the text is lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.markdown import blocks as splitting
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block

ONE_BLOCK = [
    ("# Title", "heading"),
    ("Title\n=====", "heading"),
    ("<h2 id='x'>Title</h2>", "heading"),
    ("text\nmore text", "paragraph"),
    ("- a\n- b\n\n  still b", "list"),
    ("1. a\n2. b", "list"),
    ("| a | b |\n|---|---|\n| 1 | 2 |", "table"),
    ("<table><tr><td>1</td></tr></table>", "table"),
    ("<table>\n<tr><td>\n\n# not a heading\n\n</td></tr>\n\n</table>", "table"),
    ("<table><tr><td><table></table>\n\n</td></tr></table>", "table"),
    ("<html><body><table>\n\n<tr></tr></table></body></html>", "table"),
    ("<div align='center'>\n<table></table>\n</div>", "table"),
    ("![alt](a.png)", "image"),
    ("![](a.png) ![](b.png)", "image"),
    ("[![a](a.png)](https://example.org)", "image"),
    ('<img src="images/1-11.png" style="zoom:70%; display: block; margin: 0 auto;" />', "image"),
    ("<div align=center>\n<img src='a.png'>\n</div>", "image"),
    ("<img\n src='a.png'>", "image"),
    ("$$\nx^2\n$$", "formula"),
    ("$$ x^2 $$", "formula"),
    ("$$\n# x\n- y\n$$ (3)", "formula"),
    ("\\[\nx_1\n\\]", "formula"),
    ("\\[ x \\] .", "formula"),
    ("\\begin{align*}\nx &= 1\\\\\n\\end{align*}", "formula"),
    ("$x^2$", "formula"),
    ("\\( x^2 \\)", "formula"),
    ("```python\n# no heading\n\n$$\n```", "code"),
    ("~~~\n![](a.png)\n~~~", "code"),
    ("    indented", "code"),
    ("<pre>\nx\n\ny</pre>", "code"),
    ("> quoted\nlazily", "quote"),
    ("[^1]: a note\n    goes on", "footnote"),
    ("<!-- Meanless: 12 -->", "comment"),
    ("<!-- a\n\nb -->", "comment"),
    ("<!-- never closed", "comment"),
    ("<!-- a -->![](a.png)", "paragraph"),
    ("---\ntitle: x\ntags:\n  - y\n---", "comment"),
    ("***", "rule"),
    ("---", "rule"),
    ("<p>text</p>", "paragraph"),
    ("$$ a $$ and $$ b $$", "paragraph"),
    ("$$ never closed", "paragraph"),
    ("$5 and 6$ more", "paragraph"),
    ("<table> never closed", "table"),
    (" \n\t\n", "paragraph"),
    ("[a]: b.png", "paragraph"),
    ("see ![](a.png) here", "paragraph"),
]


@pytest.mark.parametrize(("text", "kind"), ONE_BLOCK)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_each_kind_of_block_is_recognised(text: str, kind: str, newline: str) -> None:
    text = text.replace("\n", newline)
    assert [(block.kind, block.text) for block in split_blocks(text)] == [(kind, text)]


SEVERAL = [
    ("text\n# Title\ntext", ["paragraph", "heading", "paragraph"]),
    ("text\n<img src='a.png'>\nFigure 1", ["paragraph", "image", "paragraph"]),
    ("text\n![](a.png)\nFigure 1", ["paragraph", "image", "paragraph"]),
    ("text\n$$\nx\n$$\ntext", ["paragraph", "formula", "paragraph"]),
    ("text\n<table></table>\ntext", ["paragraph", "table", "paragraph"]),
    ("<table>\n\nx\n\n# T\n\n<table></table>", ["table", "paragraph", "heading", "table"]),
    ("<!-- page 1 -->\n# T\n<!-- page 2 -->\ntext", ["comment", "heading", "comment", "paragraph"]),
    ("text\n***\ntext", ["paragraph", "rule", "paragraph"]),
    ("a\nb\n---\nc", ["paragraph", "paragraph"]),
    ("---\n\ntext\n\n---", ["rule", "paragraph", "rule"]),
    ("- a\n\ntext", ["list", "paragraph"]),
    ("- a\n<img src='a.png'>\ntext", ["list", "image", "paragraph"]),
    ("$$ x\n\ny $$", ["paragraph", "paragraph"]),
    ("\f# A\n\f# B", ["heading", "heading"]),
    ("a\n\f\nb", ["paragraph", "paragraph"]),
    ("a\u2028# b\x0b# c\x85# d", ["paragraph"]),
    ("[^1]: a\n\n[^2]: b\n\ntext [^1]", ["footnote", "footnote", "paragraph"]),
]


@pytest.mark.parametrize(("text", "kinds"), SEVERAL)
def test_blocks_end_where_others_begin(text: str, kinds: list[str]) -> None:
    blocks = split_blocks(text)
    assert [block.kind for block in blocks] == kinds
    check_spans(text, blocks)


def check_spans(text: str, blocks: tuple[Block, ...]) -> None:
    at = 0
    for block in blocks:
        assert (block.start, block.text) == (at, text[block.start : block.end])
        assert block.end > block.start
        at = block.end
    assert at == len(text)


def test_an_empty_text_has_no_blocks() -> None:
    assert split_blocks("") == ()


def test_blank_lines_belong_to_the_block_before() -> None:
    blocks = split_blocks("\n\n# A\n\n\ntext\n \n\n- x\n\n")
    assert [block.text for block in blocks] == ["\n\n# A\n\n\n", "text\n \n\n", "- x\n\n"]


def test_sections_are_the_headings_above_in_plain_words() -> None:
    text = (
        "before\n\n# **A** [link](x) `code` &amp; <b>b</b>\n\n"
        "### C $x_1$\n\ntext\n\n## B ![alt](p.png)<br>line\n\ntext\n\n# D ###\n\nTwo\n---\n\nend\n"
    )
    blocks = split_blocks(text)
    a, c, b = "A link code & b", "C $x_1$", "B alt line"
    assert [(block.level, block.section) for block in blocks] == [
        (0, ()),
        (1, ()),
        (3, (a,)),
        (0, (a, c)),
        (2, (a,)),
        (0, (a, b)),
        (1, ()),
        (2, ("D",)),
        (0, ("D", "Two")),
    ]


def test_pictures_belong_to_the_block_that_shows_them() -> None:
    text = (
        "![a][l] x\n\n- <img src='i/1-1.png'>\n- ![](<b c.png>)\n\n`![](no.png)`\n\n"
        "| ![](t.png) |\n|---|\n\n[l]: l.png\n"
    )
    assert [block.images for block in split_blocks(text)] == [
        ("l.png",),
        ("i/1-1.png", "b c.png"),
        (),
        ("t.png",),
        (),
    ]


def test_a_long_list_is_split_between_its_items() -> None:
    items = [f"- {'x' * 300}\n\n  {'y' * 200}\n    - nested\n" for _ in range(9)]
    text = "text\n\n" + "".join(items) + "\nend"
    blocks = split_blocks(text)
    check_spans(text, blocks)
    lists = [block for block in blocks if block.kind == "list"]
    assert len(lists) > 2
    assert all(block.text.startswith("- x") for block in lists)
    assert all(len(block.text) <= 1500 for block in lists)


def test_an_item_that_is_too_long_alone_stays_whole() -> None:
    text = f"- {'x ' * 2000}\n- b\n- c\n"
    assert [len(block.text) for block in split_blocks(text)] == [text.index("- b"), 8]


anything = st.text(max_size=200) | st.text("#-*_`~$|<>!=[]()^:\\/ \t\n\r\f\0\x0b\x1c\x85\u2028ab1.")
pieces = st.lists(
    st.sampled_from(
        ["# ", "- ", "1. ", "> ", "```", "$$", "\\[", "\\]", "<table>", "</table>", "<img src=a>",
         "<!--", "-->", "---", "===", "***", "[^1]:", "|a|b|", "|-|-|", "\n", "\n\n", "\r\n", "\r",
         "\f", "\0", "\u2028", "\u2029", "\x85", "    ", "\t", "a", "b c", "[l]: x", "![a][l]",
         "\\begin{align}", "\\end{align}", "<div>", "</div>", "<pre>", "a: b", "..."]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(text=anything | pieces)
def test_joining_the_blocks_of_any_text_gives_it_back(text: str) -> None:
    check_spans(text, split_blocks(text))


@given(text=pieces)
def test_line_ends_do_not_change_what_blocks_are(text: str) -> None:
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    windows = unix.replace("\n", "\r\n")
    assert [b.kind for b in split_blocks(unix)] == [b.kind for b in split_blocks(windows)]
    assert [b.text.replace("\r\n", "\n") for b in split_blocks(windows)] == [
        b.text for b in split_blocks(unix)
    ]


HOSTILE = ["a\n", "a\n\n", "- a\n", "> ", "- ", "\\[ a\n", "$$ a\n", "$$\n\n", "<table>\n\n",
           "[a\n", "<table></table>\n\n", "<!--\n\n", "| a\n", "[^1]: a\n", "a\n---\n",
           "# a\n", "```\n", "\\begin{align}\n", "---\na: b\n", "- a\n  - b\n    - c\n",
           "<img src=a>\n", "# [[[[", "![a](b)\n\n"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_work_grows_no_faster_than_the_text(piece: str) -> None:
    """Counted in calls of the interpreter, not in seconds: twice the text, about twice the work."""

    def work(size: int) -> int:
        calls = 0

        def count(frame: object, event: str, arg: object) -> None:
            nonlocal calls
            calls += 1

        text = piece * (size // len(piece))
        split_blocks("warm up")
        sys.setprofile(count)
        try:
            split_blocks(text)
        finally:
            sys.setprofile(None)
        return calls

    assert work(12_000) < 2.5 * work(6_000) + 1000


# Blanks that several parts of one pattern could take.
BLANKS = [("$$x$$", "a"), ("\\[x\\]", "a"), ("$$x$$ (1)", "a"), ("![](a", '"b'), ("![](a)", "b"),
          ("<h1>a</h1>", "b"), ("<!-- a -->", "b"), ("$x$", "b")]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), BLANKS)
def test_twice_as_many_blanks_in_a_line_take_less_than_three_times_as_long(
    before: str, after: str
) -> None:
    """Inside one pattern there are no calls to count: the processor's time, the least of seven."""

    def seconds(blanks: int) -> float:
        text = before + " " * blanks + after
        taken = []
        for _ in range(7):
            begun = time.process_time()
            split_blocks(text)
            taken.append(time.process_time() - begun)
        return min(taken)

    short, long = seconds(400), seconds(800)
    # A cubic pattern needs 0.7 s here; what ends within a millisecond is not measured.
    assert long < 0.001 or long < 3 * short


class Counted(list):
    """Counts the items it hands out."""

    given = 0

    def __getitem__(self, at):
        got = super().__getitem__(at)
        self.given += len(got) if isinstance(at, slice) else 1
        return got


def test_no_list_looks_at_what_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Counted] = []
    pieces_of = splitting._pieces

    def counted(tokens: Sequence[object], *rest: object) -> object:
        seen.append(Counted(tokens))
        return pieces_of(seen[-1], *rest)

    monkeypatch.setattr(splitting, "_pieces", counted)
    split_blocks("- a\n\ntext\n\n" * 500)

    assert seen[0].given < 2 * len(seen[0])
