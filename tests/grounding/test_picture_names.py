"""What names of pictures are worth: against the text around them, and by their order alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding.picture_names import (
    PictureNames,
    bounds,
    hinted_page,
    longest_rise,
    read_names,
)
from zhiyipdf.markdown import split_blocks

SAID = "word " * 60


def read(said: list[str], total: int, places: dict[int, tuple[int, int]] | None = None):
    """Read the names of pictures, written as their names, amid text, written ``.``."""
    pieces = [SAID if piece == "." else f"![](images/{piece}.png)" for piece in said]
    return read_names(split_blocks("\n\n".join(pieces)), total, places)


def firsts(names: PictureNames) -> dict[int, int]:
    return {index: pages[0] for index, pages in names.pages.items()}


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("images/3-2.png", 3),
        ("10-1.JPG", 10),
        (r"images\10-11.png", 10),
        ("images/11-1.png", None),
        ("images/0-1.png", None),
        ("2024-05.png", None),
        ("images/x3-2.png", None),
        ("images/3-2-1.png", None),
        ("images/3-2.svg", None),
        ("https://example.org/3-2.png", None),
        ("//example.org/3-2.png", None),
        ("data:image/png;base64,3-2.png", None),
    ],
)
def test_a_name_tells_a_page_only_if_it_fits(target: str, page: int | None):
    assert hinted_page(target, 10) == page


def test_names_amid_text_of_their_pages_are_proven():
    places = {0: (1, 1), 2: (1, 1), 4: (3, 3), 6: (4, 4), 8: (4, 4)}
    names = read([".", "1-1", ".", "2-1", ".", "4-1", ".", "4-2", "."], 4, places)

    assert names.is_proven
    assert firsts(names) == {1: 1, 5: 4, 7: 4, 3: 2}
    assert names.worth >= 0.95


def test_names_that_the_text_contradicts_tell_nothing():
    """Figures of chapters: their first numbers stay small."""
    places = {at: (at + 1, at + 1) for at in range(0, 12, 2)}
    said = [".", "1-1", ".", "1-2", ".", "1-3", ".", "2-1", ".", "2-2", "."]

    assert read(said, 12, places) == PictureNames()


def amid(names: dict[int, str]) -> tuple[list[str], dict[int, tuple[int, int]]]:
    """Put each picture between two texts of one page."""
    said: list[str] = []
    places = {}
    for number, name in names.items():
        places |= {len(said): (number, number), len(said) + 2: (number, number)}
        said += [".", name, "."]
    return said, places


@pytest.mark.parametrize("off", [-2, -1, 5, 40])
def test_names_off_by_a_constant_are_corrected_by_the_text(off):
    said, places = amid({number: f"{number - off + 40}-1" for number in (3, 5, 8, 10)})

    assert firsts(read(said, 12, places)) == {1: 3, 4: 5, 7: 8, 10: 10}


def test_a_constant_that_might_be_another_is_none():
    """Each picture stands at a page break: it may be of either page."""
    places = {0: (3, 3), 2: (4, 4), 4: (5, 5), 6: (6, 6)}

    assert read([".", "8-1", ".", "9-1", ".", "10-1", "."], 12, places) == PictureNames()


def test_two_names_are_too_few_to_tell_a_constant():
    said, places = amid({5: "1-1", 6: "2-1"})

    assert read(said, 9, places) == PictureNames()


def test_a_picture_that_moved_does_not_shake_proven_names():
    said, places = amid({1: "1-1", 3: "3-1", 4: "4-1", 6: "2-1", 7: "7-1", 8: "8-1"})
    names = read(said, 9, places)

    assert names.is_proven
    assert firsts(names)[10] == 2
    assert 10 not in names.rising


def test_names_that_rise_with_the_text_are_believed_without_any_text():
    names = read([f"{n}-1" for n in range(1, 31)], 30)

    assert firsts(names) == {n - 1: n for n in range(1, 31)}
    assert not names.is_proven
    assert names.worth_of(7) >= 0.9


def test_numbers_of_chapters_in_a_scan_tell_nothing():
    said = [piece for n in range(40) for piece in (".", f"{n // 20 + 1}-{n % 20 + 1}")]

    assert read(said, 100) == PictureNames()


@pytest.mark.parametrize(("first", "off"), [(0, 1), (14, -13)])
def test_names_of_all_pages_counted_from_another_number_are_corrected(first, off):
    names = read([f"{n}-1" for n in range(first, first + 20)], 20)

    assert firsts(names) == {at: at + 1 for at in range(20)}


def test_names_of_pages_that_the_pdf_has_not_tell_nothing_if_the_first_is_unknown():
    assert read([f"{n}-1" for n in range(14, 34, 2)], 25) == PictureNames()


def test_a_name_against_the_order_is_less_sure_than_the_others():
    said = [f"{n}-1" for n in (1, 2, 3, 19, *range(5, 21))]
    names = read(said, 20)

    assert names.worth_of(3) < 0.9 <= names.worth_of(2)


def test_without_pictures_there_are_no_names():
    assert read([".", "."], 3) == PictureNames()
    assert read_names((), 3) == PictureNames()


def test_bounds_are_the_pages_of_the_text_on_both_sides():
    places = {2: (3, 4), 5: (6, 6), 6: (5, 5)}

    assert list(bounds([0, 3, 5, 7], places, 9)) == [
        (0, (1, 3)), (3, (4, 6)), (5, (4, 5)), (7, (5, 9))
    ]  # fmt: skip


@given(st.lists(st.integers(0, 9), max_size=12))
def test_the_longest_rise_never_falls_and_is_no_shorter_than_any_other(pages):
    rise = longest_rise(pages)

    assert rise == sorted(set(rise))
    assert [pages[at] for at in rise] == sorted(pages[at] for at in rise)
    best = [0] * 10
    for page in pages:
        best[page] = max(best[: page + 1]) + 1
    assert len(rise) == max(best)


@given(
    st.lists(st.sampled_from([".", "1-1", "2-1", "3-1", "9-1", "0-1"]), max_size=12),
    st.integers(1, 9),
    st.dictionaries(st.integers(0, 11), st.tuples(st.integers(1, 9), st.integers(1, 9))),
)
def test_all_pages_told_are_the_pdfs(said, total, places):
    known = {i: (min(own), max(own)) for i, own in places.items() if i < len(said)}
    names = read(said, total, known)

    assert all(1 <= page <= total for pages in names.pages.values() for page in pages)
    assert names.rising <= set(names.pages)
    assert all(0 < names.worth_of(index) <= 1 for index in names.pages)


def test_names_are_not_proven_where_no_text_is_known():
    names = read(["2-1", ".", "1-1", ".", "2-2", ".", "1-2"], 2)

    assert not names.is_proven
