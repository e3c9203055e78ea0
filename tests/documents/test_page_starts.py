from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.documents.page_starts import (
    PageRun,
    label_of,
    place_of_span,
    read_labels,
    read_runs,
    runs_of,
    write_labels,
    write_runs,
)
from zhiyipdf.documents.paging import NOWHERE, Place
from zhiyipdf.models import PageSource


def at(
    page: int, end: int | None = None, source: PageSource = "exact", score: float = 1.0
) -> Place:
    return Place(page_number=page, page_number_end=end or page, source=source, score=score)


PLACES = st.one_of(
    st.just(NOWHERE),
    st.builds(at, st.integers(1, 20)),
    st.builds(lambda page, more: at(page, page + more), st.integers(1, 20), st.integers(0, 2)),
    st.builds(
        lambda page, source, score: at(page, None, source, round(score, 3)),
        st.integers(1, 20),
        st.sampled_from(["aligned", "estimated"]),
        st.floats(0, 1),
    ),
)
STARTS = st.lists(st.integers(0, 500), unique=True, max_size=20).map(sorted)


def test_what_goes_without_saying_is_left_away() -> None:
    runs = runs_of(
        [0, 10, 20, 30, 40],
        [
            at(1),
            at(2, 3),
            NOWHERE,
            at(4, None, "aligned", 0.98765),
            at(5, 6, "estimated", 0.5),
        ],
    )
    assert json.loads(write_runs(runs)) == [
        [0, 1],
        [10, 2, 3],
        [20],
        [30, 4, 4, 0.988],
        [40, 5, 6, 0.5, "estimated"],
    ]


def test_neighbours_on_the_same_page_make_one_run_as_sure_as_the_least_sure() -> None:
    runs = runs_of([0, 5, 9], [at(1), at(1, None, "aligned", 0.9), at(2)])
    assert runs == (
        PageRun(start=0, place=at(1, None, "aligned", 0.9)),
        PageRun(start=9, place=at(2)),
    )


GUESS = at(1, None, "estimated", 0.4)


def test_a_piece_without_words_makes_its_run_no_less_sure() -> None:
    sure = at(1, None, "aligned", 0.99)
    for places, telling in (
        ([sure, GUESS, sure], [True, False, True]),
        ([GUESS, sure], [False, True]),
        ([sure, GUESS, GUESS], [True, False, False]),
    ):
        runs = runs_of(range(0, 5 * len(places), 5), places, telling)
        assert runs == (PageRun(start=0, place=sure),)


def test_pieces_with_words_still_make_their_run_as_sure_as_the_least_sure() -> None:
    runs = runs_of([0, 5], [at(1), GUESS], [True, True])
    assert [run.place for run in runs] == [GUESS]


def test_a_run_without_words_is_as_sure_as_those_beside_it_on_its_pages() -> None:
    before, after = at(1, 2, "aligned", 0.9), at(2, 3, "aligned", 0.8)
    runs = runs_of([0, 5, 9], [before, at(2, None, "estimated", 0.3), after], [True, False, True])
    assert runs[1].place == at(2, None, "aligned", 0.8)


def test_a_run_without_words_on_pages_of_its_own_stays_a_guess() -> None:
    places = [at(1), at(2, None, "estimated", 0.3), at(3), NOWHERE]
    runs = runs_of([0, 5, 9, 12], places, [True, False, True, False])
    assert [run.place for run in runs] == places


def test_what_is_empty_leaves_no_run() -> None:
    assert runs_of([0, 5, 5], [at(1), at(2), at(3)]) == runs_of([0, 5], [at(1), at(3)])


def test_a_piece_has_the_pages_of_the_runs_it_touches() -> None:
    runs = runs_of([0, 10, 20, 30], [at(1), at(2, None, "aligned", 0.7), NOWHERE, at(3, 4)])
    assert place_of_span(runs, 0, 10) == at(1)
    assert place_of_span(runs, 9, 11) == at(1, 2, "aligned", 0.7)
    assert place_of_span(runs, 20, 30) == NOWHERE
    assert place_of_span(runs, 25, 999) == at(3, 4)


def test_a_piece_of_which_most_is_unknown_has_no_page() -> None:
    runs = runs_of([0, 10, 20], [at(1), NOWHERE, at(2)])
    assert place_of_span(runs, 0, 20) == at(1)
    assert place_of_span(runs, 1, 20) == NOWHERE
    assert place_of_span(runs, 5, 25) == at(1, 2)


@given(STARTS.filter(bool), st.data())
def test_runs_are_read_back_as_they_were(starts: list[int], data: st.DataObject) -> None:
    places = data.draw(st.lists(PLACES, min_size=len(starts), max_size=len(starts)))
    runs = runs_of(starts, places)
    assert read_runs(write_runs(runs)) == runs


@given(STARTS.filter(bool), st.data())
def test_each_character_keeps_the_page_of_its_piece(starts: list[int], data: st.DataObject) -> None:
    places = data.draw(st.lists(PLACES, min_size=len(starts), max_size=len(starts)))
    runs = runs_of(starts, places)
    for start, place in zip(starts, places, strict=True):
        found = place_of_span(runs, start, start + 1)
        assert (found.page_number, found.page_number_end) == (
            place.page_number,
            place.page_number_end,
        )


@pytest.mark.parametrize(
    "written", ["", "{", "oops", "3", "[]", '[["a", 1]]', "[[1, 2, 3, 4, 5, 6]]", "[1]"]
)
def test_what_is_no_list_of_runs_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no page_starts"):
        read_runs(written)


def test_labels_that_are_the_numbers_are_not_written() -> None:
    assert write_labels({1: "1", 2: "2"}, [1, 2]) is None
    assert write_labels({1: "", 2: "2"}, [1, 2, 3]) is None


def test_labels_that_count_on_are_written_once() -> None:
    labels = {1: "i", 2: "ii", **{n: str(n - 2) for n in range(3, 800)}, 800: "A-9", 801: "A-10"}
    written = write_labels(labels, list(labels))
    assert written == '[[1,"i"],[2,"ii"],[3,"1"],[800,"A-9"]]'
    assert label_of(read_labels(written), 801) == "A-10"


@given(st.dictionaries(st.integers(1, 40), st.text("019Ai-\u0663", max_size=12)))
def test_each_page_keeps_its_label(labels: dict[int, str]) -> None:
    numbers = sorted(labels)
    written = write_labels(labels, numbers)
    starts = () if written is None else read_labels(written)
    assert [label_of(starts, n) for n in numbers] == [labels[n] or str(n) for n in numbers]


@pytest.mark.parametrize("written", ["", "3", "[3]", '[["a", "b"]]'])
def test_what_is_no_list_of_labels_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no page_labels"):
        read_labels(written)


def test_a_number_that_is_infinite_is_refused():
    with pytest.raises(ValueError, match="page_starts"):
        read_runs("[[0,1],[9,Infinity]]")
    with pytest.raises(ValueError, match="page_labels"):
        read_labels('[[Infinity,"a"]]')
