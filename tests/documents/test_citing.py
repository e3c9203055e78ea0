from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, conversion, on
from zhiyipdf.documents import make_records
from zhiyipdf.documents.citing import ChunkSearch, Citation, citation, cited_metadata
from zhiyipdf.models import Block, Conversion

LABELS = ["i", "ii", "1", "2"]
MADE = conversion(
    blocks(
        ("heading", "# Title\n\n", on(1, source="aligned", score=0.99)),
        ("paragraph", "First words.\n\n", on(1, 2, source="aligned", score=0.8)),
        ("paragraph", "Second  words.\n\n", on(3)),
        ("formula", "$$x$$\n\n"),
        ("paragraph", "First words.", on(4)),
    ),
    pages=4,
    labels=LABELS,
)
(WHOLE,) = make_records(MADE, mode="single")
SEARCH = ChunkSearch(WHOLE.text)


def cite(chunk: str) -> Citation:
    return citation(WHOLE.metadata, SEARCH.spans(chunk))


# --- citations ----------------------------------------------------------------------------------


def test_a_piece_is_cited_with_its_page_as_printed() -> None:
    found = cite("Second  words.")
    assert (found.page_number, found.page_label, found.page_source) == (3, "1", "exact")
    assert found.page_number_end is None
    assert found.page_score is None
    assert str(found) == "paper.pdf, p. 1"


def test_a_piece_of_two_pages_is_cited_with_both() -> None:
    found = cite("# Title\n\nFirst words.")
    assert (found.page_number, found.page_number_end) == (1, 2)
    assert (found.page_source, found.page_score) == ("aligned", 0.8)
    assert str(found) == "paper.pdf, pp. i–ii"


def test_a_piece_whose_page_nobody_knows_is_cited_without() -> None:
    found = cite("$$x$$")
    assert (found.page_number, found.page_label, found.page_source) == (None, None, "none")
    assert str(found) == "paper.pdf"


def test_a_piece_that_stands_in_two_places_is_cited_as_an_estimate() -> None:
    found = cite("First words.")
    assert (found.page_number, found.page_number_end) == (1, 2)
    assert (found.page_source, found.page_score) == ("estimated", 0.4)


def test_of_a_piece_that_is_not_found_only_what_holds_for_the_document_is_told() -> None:
    assert cite("Never said.").page_number is None
    (first, *_) = make_records(MADE)
    found = citation(first.metadata, [])
    assert (found.page_number, found.page_number_end, found.page_label) == (1, 2, "i")
    assert str(found) == "paper.pdf, pp. i–ii"


@pytest.mark.parametrize("style", ["rich", "flat"])
def test_a_piece_of_a_block_is_cited_with_its_box(style: Any) -> None:
    made = conversion(blocks(("table", "|a|", on(2, bbox=(1.0, 2.0, 3.0, 4.5)))), labels=["1"] * 3)
    (record,) = make_records(made, mode="block", metadata_style=style)
    found = citation(record.metadata, [(0, 1)])
    assert (found.page_number, found.page_label, found.bbox) == (2, "1", (1.0, 2.0, 3.0, 4.5))


def test_numbers_that_a_store_gave_back_as_floats_are_understood() -> None:
    found = citation({"source": "a.pdf", "page_number": 17.0, "page_label": "17"}, [])
    assert (found.page_number, str(found)) == (17, "a.pdf, p. 17")


def test_a_piece_gets_page_keys_in_place_of_page_starts() -> None:
    metadata = {**WHOLE.metadata, "mine": 1}
    assert cited_metadata(metadata, [(9, 12)]) == {
        **{k: v for k, v in metadata.items() if k not in {"page_starts", "page_labels"}},
        "page_number": 1,
        "page_number_end": 2,
        "page_label": "i",
        "page_source": "aligned",
        "page_score": 0.8,
    }
    assert "page_starts" in metadata


def test_metadata_that_says_nothing_of_pages_or_a_piece_that_is_nowhere_stay_as_they_are() -> None:
    assert cited_metadata({"source": "a"}, [(0, 1)]) == {"source": "a"}
    assert cited_metadata(WHOLE.metadata, []) == WHOLE.metadata


# --- finding ------------------------------------------------------------------------------------


def test_a_piece_is_found_wherever_it_stands() -> None:
    assert ChunkSearch("ab ab ab").spans(" ab ") == [(0, 2), (3, 5), (6, 8)]


def test_a_place_that_is_said_decides_and_the_nearest_one_does_if_it_is_wrong() -> None:
    search = ChunkSearch("ab ab ab")
    assert search.spans("ab", near=3) == [(3, 5)]
    assert search.spans(" ab", near=5) == [(6, 8)]
    assert search.spans("ab", near=8) == [(6, 8)]
    assert search.spans("ab", near=-1) == [(0, 2)]
    assert search.spans("ab", near=999) == [(6, 8)]


def test_white_space_that_a_splitter_changed_does_no_harm() -> None:
    text = "One\n\ntwo   three\nfour. One two"
    assert ChunkSearch(text).spans("two three  \nfour") == [(5, 21)]
    assert ChunkSearch(text).spans("wo three\tfo", near=20) == [(6, 19)]


def test_a_blank_piece_and_a_foreign_one_are_nowhere() -> None:
    assert ChunkSearch("text").spans(" \n") == []
    assert ChunkSearch("text").spans("test") == []
    assert ChunkSearch("").spans("test", near=3) == []


@given(st.text("ab \n", max_size=40), st.data())
def test_any_piece_is_found_where_it_was_cut(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    chunk = text[start : data.draw(st.integers(start, len(text)))]
    if chunk.strip():
        begin = start + len(chunk) - len(chunk.lstrip())
        span = (begin, begin + len(chunk.strip()))
        assert ChunkSearch(text).spans(chunk, near=start) == [span]
        loose = re.sub(r"\s+", " \n", chunk)
        found = ChunkSearch(text).spans(loose)
        assert found
        assert all(text[s:e].split() == chunk.split() for s, e in found)


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["paragraph", "table", "comment", "image"]),
        st.sampled_from(["one two\n\n", "three\n", "![](a.png)\n\n", "four ![](a.png) five\n\n"]),
        st.lists(st.integers(1, 9), min_size=1, max_size=2).map(sorted).map(lambda p: on(*p)),
    ),
    min_size=1,
    max_size=12,
).map(lambda pieces: blocks(*pieces))


@given(PIECES, st.data())
def test_any_piece_of_a_whole_file_is_cited_with_the_pages_of_its_characters(
    made: tuple[Block, ...], data: st.DataObject
) -> None:
    whole: Conversion = conversion(made, pages=9)
    (record,) = make_records(whole, mode="single")
    start = data.draw(st.integers(0, len(record.text) - 1))
    end = data.draw(st.integers(start + 1, len(record.text)))
    chunk = record.text[start:end]
    spans = ChunkSearch(record.text).spans(chunk, near=start)
    found = citation(record.metadata, spans)
    expected = whole.pages_of(start, end)
    if expected is not None:
        assert found.page_number == expected[0]
        assert (found.page_number_end or found.page_number) == expected[1]
