"""Points spent and points left of a budget, counted before each upload."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zhiyipdf.errors import BudgetExceeded

__all__ = ["Budget", "Reservation"]


class Budget:
    """Counts points over all threads and loops of one converter.

    Args:
        max_points: The budget; None for none.
    """

    def __init__(self, max_points: int | None) -> None:
        self.max_points = max_points
        self._spent = 0
        self._lock = threading.Lock()

    @property
    def spent(self) -> int:
        """Points taken and not returned."""
        return self._spent

    @contextmanager
    def reserve(self, points: int) -> Iterator[Reservation]:
        """Set points aside for an upload; at the end they are given back unless it was committed.

        Raises:
            BudgetExceeded: They would pass the budget; nothing is set aside.
        """
        with self._lock:
            if self.max_points is not None and self._spent + points > self.max_points:
                raise BudgetExceeded(
                    f"{points} points would pass the budget of {self.max_points} "
                    f"({self._spent} already spent)",
                    required=points,
                    spent=self._spent,
                    max_points=self.max_points,
                )
            self._spent += points
        reservation = Reservation(self, points)
        try:
            yield reservation
        finally:
            reservation.close()

    def ensure(self, points: int) -> None:
        """Refuse early what could not be paid for as a whole.

        Raises:
            BudgetExceeded: So many points would pass the budget as it stands.
        """
        with self.reserve(points):
            return

    def give_back(self, points: int) -> None:
        """Return what the service gave back, or took less than was set aside."""
        with self._lock:
            self._spent -= points


class Reservation:
    """Points set aside for one upload, and for its repetition where the first may be paid.

    Args:
        budget: Where they are set aside.
        points: For one attempt.
    """

    def __init__(self, budget: Budget, points: int) -> None:
        self._budget = budget
        self._points = points
        self._lock = threading.Lock()
        self._committed = False
        self._closed = False

    def commit(self) -> None:
        """The points may be spent from now on, even if the caller has gone away meanwhile."""
        with self._lock:
            if self._closed and not self._committed:
                self._budget.give_back(-self._points)
            self._committed = True

    def release(self) -> None:
        """The service is known to have taken nothing."""
        with self._lock:
            if self._closed and self._committed:
                self._budget.give_back(self._points)
            self._committed = False

    def repeat(self) -> None:
        """Set the same points aside once more: what was committed may be spent.

        Raises:
            BudgetExceeded: They would pass the budget.
        """
        with self._budget.reserve(self._points) as again:
            again.commit()

    def close(self) -> None:
        """Give the points back unless they may be spent."""
        with self._lock:
            if not self._committed:
                self._budget.give_back(self._points)
            self._closed = True
