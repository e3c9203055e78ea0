"""Images matched with pictures in order."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyipdf.grounding.picture_order import match_in_order


def matched(costs: Sequence[Sequence[float]], cost: float = 1.5) -> list[int | None]:
    """Match by a table of costs: a row for each image, a column for each picture."""
    return match_in_order(
        len(costs),
        len(costs[0]) if costs else 0,
        lambda image, some: np.array(costs[image][some], float),
        cost=cost,
    )


def total(found: Sequence[int | None], costs: Sequence[Sequence[float]], cost: float) -> float:
    return sum(
        cost if at is None else costs[image][at] for image, at in enumerate(found)
    )  # fmt: skip


def test_what_is_alike_is_matched():
    assert matched([[0, 9], [9, 0]]) == [0, 1]


def test_a_picture_without_an_image_costs_nothing():
    assert matched([[9, 0, 9, 9], [9, 9, 9, 0]]) == [1, 3]


def test_an_image_like_none_stays_without():
    assert matched([[0, 9], [9, 9], [9, 0]]) == [0, None, 1]


def test_no_match_crosses_another():
    assert matched([[9, 0], [0, 9]]) in ([1, None], [None, 0])


def test_of_equal_pictures_the_last_are_taken():
    assert matched([[0, 0, 0], [0, 0, 0]]) == [1, 2]


def test_without_pictures_or_images_nothing_is_matched():
    assert matched([[], []]) == [None, None]
    assert matched([]) == []


@given(st.data(), st.integers(0, 4), st.integers(0, 4), st.sampled_from([0.0, 1.0, 1.5]))
def test_no_other_matching_costs_less(data, images, pictures, cost):
    row = st.lists(st.integers(0, 4), min_size=pictures, max_size=pictures)
    costs = data.draw(st.lists(row, min_size=images, max_size=images))

    found = match_in_order(
        images, pictures, lambda image, some: np.array(costs[image][some], float), cost=cost
    )

    taken = [at for at in found if at is not None]
    assert taken == sorted(set(taken))
    others = [
        sum(costs[i][p] for i, p in zip(some, own, strict=True)) + cost * (images - size)
        for size in range(min(images, pictures) + 1)
        for some in combinations(range(images), size)
        for own in combinations(range(pictures), size)
    ]
    assert total(found, costs, cost) == min(others)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 1000))
@pytest.mark.parametrize("band", [1, 7])
def test_a_narrow_band_still_matches_in_order(band, images, pictures, seed):
    costs = np.random.default_rng(seed).integers(0, 5, (images, pictures)).astype(float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zhiyipdf.grounding.picture_order._BAND", band)
        found = match_in_order(images, pictures, lambda i, some: costs[i, some], cost=1.5)

    taken = [at for at in found if at is not None]
    assert taken == sorted(set(taken))
    assert all(0 <= at < pictures for at in taken)
    assert total(found, costs, 1.5) <= 1.5 * images


def test_a_page_of_thousands_is_matched_one_to_one():
    def mismatch(image: int, some: slice) -> np.ndarray:
        return np.where(np.arange(some.start, some.stop) == image, 0.0, 9.0)

    assert match_in_order(3000, 3000, mismatch, cost=1.5) == list(range(3000))


def test_memory_and_comparisons_grow_with_the_images_not_with_their_square():
    def spent(count: int) -> tuple[int, int]:
        asked = 0

        def mismatch(image: int, some: slice) -> np.ndarray:
            nonlocal asked
            asked += some.stop - some.start
            return np.zeros(some.stop - some.start)

        tracemalloc.start()
        match_in_order(count, count, mismatch, cost=1.5)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, asked

    (memory, asked), (twice, more) = spent(2000), spent(4000)
    assert twice < 3 * memory
    assert more < 3 * asked


def test_one_image_among_very_many_pictures_may_be_the_first_of_them():
    costs = np.ones(2000)
    costs[10] = 0.0

    assert match_in_order(1, 2000, lambda _, some: costs[some], cost=0.5) == [10]
