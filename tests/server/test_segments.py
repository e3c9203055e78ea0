from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.segments import protect, restore, split_blocks, split_segments

LINES = st.lists(
    st.sampled_from(
        [
            "",
            "text",
            "# head",
            "- item",
            "| a | b |",
            "|---|---|",
            "```",
            "$$",
            "x $y$ z",
            "<!-- c -->",
            "<img />",
            "1. one",
            "> quote",
            "\\| bar",
        ]
    ),
    max_size=12,
)


@given(LINES)
def test_segments_of_a_block_are_the_block(lines: list[str]) -> None:
    for block in split_blocks("\n".join(lines)):
        assert "".join(segment.text for segment in split_segments(block)) == block


@given(LINES)
def test_blocks_are_the_text_up_to_blank_lines(lines: list[str]) -> None:
    blocks = split_blocks("\n".join(lines))
    kept = [line for block in blocks for line in block.split("\n") if line]
    assert kept == [line for line in lines if line]


@given(st.text())
def test_what_was_protected_is_restored(text: str) -> None:
    marked, kept = protect(text.replace("\u27e6", ""))
    assert restore(marked, kept) == text.replace("\u27e6", "")


@pytest.mark.parametrize("answer", ["\u27e61\u27e7\u27e61\u27e7", "", "\u27e62\u27e7"])
def test_marks_that_are_missing_doubled_or_made_up_are_noticed(answer: str) -> None:
    assert restore(answer, ["$x$"]) is None


@pytest.mark.parametrize(
    "block",
    [
        "```\nA b\n```",
        "$$\nx\n$$",
        "<!-- A note -->",
        "---",
        "12.5",
        "$a+b$",
        "![](x.png)",
        "`code`",
    ],
)
def test_what_has_no_words_is_literal(block: str) -> None:
    assert all(segment.literal for segment in split_segments(block))


def test_marks_of_lists_and_headings_are_not_translated() -> None:
    spoken = [
        segment.text
        for block in ("## Head", "- one\n  2. two", "> quote")
        for segment in split_segments(block)
        if not segment.literal
    ]
    assert spoken == ["Head", "one", "two", "quote"]
