from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.models import TaskStatus
from zhiyipdf.planning import pause_before_poll_s, processing_deadline_s
from zhiyipdf.policy import Polling

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
