from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.conversion.planning import halves, plan_parts, select_pages
from zhiyipdf.errors import FileTooLarge, InputError, TooManyPages
from zhiyipdf.models import Bookmark, DocumentProperties, Page, Part, Source, ranges_of
from zhiyipdf.policy import Limits


def a_source(numbers: list[int], size_bytes: int = 1000) -> Source:
    return Source(
        uri="a.pdf",
        name="a.pdf",
        path="a.pdf",
        size_bytes=size_bytes,
        sha256="a" * 64,
        pages=tuple(Page(number=number, label=str(number)) for number in numbers),
        properties=DocumentProperties(),
    )


def plan(pages: int, allowed: int, marks: dict[int, int] | None = None) -> list[tuple[int, int]]:
    bookmarks = [Bookmark(level=level, page_number=page) for page, level in (marks or {}).items()]
    source = a_source(list(range(1, pages + 1)))
    parts = plan_parts(
        source, select_pages(source, None), Limits(max_pages=allowed), bookmarks=bookmarks
    )
    return [(part.first_page, part.last_page) for part in parts]


def test_a_pdf_within_the_limits_is_sent_as_it_is() -> None:
    source = a_source([1, 2, 3])
    (part,) = plan_parts(source, (1, 2, 3), Limits(max_pages=3))
    assert part == Part(first_page=1, last_page=3, whole=True)


def test_without_bookmarks_parts_are_even() -> None:
    assert plan(1158, 800) == [(1, 579), (580, 1158)]
    assert plan(7, 3) == [(1, 3), (4, 5), (6, 7)]


def test_a_part_ends_before_the_last_outermost_bookmark_near_its_end() -> None:
    marks = {100: 0, 641: 0, 701: 0, 750: 1, 790: 2, 900: 0}
    assert plan(1158, 800, marks) == [(1, 700), (701, 1158)]


def test_bookmarks_far_from_the_end_are_passed_over() -> None:
    assert plan(1158, 800, {500: 0, 640: 0, 802: 0}) == [(1, 579), (580, 1158)]


def test_bookmarks_never_make_more_parts_than_are_needed() -> None:
    assert plan(1600, 800, {701: 0}) == [(1, 800), (801, 1600)]
    assert plan(1500, 800, {701: 0}) == [(1, 700), (701, 1500)]


def test_a_file_too_large_is_cut_by_its_size() -> None:
    source = a_source(list(range(1, 11)), size_bytes=1000)
    parts = plan_parts(source, range(1, 11), Limits(max_file_bytes=300))
    assert [part.pages for part in parts] == [3, 3, 2, 2]
    assert not any(part.whole for part in parts)


def test_a_single_page_too_large_is_tried_as_a_copy() -> None:
    """A copy leaves out what no page uses; only if that is too large too is the page refused."""
    source = a_source([1], size_bytes=1000)
    assert plan_parts(source, (1,), Limits(max_file_bytes=300)) == (
        Part(first_page=1, last_page=1, whole=False),
    )


def test_some_pages_of_a_large_pdf_are_one_part() -> None:
    source = a_source(list(range(1, 1001)), size_bytes=10**9)
    (part,) = plan_parts(source, select_pages(source, "1-20,35"), Limits())
    assert (part.ranges, part.whole, part.pages) == (((1, 20), (35, 35)), False, 21)


def test_all_pages_chosen_one_by_one_are_the_whole_pdf() -> None:
    source = a_source([1, 2, 3])
    (part,) = plan_parts(source, select_pages(source, "1-3"), Limits())
    assert part.whole


def test_without_split_what_is_over_the_limits_is_refused() -> None:
    source = a_source(list(range(1, 11)))
    with pytest.raises(TooManyPages) as caught:
        plan_parts(source, range(1, 11), Limits(max_pages=9), split=False)
    assert (caught.value.pages, caught.value.limit_pages) == (10, 9)
    with pytest.raises(FileTooLarge):
        plan_parts(source, range(1, 11), Limits(max_file_bytes=9), split=False)
    (part,) = plan_parts(source, range(1, 10), Limits(max_pages=9), split=False)
    assert part.pages == 9


def test_damaged_pages_are_left_out_of_what_is_selected() -> None:
    source = a_source([1, 2, 4, 5])
    assert select_pages(source, "2-4") == (2, 4)
    assert select_pages(source, "4-") == (4, 5)
    with pytest.raises(InputError, match="can be loaded"):
        select_pages(source, "3")


@pytest.mark.parametrize(("pages", "shown"), [("1-6", "1-6"), ("2,9", "9"), ("7-", "7-")])
def test_pages_beyond_the_end_name_the_range_and_the_pages(pages: str, shown: str) -> None:
    source = a_source([1, 2, 3, 4, 5])
    with pytest.raises(InputError, match=rf"{shown} reaches .* 5 pages") as caught:
        select_pages(source, pages)
    assert caught.value.source == "a.pdf"


def test_halves_keep_the_gaps() -> None:
    part = Part(first_page=1, last_page=9, whole=False, ranges=((1, 2), (7, 9)))
    assert [half.ranges for half in halves(part)] == [((1, 2), (7, 7)), ((8, 9),)]


NUMBERS = st.sets(st.integers(1, 300), min_size=1).map(sorted)


@given(
    NUMBERS,
    st.data(),
    st.integers(1, 60),
    st.integers(50, 3000),
    st.dictionaries(st.integers(1, 300), st.integers(0, 2)),
)
def test_parts_have_every_page_once_in_order_and_none_too_many(
    numbers: list[int], data: st.DataObject, allowed: int, limit_bytes: int, marks: dict[int, int]
) -> None:
    source = a_source(numbers, size_bytes=1000)
    chosen = sorted(data.draw(st.sets(st.sampled_from(numbers), min_size=1)))
    limits = Limits(max_pages=allowed, max_file_bytes=limit_bytes)
    bookmarks = [Bookmark(level=level, page_number=page) for page, level in marks.items()]
    parts = plan_parts(source, chosen, limits, bookmarks=bookmarks)
    assert [page for part in parts for page in part.numbers] == chosen
    assert all(1 <= part.pages <= allowed for part in parts)
    bytes_each = 1000 / len(numbers)
    assert all(part.pages == 1 or part.pages * bytes_each <= limit_bytes for part in parts)
    if limit_bytes >= 1000:
        assert len(parts) == -(-len(chosen) // allowed)
    assert any(part.whole for part in parts) == (
        chosen == numbers and len(chosen) <= allowed and limit_bytes >= 1000
    )


@given(st.sets(st.integers(1, 300), min_size=2).map(sorted))
def test_halves_have_every_page_once(numbers: list[int]) -> None:
    part = Part(
        first_page=numbers[0], last_page=numbers[-1], whole=False, ranges=ranges_of(numbers)
    )
    left, right = halves(part)
    assert [*left.numbers, *right.numbers] == numbers
    assert abs(left.pages - right.pages) <= 1
