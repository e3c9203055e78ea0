from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from support.drawings import Drawing, text, write_drawings
from zhiyipdf.textlayer import read_page_texts
from zhiyipdf.textlayer.characters import Characters, inked, line_ranges


def characters(text: str, hyphens: list[int] | None = None) -> Characters:
    return Characters(
        codes=np.array(list(map(ord, text)), np.uint32),
        hyphens=np.array(hyphens or [], np.int64),
    )


def lines(text: str, hyphens: list[int] | None = None) -> list[str]:
    return [text[start:end] for start, end in line_ranges(characters(text, hyphens)).tolist()]


def read_letters(tmp_path, words: str, letters: dict[str, str]) -> list[str]:
    """What the letters of a PDF are read as."""
    page = Drawing(content=text(10, 50, words, font="F2"))
    (read,) = read_page_texts(write_drawings(tmp_path / "a.pdf", [page], letters=letters))
    return [chr(code) for code in read.codes.tolist()]


# Lines


def test_lines_end_at_every_kind_of_break():
    assert lines("one\r\ntwo\nthree\rfour") == ["one", "two", "three", "four"]


def test_a_line_goes_on_behind_a_hyphen_that_ends_it_and_only_there():
    assert lines("soft\xadware hy\xadphen", [12]) == ["soft\xadware hy\xad", "phen"]


def test_lines_of_blanks_are_none():
    assert lines("\r\n \t\r\na\r\n\u3000\0\r\n") == ["a"]
    assert lines("") == []


@given(st.text(alphabet="ab \r\n\xad\u3000😀\0", max_size=30))
def test_each_character_that_is_no_blank_is_in_one_line(text):
    hyphens = [i for i, letter in enumerate(text) if letter == "\xad"]
    read = characters(text, hyphens)
    times = np.zeros(len(text), int)
    for start, end in line_ranges(read).tolist():
        times[start:end] += 1
        assert not set(text[start:end]) & set("\r\n")
        assert "\xad" not in text[start : end - 1]

    assert times.max(initial=0) <= 1
    assert (times[inked(read.codes)] == 1).all()


# From PDFs


def test_a_letter_beyond_the_sixteenth_bit_stands_whole_at_its_first_index(tmp_path):
    assert read_letters(tmp_path, "AxB", {"A": "😀", "x": "x", "B": "ש"}) == ["😀", "\0", "x", "ש"]


def test_a_letter_without_a_meaning_keeps_its_place(tmp_path):
    assert read_letters(tmp_path, "xAx", {"x": "x", "A": "\0"}) == ["x", "\ufffd", "x"]


def test_letters_without_a_meaning_beside_letters_of_two_halves_keep_theirs(tmp_path):
    assert read_letters(tmp_path, "AxC", {"A": "😀", "x": "x", "C": "\0"}) == [
        "😀",
        "\0",
        "x",
        "\ufffd",
    ]


def test_half_a_pair_is_no_letter(tmp_path):
    page = Drawing(content=text(10, 50, "xA", font="F2"))
    path = write_drawings(tmp_path / "a.pdf", [page], letters={"x": "x", "A": "@@"})
    path.write_bytes(path.read_bytes().replace(b"<00400040>", b"<d83d0040>"))
    (read,) = read_page_texts(path)

    read.text().encode()
    assert read.text().startswith("x")


def test_letters_that_mean_several_are_several(tmp_path):
    assert read_letters(tmp_path, "Ax", {"A": "ffi", "x": "x"}) == ["f", "f", "i", "x"]


def test_right_to_left_text_is_in_the_order_of_reading(tmp_path):
    assert read_letters(tmp_path, "CBA", {"A": "ש", "B": "ל", "C": "ם"}) == ["ש", "ל", "ם"]


def test_the_hyphen_at_the_end_of_a_line_is_a_soft_one_and_ends_the_line(tmp_path):
    content = text(10, 50, "some exam-") + text(10, 38, "ples of words")
    (read,) = read_page_texts(write_drawings(tmp_path / "a.pdf", [Drawing(content=content)]))

    assert read.text() == "some exam\xadples of words"
    assert read.lines.tolist() == [[0, 10], [10, 23]]


def test_the_same_holds_beside_letters_of_two_halves(tmp_path):
    content = text(10, 50, "Axx-", font="F2") + text(10, 38, "xxx", font="F2")
    letters = {"A": "😀", "x": "x", "-": "-"}
    page = Drawing(content=content)
    (read,) = read_page_texts(write_drawings(tmp_path / "a.pdf", [page], letters=letters))

    assert read.text() == "😀xx\xadxxx"
    assert read.lines.tolist() == [[0, 5], [5, 8]]
