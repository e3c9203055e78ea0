"""Pages from names of pictures: without text, beside text, and against it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.page_texts import Author, Made, document, page, scan, shown
from zhiyipdf.grounding import ground
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.hints import estimate, weigh_names
from zhiyipdf.grounding.locating import locate
from zhiyipdf.markdown import split_blocks

REMARK = "<!-- This page has no text; it is shown as a picture. -->"


def scores(text: str, total: int) -> list[tuple[str, int, float]]:
    blocks = ground(text, split_blocks(text), total)
    assert all(p.source == "estimated" for block in blocks for p in block.provenance)
    return [
        (b.text.strip(), p.page_number, round(p.score, 3)) for b in blocks for p in b.provenance
    ]


def told(made: Made) -> list[tuple[int, float]]:
    """Page and score of each block, as a conversion has them."""
    found = locate(made.text, made.blocks, len(made.pages), made.pages)
    return [(b.provenance[0].page_number, b.provenance[0].score) for b in found.blocks]


def pages_of(made: Made) -> list[int]:
    return [number for number, _ in told(made)]


# Names alone


def test_text_between_two_pictures_is_on_the_pages_between():
    text = "A\n\n![](1-1.png)\n\nB\n\n![](1-2.png)\n\nC\n\nD\n\n![](2-1.png)\n\nE\n\nF\n\n"
    assert scores(text, 3) == [
        ("A", 1, 0.95),
        ("![](1-1.png)", 1, 0.95),
        ("B", 1, 0.95),
        ("![](1-2.png)", 1, 0.95),
        ("C", 1, 0.5),
        ("D", 2, 0.5),
        ("![](2-1.png)", 2, 0.95),
        ("E", 2, 0.5),
        ("F", 3, 0.5),
    ]


def test_text_between_pictures_that_are_not_on_neighbouring_pages_has_no_page():
    text = "![](1-1.png)\n\nA\n\n![](3-1.png)\n\nB\n\n"
    blocks = ground(text, split_blocks(text), 3)
    assert [[p.page_number for p in block.provenance] for block in blocks] == [[1], [], [3], [3]]


def test_a_picture_that_moved_does_not_move_the_text():
    text = "![](2-1.png)\n\nA\n\n![](9-1.png)\n\nB\n\n![](2-2.png)\n\n![](10-1.png)\n\nC"
    assert [number for _, number, _ in scores(text, 10)] == [2, 2, 9, 2, 2, 10, 10]


def test_a_block_with_pictures_of_two_pages_stands_on_both():
    text = "A\n\n| ![](4-1.png) | ![](3-1.png) |\n|---|---|\n\nB\n"
    (table,) = (b for b in ground(text, split_blocks(text), 4) if b.kind == "table")
    assert [p.page_number for p in table.provenance] == [3, 4]


def test_a_remark_is_of_the_page_of_the_picture_after_it():
    text = "\n\n".join(f"{REMARK}\n\n![](images/{n}-1.png)" for n in range(1, 9))
    found = scores(text, 8)

    assert [number for _, number, _ in found] == [n for n in range(1, 9) for _ in range(2)]
    assert all(score >= 0.9 for _, _, score in found)


@pytest.mark.parametrize("text", ["", "A\n\nB", "![](fig.png)", "![](7-1.png)"])
def test_without_a_hint_nothing_is_guessed(text: str):
    blocks = split_blocks(text)
    assert ground(text, blocks, 5) == blocks


# Scans


def test_every_page_of_a_scan_shown_as_pictures_is_sure_and_has_its_remark():
    said = [[REMARK, f"![](images/{n}-1.png)"] for n in range(1, 31)]
    made = document(said, [scan(n) for n in range(1, 31)])

    assert pages_of(made) == list(made.truth)
    assert all(score >= 0.9 for _, score in told(made))


def test_text_between_two_pictures_of_one_scanned_page_is_as_sure_as_they_are():
    author = Author(1)
    said = [
        [f"![](images/{n}-1.png)", author.paragraph(), author.paragraph(), f"![](images/{n}-2.png)"]
        for n in range(1, 13)
    ]
    made = document(said, [scan(n, ink=0.02 + 0.01 * (n % 5)) for n in range(1, 13)])

    assert pages_of(made) == list(made.truth)
    assert all(score >= 0.9 for _, score in told(made))


def test_a_scan_whose_names_count_from_another_page_is_corrected():
    said = [[REMARK, f"![](images/{n + 20}-1.png)"] for n in range(1, 16)]
    made = document(said, [scan(n) for n in range(1, 16)])

    assert pages_of(made) == list(made.truth)


def test_chapter_numbers_in_a_scan_do_not_press_it_into_the_first_pages():
    author = Author(2)
    said = [[author.paragraph(), f"![](images/1-{n}.png)"] for n in range(1, 31)]
    made = document(said, [scan(n) for n in range(1, 31)])

    found = pages_of(made)
    assert all(abs(number - truth) <= 1 for number, truth in zip(found, made.truth, strict=True))


# Beside text


def read(number: int, *said: str):
    return page(number, [line for piece in said for line in shown(piece)])


def with_pictures(names: dict[int, str], pages: int = 8) -> Made:
    """Two paragraphs a page, with a picture between those of some pages."""
    author = Author(3)
    said = [[author.paragraph(), author.paragraph()] for _ in range(pages)]
    shown_pages = [read(number, *own) for number, own in enumerate(said, 1)]
    for number, name in names.items():
        said[number - 1].insert(1, f"![](images/{name}.png)")
    return document(said, shown_pages)


def image_places(made: Made) -> list[tuple[int, float]]:
    return [place for block, place in zip(made.blocks, told(made), strict=True) if block.images]


@pytest.mark.parametrize("name", ["5-1", "3-1", "8-1"])
def test_a_name_does_not_override_the_text_on_both_sides(name):
    """Finding 8 of the review: it did, and said so with 0.9995."""
    ((number, _),) = image_places(with_pictures({4: name}))

    assert number == 4


def test_figures_of_chapters_do_not_override_the_text():
    made = with_pictures({1: "1-1", 2: "1-2", 4: "2-1", 5: "2-2", 7: "3-1"})

    assert [number for number, _ in image_places(made)] == [1, 2, 4, 5, 7]


def test_a_name_decides_between_the_pages_around_a_picture():
    author = Author(4)
    said = [[author.paragraph(), author.paragraph()] for _ in range(4)]
    pages = [read(number, *own) for number, own in enumerate(said, 1)]
    for number in (1, 2):
        text = [[*own] for own in said]
        text[number - 1].insert(2 if number == 1 else 0, f"![](images/{number}-1.png)")
        ((found, score),) = image_places(document(text, pages))
        assert found == number
        assert 0.6 < score < 0.99


def test_proven_names_hold_where_a_picture_moved():
    made = with_pictures({1: "1-1", 2: "2-1", 3: "3-1", 4: "3-2", 6: "6-1", 7: "7-1", 8: "8-1"})
    found = image_places(made)

    assert [number for number, _ in found] == [1, 2, 3, 3, 6, 7, 8]
    assert found[3][1] < 0.9 <= found[0][1]


def test_proven_names_far_from_the_text_around_are_not_believed():
    made = with_pictures({1: "1-1", 2: "2-1", 3: "3-1", 4: "8-9", 6: "6-1", 7: "7-1", 8: "8-1"})

    assert image_places(made)[3][0] == 4


def test_names_counted_from_another_page_than_the_first_are_corrected_by_the_text():
    """A part of a longer PDF: its third page is called 103."""
    made = with_pictures({n: f"{n + 100}-1" for n in (2, 3, 5, 6, 8)})
    found = image_places(made)

    assert [number for number, _ in found] == [2, 3, 5, 6, 8]
    assert all(score >= 0.9 for _, score in found)


def test_a_block_that_was_found_by_its_text_stays_there():
    blocks = split_blocks("![A caption of many words](images/2-1.png)")
    found = (Alignment(pages=(1,), source="aligned", score=0.5, method="fuzzy"),)

    assert weigh_names(blocks, found, 3) == found


ALIGNMENTS = st.one_of(
    st.just(Alignment()),
    st.builds(
        lambda number, score: Alignment(
            pages=(number,), source="aligned", score=score, method="seed"
        ),
        st.integers(1, 4),
        st.sampled_from([0.5, 0.99]),
    ),
    st.builds(
        lambda number: Alignment(
            pages=(number,), source="estimated", score=0.4, method="neighbours"
        ),
        st.integers(1, 4),
    ),
)
PIECES = st.sampled_from(["word", REMARK, "---", "![](1-1.png)", "![](3-1.png)", "![](7-2.png)"])


@given(st.lists(st.tuples(PIECES, ALIGNMENTS), max_size=12))
def test_what_was_found_by_its_text_never_changes(made):
    blocks = split_blocks("\n\n".join(piece for piece, _ in made))
    alignments = [found for _, found in made][: len(blocks)]
    blocks = blocks[: len(alignments)]

    weighed = weigh_names(blocks, alignments, 4)

    for before, after in zip(alignments, weighed, strict=True):
        if before.source == "aligned":
            assert after == before
        assert all(1 <= number <= 4 for number in after.pages)
        assert 0 <= after.score <= 1


@given(st.lists(PIECES, max_size=12), st.integers(1, 8), st.booleans())
def test_estimates_are_pages_of_the_pdf(made, total, always):
    blocks = split_blocks("\n\n".join(made))

    for block in estimate(blocks, total, always=always):
        assert all(1 <= one.page_number <= total for one in block.provenance)
        assert all(0 < one.score <= 1 for one in block.provenance)
