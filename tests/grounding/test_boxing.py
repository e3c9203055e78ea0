"""Boxes around text, on pictures, and in the space left for them."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.conversions import blocks as made_blocks
from support.conversions import on
from support.page_texts import Author, boxes_at, document, page, shown
from zhiyipdf.grounding.boxing import with_picture_boxes, with_text_boxes
from zhiyipdf.grounding.locating import locate
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageSpan

WIDE, TALL = (72.0, 300.0, 472.0, 400.0), (72.0, 420.0, 172.0, 620.0)


def boxed(text_or_made, pages=None, sizes=None) -> tuple[Block, ...]:
    """Locate a document's blocks and box them as a conversion does."""
    made = text_or_made
    pages = made.pages if pages is None else pages
    found = locate(made.text, made.blocks, len(pages), pages)
    boxes = {span: boxes_at(pages, span) for spans in found.spans for span in spans}
    placed = with_text_boxes(found.blocks, found.spans, boxes)
    return with_picture_boxes(placed, pages, sizes or {})


def box_of(found, target: str):
    (block,) = (one for one in found if target in one.images)
    return block.provenance[0].bbox


def image(target: str, number: int = 1, **more):
    return ("image", f"![]({target})\n\n", on(number, **more), {"images": (target,)})


def text(said: str, top: float, number: int = 1, left: float = 72.0):
    """A block whose text is one line high."""
    return ("paragraph", f"{said}\n\n", on(number, bbox=(left, top, left + 400, top + 12)))


# Text


def test_the_box_of_a_text_is_around_its_lines():
    made = document(Author(1).pages(3))

    for block, truth in zip(boxed(made), made.truth, strict=True):
        (found,) = block.provenance
        own = next(one for one in made.pages if one.number == truth)
        lines = {own.line_bbox(at) for at in range(len(own.lines))}
        inside = [
            box for box in lines
            if found.bbox[1] <= (box[1] + box[3]) / 2 <= found.bbox[3]
        ]  # fmt: skip
        assert found.bbox == (
            min(box[0] for box in inside),
            min(box[1] for box in inside),
            max(box[2] for box in inside),
            max(box[3] for box in inside),
        )
        assert len(inside) == len(shown(block.text))


def test_boxes_of_blocks_in_one_column_follow_each_other():
    made = document(Author(2).pages(1))

    boxes = [block.provenance[0].bbox for block in boxed(made)]

    assert all(above[3] <= below[1] for above, below in pairwise(boxes))


def test_a_block_on_two_pages_has_a_box_on_each():
    author = Author(3)
    lines = [author.sentence() for _ in range(8)]
    pages = [page(1, lines[:4]), page(2, lines[4:])]
    made = document([[" ".join(lines)]], pages)

    first, second = boxed(made)[0].provenance

    assert (first.page_number, second.page_number) == (1, 2)
    assert first.bbox[1] == second.bbox[1] == pytest.approx(96)
    assert first.bbox[3] == second.bbox[3] == pytest.approx(96 + 3 * 14 + 12.6)


def test_a_span_without_a_box_gives_none():
    block = made_blocks(("paragraph", "a", on(1, 2)))
    span = PageSpan(page_number=2, start=0, end=1)

    assert with_text_boxes(block, [[span]], {}) == block
    (found,) = with_text_boxes(block, [[span]], {span: [(1.0, 2.0, 3.0, 4.0)]})
    assert [one.bbox for one in found.provenance] == [None, (1, 2, 3, 4)]


def test_a_box_that_is_there_already_stays():
    block = made_blocks(("paragraph", "a", on(1, bbox=(1.0, 1.0, 2.0, 2.0))))
    span = PageSpan(page_number=1, start=0, end=1)

    assert with_text_boxes(block, [[span]], {span: [(5.0, 5.0, 6.0, 6.0)]}) == block


# Pictures


def test_an_image_has_the_box_of_its_pages_picture():
    found = with_picture_boxes(made_blocks(image("a.png")), [page(1, pictures=[WIDE])], {})

    assert box_of(found, "a.png") == WIDE


def test_images_and_pictures_are_matched_in_order():
    boxes = [(72.0, 100.0 * n, 172.0, 100.0 * n + 80) for n in range(1, 5)]
    drawn_backwards = page(1, pictures=boxes[::-1])
    images = made_blocks(*(image(f"{n}.png") for n in range(1, 5)))

    found = with_picture_boxes(images, [drawn_backwards], {})

    assert [box_of(found, f"{n}.png") for n in range(1, 5)] == boxes


@pytest.mark.parametrize(("size", "box"), [((800, 200), WIDE), ((200, 400), TALL)])
def test_an_images_shape_tells_which_picture_it_is(size, box):
    images = made_blocks(image("a.png"))

    found = with_picture_boxes(images, [page(1, pictures=[WIDE, TALL])], {"a.png": size})

    assert box_of(found, "a.png") == box


def test_the_text_around_an_image_tells_which_picture_it_is():
    three = [(72.0, top, 472.0, top + 100) for top in (120.0, 300.0, 500.0)]
    around = made_blocks(text("before", 260), image("a.png"), text("after", 420))

    found = with_picture_boxes(around, [page(1, pictures=three)], {})

    assert box_of(found, "a.png") == three[1]


def test_more_images_than_pictures_leave_some_without():
    images = made_blocks(*(image(f"{n}.png") for n in range(3)))
    sizes = {"0.png": (10, 300), "1.png": (400, 100), "2.png": (10, 300)}

    found = with_picture_boxes(images, [page(1, pictures=[WIDE])], sizes)

    assert [box_of(found, f"{n}.png") for n in range(3)] == [None, WIDE, None]


def test_without_a_picture_the_space_between_the_text_is_taken():
    around = made_blocks(text("before", 100), image("a.png"), text("after", 300))

    found = with_picture_boxes(around, [page(1)], {})

    assert box_of(found, "a.png") == (72, 112, 472, 300)


def test_a_space_too_low_for_a_picture_is_not_taken():
    around = made_blocks(text("before", 100), image("a.png"), text("after", 118))

    assert box_of(with_picture_boxes(around, [page(1)], {}), "a.png") is None


def test_the_space_between_two_columns_is_no_picture():
    around = made_blocks(text("left", 100, left=0), image("a.png"), text("right", 300, left=420))

    assert box_of(with_picture_boxes(around, [page(1)], {}), "a.png") is None


def test_text_of_another_page_is_no_neighbour():
    around = made_blocks(text("before", 700), image("a.png", 2), text("after", 300, 2))

    assert box_of(with_picture_boxes(around, [page(1), page(2)], {}), "a.png") is None


def test_specks_and_logos_are_no_pictures():
    speck, logo = (72.0, 300.0, 75.0, 303.0), (500.0, 20.0, 560.0, 50.0)
    pages = [page(number, pictures=[logo, speck]) for number in range(1, 11)]

    found = with_picture_boxes(made_blocks(image("a.png", 5)), pages, {})

    assert box_of(found, "a.png") is None


def test_a_figure_of_several_pictures_is_one():
    """Nine strips under each other, as some programs write a picture."""
    strips = [(72.0, 300.0 + 20 * n, 472.0, 320.0 + 20 * n) for n in range(9)]
    around = made_blocks(text("before", 280), image("a.png"), text("after", 500))

    found = with_picture_boxes(around, [page(1, pictures=strips)], {})

    assert box_of(found, "a.png") == (72, 300, 472, 480)


def test_as_many_images_as_pictures_have_one_each_though_these_touch():
    strips = [(72.0, 300.0 + 20 * n, 472.0, 320.0 + 20 * n) for n in range(3)]
    images = made_blocks(*(image(f"{n}.png") for n in range(3)))

    found = with_picture_boxes(images, [page(1, pictures=strips)], {})

    assert [box_of(found, f"{n}.png") for n in range(3)] == strips


def test_a_drawing_is_the_figure_where_there_is_no_picture():
    curves = [(100.0, 300.0, 300.0, 420.0), (110.0, 310.0, 320.0, 430.0)]
    around = made_blocks(text("before", 260), image("a.png"), text("after", 500))

    found = with_picture_boxes(around, [page(1, drawings=curves)], {})

    assert box_of(found, "a.png") == (100, 300, 320, 430)


def test_parts_of_a_drawing_that_stand_apart_between_the_same_text_are_one_figure():
    parts = [(100.0, 300.0, 200.0, 400.0), (220.0, 300.0, 320.0, 400.0)]
    above = (100.0, 100.0, 200.0, 200.0)
    around = made_blocks(text("before", 260), image("a.png"), text("after", 500))

    found = with_picture_boxes(around, [page(1, drawings=[*parts, above])], {})

    assert box_of(found, "a.png") == (100, 300, 320, 400)


@pytest.mark.parametrize(("size", "count"), [((400, 180), 9), ((400, 20), 1)])
def test_an_images_shape_tells_a_figure_from_a_part_of_it(size, count):
    strips = [(72.0, 300.0 + 20 * n, 472.0, 320.0 + 20 * n) for n in range(9)]
    around = made_blocks(text("before", 280), image("a.png"), text("after", 500))

    found = with_picture_boxes(around, [page(1, pictures=strips)], {"a.png": size})

    x0, y0, x1, y1 = box_of(found, "a.png")
    assert (x0, x1, y1 - y0) == (72, 472, 20 * count)


def test_every_page_of_a_scan_has_a_box():
    whole = (0.0, 0.0, 595.0, 842.0)
    pages = [page(number, pictures=[whole], ink=0.1) for number in range(1, 11)]

    found = with_picture_boxes(made_blocks(image("a.png", 5)), pages, {})

    assert box_of(found, "a.png") == whole


def test_the_picture_of_an_image_in_a_document_is_found():
    author = Author(4)
    above, below = author.paragraph(), author.paragraph()
    top = shown(above)
    picture = (72.0, 96.0 + 14 * len(top) + 10, 400.0, 96.0 + 14 * len(top) + 210)
    lower = [(line, 72.0, picture[3] + 10 + 14 * n) for n, line in enumerate(shown(below))]
    upper = [(line, 72.0, 96.0 + 14 * n) for n, line in enumerate(top)]
    pages = [
        page(1, [author.paragraph()[:70]]),
        page(2, [*upper, *lower], pictures=[picture]),
        page(3, [author.paragraph()[:70]]),
    ]
    said = [[pages[0].text()], [above, "![](a.png)", below], []]
    made = document(said, pages)

    assert box_of(boxed(made), "a.png") == pytest.approx(picture)


def test_thousands_of_pictures_on_a_page_take_memory_by_their_number_not_by_its_square():
    def peak(count: int) -> int:
        corners = [(10.0 + n % 25 * 22, 10.0 + n // 25 * 6) for n in range(count)]
        boxes = [(left, top, left + 20, top + 20) for left, top in corners]
        images = made_blocks(*(image(f"{n}.png") for n in range(count)))
        pages = [page(1, pictures=boxes)]
        tracemalloc.start()
        found = with_picture_boxes(images, pages, {})
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [block.provenance[0].bbox for block in found] == boxes
        return most

    assert peak(3000) < 3 * peak(1500)


BOX = st.tuples(
    st.floats(0, 500, width=32), st.floats(0, 800, width=32),
    st.floats(1, 90, width=32), st.floats(1, 40, width=32),
).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.lists(BOX, max_size=4), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(1, 4), st.booleans(), BOX), max_size=8),
    st.tuples(st.integers(0, 5000), st.integers(0, 5000)),
)
def test_no_box_leaves_the_page_and_nothing_else_changes(pictures, wanted, size):
    pages = [page(number, pictures=own) for number, own in enumerate(pictures, 1)]
    given_blocks = made_blocks(
        *(
            image(f"{at}.png", number) if is_image else ("paragraph", "a\n\n", on(number, bbox=box))
            for at, (number, is_image, box) in enumerate(wanted)
        )
    )

    found = with_picture_boxes(given_blocks, pages, {"0.png": size})

    for before, after in zip(given_blocks, found, strict=True):
        assert after.text == before.text
        if not before.images:
            assert after == before
        for one in after.provenance:
            if one.bbox is not None:
                x0, y0, x1, y1 = one.bbox
                assert 0 <= x0 < x1 <= 595
                assert 0 <= y0 < y1 <= 842
