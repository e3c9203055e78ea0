from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.documents.chunk_search import MOST_PLACES, ChunkSearch, search_of


def found(text: str, chunk: str, near: int | None = None) -> list[str]:
    return [text[start:end] for start, end in ChunkSearch(text).spans(chunk, near=near)]


def test_a_piece_is_found_wherever_it_stands() -> None:
    assert ChunkSearch("ab ab ab").spans(" ab ") == [(0, 2), (3, 5), (6, 8)]


def test_a_place_that_is_said_decides_if_the_piece_is_there() -> None:
    search = ChunkSearch("ab ab ab")
    assert search.spans("ab", near=3) == [(3, 5)]
    assert search.spans(" ab", near=5) == [(6, 8)]


@pytest.mark.parametrize("near", [-1, 1, 8, 999])
def test_a_place_that_is_said_and_wrong_tells_nothing(near: int) -> None:
    assert ChunkSearch("ab ab ab").spans("ab", near=near) == [(0, 2), (3, 5), (6, 8)]


def test_of_very_many_places_the_last_one_is_told_too() -> None:
    spans = ChunkSearch("ab " * 100).spans("ab")
    assert len(spans) == MOST_PLACES + 1
    assert (spans[0], spans[-1]) == ((0, 2), (297, 299))


def test_white_space_that_a_splitter_changed_does_no_harm() -> None:
    text = "One\n\ntwo   three\nfour. One two"
    assert ChunkSearch(text).spans("two three  \nfour") == [(5, 21)]
    assert ChunkSearch(text).spans("wo three\tfo", near=20) == [(6, 19)]
    assert ChunkSearch(text).spans("Onetwothree") == [(0, 16)]


def test_characters_that_cannot_be_printed_do_no_harm_on_either_side() -> None:
    text = "می\u200cشود \ue005 so\u00adft\u3000space"
    assert found(text, "میشود soft space") == [text]
    assert found("میشود soft", text[:-6]) == ["میشود soft"]


def test_half_a_character_at_either_end_does_no_harm() -> None:
    assert found("汉字很好", "\ufffd字很\ufffd") == ["字很"]


def test_headings_that_a_splitter_left_out_do_no_harm() -> None:
    text = (
        "# One\n\nThe first section says something.\n\n## Two\n\n### Three\n\n"
        "More of it stands here.\n\nEnd."
    )
    chunk = "The first section says something.  \nMore of it stands here."
    assert found(text, chunk) == [text[7 : text.index("\n\nEnd.")]]


def test_lines_out_of_order_or_far_apart_are_not_found() -> None:
    first, second = "The first section says something.", "More of it stands here."
    assert found(f"{second}\n\n# One\n\n{first}", f"{first}\n{second}") == []
    assert found(f"{first}\n\n{'x' * 500}\n\n{second}", f"{first}\n{second}") == []
    assert found(f"{first}\n\n{'x' * 500}\n\n{second}", f"{second}\n{first}") == []


def test_short_lines_with_gaps_tell_nothing() -> None:
    assert found("a\n\n# One\n\nb", "a\nb") == []


@pytest.mark.parametrize("chunk", [" \n", "", "\ufffd", "\ue005", "test"])
def test_a_blank_piece_and_a_foreign_one_are_nowhere(chunk: str) -> None:
    assert ChunkSearch("text \ue004").spans(chunk) == []
    assert ChunkSearch("").spans(chunk, near=3) == []


def test_the_search_of_a_text_met_lately_is_ready() -> None:
    text = "the same text"
    assert search_of(text) is search_of("the same " + "text")


@given(st.text("ab \n\u200c", max_size=40), st.data())
def test_any_piece_is_found_where_it_was_cut(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    chunk = text[start : data.draw(st.integers(start, len(text)))]
    if chunk.strip():
        begin = start + len(chunk) - len(chunk.lstrip())
        span = (begin, begin + len(chunk.strip()))
        assert ChunkSearch(text).spans(chunk, near=start) == [span]
        loose = re.sub(r"\s+", " \n", chunk).replace("\u200c", "")
        if loose.strip():
            spans = ChunkSearch(text).spans(loose)
            assert spans
            assert all(visible(text[s:e]) == visible(chunk) for s, e in spans)


@given(st.integers(0, 300), st.integers(100, 400), st.integers(0, 30))
def test_a_long_piece_is_found_in_all_its_places(start: int, length: int, times: int) -> None:
    text = "".join(f"{n * n} and " for n in range(100)) * times + "|" * start
    piece = text[start : start + length].strip()
    spans = ChunkSearch(text).spans(piece)
    begins = [at for at in range(len(text)) if piece and text.startswith(piece, at)]
    expected = begins if len(begins) <= MOST_PLACES else [*begins[:MOST_PLACES], begins[-1]]
    assert spans == [(begin, begin + len(piece)) for begin in expected]


def visible(text: str) -> str:
    return "".join(text.replace("\u200c", "").split())


@given(
    st.lists(
        st.tuples(st.booleans(), st.text("abcd ", min_size=20, max_size=30).filter(str.strip)),
        min_size=2,
        max_size=8,
    )
)
def test_a_piece_without_its_headings_is_found_from_its_first_line_to_its_last(
    lines: list[tuple[bool, str]],
) -> None:
    text = "\n\n".join("# Heading" if heading else line for heading, line in lines)
    kept = [line for heading, line in lines if not heading]
    if any(len(visible(line)) >= 16 for line in kept):
        for span in found(text, "\n".join(kept)):
            assert visible(span.replace("# Heading", "")) in visible(text.replace("# Heading", ""))
            assert span.startswith(kept[0].strip()[:1])
