from __future__ import annotations

import pytest

from zhiyipdf.errors import BudgetExceeded
from zhiyipdf.tasks.budget import Budget


def test_a_budget_stops_before_it_is_passed() -> None:
    budget = Budget(10)
    with budget.reserve(6) as reservation:
        reservation.commit()
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
        reservation.commit()
    assert budget.spent == 6


def test_returned_points_can_be_spent_again() -> None:
    budget = Budget(6)
    with budget.reserve(6) as reservation:
        reservation.commit()
    budget.give_back(6)
    with budget.reserve(6):
        assert budget.spent == 6


def test_without_a_budget_points_are_only_counted() -> None:
    budget = Budget(None)
    with budget.reserve(10**9) as reservation:
        reservation.commit()
    assert budget.spent == 10**9


def test_a_commit_after_the_caller_has_gone_still_counts() -> None:
    budget = Budget(10)
    with budget.reserve(6) as reservation:
        pass
    reservation.commit()
    assert budget.spent == 6


def test_an_attempt_that_is_repeated_in_doubt_is_set_aside_twice() -> None:
    budget = Budget(10)
    with budget.reserve(6) as reservation:
        reservation.commit()
        with pytest.raises(BudgetExceeded):
            reservation.repeat()


def test_a_whole_that_cannot_be_paid_is_refused_before_its_first_part() -> None:
    budget = Budget(10)
    with pytest.raises(BudgetExceeded):
        budget.ensure(11)
    budget.ensure(10)
    assert budget.spent == 0
