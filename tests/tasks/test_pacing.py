from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.models import TaskStatus
from zhiyipdf.policy import Limits, Polling
from zhiyipdf.tasks.pacing import (
    RunningTimes,
    in_flight_per_key,
    pause_after_429_s,
    pause_before_poll_s,
    processing_deadline_s,
    turns,
    uploads_per_key,
)

POLLING = Polling()
PROCESSING = TaskStatus(state="processing", percent=10)


def pause(age: float, status: TaskStatus | None = PROCESSING, chance: float = 1.0) -> float:
    return pause_before_poll_s(POLLING, since_upload_s=age, status=status, chance=chance)


def test_a_young_task_is_asked_for_every_second() -> None:
    assert pause(0, None) == pause(19.9) == 1.0


def test_pauses_grow_to_three_seconds() -> None:
    assert [round(pause(age), 2) for age in (21, 30, 37.5, 60, 3600)] == [1.68, 2.4, 3.0, 3.0, 3.0]


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_a_task_next_in_line_is_asked_for_like_any_other(ahead: int) -> None:
    assert pause(5, TaskStatus(state="waiting", ahead=ahead)) == 1.0


def test_a_task_far_back_in_the_line_is_asked_for_seldom() -> None:
    assert pause(5, TaskStatus(state="waiting", ahead=6)) == 9.0
    assert pause(5, TaskStatus(state="waiting", ahead=600)) == 30.0


@given(
    st.floats(0, 1e6),
    st.none() | st.integers(0, 1000),
    st.floats(0, 1, exclude_max=True),
)
def test_the_service_is_never_asked_more_than_about_once_a_second(
    age: float, ahead: int | None, chance: float
) -> None:
    status = TaskStatus(state="waiting", ahead=ahead)
    assert 0.9 <= pause(age, status, chance) <= 30.0


def test_long_pdfs_get_longer_deadlines() -> None:
    assert processing_deadline_s(POLLING, 800) == 600 + 5 * 800


# -- how much at once ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upload_s", "parse_s", "in_flight", "uploads"),
    [
        (0.0, 30.0, 5, 2),
        (3.0, 30.0, 5, 2),
        (10.0, 30.0, 5, 2),
        (11.0, 30.0, 6, 3),
        (30.0, 30.0, 7, 4),
        (60.0, 30.0, 10, 4),
        (300.0, 30.0, 12, 4),
        (5.0, 0.0, 12, 4),
    ],
)
def test_slow_uploads_get_more_slots_and_more_lanes(
    upload_s: float, parse_s: float, in_flight: int, uploads: int
) -> None:
    times = RunningTimes()
    times.uploads.extend([upload_s] * 5)
    times.parses.extend([parse_s] * 5)
    ratio = times.uploads_per_parse
    assert in_flight_per_key(Limits(), ratio) == in_flight
    assert uploads_per_key(Limits(), ratio) == uploads


def test_until_times_are_known_the_limits_stand() -> None:
    times = RunningTimes()
    times.uploads.extend([60.0] * 9)
    times.parses.extend([1.0] * 2)
    assert times.uploads_per_parse is None
    assert in_flight_per_key(Limits(in_flight_per_key=4), None) == 4
    assert uploads_per_key(Limits(), None) == 3


def test_one_giant_does_not_change_how_letters_are_sent() -> None:
    times = RunningTimes()
    times.uploads.extend([1.0, 1.0, 900.0, 1.0])
    times.parses.extend([10.0] * 4)
    assert times.uploads_per_parse == pytest.approx(0.1)


def test_old_times_are_forgotten() -> None:
    times = RunningTimes()
    times.parses.extend([1.0] * 5)
    times.uploads.extend([100.0] * 5)
    times.uploads.extend([1.0] * 31)
    assert times.uploads_per_parse == 1.0


@given(
    st.floats(0, allow_nan=False),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_the_limits_bound_whatever_the_times_say(
    ratio: float, least: int, most: int, lanes: int
) -> None:
    limits = Limits(
        in_flight_per_key=least,
        max_in_flight_per_key=most,
        uploads_per_key=lanes,
        max_uploads_per_key=lanes,
    )
    assert least <= in_flight_per_key(limits, ratio) <= max(least, most)
    assert min(2, lanes) <= uploads_per_key(limits, ratio) <= lanes


# -- polls of a key ----------------------------------------------------------------------------


def test_polls_that_are_due_together_go_out_one_after_another() -> None:
    assert turns([5.0, 5.0, 5.0, 9.0], not_before=0.0, apart_s=0.5) == [5.0, 5.5, 6.0, 9.0]
    assert turns([1.0, 2.0], not_before=7.0, apart_s=0.5) == [7.0, 7.5]


@given(
    st.lists(st.floats(0, 1e4), max_size=20),
    st.floats(0, 1e4),
    st.floats(0, 10),
)
def test_no_poll_goes_out_early_or_too_soon_after_another(
    due: list[float], not_before: float, apart_s: float
) -> None:
    due.sort()
    moments = turns(due, not_before=not_before, apart_s=apart_s)
    assert all(
        moment >= max(wanted, not_before) for moment, wanted in zip(moments, due, strict=True)
    )
    assert all(b >= a + apart_s for a, b in pairwise(moments))


@pytest.mark.parametrize(
    ("in_a_row", "asked_s", "expected"),
    [
        (1, None, 3.0),
        (2, None, 6.0),
        (3, None, 12.0),
        (9, None, 60.0),
        (1, 20.0, 20.0),
        (3, 1.0, 12.0),
        (1, 3600.0, 120.0),
    ],
)
def test_a_key_rests_after_429(in_a_row: int, asked_s: float | None, expected: float) -> None:
    pause = pause_after_429_s(POLLING, in_a_row=in_a_row, asked_s=asked_s, chance=0.0)
    assert pause == expected
