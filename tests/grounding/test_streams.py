"""Pages and blocks laid end to end as folded text."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from support.page_texts import line_text, page
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.streams import PageStream, block_stream, page_stream
from zhiyipdf.markdown import split_blocks

LINES = st.lists(st.text(max_size=12) | st.sampled_from(["", "ﬁ", "\ud800", "a b"]), max_size=5)
PAGES = st.lists(LINES, max_size=4).map(
    lambda made: [page(number, lines) for number, lines in enumerate(made, 1)]
)


def stream(*pages: list[str]) -> PageStream:
    return page_stream([page(n, lines) for n, lines in enumerate(pages, 1)], Folding())


def ranks(*values: int) -> np.ndarray:
    return np.array(values, np.int8)


def test_pages_follow_each_other_without_blanks():
    found = stream(["One two", "three."], [], ["Four"])

    assert found.text == "onetwothreefour"
    assert found.page_starts.tolist() == [0, 11, 11, 15]
    assert found.line_starts.tolist() == [0, 2, 2, 3]
    assert found.line.tolist() == [0] * 6 + [1] * 5 + [2] * 4


def test_each_character_knows_the_one_on_the_page():
    pages = [page(1, ["A-B", "ﬁ c"])]
    found = page_stream(pages, Folding())

    assert found.text == "abfic"
    assert [chr(pages[0].codes[at]) for at in found.source] == ["A", "B", "ﬁ", "ﬁ", "c"]


def test_running_lines_are_put_before_and_after_the_body():
    found = stream(["foot", "head", "body"], ["text"])

    moved = found.arranged(ranks(1, -1, 0, 0))

    assert moved.text == "headbodyfoottext"
    assert moved.page_starts.tolist() == found.page_starts.tolist()
    assert moved.is_running.tolist() == [True] * 4 + [False] * 4 + [True] * 4 + [False] * 4


def test_running_lines_do_not_count_as_depth():
    moved = stream(["head", "body"], ["head", "text"]).arranged(ranks(-1, 0, -1, 0))

    assert moved.depth.tolist() == [0] * 5 + [1, 2, 3] + [4] * 5 + [5, 6, 7, 8]
    text, places = moved.steady
    assert text == "bodytext"
    assert [moved.text[at] for at in places] == list("bodytext")


def test_without_running_lines_depth_is_the_offset():
    found = stream(["abc"])

    assert found.depth.tolist() == [0, 1, 2, 3]
    assert found.steady[0] == "abc"
    assert found.arranged(ranks(0)) is found


def test_lines_can_be_left_out():
    found = stream(["head", "body"], ["head"]).without_lines(np.array([True, False, True]))

    assert found.text == "body"
    assert found.page_starts.tolist() == [0, 4, 4]
    assert found.line.tolist() == [1] * 4


def test_lines_end_where_others_begin():
    assert stream(["ab", ".", "c"]).line_edges == ([0, 2], [2, 3])
    assert stream([]).line_edges == ([], [])


@given(PAGES)
def test_each_line_has_its_own_text(pages):
    folding = Folding()
    found = page_stream(pages, folding)

    assert len(found.text) == len(found.codes) == found.page_starts[-1]
    number = 0
    for one in pages:
        for at in range(len(one.lines)):
            own = "".join(
                c for c, line in zip(found.text, found.line.tolist(), strict=True) if line == number
            )
            assert own == page_stream([page(1, [line_text(one, at)])], folding).text
            number += 1


@given(PAGES, st.data())
def test_arranging_keeps_every_pages_letters(pages, data):
    found = page_stream(pages, Folding())
    count = int(found.line_starts[-1])
    rank = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=count, max_size=count))

    moved = found.arranged(np.array(rank, np.int8))

    for start, end in pairwise(found.page_starts.tolist()):
        assert sorted(moved.text[start:end]) == sorted(found.text[start:end])


def test_blocks_follow_each_other_without_markup():
    found = block_stream(split_blocks("# A *b*\n\n---\n\nc d\ne"), Folding())

    assert found.text == "abcde"
    assert found.starts.tolist() == [0, 2, 2, 5]
    assert [found.text_of(block) for block in range(3)] == ["ab", "", "cde"]
    assert [found.has_text(block) for block in range(3)] == [True, False, True]
    assert found.lines.tolist() == [0, 2, 4]


@given(st.lists(st.text(max_size=20), max_size=6).map("\n\n".join))
def test_a_blocks_text_does_not_depend_on_the_others(text):
    blocks = split_blocks(text)
    folding = Folding()
    found = block_stream(blocks, folding)

    assert len(found.starts) == len(blocks) + 1
    for at, block in enumerate(blocks):
        assert found.text_of(at) == block_stream([block], folding).text
