from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.textlayer.boxes import around, common, has_area, jumps

NUMBERS = st.floats(-1e4, 1e4)
BOXES = st.builds(
    lambda x, y, width, height: (x, y, x + width, y + height),
    NUMBERS,
    NUMBERS,
    st.floats(0.1, 1e3),
    st.floats(0.1, 1e3),
)
ANYTHING = st.tuples(*[st.floats()] * 4)


def holds(outer, inner):
    return (
        outer[0] <= inner[0]
        and outer[1] <= inner[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


@given(st.lists(BOXES, min_size=1, max_size=5))
def test_what_is_around_boxes_holds_each_and_what_they_share_is_in_each(boxes):
    outer, inner = around(boxes), common(boxes)

    assert all(holds(outer, box) for box in boxes)
    assert not has_area(inner) or all(holds(box, inner) for box in boxes)


def test_points_strokes_and_what_is_no_number_do_not_count():
    flat, empty, wrong = (0, 5, 100, 5), (7, 7, 7, 7), (math.nan, 0, 9, 9)

    assert around([flat, empty, wrong]) is None
    assert around([flat, (10, 10, 20, 20), wrong]) == (10, 10, 20, 20)


def test_words_on_one_base_line_do_not_jump_however_far_apart():
    assert jumps([(0, 0, 30, 10), (400, 2, 430, 9), (900, -2, 930, 12)]) == []


def test_words_of_vertical_text_do_not_jump():
    assert jumps([(0, 700, 10, 750), (0, 600, 10, 690), (1, 100, 9, 500)]) == []


def test_a_raised_note_and_a_quotation_mark_do_not_jump():
    assert jumps([(0, 0, 30, 8), (30, 5, 34, 11), (35, 8, 38, 11)]) == []


def test_a_line_that_goes_on_elsewhere_jumps_there_and_back():
    assert jumps([(0, 0, 30, 10), (200, 300, 230, 310), (40, 0, 60, 10)]) == [1, 2]


def test_blanks_are_passed_over():
    assert jumps([(5, 5, 5, 5), (0, 0, 30, 10), (9, 9, 9, 9), (200, 300, 230, 310)]) == [3]


@given(st.lists(ANYTHING, max_size=6))
def test_no_box_is_too_odd(boxes):
    assert all(0 < i < len(boxes) for i in jumps(boxes))
    around(boxes)


@given(st.lists(BOXES, max_size=6), NUMBERS, NUMBERS)
def test_where_a_line_jumps_does_not_depend_on_its_place(boxes, right, up):
    boxes = [tuple(round(edge) for edge in box) for box in boxes]  # moved without rounding
    right, up = round(right), round(up)
    moved = [(a + right, b + up, c + right, d + up) for a, b, c, d in boxes]

    assert jumps(moved) == jumps(boxes)
