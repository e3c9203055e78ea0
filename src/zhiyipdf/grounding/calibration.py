"""Weights of the scores, one row a method: ``benchmarks/grounding.py --half tune --fit``.

A picture of the PDF was the right one 35 times of 35, which says no more than 36 of 37 (rule of
succession).
"""

from __future__ import annotations

from collections.abc import Mapping

from zhiyipdf.grounding.alignment import Method

__all__ = ["WEIGHTS"]

# fmt: off
WEIGHTS: Mapping[Method, tuple[float, ...]] = {
    "seed": (
        -2.71, 5.49, 0.89, 1.12, -1.26, 0.00, 0.00, 0.00,
        0.29, 1.38, 2.11, 0.46, 2.98, -2.64, -3.15, -1.16,
    ),
    "repeated": (
        -3.18, 1.58, 0.00, -0.31, 0.35, 0.00, 0.00, 0.00,
        2.71, 4.75, -0.88, 0.08, 3.62, 0.90, -2.11, -1.96,
    ),
    "exact": (
        0.34, 0.00, 1.92, 1.92, 0.81, 0.00, 0.00, 0.00,
        2.02, 1.27, 0.11, 0.96, 2.56, -0.43, -0.67, 0.48,
    ),
    "fuzzy": (
        -2.94, 0.45, -0.07, -0.14, 0.00, 1.19, 0.00, 0.00,
        3.09, 0.48, 1.06, 1.14, 3.93, -0.12, -2.05, -0.14,
    ),
    "bag": (
        -0.34, 3.02, 0.00, 2.82, 0.00, 0.00, -3.00, 0.00,
        1.24, 0.15, 0.26, 1.99, 0.00, 0.00, -2.22, -0.96,
    ),
    "running": (
        5.53, -0.33, -3.38, -3.38, 0.00, -0.33, -0.20, 0.01,
        -1.88, 3.15, -1.41, 1.50, 0.00, 0.00, -0.31, -1.14,
    ),
    "picture": (
        3.58, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00,
        0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00,
    ),
    "ink": (
        -5.66, 0.00, 0.00, 0.83, 0.00, -0.01, -0.61, 1.41,
        1.69, 4.55, 0.31, -0.84, 0.00, 0.00, -0.01, 2.15,
    ),
    "neighbours": (
        -2.31, 0.00, 0.00, -4.96, 0.00, 0.00, -1.40, 0.00,
        5.00, 3.25, 1.43, 0.23, 0.00, 0.00, -0.79, -1.55,
    ),
}
# fmt: on
"""By method, for each of :data:`~zhiyipdf.grounding.scoring.FEATURES`."""
