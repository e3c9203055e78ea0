from __future__ import annotations

import pytest

from zhiyipdf.errors import BudgetExceeded
from zhiyipdf.tasks.budget import Budget


def test_a_budget_stops_before_it_is_passed() -> None:
    budget = Budget(10)
    with budget.reserve(6) as reservation:
        reservation.committed = True
    with pytest.raises(BudgetExceeded) as caught, budget.reserve(6):
        pass
    assert (caught.value.required, caught.value.spent, caught.value.max_points) == (6, 6, 10)


def test_points_that_were_set_aside_and_not_spent_are_given_back() -> None:
    budget = Budget(10)
    with pytest.raises(OSError, match="disk"), budget.reserve(6):
        raise OSError("disk full")
    assert budget.spent == 0


def test_points_in_doubt_count_as_spent() -> None:
    budget = Budget(10)
    with budget.reserve(6) as reservation:
        reservation.committed = True
    assert budget.spent == 6


def test_returned_points_can_be_spent_again() -> None:
    budget = Budget(6)
    with budget.reserve(6) as reservation:
        reservation.committed = True
    budget.give_back(6)
    with budget.reserve(6):
        assert budget.spent == 6


def test_without_a_budget_points_are_only_counted() -> None:
    budget = Budget(None)
    with budget.reserve(10**9) as reservation:
        reservation.committed = True
    assert budget.spent == 10**9
