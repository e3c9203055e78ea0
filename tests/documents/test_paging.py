"""Pages of documents that can be read only in part, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, on
from support.page_texts import Author, Made, document, scan
from zhiyipdf.documents.paging import GatheredPage, gather
from zhiyipdf.grounding.locating import locate
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block, Provenance
from zhiyipdf.models.page_text import PageText

COUNT = 30


@pytest.fixture(scope="module")
def made() -> Made:
    return document(Author(5).pages(COUNT))


def gathered(made: Made, pages: Sequence[PageText]) -> list[GatheredPage]:
    located = locate(made.text, made.blocks, COUNT, pages)
    return gather(located.blocks, range(1, COUNT + 1))


def unreadable(made: Made, first: int, last: int) -> list[PageText]:
    """Other text on some pages, 1-based, as of a garbled text layer."""
    other = document(Author(99).pages(COUNT)).pages
    return [other[n - 1] if first <= n <= last else page for n, page in enumerate(made.pages, 1)]


def scanned(made: Made, numbers: range) -> list[PageText]:
    return [scan(n) if n in numbers else page for n, page in enumerate(made.pages, 1)]


def numbers_of(found: Sequence[GatheredPage]) -> list[int | None]:
    return [page.place.page_number for page in found]


def test_a_scanned_book_gives_one_document_for_each_page_said_to_be_estimated(made: Made) -> None:
    found = gathered(made, scanned(made, range(1, COUNT + 1)))
    assert numbers_of(found) == list(range(1, COUNT + 1))
    assert {page.place.source for page in found} == {"estimated"}
    assert max(page.place.score for page in found) < 0.9


def test_scanned_pages_in_a_book_are_estimates_and_leave_the_others_sure(made: Made) -> None:
    found = gathered(made, scanned(made, range(11, 17)))
    assert numbers_of(found) == list(range(1, COUNT + 1))
    for page in found:
        number = page.place.page_number
        assert number is not None
        if 11 <= number <= 16:
            assert page.place.source == "estimated"
        elif number not in {10, 17}:  # what is shared out may touch the pages beside it
            assert (page.place.source, page.place.score >= 0.95) == ("aligned", True)


def test_text_guessed_over_many_pages_is_cut_and_says_that_it_is_guessed(made: Made) -> None:
    found = gathered(made, unreadable(made, 11, 20))
    assert numbers_of(found) == list(range(1, COUNT + 1))
    guessed = [page.place for page in found if page.place.page_number in range(11, 21)]
    assert {place.source for place in guessed} == {"estimated"}
    assert max(place.score for place in guessed) < 0.9
    sure = [p.place for p in found if p.place.page_number not in range(10, 22)]
    assert all(place.source == "aligned" and place.score >= 0.95 for place in sure)


def test_text_of_another_pdf_is_not_cut(made: Made) -> None:
    assert gathered(made, unreadable(made, 2, COUNT - 1)) == []


def found_between(before: Provenance, after: Provenance) -> Provenance:
    """What is told of a block without a page between two others."""
    text = blocks(("paragraph", "a\n", (before,)), ("formula", "x\n"), ("paragraph", "b", (after,)))
    return gather(text, range(1, 10))[0].found[1]


def test_a_block_between_a_sure_and_an_unsure_one_is_no_surer_than_the_unsure_one() -> None:
    (sure,), (unsure,) = on(1), on(1, source="estimated", score=0.25)
    for found in (found_between(sure, unsure), found_between(unsure, sure)):
        assert (found.page_number, found.source, found.score) == (1, "estimated", 0.25)


def test_a_block_between_two_pages_is_no_surer_than_the_pages_are() -> None:
    (first,), (second,) = on(1), on(2, source="aligned", score=0.125)
    found = found_between(first, second)
    assert (found.page_number, found.source, found.score) == (1, "estimated", 0.125)


scores = st.floats(0.001, 1)
told = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(1, 9), scores)), min_size=1, max_size=12
).map(
    lambda places: blocks(
        *(
            ("paragraph", "text\n\n")
            if place is None
            else ("paragraph", "text\n\n", on(place[0], source="estimated", score=place[1]))
            for place in places
        )
    )
)


@given(told)
def test_no_page_is_surer_than_any_block_on_it(made: tuple[Block, ...]) -> None:
    for page in gather(made, range(1, 10)):
        assert page.place.score == min(found.score for found in page.found)
        for block, found in zip(page.blocks, page.found, strict=True):
            own = block.provenance
            assert found.score == own[0].score if own else found.source == "estimated"


@given(told)
def test_low_scores_alone_leave_no_file_uncut(made: tuple[Block, ...]) -> None:
    placed = tuple(block for block in made if block.provenance)
    pages = gather(placed, range(1, 10))
    assert sum(len(page.blocks) for page in pages) == len(placed)
    assert numbers_of(pages) == sorted({block.provenance[0].page_number for block in placed})


def test_a_rule_or_a_picture_does_not_make_a_page_less_sure():
    text = "Words that are found.\n\n---\n\n![](a.png)\n\n$$x$$\n"
    parts = split_blocks(text)
    placed = tuple(
        replace(
            block,
            provenance=(
                Provenance(
                    page_number=1,
                    source="aligned" if at == 0 else "estimated",
                    score=0.99 if at == 0 else 0.4,
                ),
            ),
        )
        for at, block in enumerate(parts)
    )

    assert [(p.place.source, p.place.score) for p in gather(placed, [1, 2])] == [("aligned", 0.99)]
    alone = gather(placed[1:], [1, 2])
    assert [(p.place.source, p.place.score) for p in alone] == [("estimated", 0.4)]
