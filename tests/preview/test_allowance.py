from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.preview.allowance import left_out

SIZES = st.dictionaries(st.text(max_size=4), st.integers(0, 1000), max_size=12)


def test_pictures_that_fit_together_are_all_shown() -> None:
    assert left_out({"a": 40, "b": 60}, {"a": 1, "b": 1}, 100) == frozenset()


def test_small_pictures_are_let_in_first() -> None:
    sizes = {"scan": 90, "logo": 5, "diagram": 20}

    assert left_out(sizes, dict.fromkeys(sizes, 1), 100) == {"scan"}


def test_a_picture_takes_its_room_each_time_it_is_shown() -> None:
    assert left_out({"logo": 30, "plate": 60}, {"logo": 4, "plate": 1}, 100) == {"logo"}


def test_of_equal_pictures_those_shown_first_stay() -> None:
    sizes = dict.fromkeys(["1.png", "2.png", "3.png"], 40)

    assert left_out(sizes, dict.fromkeys(sizes, 1), 100) == {"3.png"}


def test_a_picture_that_nothing_shows_takes_no_room() -> None:
    assert left_out({"unused": 1000, "a": 100}, {"a": 1}, 100) == frozenset()


@given(SIZES, st.integers(1, 3), st.integers(0, 3000))
def test_what_stays_fits_and_nothing_is_left_out_that_would(
    sizes: dict[str, int], count: int, most: int
) -> None:
    without = left_out(sizes, dict.fromkeys(sizes, count), most)
    taken = sum(sizes[name] * count for name in sizes if name not in without)

    assert taken <= most
    assert all(taken + sizes[name] * count > most for name in without)
