"""Tells how probable it is that a block's first page is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from zhiyipdf.grounding.calibration import WEIGHTS
from zhiyipdf.grounding.findings import Finding, backbone
from zhiyipdf.grounding.streams import PageStream

__all__ = ["FEATURES", "features", "scores"]

FEATURES = (
    "one",
    "share found",
    "letters found",
    "letters",
    "rival",
    "likeness",
    "choices",
    "margin",
    "same page around",
    "near page around",
    "same page on both sides",
    "in order",
    "carries the order",
    "near the page's edge",
    "dark page near",
    "good text",
)
"""What a score is made of: the columns of :func:`features`."""

_AROUND = 3
_MOST_LETTERS = 400
_EDGE_LETTERS = 60
_DARK_NEAR = 2
_HIGHEST = 0.9995


def scores(
    findings: Sequence[Finding | None],
    lengths: NDArray[np.int64],
    body: PageStream,
    dark: NDArray[np.float64],
    good: float,
) -> list[float]:
    """Give the probability that each block's first page is right, 0 without one.

    A logistic regression for each method, fitted by ``benchmarks/grounding.py --fit``.

    Args:
        findings: By block.
        lengths: Letters of each block.
        body: The pages' text.
        dark: How much each page holds that cannot be read.
        good: Share of a block's letters that is hit where the text is good.
    """
    rows = features(findings, lengths, body, dark, good)
    told = []
    for found, row in zip(findings, rows, strict=True):
        if found is None or not found.pages:
            told.append(0.0)
            continue
        sum_ = float(row @ np.asarray(WEIGHTS[found.method]))
        told.append(min(_HIGHEST, 1 / (1 + float(np.exp(-sum_)))))
    return told


def features(
    findings: Sequence[Finding | None],
    lengths: NDArray[np.int64],
    body: PageStream,
    dark: NDArray[np.float64],
    good: float,
) -> NDArray[np.float64]:
    """Describe each block by numbers from 0 to about 1; see :data:`FEATURES`.

    Returns:
        Shape (blocks, features).
    """
    count = len(findings)
    rows = np.zeros((count, len(FEATURES)))
    first = np.array([f.pages[0] if f is not None and f.pages else -1 for f in findings], np.int64)
    last = np.array([f.pages[-1] if f is not None and f.pages else -1 for f in findings], np.int64)
    letters = np.asarray(lengths, np.float64)
    scale = np.log1p(_MOST_LETTERS)
    rows[:, 0] = 1
    rows[:, 3] = np.log1p(np.minimum(letters, _MOST_LETTERS)) / scale
    starts = body.page_starts
    for i, found in enumerate(findings):
        if found is None or not found.pages:
            continue
        rows[i, 1] = min(found.share, 1.0)
        rows[i, 2] = np.log1p(min(found.matched, _MOST_LETTERS)) / scale
        rows[i, 4] = min(found.rival / max(found.matched, 1), 1.5)
        rows[i, 5] = found.likeness
        rows[i, 6] = np.log(found.choices)
        rows[i, 7] = found.margin
        if found.stretches:
            into = found.start - int(starts[found.pages[0]])
            left = int(starts[found.pages[0] + 1]) - found.start
            missing = found.ends[0] if found.ends is not None else 0
            rows[i, 13] = (into < min(missing, _EDGE_LETTERS)) + (left < _EDGE_LETTERS / 4)
    rows[:, 8], rows[:, 9] = _agreement(first, last)
    before, after = _neighbours(first, last)
    rows[:, 10] = (before == first) & (after == first)
    rows[:, 11] = (before <= first) & ((first <= after) | (after < 0))
    rows[backbone(findings), 12] = 1
    near = np.zeros(len(dark), bool)
    for shift in range(-_DARK_NEAR, _DARK_NEAR + 1):
        near[max(shift, 0) : len(dark) + min(shift, 0)] |= (dark > 0)[
            max(-shift, 0) : len(dark) - max(shift, 0)
        ]
    rows[:, 14] = near[np.maximum(first, 0)] if len(near) else 0
    rows[:, 15] = good
    return rows


def _agreement(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the share of the blocks around that are on the same page, and on it or beside it."""
    same, near, seen = (np.zeros(len(first)) for _ in range(3))
    for shift in (*range(-_AROUND, 0), *range(1, _AROUND + 1)):
        other = np.full(len(first), -9, np.int64)
        ends = last if shift < 0 else first
        if shift < 0:
            other[-shift:] = ends[:shift]
        else:
            other[:-shift] = ends[shift:]
        known = other >= 0
        seen += known
        same += known & (other == first)
        near += known & (np.abs(other - first) <= 1)
    seen = np.maximum(seen, 1)
    return same / seen, near / seen


def _neighbours(
    first: NDArray[np.int64], last: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the page of the placed block before and after each; -1 where there is none."""
    known = np.flatnonzero(first >= 0)
    before, after = np.full(len(first), -1, np.int64), np.full(len(first), -1, np.int64)
    if len(known):
        at = np.searchsorted(known, np.arange(len(first)))
        has = at > 0
        before[has] = last[known[at[has] - 1]]
        at = np.searchsorted(known, np.arange(len(first)), side="right")
        has = at < len(known)
        after[has] = first[known[at[has]]]
    return before, after
