from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, conversion, on
from zhiyipdf.documents import make_records
from zhiyipdf.documents.chunk_search import ChunkSearch
from zhiyipdf.documents.citing import (
    Citation,
    check_document,
    citation,
    cited_metadata,
    spans_alone,
)
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
    metadata = {"source": "a.pdf", "page_number": 17.0, "page_label": "17", "page_source": "exact"}
    found = citation(metadata, [])
    assert (found.page_number, str(found)) == (17, "a.pdf, p. 17")


ABOUT_PAGES = {"page_starts", "page_labels", "text_fingerprint"}


def test_a_piece_gets_page_keys_in_place_of_page_starts() -> None:
    metadata = {**WHOLE.metadata, "mine": 1}
    assert cited_metadata(metadata, [(26, 28)]) == {
        **{k: v for k, v in metadata.items() if k not in ABOUT_PAGES},
        "page_number": 3,
        "page_label": "1",
        "page_source": "exact",
    }
    assert metadata.keys() >= ABOUT_PAGES


def test_a_piece_of_two_pages_keeps_the_labels_of_both() -> None:
    own = cited_metadata(WHOLE.metadata, [(9, 12)])
    assert (own["page_number"], own["page_number_end"], own["page_label"]) == (1, 2, "i")
    assert json.loads(own["page_labels"]) == [[1, "i"], [2, "ii"]]
    assert str(citation(own, [])) == "paper.pdf, pp. i–ii"
    assert "page_labels" not in cited_metadata(WHOLE.metadata, [(26, 28)])


def test_a_piece_that_is_nowhere_has_no_page_and_loses_what_tells_of_pages() -> None:
    own = cited_metadata(WHOLE.metadata, [])
    assert own == {k: v for k, v in WHOLE.metadata.items() if k not in ABOUT_PAGES}
    assert own["page_source"] == "none"


def test_a_piece_of_a_page_keeps_the_page_wherever_in_it_it_stands() -> None:
    first, *_ = make_records(MADE)
    own = cited_metadata(first.metadata, [])
    assert (own["page_number"], own["page_number_end"]) == (1, 2)
    assert not {"page_starts", "text_fingerprint"} & own.keys()


def test_metadata_that_says_nothing_of_pages_stays_as_it_is() -> None:
    assert cited_metadata({"source": "a"}, [(0, 1)]) == {"source": "a"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("source", None),
        ("page_source", None),
        ("page_starts", "oops"),
        ("page_starts", "[]"),
        ("page_starts", [[0, 1]]),
        ("page_labels", "oops"),
        ("text_fingerprint", "oops"),
        ("text_fingerprint", 5),
    ],
)
def test_metadata_that_is_not_ours_or_was_damaged_is_refused_by_name(key: str, value: Any) -> None:
    metadata = {**WHOLE.metadata, key: value}
    if value is None:
        del metadata[key]
    with pytest.raises(ValueError, match=key):
        citation(metadata, spans_alone(metadata, WHOLE.text) or [(0, 5)])


def test_a_page_found_in_an_unknown_way_is_refused() -> None:
    with pytest.raises(ValueError, match="no page_source: 'guessed'"):
        citation({"source": "a.pdf", "page_number": 1, "page_source": "guessed"}, [])


def test_a_document_that_was_cut_or_changed_since_it_was_loaded_is_refused() -> None:
    check_document(WHOLE.metadata, WHOLE.text)
    check_document(WHOLE.metadata, WHOLE.text + "\n")  # white space at the end moves nothing
    for text in (WHOLE.text[:30], "x" + WHOLE.text, WHOLE.text.replace("First", "Worst")):
        with pytest.raises(ValueError, match="cut or changed since"):
            check_document(WHOLE.metadata, text)
    with pytest.raises(ValueError, match="source and page_source missing"):
        check_document({}, "text")


WORDS = [" ".join(f"w{page}x{n * n}" for n in range(99)) for page in (1, 2, 3)]
(LONG,) = make_records(
    conversion(
        blocks(*[("paragraph", f"{words}\n\n", on(page)) for page, words in enumerate(WORDS, 1)])
    ),
    mode="single",
)


@pytest.mark.parametrize(
    ("chunk", "page", "source"),
    [
        (WORDS[1], 2, "exact"),  # all of a page: both its ends are where blocks begin
        (WORDS[1][2:], 2, "estimated"),  # cut beside the page's end, which is not checked
        (WORDS[1][60:-60], 2, "exact"),
        ("Changed " + WORDS[1][13:], 2, "estimated"),
    ],
)
def test_a_piece_alone_is_certain_but_where_a_page_ends_beside_what_is_not_checked(
    chunk: str, page: int, source: str
) -> None:
    found = citation(LONG.metadata, spans_alone(LONG.metadata, chunk))
    assert (found.page_number, found.page_number_end) == (page, None)
    assert found.page_source == source


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


def test_keys_that_a_store_filled_with_none_count_as_absent():
    metadata = {
        "source": "file:///a.pdf", "page_source": "aligned", "page_number": 2,
        "page_number_end": None, "page_score": None, "bbox": None,
    }  # fmt: skip

    found = citation(metadata, [(0, 5)])

    assert (found.page_number, found.page_number_end, found.page_score) == (2, None, 1.0)


@pytest.mark.parametrize("bbox", ["5", "[1, 2]", [1, 2, 3], "oops"])
def test_a_box_that_is_none_is_named_in_the_error(bbox: object):
    metadata = {
        "source": "file:///a.pdf", "page_source": "aligned", "page_number": 2, "bbox": bbox,
    }  # fmt: skip

    with pytest.raises(ValueError, match="no bbox"):
        citation(metadata, [(0, 5)])
