"""Pages and boxes from what the service says of its own text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding import from_layout
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import LayoutSpan

TEXT = "# One\n\nFirst.\n\n- a\n- b\n\n- c\n\nLast.\n"


def span(start: int, end: int, page: int, **more: object) -> LayoutSpan:
    return LayoutSpan(start=start, end=end, page_number=page, **more)  # type: ignore[arg-type]  # for brevity


def pages(text: str, *layout: LayoutSpan, total: int = 9) -> list[tuple[str, int | None]]:
    placed = from_layout(split_blocks(text), layout, total)
    return [(b.text.strip(), b.provenance[0].page_number if b.provenance else None) for b in placed]


def test_a_block_has_the_page_of_the_span_that_holds_its_first_character() -> None:
    half = TEXT.index("Last")
    assert pages(TEXT, span(0, half, 1), span(half, len(TEXT), 2)) == [
        ("# One", 1),
        ("First.", 1),
        ("- a\n- b\n\n- c", 1),
        ("Last.", 2),
    ]


def test_a_block_that_goes_on_over_the_end_of_a_page_is_cut_there() -> None:
    third = TEXT.index("- c")
    assert pages(TEXT, span(0, third - 2, 1), span(third, len(TEXT), 2))[2:4] == [
        ("- a\n- b", 1),
        ("- c", 2),
    ]


def test_pictures_stay_with_the_piece_that_shows_them() -> None:
    text = "- ![](a.png)\n\n- ![](b.png)\n"
    second = text.index("- ![](b")
    placed = from_layout(
        split_blocks(text), [span(0, second, 1), span(second, len(text), 2)], total_pages=2
    )
    assert [block.images for block in placed] == [("a.png",), ("b.png",)]


def test_spans_of_pages_the_pdf_has_not_say_nothing() -> None:
    assert pages("One.\n\nTwo.\n", span(0, 6, 1), span(6, 11, 7), total=2) == [
        ("One.", 1),
        ("Two.", None),
    ]


def test_text_that_no_span_holds_has_no_page() -> None:
    assert pages("One.\n\nTwo.\n", span(6, 10, 2)) == [("One.", None), ("Two.", 2)]


def test_a_box_is_that_of_all_spans_the_block_stands_on() -> None:
    text = "One two.\n\nThree.\n"
    layout = [
        span(0, 4, 1, bbox=(10.0, 10.0, 20.0, 20.0)),
        span(4, 8, 1, bbox=(5.0, 15.0, 18.0, 30.0)),
        span(10, 16, 1),
    ]
    boxes = [b.provenance[0].bbox for b in from_layout(split_blocks(text), layout, 1)]
    assert boxes == [(5.0, 10.0, 20.0, 30.0), None]


def test_the_box_of_the_next_block_is_not_taken_in_with_the_blank_lines_between() -> None:
    text = "One.\n\nTwo.\n"
    layout = [
        span(0, 5, 1, bbox=(1.0, 1.0, 2.0, 2.0)),
        span(5, 11, 1, bbox=(8.0, 8.0, 9.0, 9.0)),
    ]
    (first, _) = from_layout(split_blocks(text), layout, 1)
    assert first.provenance[0].bbox == (1.0, 1.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [({1: (595.0, 842.0)}, (59.5, 84.2, 595.0, 421.0)), ({}, None)],
    ids=["measured", "not measured"],
)
def test_a_box_in_pixels_is_told_in_points_or_not_at_all(
    sizes: dict[int, tuple[float, float]], expected: tuple[float, ...] | None
) -> None:
    layout = [span(0, 4, 1, bbox=(100.0, 100.0, 1200.0, 500.0), page_size=(1000.0, 1000.0))]
    (block,) = from_layout(split_blocks("One."), layout, 1, page_sizes=sizes)
    assert block.provenance[0].bbox == (expected if expected is None else pytest.approx(expected))


def box_of(bbox: object, **more: object) -> object:
    """The box of a block on page 1, 595 by 842 points if its size is known."""
    sizes = more.pop("sizes", {1: (595.0, 842.0)})
    layout = [span(0, 4, 1, bbox=bbox, **more)]
    (block,) = from_layout(split_blocks("One."), layout, 1, page_sizes=sizes)  # type: ignore[arg-type]  # for brevity
    assert block.provenance[0].page_number == 1
    return block.provenance[0].bbox


def test_a_box_is_clipped_to_its_page() -> None:
    assert box_of((-10.0, -10.0, 1e9, 900.0)) == (0, 0, 595, 842)
    assert box_of((-10.0, -10.0, 1300.0, 300.0), page_size=(1190.0, 842.0)) == (0, 0, 595, 300)


def test_on_a_page_of_unknown_size_a_box_still_begins_on_it() -> None:
    assert box_of((-10.0, -10.0, 700.0, 30.0), sizes={}) == (0, 0, 700, 30)


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("sizes", [{}, {1: (595.0, 842.0)}], ids=["unknown", "known"])
@pytest.mark.parametrize(
    "bbox",
    [
        (-10.0, -10.0, 1e9, NAN),
        (NAN, 0.0, 10.0, 10.0),
        (0.0, 0.0, INF, 10.0),
        (0.0, -INF, 10.0, 10.0),
        (10.0, 10.0, 10.0, 20.0),
        (20.0, 10.0, 10.0, 20.0),
        (-20.0, 10.0, -10.0, 20.0),
    ],
)
def test_a_box_that_is_not_finite_or_has_no_area_is_left_out(
    bbox: tuple[float, ...], sizes: dict[int, tuple[float, float]]
) -> None:
    assert box_of(bbox, sizes=sizes) is None


def test_a_box_beside_its_page_is_left_out() -> None:
    assert box_of((600.0, 10.0, 700.0, 20.0)) is None


@pytest.mark.parametrize("page_size", [(0.0, 100.0), (100.0, -1.0), (NAN, 100.0), (1e-320, 1.0)])
def test_a_page_that_the_service_measures_as_nothing_has_no_boxes(
    page_size: tuple[float, float],
) -> None:
    assert box_of((1.0, 1.0, 2.0, 2.0), page_size=page_size) is None


def test_a_box_that_is_no_box_takes_nothing_from_the_others_of_its_block() -> None:
    layout = [
        span(0, 2, 1, bbox=(NAN, 1.0, 2.0, 2.0)),
        span(2, 4, 1, bbox=(5.0, 6.0, 7.0, 8.0)),
    ]
    (block,) = from_layout(split_blocks("One."), layout, 1)
    assert block.provenance[0].bbox == (5.0, 6.0, 7.0, 8.0)


EDGE = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.tuples(EDGE, EDGE, EDGE, EDGE),
    st.none() | st.tuples(EDGE, EDGE),
    st.sampled_from([{}, {1: (595.0, 842.0)}]),
)
def test_whatever_the_service_says_no_box_is_negative_infinite_or_empty(
    bbox: tuple[float, ...],
    page_size: tuple[float, float] | None,
    sizes: dict[int, tuple[float, float]],
) -> None:
    found = box_of(bbox, page_size=page_size, sizes=sizes)
    if found is not None:
        x0, y0, x1, y1 = found  # type: ignore[misc]  # a box
        assert 0 <= x0 < x1 < INF
        assert 0 <= y0 < y1 < INF


LINES = st.lists(
    st.sampled_from(["# h", "p", "- i", "```", "| a |", "<table>", "<!-- c", "-->", "> q", ""]),
    max_size=25,
)


@given(LINES, st.lists(st.tuples(st.integers(0, 80), st.integers(1, 5)), max_size=6))
def test_the_blocks_still_cover_the_text_to_the_letter(
    lines: list[str], cuts: list[tuple[int, int]]
) -> None:
    text = "\n".join(lines)
    edges = sorted({min(at, len(text)) for at, _ in cuts} | {len(text)})
    numbers = [page for _, page in cuts] + [1]
    layout = [
        span(start, end, page)
        for start, end, page in zip([0, *edges], edges, numbers, strict=False)
        if start < end
    ]
    placed = from_layout(split_blocks(text), layout, 4)
    assert "".join(block.text for block in placed) == text
    assert all(a.end == b.start for a, b in pairwise(placed))
    assert all(p.source == "exact" for b in placed for p in b.provenance)
