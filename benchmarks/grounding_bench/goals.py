"""Rows of the table of issue 4: what was wanted, what came out, and whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

__all__ = ["BASELINE_NAMES", "HEAD", "NO_GOAL", "Goal", "Row"]

BASELINE_NAMES = ("page shingles", "unique-gram LIS", "rapidfuzz per page")
HEAD = (
    "measure, % unless said",
    "prototype",
    "required",
    "aim",
    "ours",
    "met?",
    f"baselines: {' / '.join(BASELINE_NAMES)}",
)
NOTHING = "–"
DECIMALS = 9  # so that 0.985 * 100 is no miss of 98.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the issue wants of one measure.

    Attributes:
        prototype: What the study's prototype reached, as the issue writes it.
        required: One bound for each figure of the row.
        aim: The same for what would be better still.
        is_cost: Less is better.
        sign: Written before a bound.
    """

    prototype: str
    required: tuple[float, ...] = ()
    aim: tuple[float, ...] = ()
    is_cost: bool = False
    sign: str = ""

    def verdict(self, figures: Sequence[float]) -> str:
        """Say whether all figures reach their bounds: ``aim``, ``yes`` or ``no``.

        Nothing is said of what was not measured, or of what no bound is set to.
        """
        known = [(f, r, a) for f, r, a in zip(figures, self.required, self.aim, strict=False)]
        if not known or any(isnan(figure) for figure in figures):
            return NOTHING
        if all(self._reaches(figure, aim) for figure, _, aim in known):
            return "aim"
        return "yes" if all(self._reaches(f, bound) for f, bound, _ in known) else "no"

    def _reaches(self, figure: float, bound: float) -> bool:
        rounded = round(figure, DECIMALS)
        return rounded <= bound if self.is_cost else rounded >= bound

    def written(self, bounds: Sequence[float]) -> str:
        """Write bounds for the table."""
        return " / ".join(f"{self.sign}{bound:g}" for bound in bounds) or NOTHING


NO_GOAL = Goal(prototype=NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure.

    Attributes:
        measure: What was measured, with the number of blocks where it is small.
        goal: What is wanted.
        figures: Ours, one for each bound of the goal, in its unit.
        ours: The same and more, as it is to be read.
        baselines: Of each of :data:`BASELINE_NAMES`; empty where that means nothing.
    """

    measure: str
    goal: Goal = NO_GOAL
    figures: tuple[float, ...]
    ours: str
    baselines: tuple[str, ...] = ()

    def cells(self) -> tuple[str, ...]:
        """Give the cells under :data:`HEAD`."""
        run = any(cell != NOTHING for cell in self.baselines)
        return (
            self.measure,
            self.goal.prototype,
            self.goal.written(self.goal.required),
            self.goal.written(self.goal.aim),
            self.ours,
            self.goal.verdict(self.figures),
            " / ".join(self.baselines) if run else NOTHING,
        )
