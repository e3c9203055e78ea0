"""What is known of blocks while they are aligned."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding.findings import (
    Finding,
    backbone,
    doubtful,
    pages_of,
    table_pages_of,
    twins,
)

STARTS = [0, 10, 10, 30]


def at(start: int, size: int = 100) -> Finding:
    return Finding(method="seed", stretches=((start, start + size),), pages=(0,), matched=size)


def test_a_finding_knows_its_ends():
    found = Finding(method="seed", stretches=((5, 9), (20, 24)))

    assert (found.start, found.end) == (5, 24)


def test_pages_are_those_that_hold_enough():
    assert pages_of([(2, 8)], STARTS, least=4) == (0,)
    assert pages_of([(4, 20)], STARTS, least=4) == (0, 2)
    assert pages_of([(8, 20)], STARTS, least=4) == (2,)
    assert pages_of([(12, 18), (2, 8)], STARTS, least=4) == (2, 0)
    assert pages_of([(2, 4), (6, 8)], STARTS, least=4) == (0,)


def test_the_page_with_most_is_taken_where_none_has_enough():
    assert pages_of([(9, 12)], STARTS, least=50) == (2,)
    assert pages_of([], STARTS, least=1) == ()
    assert pages_of([(5, 5)], STARTS, least=1) == ()


def test_a_page_with_less_than_what_is_missing_beside_it_has_it_by_chance():
    starts = [0, 100, 200]

    assert pages_of([(95, 150)], starts, least=4, ends=(8, 0)) == (1,)
    assert pages_of([(95, 150)], starts, least=4, ends=(3, 0)) == (0, 1)
    assert pages_of([(50, 105)], starts, least=4, ends=(0, 8)) == (0,)
    assert pages_of([(80, 150)], starts, least=4, ends=(40, 0)) == (0, 1)


def test_a_table_has_all_pages_between_its_first_and_its_last():
    starts = [0, 100, 200, 300, 400, 900]
    table = [(50, 100), (100, 200), (210, 215), (300, 400)]

    assert table_pages_of(table, starts, least=40) == (0, 1, 2, 3)
    assert table_pages_of([*table, (850, 860)], starts, least=40) == (0, 1, 2, 3)
    assert table_pages_of([], starts, least=40) == ()


def test_the_backbone_leaves_out_what_is_out_of_order():
    assert backbone([at(0), at(500), at(100), None, at(200), at(300)]) == [0, 2, 4, 5]


def test_the_backbone_is_the_heaviest_run_not_the_longest():
    assert backbone([at(500, 10), at(600, 10), at(700, 10), at(0, 290)]) == [3]


def test_blocks_without_a_place_are_not_in_the_backbone():
    assert backbone([None, Finding(method="ink", pages=(3,)), None]) == []


@given(st.lists(st.none() | st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=9))
def test_the_backbone_weighs_most_of_all_rising_runs(places):
    findings = [None if place is None else at(*place) for place in places]

    run = backbone(findings)

    assert run == sorted(run)
    starts = [findings[i].start for i in run]
    assert starts == sorted(starts)
    best = {-1: 0}
    for found in findings:
        if found is not None:
            reached = max(w for s, w in best.items() if s <= found.start) + found.matched
            best[found.start] = max(best.get(found.start, 0), reached)
    assert sum(findings[i].matched for i in run) == max(best.values())


def test_short_blocks_out_of_order_are_doubtful():
    found = [at(0), at(9_000, 20), at(150), at(3_000, 20), at(300)]

    assert doubtful(found, far=6000) == {1: True, 3: False}


def test_long_blocks_out_of_order_are_not():
    assert doubtful([at(0), at(9_000, 80), at(150), at(300)], far=6000) == {}


def test_of_two_blocks_in_the_same_characters_the_one_out_of_order_is_a_twin():
    assert twins([at(0), at(100), at(200), at(100), at(300)]) == [3]
    assert twins([at(0), at(200), at(100), at(200)]) == [1]
    assert twins([at(0), None, at(100)]) == []
