from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, conversion, on
from zhiyipdf.models import Block, ParseOptions, resolve_provenance

KINDS = ["heading", "paragraph", "table", "comment", "page_break"]
PAGES = st.lists(st.integers(1, 9), min_size=1, max_size=2).map(sorted).map(lambda p: on(*p))
PIECES = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from(["a\n\n", "bc\n", "\n", " ", "d e"]),
        st.one_of(st.just(()), PAGES),
    ),
    min_size=1,
    max_size=12,
)
THREE = blocks(
    ("heading", "# A\n\n", on(1)),
    ("paragraph", "Runs over.\n\n", on(1, 2)),
    ("comment", "<!-- x -->\n\n"),
    ("table", "|t|\n\n"),
    ("paragraph", "End.", on(3)),
)
MADE = conversion(THREE)
TEXT = MADE.markdown["original"]


def span(piece: str) -> tuple[int, int]:
    start = TEXT.index(piece)
    return start, start + len(piece)


def test_a_character_has_the_page_its_block_begins_on() -> None:
    assert MADE.page_of(0) == 1
    assert MADE.page_of(TEXT.index("over")) == 1
    assert MADE.page_of(len(TEXT) - 1) == 3


def test_a_comment_has_the_page_where_the_block_before_it_ends() -> None:
    assert MADE.page_of(TEXT.index("<!--")) == 2


def test_a_comment_at_the_beginning_has_the_page_after_it() -> None:
    made = conversion(blocks(("comment", "<!-- x -->\n"), ("paragraph", "a", on(2, 3))))
    assert made.page_of(0) == 2


def test_text_without_a_page_has_none_whatever_stands_beside_it() -> None:
    assert MADE.page_of(TEXT.index("|t|")) is None
    assert MADE.pages_of(*span("|t|")) is None
    unplaced = conversion(blocks(("paragraph", "a"), ("comment", "<!-- x -->")))
    assert unplaced.page_of(2) is None


def test_a_piece_of_the_text_has_the_pages_of_all_blocks_it_touches() -> None:
    assert MADE.pages_of(*span("# A")) == (1, 1)
    assert MADE.pages_of(*span("A\n\nRuns")) == (1, 2)
    assert MADE.pages_of(0, len(TEXT)) == (1, 3)
    assert MADE.pages_of(-4, len(TEXT) + 100) == (3, 3)


def test_white_space_at_the_ends_of_a_piece_adds_no_page() -> None:
    assert MADE.pages_of(*span("|t|\n\nEnd.")) == (3, 3)
    made = conversion(blocks(("paragraph", "a\n\n", on(1)), ("paragraph", "b", on(2))))
    assert made.pages_of(1, 4) == (2, 2)
    assert made.pages_of(0, 3) == (1, 1)
    assert made.pages_of(1, 3) is None
    assert made.pages_of(2, 2) is None


def test_each_variant_has_offsets_of_its_own() -> None:
    options = ParseOptions(translate_to="en")
    longer = blocks(("paragraph", "longer\n\n", on(1)), ("paragraph", "b", on(2)))
    made = conversion(longer, translated=blocks(("paragraph", "x", on(2))), options=options)
    assert made.page_of(0) == 1
    assert made.page_of(0, "translated") == 2
    assert made.pages_of(0, 1, "translated") == (2, 2)


@pytest.mark.parametrize("char", [-1, len(TEXT)])
def test_a_character_that_is_not_there_is_an_index_error(char: int) -> None:
    with pytest.raises(IndexError, match=str(char)):
        MADE.page_of(char)


def test_a_variant_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="bilingual"):
        MADE.page_of(0, "bilingual")


@given(PIECES)
def test_each_character_has_the_page_of_its_block(pieces: list[tuple[object, ...]]) -> None:
    made = conversion(blocks(*pieces), pages=9)
    for block in made.blocks:
        for char in range(block.start, block.end):
            if block.provenance:
                assert made.page_of(char) == block.provenance[0].page_number
            elif not block.is_silent:
                assert made.page_of(char) is None


@given(PIECES, st.data())
def test_the_pages_of_a_piece_span_those_of_its_characters(
    pieces: list[tuple[object, ...]], data: st.DataObject
) -> None:
    made = conversion(blocks(*pieces), pages=9)
    text = made.markdown["original"]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = made.pages_of(start, end)
    singly = {made.page_of(i) for i in range(start, end) if not text[i].isspace()} - {None}
    if found is None:
        assert not singly
    else:
        assert all(found[0] <= page <= found[1] for page in singly if page is not None)


@given(PIECES)
def test_only_silent_blocks_get_a_page_from_their_neighbours(
    pieces: list[tuple[object, ...]],
) -> None:
    made: tuple[Block, ...] = blocks(*pieces)
    for block, found in zip(made, resolve_provenance(made), strict=True):
        if block.provenance or not block.is_silent:
            assert found == block.provenance
        else:
            assert len(found) <= 1
            assert set(found) <= {entry for other in made for entry in other.provenance}


@pytest.mark.parametrize(
    ("pages", "expected"), [(None, (1, 2, 3, 4, 5)), ("2,4-", (2, 4, 5)), ("1-3", (1, 2, 3))]
)
def test_the_pages_converted_are_those_asked_for(
    pages: str | None, expected: tuple[int, ...]
) -> None:
    made = conversion(THREE, pages=5, options=ParseOptions(pages=pages))
    assert made.page_numbers == expected
