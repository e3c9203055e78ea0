"""Fits the weights of our scores: a logistic regression for each method of finding a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from grounding_bench.running import Plan, cases
from zhiyipdf.grounding.aligning import place_blocks
from zhiyipdf.grounding.scoring import FEATURES, features

__all__ = ["fit", "fitted", "print_weights", "samples"]

PENALTY = 1.0  # on the squares of all weights but the first
STEPS = 50
SMALLEST_STEP = 1e-6

Samples = Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]


def samples(plan: Plan) -> Samples:
    """Describe every block of the plan that was given a page.

    Returns:
        By method: one row of features for each block, and whether its first page is right.
    """
    rows: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    for case in cases(plan):
        work = place_blocks(case.truth.blocks, case.pages)
        described = features(
            work.findings, np.diff(work.said.starts), work.body, work.dark, work.good
        )
        for found, row, first in zip(work.findings, described, case.truth.first, strict=True):
            if found is not None and found.pages:
                rows[found.method].append(row)
                right[found.method].append(case.pages[found.pages[0]].number == first)
    return {name: (np.array(rows[name]), np.array(right[name])) for name in rows}


def fit(rows: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit one logistic regression by Newton's method, with a ridge.

    Args:
        rows: Shape (blocks, features); the first feature is 1 everywhere.
        right: Of each block, whether its first page is right.

    Returns:
        One weight for each feature.
    """
    weights = np.zeros(rows.shape[1])
    ridge = np.full(rows.shape[1], PENALTY)
    ridge[0] = 1e-3  # enough to keep it finite where all blocks are right
    for _ in range(STEPS):
        likely = 1 / (1 + np.exp(-(rows @ weights)))
        slope = rows.T @ (right - likely) - ridge * weights
        bend = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        weights += step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return weights


def fitted(found: Samples) -> Iterator[tuple[str, NDArray[np.float64], int, int]]:
    """Give the weights of each method, of how many blocks, and how many of them were wrong."""
    for name, (rows, right) in sorted(found.items(), key=lambda entry: -len(entry[1][1])):
        yield name, fit(rows, right), len(right), int(np.count_nonzero(~right))


def print_weights(plan: Plan) -> None:
    """Print the rows of ``zhiyipdf.grounding.calibration.WEIGHTS``, for a plan's documents."""
    print("# " + ", ".join(FEATURES))
    for name, weights, blocks, wrong in fitted(samples(plan)):
        numbers = ", ".join(f"{weight:.2f}" for weight in weights)
        print(f'    "{name}": ({numbers}),  # {blocks:,} blocks, {wrong:,} wrong')
