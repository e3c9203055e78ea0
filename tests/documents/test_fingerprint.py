from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.documents.fingerprint import UNCHECKED, read_fingerprint, write_fingerprint

WORDS = random.Random(7)
BOOK = " ".join(f"word{WORDS.randrange(10**6)}" for _ in range(4000))
PRINT = read_fingerprint(write_fingerprint(BOOK))


def test_it_takes_a_fiftieth_of_the_text() -> None:
    assert len(write_fingerprint(BOOK)) < len(BOOK) / 45


def piece_at(start: int, length: int) -> tuple[str, int]:
    """A piece of the book without white space at its ends, and where it stands."""
    chunk = BOOK[start : start + length]
    return chunk.strip(), start + len(chunk) - len(chunk.lstrip())


def test_a_place_that_is_said_is_believed_if_the_text_agrees() -> None:
    piece, start = piece_at(1000, 160)
    assert PRINT.span_at(piece, start) == (start, start + len(piece))
    assert PRINT.span_at(f" {piece}\n", start - 1) == (start, start + len(piece))


def test_a_place_that_is_said_and_wrong_is_not_believed() -> None:
    piece, start = piece_at(5000, 200)
    for near in (None, *range(3000, start), *range(start + 1, 7000), -1, len(BOOK)):
        assert PRINT.span_at(piece, near) is None


def test_a_long_piece_is_found_wherever_it_stands() -> None:
    for at in range(3000, 3100):
        piece, start = piece_at(at, 340)
        if len(piece) >= 335:
            assert PRINT.search(piece) == [(start, start + len(piece))]


def test_a_long_piece_that_stands_in_several_places_has_them_all() -> None:
    piece, start = piece_at(100, 400)
    text = BOOK[:1000] + BOOK[:1000] + BOOK[:700]
    spans = read_fingerprint(write_fingerprint(text)).search(piece)
    assert [at for at, _ in spans] == [start, start + 1000, start + 2000]


def test_a_piece_that_stands_in_very_many_places_tells_nothing() -> None:
    assert read_fingerprint(write_fingerprint("ab" * 5000)).search("ab" * 300) == []


def test_a_short_piece_tells_nothing() -> None:
    short, start = piece_at(500, 90)
    assert PRINT.span_at(short, start) is None
    assert PRINT.search(piece_at(500, 300)[0]) == []
    assert PRINT.search(" \n") == []
    assert PRINT.span_at(" \n", 0) is None


def test_a_foreign_or_changed_piece_is_nowhere() -> None:
    piece, start = piece_at(1000, 1000)
    for other in (piece.replace(" ", "  "), piece[::-1], BOOK + BOOK):
        assert PRINT.span_at(other, start) is None
        assert PRINT.search(other) == []


def test_a_change_at_the_very_end_of_a_piece_may_go_unseen() -> None:
    piece, start = piece_at(1000, 1000)
    seen = PRINT.search(f"{'x' * UNCHECKED}{piece[UNCHECKED:]}")
    assert seen in ([], [(start, start + len(piece))])
    assert PRINT.search(f"{'x' * (UNCHECKED + 49)}{piece[UNCHECKED + 49 :]}") == []


@pytest.mark.parametrize("text", ["a", "  a\n b  \n", BOOK, "\n" + BOOK])
def test_a_whole_text_is_known_whatever_its_length(text: str) -> None:
    fingerprint = read_fingerprint(write_fingerprint(text))
    begin = len(text) - len(text.lstrip())
    assert fingerprint.is_of(text)
    for start in (None, 0, 7):
        assert fingerprint.span_at(text, start) == (begin, len(text.rstrip()))
    assert not fingerprint.is_of(text + "x")


@given(st.integers(0, 20_000), st.integers(143, 3000))
def test_any_piece_of_some_length_is_believed_where_it_was_cut(at: int, length: int) -> None:
    piece, start = piece_at(at, length)
    expected = (start, start + len(piece))
    if len(piece) >= 143:
        assert PRINT.span_at(piece, start) == expected
    if len(piece) >= 335:
        assert PRINT.search(piece) == [expected]


@given(st.text(max_size=300))
def test_any_text_has_one(text: str) -> None:
    fingerprint = read_fingerprint(write_fingerprint(text))
    assert fingerprint.is_of(text)
    assert fingerprint.length == len(text.rstrip())


@pytest.mark.parametrize("written", ["", "oops", ":", "-1:", "3:", "3:ab", "x:a", "49:a"])
def test_what_is_no_fingerprint_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no text_fingerprint"):
        read_fingerprint(written)
