from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.textlayer.geometry import PageGeometry

# 200 x 100 points, its corner not at the origin.
BOX = {"left": 30, "bottom": -40, "right": 230, "top": 60}
EDGES = st.floats(-1e6, 1e6)
GEOMETRIES = st.builds(
    lambda left, bottom, width, height, turns: PageGeometry(
        left=left, bottom=bottom, right=left + width, top=bottom + height, quarter_turns=turns
    ),
    st.integers(-500, 500),
    st.integers(-500, 500),
    st.integers(1, 2000),
    st.integers(1, 2000),
    st.integers(0, 3),
)


@pytest.mark.parametrize(
    ("turns", "shown"),
    [
        (0, [10, 20, 50, 30]),
        (1, [70, 10, 80, 50]),
        (2, [150, 70, 190, 80]),
        (3, [20, 150, 30, 190]),
    ],
)
def test_a_box_turns_with_its_page(turns, shown):
    geometry = PageGeometry(**BOX, quarter_turns=turns)

    assert geometry.shown([(40, 30, 80, 40)]).tolist() == [shown]
    assert (geometry.width, geometry.height) == ((200, 100) if turns % 2 == 0 else (100, 200))


def test_a_box_is_cut_at_the_edges():
    shown = PageGeometry(**BOX).shown([(0, 50, 100, 90), (1000, 1000, 1010, 1010)])

    assert shown[0].tolist() == [0, 0, 70, 10]
    assert shown[1, 0] == shown[1, 2]


def test_no_boxes_are_an_array_all_the_same():
    assert PageGeometry(**BOX).shown([]).shape == (0, 4)


@given(GEOMETRIES, st.lists(st.tuples(EDGES, EDGES, EDGES, EDGES), max_size=5))
def test_what_is_shown_is_on_the_page(geometry, corners):
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    shown = geometry.shown(boxes)

    assert (shown >= 0).all()
    assert (shown[:, [0, 2]] <= np.float32(geometry.width)).all()
    assert (shown[:, [1, 3]] <= np.float32(geometry.height)).all()
    assert (shown[:, 0] <= shown[:, 2]).all()
    assert (shown[:, 1] <= shown[:, 3]).all()


@given(GEOMETRIES)
def test_the_whole_page_is_shown_whole(geometry):
    page = (geometry.left, geometry.bottom, geometry.right, geometry.top)

    assert geometry.shown([page]).tolist() == [[0, 0, geometry.width, geometry.height]]
    assert geometry.holds(page)
    assert geometry.holds_middle(page)
