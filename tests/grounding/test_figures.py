"""What of a page's pictures and drawings is a figure, and what stands together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.page_texts import HEIGHT, WIDTH, page
from zhiyipdf.grounding.figures import find_figures, shown_pictures

MIDDLE = (72.0, 300.0, 400.0, 500.0)
WHOLE = (0.0, 0.0, WIDTH, HEIGHT)


def figures(**drawn):
    one = page(1, drawn.pop("lines", ()), **drawn)
    return find_figures(one, range(len(one.pictures)))


# Which pictures are shown


def test_logos_and_specks_are_not_shown():
    logo, speck = (500.0, 20.0, 560.0, 50.0), (10.0, 10.0, 12.0, 12.0)
    pages = [page(n, pictures=[logo, speck, *([MIDDLE] if n == 4 else [])]) for n in range(1, 9)]

    assert shown_pictures(pages) == [[], [], [], [2], [], [], [], []]


def test_a_picture_that_comes_twice_is_shown():
    assert shown_pictures([page(1, pictures=[MIDDLE]), page(2, pictures=[MIDDLE])]) == [[0], [0]]


def test_no_pages_show_nothing():
    assert shown_pictures([]) == []


def test_the_scan_of_a_page_without_text_is_shown():
    pages = [page(n, pictures=[WHOLE], ink=0.1) for n in range(1, 9)]

    assert shown_pictures(pages) == [[0]] * 8


def test_pictures_behind_text_are_shown_if_the_markdown_has_so_many():
    """Scans with a text layer, whose Markdown shows each page, and slides with a ground."""
    pages = [page(n, ["some text of the page"], pictures=[WHOLE]) for n in range(1, 9)]

    assert shown_pictures(pages, images=2) == [[]] * 8
    assert shown_pictures(pages, images=8) == [[0]] * 8


# What stands together


def test_pictures_that_touch_are_one_figure():
    strips = [(72.0, 300.0 + 20 * n, 400.0, 320.0 + 20 * n) for n in range(9)]

    assert figures(pictures=strips) == [(72, 300, 400, 480)]


def test_pictures_that_stand_apart_are_figures_of_their_own_from_top_to_bottom():
    apart = [(72.0, 400.0, 200.0, 500.0), (220.0, 400.0, 300.0, 500.0), (72.0, 100.0, 300.0, 200.0)]

    assert figures(pictures=apart) == [apart[2], apart[0], apart[1]]


def test_a_picture_and_what_is_drawn_around_it_are_one():
    assert figures(pictures=[MIDDLE], drawings=[(60.0, 290.0, 410.0, 510.0)]) == [
        (60, 290, 410, 510)
    ]


@pytest.mark.parametrize(
    "drawn",
    [(72.0, 300.0, 80.0, 308.0), (72.0, 300.0, 400.0, 305.0), (5.0, 5.0, 590.0, 840.0)],
    ids=["bullet", "bar", "ground of the page"],
)
def test_what_is_drawn_without_a_picture_and_is_no_figure(drawn):
    assert figures(drawings=[drawn]) == []


def test_the_frame_of_a_listing_is_no_figure():
    lines = [("line of a listing", 80.0, 300.0 + 14 * n) for n in range(10)]

    assert figures(lines=lines, drawings=[(72.0, 290.0, 500.0, 445.0)]) == []


def test_a_diagram_with_labels_is_a_figure():
    lines = [("label", 80.0 + 90 * n, 320.0 + 40 * n) for n in range(3)]

    assert figures(lines=lines, drawings=[MIDDLE]) == [MIDDLE]


def test_a_picture_that_fills_the_page_holds_no_other():
    assert figures(pictures=[WHOLE, MIDDLE]) == [WHOLE, MIDDLE]


BOX = st.tuples(
    st.integers(0, 500), st.integers(0, 800), st.integers(1, 90), st.integers(1, 40)
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))  # fmt: skip


@given(st.lists(BOX, max_size=8), st.lists(BOX, max_size=8))
def test_every_picture_is_in_a_figure_and_no_figure_is_larger_than_what_it_holds(
    pictures, drawings
):
    found = figures(pictures=pictures, drawings=drawings)

    for x0, y0, x1, y1 in pictures:
        assert any(a <= x0 and b <= y0 and x1 <= c and y1 <= d for a, b, c, d in found)
    for at in range(4):
        edges = {box[at] for box in (*pictures, *drawings)}
        assert {figure[at] for figure in found} <= edges
    assert len(found) <= len(pictures) + len(drawings)
    assert found == sorted(found, key=lambda box: (box[1], box[0]))
