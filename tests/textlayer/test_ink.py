from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from zhiyipdf.textlayer.ink import ink_share

PICTURES = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=20), elements=st.integers(0, 255)
)


def test_noise_of_a_scanner_is_no_ink():
    noisy = np.array([[250, 255, 245, 250], [248, 250, 252, 250]], np.uint8)

    assert ink_share(noisy) == 0


def test_half_a_picture_that_differs_is_half():
    assert ink_share(np.array([[255, 255, 255, 0, 90, 180]], np.uint8)) == 0.5


def test_a_picture_without_pixels_has_no_ink():
    assert ink_share(np.zeros((0, 56), np.uint8)) == 0


@given(PICTURES)
def test_ink_is_a_share_and_the_background_is_never_ink(pixels):
    share = ink_share(pixels)
    most = np.bincount(pixels.reshape(-1)).max() / pixels.size

    assert 0 <= share <= 1 - most + 1e-9


@given(PICTURES)
def test_a_turned_picture_has_the_same_ink(pixels):
    assert ink_share(np.rot90(pixels)) == ink_share(pixels)
