"""Blocks with their pages and boxes, written and read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks as made_blocks
from support.conversions import on
from zhiyipdf.models import Block, Provenance
from zhiyipdf.store.placed_blocks import blocks_from_json, blocks_to_json

TEXT = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(["\ud800", "\r\n", "\x00"])
EDGE = st.floats(0, 14400, allow_nan=False).map(lambda edge: round(edge, 2))
PLACE = st.builds(
    lambda number, bbox, source, score: Provenance(
        page_number=number, bbox=bbox, source=source, score=score
    ),
    st.integers(1, 9999),
    st.none() | st.tuples(EDGE, EDGE, EDGE, EDGE),
    st.sampled_from(["exact", "aligned", "estimated"]),
    st.floats(0, 1),
)
PIECE = st.tuples(
    st.sampled_from(["heading", "paragraph", "table", "image", "comment"]),
    TEXT,
    st.lists(PLACE, max_size=3).map(tuple),
    st.fixed_dictionaries(
        {
            "section": st.lists(TEXT, max_size=3).map(tuple),
            "level": st.integers(0, 6),
            "images": st.lists(TEXT, max_size=2).map(tuple),
            "pair": st.none() | st.integers(0, 99),
        }
    ),
)
BLOCKS = st.lists(PIECE, max_size=6).map(lambda pieces: made_blocks(*pieces))
VARIANTS = st.dictionaries(st.sampled_from(["original", "translated", "bilingual"]), BLOCKS)

SAID = made_blocks(
    ("heading", "# A\n\n", on(1, bbox=(1.0, 2.0, 3.0, 4.0)), {"level": 1}),
    ("paragraph", "b", on(1, 2, source="aligned", score=0.97), {"section": ("A",)}),
)


def text_of(blocks: tuple[Block, ...]) -> str:
    return "".join(block.text for block in blocks)


WRITTEN = blocks_to_json({"original": SAID}, {"original": text_of(SAID)}, 3)


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(WRITTEN), **fields}).encode()


def with_row(**fields: object) -> bytes:
    found = json.loads(WRITTEN)
    found["variants"]["original"]["blocks"][1].update(fields)
    return json.dumps(found).encode()


@given(VARIANTS, st.integers(0, 99))
def test_what_is_written_is_read(by_variant, version):
    markdown = {variant: text_of(blocks) for variant, blocks in by_variant.items()}

    content = blocks_to_json(by_variant, markdown, version)

    assert blocks_from_json(content, markdown, version) == by_variant


def test_the_text_is_not_kept_twice():
    text = "a long paragraph that stands in the Markdown"
    content = blocks_to_json({"original": made_blocks(("paragraph", text))}, {"original": text}, 1)

    assert text.encode() not in content


@pytest.mark.parametrize("version", [2, 4])
def test_blocks_of_another_version_are_not_read(version):
    assert blocks_from_json(WRITTEN, {"original": text_of(SAID)}, version) is None


@pytest.mark.parametrize(
    "markdown",
    [
        {},
        {"original": "# A\n\nc"},
        {"original": "# A\n\nb "},
        {"translated": "# A\n\nb"},
        {"original": "# A\n\nb", "translated": "# A\n\nb"},
    ],
)
def test_blocks_of_another_text_are_not_read(markdown):
    assert blocks_from_json(WRITTEN, markdown, 3) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        changed(variants=[]),
        changed(variants={"original": None}),
        changed(sections=None),
        changed(sections=[]),
        with_row(end=4),
        with_row(end=99),
        with_row(end="6"),
        with_row(end=None),
        with_row(places=[[1]]),
        with_row(places=[[1, [1, 2], "exact", 1]]),
        with_row(places=None),
        with_row(images=None),
        b"[" * 100_000,
    ],
)
def test_damaged_blocks_are_not_read(content):
    assert blocks_from_json(content, {"original": text_of(SAID)}, 3) is None


def test_blocks_that_are_cut_off_anywhere_are_not_read():
    for end in range(len(WRITTEN)):
        assert blocks_from_json(WRITTEN[:end], {"original": text_of(SAID)}, 3) is None
