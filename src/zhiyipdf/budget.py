"""Points spent and points left of a budget, counted before each upload."""

from __future__ import annotations

import threading

from zhiyipdf.errors import BudgetExceeded

__all__ = ["Budget"]


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

    def take(self, points: int) -> None:
        """Reserve points for an upload.

        Raises:
            BudgetExceeded: They would pass the budget; nothing is reserved.
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

    def give_back(self, points: int) -> None:
        """Return what an upload reserved and did not cost."""
        with self._lock:
            self._spent -= points
