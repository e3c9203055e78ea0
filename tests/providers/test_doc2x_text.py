"""Comments and formulas of a stored result, in the form that is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.images import apply_edits
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Bundle, Comments, Doc2XOptions, LayoutSpan
from zhiyipdf.providers.doc2x_text import comment_edits, finished

# As in files the vendor has published (wire notes 3.1).
PAGE = """<!-- Meanless: Running head 17 -->

# Title

<!-- Media -->

<img src="images/1-1.jpg"/>

<!-- figureText: axis \\(x\\) in cm -->

Figure 1. A curve.

<!-- Media -->

Text.

---

<!-- Footnote -->

1 A note.

<!-- Footnote -->

---
"""


def edited(text: str, comments: Comments) -> str:
    return apply_edits(text, tuple(comment_edits(text, comments)))


def test_the_text_of_a_figure_stays_beside_it_and_the_rest_goes() -> None:
    assert edited(PAGE, "figure_text") == (
        "# Title\n\n"
        '<!-- figureText: axis \\(x\\) in cm --><img src="images/1-1.jpg"/>\n\n'
        "Figure 1. A curve.\n\nText.\n\n---\n\n1 A note.\n\n---\n"
    )


def test_a_figure_and_its_text_are_one_block() -> None:
    (image,) = (b for b in split_blocks(edited(PAGE, "figure_text")) if b.images)
    assert image.kind == "image"
    assert "axis" in image.text


def test_a_long_text_of_a_figure_with_blank_lines_stays_with_it() -> None:
    text = '<img src="a.png"/>\n\n<!-- figureText: one\n\ntwo < three -->\n\nAfter.\n'
    first, second = split_blocks(edited(text, "figure_text"))
    assert first.images == ("a.png",)
    assert "two < three" in first.text
    assert second.text == "After.\n"


def test_all_comments_stay_if_asked_for() -> None:
    assert edited(PAGE, "all") == PAGE


def test_no_comment_stays_if_asked_for() -> None:
    assert "<!--" not in edited(PAGE, "none")
    assert '<img src="images/1-1.jpg"/>\n\nFigure 1.' in edited(PAGE, "none")


def test_comments_of_other_kinds_are_left_alone() -> None:
    assert edited("<!-- page 3 -->\n\nText <!-- mine --> on.\n", "none") == (
        "<!-- page 3 -->\n\nText <!-- mine --> on.\n"
    )


def test_a_comment_inside_a_line_leaves_the_line_s_own_blanks() -> None:
    assert edited("a <!-- Meanless: b --> c\n", "none") == "a  c\n"


def test_the_layout_moves_with_the_text() -> None:
    text = "<!-- Meanless: head -->\n\n\\(a\\) is\n\nnext"
    layout = (
        LayoutSpan(start=0, end=text.index("next"), page_number=1),
        LayoutSpan(start=text.index("next"), end=len(text), page_number=2),
    )
    bundle = Bundle(markdown={"original": text}, layout={"original": layout})
    done = finished(bundle, Doc2XOptions())
    assert done.markdown["original"] == "$a$ is\n\nnext"
    second = done.layout["original"][1]
    assert done.markdown["original"][second.start : second.end] == "next"


@pytest.mark.parametrize("style", ["dollar", "bracket"])
def test_formulas_are_written_as_asked_for(style: str) -> None:
    bundle = Bundle(markdown={"original": "\\(a\\)"})
    done = finished(bundle, Doc2XOptions(formula_style=style))  # type: ignore[arg-type]  # parametrised
    assert done.markdown["original"] == {"dollar": "$a$", "bracket": "\\(a\\)"}[style]


PIECES = st.lists(
    st.sampled_from(
        [
            "<!-- Media -->",
            "<!-- Footnote -->",
            "<!-- Meanless: x -->",
            "<!-- figureText: y -->",
            '<img src="a.png"/>',
            "text",
            "\n",
            "\n\n",
            " ",
        ]
    ),
    max_size=30,
).map("".join)


@given(PIECES, st.sampled_from(["figure_text", "none"]))
def test_edits_are_apart_and_no_text_is_lost(text: str, comments: Comments) -> None:
    at = 0
    for edit in comment_edits(text, comments):
        assert at <= edit.start <= edit.end <= len(text)
        at = edit.end
    done = edited(text, comments)
    for word in ("text", '<img src="a.png"/>'):
        assert text.count(word) == done.count(word)
    assert "Meanless" not in done
