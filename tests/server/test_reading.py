from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.reading import (
    Line,
    blocks_of,
    in_reading_order,
    markdown_of,
    quality_of,
    slope_of,
)


def _line(text: str, x: float, y: float, *, width: float = 300, height: float = 20) -> Line:
    return Line((x, y, x + width, y + height), text, 0.9)


def _texts(lines: list[Line]) -> list[str]:
    return [block.text for block in blocks_of(lines)]


def test_lines_of_a_paragraph_are_joined_and_a_gap_parts_them() -> None:
    lines = [_line("one", 0, 0), _line("two", 0, 25), _line("three", 0, 100)]
    assert _texts(lines) == ["one two", "three"]


def test_a_short_line_ends_its_paragraph() -> None:
    lines = [_line("long", 0, 0), _line("short.", 0, 25, width=90), _line("Next", 0, 50)]
    assert _texts(lines) == ["long short.", "Next"]


def test_columns_are_read_one_after_the_other_under_their_title() -> None:
    lines = [_line("Title", 0, 0, width=700, height=40)]
    lines += [_line(f"left{n}", 0, 60 + 25 * n) for n in range(3)]
    lines += [_line(f"right{n}", 400, 60 + 25 * n) for n in range(2)]
    assert _texts(lines) == ["Title", "left0 left1 left2", "right0 right1"]


def test_cells_of_a_table_are_read_row_by_row() -> None:
    lines = [
        _line(f"{row}{column}", 100 * column, 40 * row, width=40)
        for row in range(3)
        for column in range(3)
    ]
    assert _texts(lines) == ["00 01 02", "10 11 12", "20 21 22"]


def test_large_letters_are_a_title() -> None:
    lines = [_line("Head", 0, 0, height=40), _line("body", 0, 60), _line("body", 0, 85)]
    assert markdown_of(blocks_of(lines)) == "# Head\n\nbody body"


def test_chinese_lines_are_joined_without_a_space() -> None:
    assert _texts([_line("中文", 0, 0), _line("文本", 0, 25)]) == ["中文文本"]


def test_what_looks_like_markup_is_escaped() -> None:
    lines = [_line("# no | heading *", 0, 0), _line("1. <b>", 0, 100), _line("- $x$", 0, 200)]
    assert markdown_of(blocks_of(lines)) == (
        "\\# no \\| heading \\*\n\n\\1. \\<b\\>\n\n\\- \\$x\\$"
    )


def test_nothing_was_read() -> None:
    assert blocks_of([]) == []
    assert quality_of([]) == 0
    assert slope_of([]) == 0.0


def test_the_slope_is_that_of_the_long_lines() -> None:
    long = [Line((0, 0, 400, 40), "x", 1.0, slope=3.0)] * 3
    short = [Line((0, 0, 20, 20), "x", 1.0, slope=40.0 / 41)] * 9
    assert slope_of([*long, *short]) == 3.0


numbers = st.floats(0, 1000)
lines = st.builds(
    lambda x, y, w, h, text: Line((x, y, x + w, y + h), text, 0.5),
    numbers,
    numbers,
    st.floats(1, 500),
    st.floats(1, 60),
    st.text(alphabet="abc", min_size=1, max_size=3),
)


@given(st.lists(lines, max_size=25))
def test_every_line_is_read_exactly_once(found: list[Line]) -> None:
    ordered = [line for part in in_reading_order(found) for line in part]
    assert Counter(ordered) == Counter(found)
    words = Counter(word for block in blocks_of(found) for word in block.text.split())
    assert words == Counter(line.text for line in found)
