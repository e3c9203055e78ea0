from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.models import Secret
from zhiyipdf.tasks.evidence import CommitLocks, gather_evidence, judge


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (100, 100, None),
        (100, 80, "paid"),
        (100, 79, "unknown"),
        (100, 120, "unknown"),
        (100, 60, "unknown"),
    ],
)
def test_only_an_exact_match_counts(before: int, after: int, verdict: str | None) -> None:
    assert judge(before, after, 20) == verdict


def readings(*values: int | None) -> tuple[list[float], object]:
    pauses: list[float] = []
    left = iter(values)
    return pauses, lambda: next(left)


def test_an_unchanged_balance_is_believed_only_after_thirty_seconds() -> None:
    pauses, read = readings(100, 100, 100)
    found = gather_evidence(before=100, cost=20, read=read, pause=pauses.append, late=False)  # type: ignore[arg-type]
    assert (found.verdict, pauses) == ("unpaid", [3.0, 7.0, 20.0, 5.0])


def test_a_service_that_stayed_silent_is_given_three_minutes() -> None:
    pauses, read = readings(100, 100, 100)
    gather_evidence(before=100, cost=20, read=read, pause=pauses.append, late=True)  # type: ignore[arg-type]
    assert sum(pauses) == 185.0


def test_a_charge_that_comes_late_is_seen() -> None:
    pauses, read = readings(100, 80)
    found = gather_evidence(before=100, cost=20, read=read, pause=pauses.append, late=False)  # type: ignore[arg-type]
    assert (found.verdict, found.balance_after, len(pauses)) == ("paid", 80, 2)


def test_a_balance_that_cannot_be_read_proves_nothing() -> None:
    pauses, read = readings(100, None)
    found = gather_evidence(before=100, cost=20, read=read, pause=pauses.append, late=False)  # type: ignore[arg-type]
    assert found.verdict == "unknown"


def test_without_a_reading_before_nothing_is_asked() -> None:
    pauses, read = readings()
    found = gather_evidence(before=None, cost=20, read=read, pause=pauses.append, late=False)  # type: ignore[arg-type]
    assert (found.verdict, pauses) == ("unknown", [])


@given(st.integers(0, 1000), st.integers(1, 100), st.lists(st.integers(-500, 1500), min_size=3))
def test_unpaid_is_never_said_while_the_balance_moved(
    before: int, cost: int, after: list[int]
) -> None:
    left = iter(after)
    found = gather_evidence(
        before=before, cost=cost, read=lambda: next(left), pause=lambda _: None, late=False
    )
    if found.verdict == "unpaid":
        assert after[:3] == [before] * 3


def test_one_key_commits_one_upload_at_a_time_and_another_key_is_free() -> None:
    locks, one, two = CommitLocks(), Secret("sk-1"), Secret("sk-2")
    with locks.section(one) as take_one, locks.section(one) as again, locks.section(two) as other:
        assert take_one(0.01)
        assert not again(0.01)
        assert other(0.01)
    with locks.section(one) as take_one:
        assert take_one(0.01)


def test_a_section_that_fails_gives_the_lock_back() -> None:
    locks, key = CommitLocks(), Secret("sk-1")

    with contextlib.suppress(ZeroDivisionError), locks.section(key) as take:
        take(0.01)
        raise ZeroDivisionError
    with locks.section(key) as take:
        assert take(0.01)


def test_a_refund_of_ours_in_the_meantime_makes_an_unchanged_balance_worthless() -> None:
    _, read = readings(100, 100, 100)
    found = gather_evidence(
        before=100,
        cost=20,
        read=read,  # type: ignore[arg-type]
        pause=lambda _: None,
        late=False,
        undisturbed=lambda: False,
    )
    assert found.verdict == "unknown"
