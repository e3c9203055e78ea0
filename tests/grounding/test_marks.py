"""Pages from page marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding import ground
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block

RULE = "-" * 48


def grounded(text: str, total_pages: int) -> tuple[Block, ...]:
    blocks = ground(text, split_blocks(text), total_pages)
    assert "".join(block.text for block in blocks) == text
    assert all(block.text == text[block.start : block.end] for block in blocks)
    return blocks


def places(text: str, total_pages: int) -> list[tuple[str, str, int | None]]:
    """Kind, stripped text and page of each block."""
    return [
        (b.kind, b.text.strip(), b.provenance[0].page_number if b.provenance else None)
        for b in grounded(text, total_pages)
    ]


def text_pages(text: str, total_pages: int) -> dict[str, int | None]:
    return {said: page for kind, said, page in places(text, total_pages) if kind != "page_break"}


THREE_PAGES = {
    "comments": "<!-- page 1 -->\nA\n\n<!-- Page 2 -->\nB\n\n<!--PAGE: 3 of 3-->\nC\n",
    "comments from 0": "<!-- page 0 -->\nA\n\n<!-- page 1 -->\nB\n\n<!-- page 2 -->\nC\n",
    "comments between": "A\n\n<!-- page 2 -->\n\nB\n\n<!-- page 3 -->\n\nC",
    "comments at the end": "A\n<!-- page 1 -->\n\nB\n<!-- page 2 -->\nC\n\n<!-- page 3 -->\n",
    "comments in a line": "A <!-- page 2 --> B <!-- page 3 --> C",
    "Marker": f"{{0}}{RULE}\n\nA\n\n{{1}}{RULE}\n\nB\n\n{{2}}{RULE}\n\nC\n",
    "Marker without blank lines": f"{{0}}{RULE}\nA\n{{1}}{RULE}\nB\n{{2}}{RULE}\nC\n",
    "Marker from 1": f"{{1}}{RULE}\r\n\r\nA\r\n\r\n{{2}}{RULE}\r\nB\r\n\r\n{{3}}{RULE}\r\nC",
    "form feeds between": "A\n\fB\n\fC\n",
    "form feeds in a line": "A\fB\fC",
    "form feeds after": "A\n\n\f\nB\n\n\f\nC\n\n\f",
    "form feeds before": "\fA\n\fB\n\fC",
    "form feeds before and after": "\n\fA\n\n\fB\n\n\fC\n\n\f\n",
    "brackets": "[page 1]\nA\n\n[Page 2]\nB\n\n[page 3]\nC\n",
    "brackets, lone returns": "A\r\r[page 2]\r\rB\r\r[page 3]\rC",
}


@pytest.mark.parametrize("text", THREE_PAGES.values(), ids=THREE_PAGES)
def test_marks_of_every_family_give_exact_pages(text: str) -> None:
    assert text_pages(text, 3) == {"A": 1, "B": 2, "C": 3}
    for block in grounded(text, 3):
        (provenance,) = block.provenance
        assert (provenance.source, provenance.score, provenance.bbox) == ("exact", 1.0, None)


@pytest.mark.parametrize("text", THREE_PAGES.values(), ids=THREE_PAGES)
def test_marks_are_comments_of_their_own(text: str) -> None:
    marks = [b.text.strip(" \t\r\n") for b in grounded(text, 3) if b.kind == "page_break"]
    assert marks
    assert all(m == "\f" or "page" in m.lower() or m.endswith(RULE) for m in marks)


NO_MARKS = {
    "a page the PDF has not": "<!-- page 1 -->\nA\n\n<!-- page 4 -->\nB",
    "falling": "<!-- page 2 -->\nA\n\n<!-- page 1 -->\nB",
    "twice the same": "[page 2]\n\nA\n\n[page 2]\n\nB",
    "one alone": "A\n\n[page 2]\n\nB",
    "in a sentence": "see [page 1]\n\nand [page 2] there",
    "a rule": "A\n\n---\n\nB\n\n---\n\nC",
    "47 dashes": f"{{0}}{RULE[1:]}\n\nA\n\n{{1}}{RULE[1:]}\n\nB",
    "in code": "```\n<!-- page 1 -->\n\n<!-- page 2 -->\n```",
    "too many form feeds": "A\fB\fC\fD\fE",
    "too few form feeds": "A\fB",
    "no number": "<!-- page -->\n\nA\n\n<!-- page x -->",
    "a huge number": "[page 1]\n\nA\n\n[page 99999999999999999999]\n\nB",
}


@pytest.mark.parametrize("text", NO_MARKS.values(), ids=NO_MARKS)
def test_what_only_looks_like_marks_leaves_the_blocks_as_they_are(text: str) -> None:
    blocks = split_blocks(text)
    assert ground(text, blocks, 3) == blocks


def test_marker_counts_from_0_where_both_would_fit() -> None:
    text = f"{{1}}{RULE}\n\nA\n\n{{2}}{RULE}\n\nB\n"
    assert text_pages(text, 5) == {"A": 2, "B": 3}


def test_pages_without_a_mark_are_passed_over() -> None:
    text = "[page 2]\n\nA\n\n[page 5]\n\nB\n"
    assert text_pages(text, 6) == {"A": 2, "B": 5}


def test_text_before_a_late_first_mark_is_estimated() -> None:
    text = "A\n\nB\n\n[page 3]\n\nC\n\n[page 4]\n\nD\n"
    blocks = {b.text.strip(): b.provenance[0] for b in grounded(text, 4)}
    assert [(p.page_number, p.source) for p in map(blocks.__getitem__, "ABCD")] == [
        (1, "estimated"),
        (2, "estimated"),
        (3, "exact"),
        (4, "exact"),
    ]
    assert blocks["A"].score == 0.5


def test_a_mark_inside_a_block_cuts_it_in_two() -> None:
    text = "# T\n\nbegins here <!-- page 2 --> and ends ![](a.png) there\n"
    assert places(text, 2) == [
        ("heading", "# T", 1),
        ("paragraph", "begins here", 1),
        ("page_break", "<!-- page 2 -->", 2),
        ("paragraph", "and ends ![](a.png) there", 2),
    ]
    blocks = grounded(text, 2)
    assert [block.images for block in blocks] == [(), (), (), ("a.png",)]
    assert [block.section for block in blocks] == [(), ("T",), ("T",), ("T",)]


def test_only_the_first_part_of_a_heading_is_one() -> None:
    blocks = grounded("# T\fcontinued\n\n# U\n", 2)
    assert [(b.kind, b.level) for b in blocks] == [
        ("heading", 1),
        ("page_break", 0),
        ("paragraph", 0),
        ("heading", 1),
    ]


def test_a_heading_after_a_form_feed_is_one() -> None:
    assert places("A\n\n\f# T\n\nB", 2) == [
        ("paragraph", "A", 1),
        ("page_break", "", 2),
        ("heading", "# T", 2),
        ("paragraph", "B", 2),
    ]


def test_a_picture_defined_elsewhere_stays_with_the_first_part() -> None:
    blocks = grounded("![a][l] x\fy\n\n[l]: l.png", 2)
    assert [block.images for block in blocks] == [("l.png",), (), (), ()]


def test_marks_come_before_names_of_pictures() -> None:
    text = "A\n\n<!-- page 2 -->\n\n![](images/1-1.png)\n\n<!-- page 3 -->\n\nC"
    assert text_pages(text, 3) == {"A": 1, "![](images/1-1.png)": 2, "C": 3}


@pytest.mark.parametrize(
    "text", ["A\n\n# B", "A\n\n![](images/1-1.png)", "A\f", "<!-- page 1 -->\nA"]
)
def test_a_pdf_of_one_page_has_everything_on_it(text: str) -> None:
    for block in grounded(text, 1):
        assert [(p.page_number, p.source, p.score) for p in block.provenance] == [(1, "exact", 1.0)]


def test_a_pdf_has_at_least_one_page() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ground("", (), 0)


texts = st.lists(
    st.sampled_from(
        ["<!-- page 1 -->", "<!-- page 2 -->", "<!-- page 3 -->", f"{{0}}{RULE}", f"{{1}}{RULE}",
         "[page 1]", "[page 2]", "\f", "\n", "\n\n", "\r\n", "\r", " ", "# T", "- a", "> q", "a b",
         "![](1-1.png)", "![](2-1.png)", "![](3-9.png)", "```", "<table>", "</table>", "![x][l]",
         "\n[l]: 2-2.png", "    "]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(text=texts, total_pages=st.integers(1, 4))
def test_any_text_keeps_its_letters_and_gets_pages_of_the_pdf(text: str, total_pages: int) -> None:
    blocks = grounded(text, total_pages)
    at = 0
    for block in blocks:
        assert block.start == at
        assert block.end > at
        at = block.end
        pages = [p.page_number for p in block.provenance]
        assert pages == sorted(set(pages))
        assert all(1 <= page <= total_pages for page in pages)
        assert all(0 < p.score <= 1 for p in block.provenance)
    shown = sorted(target for block in split_blocks(text) for target in block.images)
    assert sorted(target for block in blocks for target in block.images) == shown
