from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.policy import Retry
from zhiyipdf.transport.retry import pause_before_retry, retry_after_s

NOW = 1_800_000_000.0


def http_date(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_pauses_stay_within_the_cap(attempt: int, chance: float) -> None:
    assert 0 <= pause_before_retry(Retry(), attempt, chance) <= Retry().cap_s


def test_pauses_are_drawn_from_the_whole_range_below_a_doubling_bound() -> None:
    bounds = [pause_before_retry(Retry(), n, 1.0) for n in range(1, 7)]
    assert bounds == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert pause_before_retry(Retry(), 3, 0.0) == 0.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2", 2.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        (None, None),
        ("-1", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(value: str | None, expected: float | None) -> None:
    assert retry_after_s(value, date=None, now=NOW) == expected


def test_retry_after_of_400_digits_is_a_large_number_and_not_infinity() -> None:
    wait = retry_after_s("9" * 400, date=None, now=NOW)
    assert wait is not None
    assert 1e6 < wait < float("inf")


def test_retry_after_as_a_date_is_measured_from_the_servers_own_clock() -> None:
    skewed = NOW - 86_400
    wait = retry_after_s(http_date(skewed + 30), date=http_date(skewed), now=NOW)
    assert wait == 30.0


def test_retry_after_as_a_date_without_a_date_header_is_measured_from_ours() -> None:
    assert retry_after_s(http_date(NOW + 7), date=None, now=NOW) == 7.0


def test_retry_after_in_the_past_is_ignored() -> None:
    assert retry_after_s(http_date(NOW - 7), date=http_date(NOW), now=NOW) is None


@given(st.text())
def test_no_retry_after_header_can_break_the_reader(value: str) -> None:
    wait = retry_after_s(value, date=value, now=NOW)
    assert wait is None or wait >= 0
