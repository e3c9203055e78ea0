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
        reservation = Reservation()
        try:
            yield reservation
        finally:
            if not reservation.committed:
                self.give_back(points)

    def give_back(self, points: int) -> None:
        """Return what the service gave back, or took less than was set aside."""
        with self._lock:
            self._spent -= points


class Reservation:
    """Points set aside for one upload.

    Attributes:
        committed: Whether they may be spent: set before the end of a body is let go, unset when
            the service is known to have taken nothing.
    """

    def __init__(self) -> None:
        self.committed = False
