from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.models import ParseOptions, Part, page_ranges, ranges_of
from zhiyipdf.models.page_ranges import pages_of, written

NUMBERS = st.integers(1, 60)
RANGES = st.lists(
    st.tuples(NUMBERS, st.none() | st.integers(0, 30)).map(
        lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
    ),
    min_size=1,
    max_size=8,
)
SPACES = st.sampled_from(["", " ", "\t ", "  "])


def members(ranges: list[tuple[int, int | None]], last_page: int = 100) -> set[int]:
    ends = [(first, last_page if last is None else last) for first, last in ranges]
    return {page for first, last in ends for page in range(first, last + 1)}


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("1-20,35", ((1, 20), (35, 35))),
        (" 3 - 5 , 1 ", ((1, 1), (3, 5))),
        ("5-", ((5, None),)),
        ("7,5-,2", ((2, 2), (5, None))),
        ("4,3,2,1,1", ((1, 4),)),
        ("1-3,2-9,10", ((1, 10),)),
        ("1-,5", ((1, None),)),
        ("007", ((7, 7),)),
    ],
)
def test_ranges_are_read_in_any_order_and_merged(text: str, ranges: object) -> None:
    assert page_ranges(text) == ranges


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ",",
        "1,",
        "0",
        "0-3",
        "3-1",
        "-3",
        "1-2-3",
        "one",
        "1.5",
        "+1",
        "1 2",
        "٣",
        "9" * 10,
    ],
)
def test_what_is_no_range_is_refused_and_shown(text: str) -> None:
    with pytest.raises(ValueError, match="pages=") as caught:
        page_ranges(text)
    assert repr(text) in str(caught.value)


@given(RANGES, st.data())
def test_any_spelling_gives_the_same_pages(
    ranges: list[tuple[int, int | None]], data: st.DataObject
) -> None:
    text = ",".join(
        data.draw(SPACES) + written([pages]).replace("-", data.draw(SPACES) + "-")
        for pages in ranges
    )
    found = page_ranges(text)
    assert members(list(found)) == members(ranges)
    assert page_ranges(written(found)) == found


@given(RANGES)
def test_ranges_come_in_order_and_apart(ranges: list[tuple[int, int | None]]) -> None:
    found = page_ranges(written(ranges))
    for (_, end), (start, _) in pairwise(found):
        assert end is not None
        assert end + 1 < start


@given(st.sets(NUMBERS).map(sorted))
def test_numbers_and_their_ranges_are_the_same(numbers: list[int]) -> None:
    assert list(pages_of(ranges_of(numbers))) == numbers


def test_equal_wishes_are_equal_options() -> None:
    assert ParseOptions(pages="35, 1-20") == ParseOptions(pages="1-20,35")
    assert ParseOptions(pages="1-") == ParseOptions()
    with pytest.raises(ValueError, match="runs backwards"):
        ParseOptions(pages="9-3")


def test_a_part_knows_its_pages() -> None:
    part = Part(first_page=2, last_page=9, whole=False, ranges=((2, 4), (9, 9)))
    assert (part.pages, part.numbers) == (4, (2, 3, 4, 9))
    assert Part(first_page=2, last_page=4).numbers == (2, 3, 4)


@pytest.mark.parametrize(
    "ranges", [((1, 3),), ((2, 5), (4, 9)), ((2, 3), (4, 9)), ((2, 1), (3, 9))]
)
def test_a_part_refuses_ranges_that_are_not_its_own(ranges: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="no ranges"):
        Part(first_page=2, last_page=9, whole=False, ranges=ranges)
