"""Pictures, rules and comments between the blocks around them."""

from __future__ import annotations

import pytest

from support.page_texts import Author, document, page, shown
from zhiyipdf.grounding import align
from zhiyipdf.markdown import split_blocks

AUTHOR = Author(1)
TEXT = [AUTHOR.paragraph() for _ in range(8)]
TOP, MIDDLE = (72.0, 100.0, 400.0, 180.0), (72.0, 300.0, 400.0, 500.0)
LOW = (72.0, 520.0, 400.0, 740.0)


def read(number: int, *said: str, pictures=(), drawings=(), at: float = 200.0):
    """A page whose text begins at some height."""
    lines = [line for piece in said for line in shown(piece)]
    placed = [(line, 72.0, at + 14 * n) for n, line in enumerate(lines)]
    return page(number, placed, pictures=pictures, drawings=drawings)


def on(said: list[str], pages) -> list[int]:
    return [one.pages[0] for one in align(split_blocks("\n\n".join(said)), pages)]


def test_between_two_blocks_of_a_page_it_is_that_page():
    said = [TEXT[0], "![](a.png)", TEXT[1], "---", TEXT[2], TEXT[3]]

    assert on(said, [read(1, *TEXT[:2]), read(2, *TEXT[2:4])])[1] == 1
    assert on(said, document([TEXT[:3], TEXT[3:4]]).pages)[3] == 1


@pytest.mark.parametrize(("first", "second", "truth"), [([LOW], [], 1), ([], [TOP], 2)])
def test_a_picture_at_a_page_break_goes_where_the_pdf_has_one(first, second, truth):
    pages = [read(1, *TEXT[:2], pictures=first), read(2, *TEXT[2:4], pictures=second)]

    assert on([*TEXT[:2], "![](a.png)", *TEXT[2:4]], pages)[2] == truth


def test_pictures_go_to_pages_as_the_pdf_has_them():
    pages = [
        read(1, *TEXT[:2], pictures=[LOW]),
        page(2, pictures=[TOP, LOW]),
        read(3, *TEXT[2:4], pictures=[TOP]),
    ]
    said = [*TEXT[:2], *(f"![]({name}.png)" for name in "abcd"), *TEXT[2:4]]

    assert on(said, pages) == [1, 1, 1, 2, 2, 3, 3, 3]


def test_a_picture_above_the_text_before_it_is_another():
    pages = [read(1, *TEXT[:2], pictures=[TOP]), read(2, *TEXT[2:4], pictures=[TOP])]

    assert on([*TEXT[:2], "![](a.png)", *TEXT[2:4]], pages)[2] == 2


def test_without_a_picture_it_goes_where_more_space_is():
    short, full = read(1, TEXT[0], at=96), read(2, *TEXT[1:8], at=96)

    assert on([TEXT[0], "![](a.png)", *TEXT[1:8]], [short, full])[1] == 1


def test_things_before_the_first_and_after_the_last_block_stay_beside_it():
    made = document([[TEXT[0]], [TEXT[1]], [TEXT[2]]])
    said = ["![](a.png)", "<!-- a -->", *TEXT[:3], "---", "![](b.png)"]

    assert on(said, made.pages) == [1, 1, 1, 2, 3, 3, 3]


def test_a_run_of_crumbs_between_far_pages_never_falls():
    made = document([[TEXT[0]], *([["filler"]] * 4), [TEXT[1]]])
    got = on([TEXT[0], *["---"] * 6, TEXT[1]], made.pages)

    assert got == sorted(got)


@pytest.mark.parametrize("number", [1, 2])
def test_an_image_at_a_page_break_goes_where_a_drawing_is(number):
    """A plot is no picture of the PDF."""
    drawings = {number: [LOW if number == 1 else TOP]}
    pages = [
        read(n, *TEXT[2 * n - 2 : 2 * n], drawings=drawings.get(n, ())) for n in (1, 2)
    ]  # fmt: skip

    found = align(split_blocks("\n\n".join([*TEXT[:2], "![](a.png)", *TEXT[2:4]])), pages)[2]

    assert found.pages == (number,)
    assert found.method == "neighbours"  # a drawing may be an ornament


def test_pieces_of_one_figure_do_not_hold_the_next_image_back():
    strips = [(72.0, 520.0 + 20 * n, 400.0, 540.0 + 20 * n) for n in range(9)]
    pages = [read(1, *TEXT[:2], pictures=strips), read(2, *TEXT[2:4], pictures=[TOP])]

    assert on([*TEXT[:2], "![](a.png)", "![](b.png)", *TEXT[2:4]], pages)[2:4] == [1, 2]


def test_scans_behind_their_text_are_of_one_page_each():
    """A scan with a text layer, whose Markdown shows each page before its text."""
    whole = (0.0, 0.0, 595.0, 842.0)
    pages = [read(n, *TEXT[2 * n - 2 : 2 * n], pictures=[whole]) for n in range(1, 5)]
    said = [
        piece
        for n in range(1, 5)
        for piece in (f"![]({'abcd'[n - 1]}.png)", *TEXT[2 * n - 2 : 2 * n])
    ]

    assert on(said, pages) == [n for n in range(1, 5) for _ in range(3)]
