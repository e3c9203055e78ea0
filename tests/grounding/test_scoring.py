"""How probable it is that a block's page is right."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from support.page_texts import Author, document, page, scan, streams
from zhiyipdf.grounding import align
from zhiyipdf.grounding.alignment import Method
from zhiyipdf.grounding.calibration import WEIGHTS
from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.scoring import FEATURES, features, scores

MADE = document(Author(1).pages(6))
_, BODY = streams([], MADE.pages)
METHODS = sorted(WEIGHTS)
FOUND = st.builds(
    lambda method, number, share, matched, choices, margin: Finding(
        method=method, pages=(number,), share=share, matched=matched, choices=choices, margin=margin
    ),
    st.sampled_from(METHODS),
    st.integers(0, 5),
    st.floats(0, 1),
    st.integers(0, 10_000),
    st.integers(1, 100),
    st.floats(0, 1),
)


def told(findings, dark=None, good=1.0) -> list[float]:
    lengths = np.array([0 if one is None else one.matched for one in findings], np.int64)
    return scores(findings, lengths, BODY, np.zeros(6) if dark is None else dark, good)


def test_every_method_has_a_weight_for_every_feature():
    assert set(WEIGHTS) == set(get_args(Method)) - {"none"}
    assert {len(row) for row in WEIGHTS.values()} == {len(FEATURES)}


@given(st.lists(st.none() | FOUND, max_size=12), st.floats(0, 1))
def test_a_score_is_a_probability_and_0_without_a_page(findings, good):
    answers = told(findings, good=good)

    assert len(answers) == len(findings)
    assert all(0 <= one < 1 for one in answers)
    assert all((one == 0) == (found is None) for one, found in zip(answers, findings, strict=True))


@given(st.lists(st.none() | FOUND, max_size=12))
def test_features_are_finite_and_one_row_a_block(findings):
    lengths = np.array([5] * len(findings), np.int64)

    rows = features(findings, lengths, BODY, np.zeros(6), 1.0)

    assert rows.shape == (len(findings), len(FEATURES))
    assert np.isfinite(rows).all()


def test_agreeing_neighbours_make_a_block_surer():
    short = Finding(method="exact", pages=(2,), matched=6, share=1.0)
    same = Finding(method="seed", pages=(2,), matched=80, share=1.0)
    far = replace(same, pages=(5,))

    assert told([same, same, short, same, same])[2] > told([far, far, short, far, far])[2]


def test_more_letters_make_a_block_surer():
    few = Finding(method="seed", pages=(2,), matched=14, share=0.2)
    many = Finding(method="seed", pages=(2,), matched=300, share=1.0)

    assert told([many])[0] > told([few])[0]


def test_more_choices_make_a_guess_less_sure():
    two = Finding(method="neighbours", pages=(2,), choices=2)

    assert told([replace(two, choices=1)])[0] > told([two])[0] > told([replace(two, choices=9)])[0]


def test_a_scanned_page_nearby_makes_a_block_less_sure():
    found = Finding(method="seed", pages=(2,), matched=20, share=0.6)
    dark = np.array([0, 0, 0, 0.2, 0, 0])

    assert told([found], dark)[0] < told([found])[0]


def test_text_that_is_there_is_surer_than_text_that_is_not():
    clean = align(MADE.blocks, MADE.pages)
    scans = align(MADE.blocks, [scan(n) for n in range(1, 7)])

    assert min(one.score for one in clean) > max(one.score for one in scans)


def test_a_text_that_is_half_another_pdfs_is_never_sure():
    strangers = Author(2).pages(12)
    said = [[*own, *other] for own, other in zip(Author(1).pages(6), strangers[:6], strict=True)]
    made = document([*said, *strangers[6:]], [*MADE.pages, *(page(n) for n in range(7, 13))])

    found = align(made.blocks, made.pages[:6])

    assert max(one.score for one in found) <= 0.8
