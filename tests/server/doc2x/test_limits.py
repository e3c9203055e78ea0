from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.database import open_database
from zhiyipdf.server.doc2x.admission import too_many_pages, wait_for
from zhiyipdf.server.doc2x.exports import ExportRequest, ExportTable
from zhiyipdf.server.doc2x.settings import Doc2XSettings
from zhiyipdf.server.doc2x.throttling import Rehearsal, Window
from zhiyipdf.server.doc2x.uploads import DocumentUpload, UploadTable
from zhiyipdf.server.tasks import TaskOptions

LIMITS = Doc2XSettings(tasks_per_key=3, pages_per_key=10, max_pages=20)


@pytest.mark.parametrize(
    ("pages", "tasks", "live", "answer"),
    [
        (1, 0, 0, None),
        (20, 0, 0, None),
        (1, 3, 3, "parse_task_limit_exceeded"),
        (5, 1, 5, None),
        (6, 1, 5, "parse_concurrency_limit"),
    ],
)
def test_a_file_waits_for_the_limit_it_would_pass(
    pages: int, tasks: int, live: int, answer: str | None
) -> None:
    assert wait_for(pages=pages, live_tasks=tasks, live_pages=live, limits=LIMITS) == answer


def test_the_page_limit_itself_is_allowed() -> None:
    assert not too_many_pages(20, LIMITS)
    assert too_many_pages(21, LIMITS)


@given(st.lists(st.floats(0, 100), max_size=40).map(sorted))
def test_a_window_never_lets_more_through_than_its_limit(times: list[float]) -> None:
    window = Window(3, 10.0)
    passed = [time for time in times if window.lets(1, time)]
    for time in passed:
        assert sum(time - 10 < other <= time for other in passed) <= 3


def test_a_window_is_kept_for_each_account() -> None:
    window = Window(1, 10.0)
    assert [window.lets(1, 0), window.lets(2, 0), window.lets(1, 9), window.lets(1, 10)] == [
        True,
        True,
        False,
        True,
    ]


def test_a_rehearsal_strikes_the_same_calls_again() -> None:
    first, second = Rehearsal(0.05, 7), Rehearsal(0.05, 7)
    struck = [first.strikes() for _ in range(2000)]
    assert struck == [second.strikes() for _ in range(2000)]
    assert 60 < sum(struck) < 140
    assert not any(Rehearsal(0.0, 7).strikes() for _ in range(100))


@pytest.mark.parametrize("setting", [{"max_pages": 0}, {"throttle_share": 1.5}])
def test_a_setting_out_of_range_is_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Doc2XSettings(**setting)  # type: ignore[arg-type]  # one of several types


def test_an_older_export_that_ends_late_does_not_take_the_slot_back(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        account = add_key(database).account
        UploadTable(database).add(
            DocumentUpload(uid="u", account_id=account.id, model="v2", options=TaskOptions())
        )
        exports = ExportTable(database)
        first = exports.begin("u", ExportRequest(to="md"))
        second = exports.begin("u", ExportRequest(to="docx"))
        exports.end("u", first, "success")
        slot = exports.find("u")
        assert slot is not None
        assert (slot.state, slot.request.to) == ("processing", "docx")
        assert [uid for uid, _ in exports.unfinished()] == ["u"]
        exports.end("u", second, "failed")
        assert exports.unfinished() == []


def test_an_upload_is_stored_once_and_forgotten_when_its_task_is(tmp_path: Path) -> None:
    now = [0.0]
    with open_database(tmp_path, clock=lambda: now[0]) as database:
        account = add_key(database).account
        uploads = UploadTable(database)
        options = TaskOptions(protocol="doc2x", ocr=True)
        upload = DocumentUpload(uid="u", account_id=account.id, model="v3-2026", options=options)
        uploads.add(upload)
        assert uploads.find("u") == upload
        assert [uploads.store("u"), uploads.store("u")] == [True, False]
        uploads.forget(before=1.0)
        assert [found.uid for found in uploads.stored()] == ["u"]
        uploads.refuse("u", code="parse_file_invalid", message="broken")
        uploads.forget(before=1.0)
        assert uploads.find("u") is None
