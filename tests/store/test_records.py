from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.models import ParseOptions, Part
from zhiyipdf.store import TaskRecord, Work

WORK = Work(
    sha256="a" * 64,
    options=ParseOptions(),
    provider="zhiyipdf",
    base_url="https://www.zhiyipdf.com:443",
    part=Part(first_page=1, last_page=3),
)
RECORD = TaskRecord(
    key=WORK.key,
    state="sending",
    sha256=WORK.sha256,
    provider="zhiyipdf",
    base_url=WORK.base_url,
    pages=3,
    points=6,
    key_fingerprint="0011aabb",
)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "b" * 64},
        {"provider": "doc2x"},
        {"base_url": "https://example.org:443"},
        {"options": ParseOptions(table_mode="image")},
        {"options": ParseOptions(translate_to="en")},
        {"part": Part(first_page=1, last_page=2, whole=False)},
        {"part": Part(first_page=1, last_page=3, whole=False)},
        {"part": Part(first_page=1, last_page=3, whole=False, ranges=((1, 1), (3, 3)))},
    ],
)
def test_whatever_changes_the_output_changes_the_key(change: dict[str, object]) -> None:
    assert dataclasses.replace(WORK, **change).key != WORK.key  # type: ignore[arg-type]


def test_variants_the_service_makes_anyway_share_a_key() -> None:
    """The original comes with every translation, asked for or not: one payment serves both."""
    one = dataclasses.replace(WORK, options=ParseOptions(translate_to="en"))
    both = dataclasses.replace(
        WORK, options=ParseOptions(translate_to="en", variants=("translated", "original"))
    )
    assert one.key == both.key


def test_the_key_is_the_same_in_every_process_and_version() -> None:
    """A change here makes every user pay again; it needs a migration, not a new number."""
    assert WORK.key == "ed99881c58b1ff06b2880116ca216ace65cce1af5c89d9b68c618267cc20c601"
    part = Part(first_page=1, last_page=3, whole=False)
    assert dataclasses.replace(WORK, part=part).key == (
        "c085388cfe3b8c1842e8fb1dc2c6c50c460e593056ad4c008cce2a26e2a1e4e6"
    )
    gap = Part(first_page=1, last_page=9, whole=False, ranges=((1, 3), (9, 9)))
    assert dataclasses.replace(WORK, part=gap).key == (
        "7f99527b41c9b64d126cdfc3cb44c49503ace685f71a0bb613eaf64e9a0d21d3"
    )


def test_how_pages_were_asked_for_does_not_change_the_key() -> None:
    """The part says which pages; the same part is paid for once."""
    part = Part(first_page=1, last_page=3, whole=False)
    cut = dataclasses.replace(WORK, part=part)
    chosen = dataclasses.replace(cut, options=ParseOptions(pages="1-3"))
    assert cut.key == chosen.key


@given(
    st.builds(
        TaskRecord,
        key=st.text("0123456789abcdef", min_size=64, max_size=64),
        state=st.sampled_from(["sending", "committing", "accepted", "failed", "unknown"]),
        sha256=st.just("a" * 64),
        provider=st.text(max_size=8),
        base_url=st.text(max_size=8),
        pages=st.integers(0, 800),
        points=st.integers(0, 2400),
        key_fingerprint=st.text("0123456789abcdef", min_size=8, max_size=8),
        generation=st.integers(0, 5),
        task_id=st.none() | st.text(min_size=1, max_size=10),
        code=st.none() | st.text(max_size=10),
        updated_at=st.floats(0, 4e9),
        uploaded_at=st.none() | st.floats(0, 4e9),
    )
)
def test_a_record_survives_being_written_down(record: TaskRecord) -> None:
    assert TaskRecord.from_json(record.to_json()) == record


def test_fields_of_a_later_version_are_passed_over() -> None:
    later = RECORD.to_json().replace(b'"code"', b'"invented_later": 1, "code"')
    assert TaskRecord.from_json(later) == RECORD


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"null", b'{"state": "sending"}', b"\xff"]
)
def test_a_record_that_cannot_be_read_is_an_error_and_not_absent(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json says it in many ways
        TaskRecord.from_json(content)


def test_the_idempotency_key_changes_only_when_the_points_came_back() -> None:
    again = dataclasses.replace(RECORD, state="committing")
    later = dataclasses.replace(RECORD, generation=1)
    assert again.idempotency_key == RECORD.idempotency_key
    assert later.idempotency_key != RECORD.idempotency_key
