"""Blocks shared out among pages that follow each other, none of which can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.ink import fill_by_ink, ink_size
from zhiyipdf.grounding.running_lines import RunningLines
from zhiyipdf.grounding.streams import block_stream
from zhiyipdf.markdown import split_blocks

NONE = RunningLines(masked=np.zeros(0, bool), rank=np.zeros(0, np.int8))
"""No page has a running line."""


def filled(
    said: list[str],
    ink: list[float],
    *,
    found: dict[int, Finding] | None = None,
    named: dict[int, int] | None = None,
    **more,
) -> list[Finding | None]:
    blocks = split_blocks("\n\n".join(said))
    findings: list[Finding | None] = [(found or {}).get(i) for i in range(len(blocks))]
    fill_by_ink(
        findings, range(len(blocks)), range(len(ink)), blocks, block_stream(blocks, Folding()),
        ink, named or {}, more.pop("running", NONE), **more,
    )  # fmt: skip
    return findings


def shares(said: list[str], ink: list[float], **more) -> list[int]:
    return [one.pages[0] for one in filled(said, ink, **more)]


def test_blocks_are_shared_out_in_the_measure_of_the_ink():
    assert shares(["x" * 100] * 6, [0.1, 0.2]) == [0, 0, 1, 1, 1, 1]


def test_one_page_gets_all():
    assert shares(["one", "two", "three"], [0.1]) == [0, 0, 0]


def test_no_page_stays_empty_if_there_are_blocks_enough():
    assert shares(["x" * 100, "y", "z"], [0.3, 0.01, 0.01]) == [0, 1, 2]


def test_counted_letters_are_trusted_more_than_a_heading():
    said = ["x" * 100] * 5 + ["# Part"] + ["y" * 100] * 4

    assert shares(said, [0.45, 0.5])[:6] == [0, 0, 0, 0, 0, 1]
    assert shares(said, [400, 510], by_letters=True)[:6] == [0, 0, 0, 0, 1, 1]


def test_counted_letters_know_no_pictures():
    said = ["x" * 100, "![](a.png)", "y" * 100, "z" * 100]

    assert shares(said, [100, 200], by_letters=True)[2:] == [1, 1]


def test_blocks_without_a_letter_are_shared_out_too():
    assert shares(["---", "***"], [5, 5], by_letters=True) == [0, 1]


def test_a_picture_of_a_known_page_parts_the_pages_too():
    said = ["x" * 100, "![](a.png)", *["y" * 100] * 4]

    assert shares(said, [0.3, 0.1])[1] == 0
    assert shares(said, [0.3, 0.1], named={1: 1}) == [0, 1, 1, 1, 1, 1]


def test_a_remark_stands_before_its_picture_on_the_same_page():
    said = ["![](a.png)", "<!-- b -->", "![](b.png)", "<!-- c -->", "![](c.png)"]

    assert shares(said, [0.1, 0.1, 0.1]) == [0, 1, 1, 2, 2]
    named = {0: 0, 2: 1, 4: 2}
    assert shares(said, [0.2, 0.01, 0.1], named=named) == [0, 1, 1, 2, 2]


def test_text_that_was_found_on_one_of_the_pages_parts_them():
    found = {2: Finding(method="exact", stretches=((5, 9),), pages=(1,), matched=4, share=1.0)}
    told = filled(["x" * 100] * 6, [0.3, 0.1], found=found)

    assert [one.pages[0] for one in told] == [0, 0, 1, 1, 1, 1]
    assert told[2] is found[2]


def test_text_that_was_found_elsewhere_is_forgotten():
    found = {1: Finding(method="exact", stretches=((5, 9),), pages=(7,), matched=4, share=1.0)}

    assert {one.method for one in filled(["x" * 50] * 4, [1, 1], found=found)} == {"ink"}


@pytest.mark.parametrize(
    ("said", "size"), [("![](a.png)", 300), ("---", 4), ("ten letter", 13), ("# ten letter", 17.5)]
)
def test_a_blocks_ink_is_counted_in_letters(said, size):
    (block,) = split_blocks(said)

    assert ink_size(block, 0 if size in (300, 4) else 9) == size


SAID = st.lists(
    st.text("ab ", min_size=1, max_size=200) | st.sampled_from(["# Head", "---", "![](2-1.png)"]),
    min_size=1,
    max_size=12,
)


@given(SAID, st.lists(st.floats(0.001, 1), min_size=1, max_size=6), st.booleans())
def test_pages_never_fall_and_margins_are_shares(said, ink, by_letters):
    told = filled(said, ink, by_letters=by_letters)

    pages = [one.pages[0] for one in told]
    assert pages == sorted(pages)
    assert all(0 <= page < len(ink) for page in pages)
    assert all(0 <= one.margin <= 1 for one in told)
