"""The whole path against a service scripted on a raw socket: what is paid, kept, resumed."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import pickle
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.pdfs import write_pdf
from support.scripted_server import (
    Move,
    ScriptedServer,
    Wire,
    answer,
    answer_before_the_body,
    reset_after_the_body,
)
from support.waiting import until
from zhiyipdf import Converter, ParseOptions
from zhiyipdf.clock import Clock
from zhiyipdf.errors import (
    AuthenticationError,
    BudgetExceeded,
    ConversionTimeout,
    InsufficientPoints,
    NotAPDF,
    ResultExpired,
    TaskFailed,
    UnsafeArchive,
    UploadOutcomeUnknown,
)
from zhiyipdf.policy import Polling, Timeouts

KEY = "sk-" + "k" * 20
API = "/api/pdf-to-markdown-proxy"
PARSE, STATUS, DOWNLOAD = f"{API}/parse", f"{API}/status/t1", f"{API}/download/t1"
DONE = {
    "success": True,
    "status": "completed",
    "progress": 100,
    "message": "处理完成",
    "result": {"task_id": "t1", "download_url": DOWNLOAD},
}


def archive(**files: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in (files or {"a.md": "# Title\n\nText.\n"}).items():
            packed.writestr(name, content)
    return buffer.getvalue()


QUICK = Polling(interval_min_s=0.1, requests_per_s=50.0)
ACCEPTED = {
    "success": True,
    "task_id": "t1",
    "status": "processing",
    "message": "PDF处理任务已启动",
    "points_deducted": 4,
    "remaining_points": 96,
}


class Service(ScriptedServer):
    """Accepts everything, until a test scripts otherwise."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.on(PARSE, answer(200, ACCEPTED))
        self.on(STATUS, answer(200, DONE))
        self.on(DOWNLOAD, answer(200, body=archive()))

    @property
    def uploads(self) -> int:
        return len(self.requests(PARSE))


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


class FakeTime:
    """A clock that jumps over every pause."""

    def __init__(self) -> None:
        self.seconds = time.time()
        self.naps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        def now() -> float:
            return self.seconds

        return Clock(now=now, monotonic=now, sleep=self.sleep, random=lambda: 0.5)


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "paper.pdf"
    write_pdf(path, pages=2)
    return path


MakeConverter = Callable[..., Converter]


@pytest.fixture
def make(service: Service, fake_time: FakeTime, tmp_path: Path) -> MakeConverter:
    def make(**options: object) -> Converter:
        defaults: dict[str, object] = {
            "api_key": KEY,
            "base_url": service.url,
            "store": tmp_path / "store",
            "clock": fake_time.clock(),
            # Fake time flies while others poll: no upload or download is late for that.
            "timeouts": Timeouts(
                control_s=1e9, download_s=1e9, upload_s=1e9, download_window_s=1e9, call_s=1e6
            ),
        }
        return Converter(**{**defaults, **options})  # type: ignore[arg-type]  # for brevity

    return make


def record(tmp_path: Path) -> dict[str, object]:
    (found,) = (tmp_path / "store" / "claims").rglob("*.json")
    return dict(json.loads(found.read_text()))


# -- the ordinary way ------------------------------------------------------------------------


async def test_a_pdf_becomes_a_conversion(make: MakeConverter, pdf: Path) -> None:
    conversion = await make().aconvert(pdf)
    assert conversion.markdown == {"original": "# Title\n\nText.\n"}
    assert [block.kind for block in conversion.blocks] == ["heading", "paragraph"]
    assert (len(conversion.pages), conversion.points) == (2, 4)
    assert [task.id for task in conversion.tasks] == ["t1"]
    assert not conversion.from_store


async def test_the_documented_fields_are_sent(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    options = ParseOptions(table_mode="image", translate_to="ja", variants=("bilingual",))
    service.on(DOWNLOAD, answer(200, body=archive(**{"a.md": "x", "a_bilingual.md": "y"})))
    await make().aconvert(pdf, options)
    (upload,) = service.requests(PARSE)
    for name, value in {
        "table_mode": "image",
        "enable_translation": "true",
        "target_language": "ja",
        "output_options": "original,bilingual",
    }.items():
        assert f'name="{name}"\r\n\r\n{value}\r\n'.encode() in upload.body
    assert b'filename="paper.pdf"' in upload.body
    assert pdf.read_bytes() in upload.body
    assert upload.headers["idempotency-key"]


async def test_the_same_pdf_is_not_paid_for_again(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    first = await make().aconvert(pdf)
    copy = tmp_path / "another name.pdf"
    copy.write_bytes(pdf.read_bytes())
    second = await make().aconvert(copy)
    assert (service.uploads, second.from_store, second.points) == (1, True, 0)
    assert second.markdown == first.markdown
    assert second.tasks == first.tasks


async def test_equal_pdfs_converted_at_once_are_paid_for_once(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    converter = make()
    results = await asyncio.gather(*(converter.aconvert(pdf) for _ in range(5)))
    assert (service.uploads, sum(r.points for r in results)) == (1, 4)


async def test_other_options_are_other_work(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    converter = make()
    await converter.aconvert(pdf)
    await converter.aconvert(pdf, ParseOptions(table_mode="image"))
    assert service.uploads == 2


async def test_without_a_store_nothing_is_kept(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        await make(store=False).aconvert(pdf)
    assert service.uploads == 2
    assert not (tmp_path / "store").exists()


async def test_polling_goes_on_until_the_task_is_done(
    make: MakeConverter, service: Service, pdf: Path, fake_time: FakeTime
) -> None:
    processing = {"success": True, "status": "processing", "progress": 45, "message": "…"}
    service.on(STATUS, *[answer(200, processing)] * 4, answer(200, DONE))
    await make().aconvert(pdf)
    assert len(service.requests(STATUS)) == 5
    assert all(0.9 <= nap <= 3.0 for nap in fake_time.naps)


async def test_progress_is_reported_step_by_step(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    waiting = {"success": True, "status": "waiting", "queue_info": {"ahead_tasks": 4}}
    service.on(STATUS, answer(200, waiting), answer(200, DONE))
    steps = []
    await make(on_progress=steps.append).aconvert(pdf)
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["open", "upload", "wait", "download", "unpack", "ground", "done"]
    assert {step.source for step in steps} == {str(pdf)}
    assert next(step.done for step in steps if step.stage == "wait") == 4


async def test_a_progress_callback_that_fails_harms_nothing(
    make: MakeConverter, pdf: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_step: object) -> None:
        raise RuntimeError("no bar today")

    assert (await make(on_progress=fail).aconvert(pdf)).points == 4
    assert "no bar today" in caplog.text


def test_sync_and_async_give_equal_conversions(make: MakeConverter, pdf: Path) -> None:
    import dataclasses

    synchronous = make().convert(pdf)
    asynchronous = asyncio.run(make().aconvert(pdf))
    comparable = [
        dataclasses.replace(c, seconds=0.0, points=0, from_store=True)
        for c in (synchronous, asynchronous)
    ]
    assert comparable[0] == comparable[1]


def test_a_converter_keeps_its_connections_inside_with(make: MakeConverter, pdf: Path) -> None:
    with make() as converter:
        assert converter.convert(pdf).points == 4
        assert converter.convert(pdf).from_store
    converter.close()
    assert converter.convert(pdf).from_store


# -- failures --------------------------------------------------------------------------------


async def test_a_file_that_is_no_pdf_costs_nothing_and_sends_nothing(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "page.pdf"
    path.write_text("<html>")
    with pytest.raises(NotAPDF) as caught:
        await make().aconvert(path)
    assert (caught.value.source, service.seen) == (str(path), [])


async def test_a_failed_task_is_an_error_with_its_code_and_can_be_tried_again(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    failed = {"success": False, "status": "failed", "message": "坏", "error_code": "parse_error"}
    service.on(STATUS, answer(500, failed), answer(200, DONE))
    with pytest.raises(TaskFailed) as caught:
        await make().aconvert(pdf)
    error = caught.value
    assert (error.code, error.task_id, error.points_charged) == ("parse_error", "t1", False)
    assert error.source == str(pdf)
    assert record(tmp_path)["state"] == "failed"
    assert (await make().aconvert(pdf)).points == 4
    first, second = (seen.headers["idempotency-key"] for seen in service.requests(PARSE))
    assert first != second


async def test_an_upload_that_was_certainly_not_paid_is_tried_again(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    not_stored = {"success": False, "error_code": "file_upload_failed", "message": "x"}
    service.on(PARSE, answer(500, not_stored), answer(200, ACCEPTED))
    assert (await make().aconvert(pdf)).points == 4
    assert service.uploads == 2


async def test_an_upload_that_may_have_been_paid_is_never_repeated(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    service.on(PARSE, reset_after_the_body())
    for _ in range(3):
        with pytest.raises(UploadOutcomeUnknown) as caught:
            await make().aconvert(pdf)
        assert (caught.value.cost, caught.value.points_charged) == (4, None)
    assert service.uploads == 1
    assert record(tmp_path)["state"] == "unknown"


@pytest.mark.parametrize("body", [b"<html>ok</html>", b'{"success": true, "task', b""])
async def test_an_accepted_upload_with_an_unreadable_answer_is_never_repeated(
    make: MakeConverter, service: Service, pdf: Path, body: bytes
) -> None:
    service.on(PARSE, answer(200, body=body))
    for _ in range(2):
        with pytest.raises(UploadOutcomeUnknown):
            await make().aconvert(pdf)
    assert service.uploads == 1


async def test_too_few_points_name_what_is_needed_and_what_is_there(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    refused = {
        "success": False,
        "error_code": "insufficient_points",
        "points_required": 4,
        "current_points": 1,
    }
    service.on(PARSE, answer_before_the_body(402, refused))
    with pytest.raises(InsufficientPoints) as caught:
        await make().aconvert(pdf)
    assert (caught.value.required, caught.value.available, service.uploads) == (4, 1, 1)


async def test_a_key_without_points_hands_its_work_to_the_next(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    def by_key(wire: Wire) -> None:
        empty = wire.seen.headers["authorization"].endswith("empty")
        move: Move = (
            answer(402, {"success": False, "error_code": "insufficient_points"})
            if empty
            else answer(200, ACCEPTED)
        )
        move(wire)

    service.on(PARSE, by_key)
    conversion = await make(api_key=["sk-empty", "sk-full"]).aconvert(pdf)
    assert (conversion.points, service.uploads) == (4, 2)


async def test_a_budget_stops_before_the_upload(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    with pytest.raises(BudgetExceeded):
        await make(max_points=3).aconvert(pdf)
    assert service.seen == []


async def test_a_budget_gets_back_what_a_failed_task_returned(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    failed = {"success": False, "status": "failed", "error_code": "parse_error"}
    service.on(STATUS, answer(200, failed), answer(200, DONE))
    converter = make(max_points=4)
    with pytest.raises(TaskFailed):
        await converter.aconvert(pdf)
    assert (await converter.aconvert(pdf)).points == 4


async def test_no_key_is_a_clear_error_before_anything_is_sent(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    with pytest.raises(AuthenticationError, match="ZHIYIPDF_API_KEY"):
        await make(api_key=()).aconvert(pdf)
    assert service.seen == []


async def test_a_task_that_never_ends_is_given_up_and_resumed_by_the_next_run(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    with pytest.raises(ConversionTimeout) as caught:
        await make().aconvert(pdf)
    assert caught.value.task_id == "t1"
    service.on(STATUS, answer(200, DONE))
    conversion = await make().aconvert(pdf)
    assert (service.uploads, conversion.points, conversion.from_store) == (1, 0, True)


async def test_a_paid_task_is_asked_for_with_the_key_that_paid(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    with pytest.raises(ConversionTimeout):
        await make().aconvert(pdf)
    with pytest.raises(AuthenticationError, match="paid with the key"):
        await make(api_key="sk-other").aconvert(pdf)
    service.on(STATUS, answer(200, DONE))
    await make(api_key=["sk-other", KEY]).aconvert(pdf)
    assert service.requests(STATUS)[-1].headers["authorization"] == f"Bearer {KEY}"
    assert service.uploads == 1


async def test_a_new_task_that_is_not_known_yet_has_a_grace(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(STATUS, *[answer(404, {"success": False})] * 3, answer(200, DONE))
    assert (await make().aconvert(pdf)).points == 4


async def test_a_task_that_stays_unknown_has_expired(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    service.on(STATUS, answer(404, {"success": False}))
    with pytest.raises(ResultExpired):
        await make().aconvert(pdf)
    assert record(tmp_path)["state"] == "expired"


async def test_a_result_older_than_a_week_is_paid_for_anew(
    make: MakeConverter, service: Service, pdf: Path, fake_time: FakeTime
) -> None:
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    with pytest.raises(ConversionTimeout):
        await make().aconvert(pdf)
    fake_time.seconds += 8 * 86_400
    service.on(STATUS, answer(200, DONE))
    assert (await make().aconvert(pdf)).points == 4
    assert service.uploads == 2


async def test_a_hostile_archive_is_kept_and_named_and_not_paid_for_again(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    service.on(DOWNLOAD, answer(200, body=archive(**{"../../evil.md": "x"})))
    for _ in range(2):
        with pytest.raises(UnsafeArchive) as caught:
            await make().aconvert(pdf)
        assert caught.value.archive is not None
        assert caught.value.task_id == "t1"
    assert service.uploads == 1
    assert not list(tmp_path.rglob("evil*"))
    assert list((tmp_path / "store" / "results").rglob("*.zip"))


async def test_an_error_in_place_of_a_download_is_read(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(DOWNLOAD, answer(404, {"success": False, "message": "expired"}))
    with pytest.raises(ResultExpired):
        await make().aconvert(pdf)


async def test_a_foreign_download_address_gets_no_key(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    other = ScriptedServer()
    done = {**DONE, "result": {"download_url": f"{other.url}{DOWNLOAD}"}}
    service.on(STATUS, answer(200, done))
    with pytest.raises(Exception, match="not its own"):
        await make().aconvert(pdf)
    assert other.seen == []
    other.close()


async def test_a_damaged_bundle_is_rebuilt_from_the_kept_archive(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    first = await make().aconvert(pdf)
    (text,) = (tmp_path / "store" / "bundles").rglob("original.md")
    text.write_text("tampered")
    second = await make().aconvert(pdf)
    assert second.markdown == first.markdown
    assert (service.uploads, len(service.requests(DOWNLOAD))) == (1, 1)


async def test_a_cancelled_call_leaves_a_paid_task_on_record(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    call = asyncio.create_task(make(clock=Clock()).aconvert(pdf))
    await until(lambda: service.requests(STATUS))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert record(tmp_path)["state"] == "accepted"
    service.on(STATUS, answer(200, DONE))
    await make().aconvert(pdf)
    assert service.uploads == 1


# -- many ------------------------------------------------------------------------------------


async def test_many_sources_come_in_order_and_a_bad_one_stops_nobody(
    make: MakeConverter, pdf: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_text("no")
    missing = tmp_path / "missing.pdf"
    stream = make().aconvert_many([bad, pdf, missing, pdf], ordered=True)
    outcomes = [outcome async for outcome in stream]
    assert [o.source for o in outcomes] == [str(bad), str(pdf), str(missing), str(pdf)]
    assert [type(o.error).__name__ for o in outcomes] == [
        "NotAPDF",
        "NoneType",
        "FileNotFoundError",
        "NoneType",
    ]


async def test_no_more_than_five_tasks_of_a_key_are_in_flight(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    for n in range(9):
        write_pdf(tmp_path / f"{n}.pdf", pages=1, text=f"number {n}")
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    stream = make(clock=Clock(), polling=QUICK).aconvert_many(tmp_path / "*.pdf")
    first = asyncio.ensure_future(anext(stream))
    await until(lambda: service.uploads >= 5 and len(service.requests(STATUS)) >= 10)
    assert service.uploads == 5
    service.on(STATUS, answer(200, DONE))
    await first
    assert len([o async for o in stream]) == 8
    assert service.uploads == 9


async def test_leaving_a_stream_early_cancels_the_rest(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    for n in range(12):
        write_pdf(tmp_path / f"{n:02}.pdf", pages=1, text=f"number {n}")
    before = asyncio.all_tasks()
    stream = make().aconvert_many(tmp_path / "*.pdf", ordered=True)
    async with stream:
        assert (await anext(stream)).conversion is not None
    assert [o async for o in stream] == []
    assert asyncio.all_tasks() == before


def test_the_synchronous_stream_works_too(make: MakeConverter, pdf: Path) -> None:
    outcomes = list(make().convert_many([pdf, pdf]))
    assert sorted(o.conversion.points for o in outcomes if o.conversion) == [0, 4]


async def test_an_estimate_uploads_nothing_and_knows_what_is_stored(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    await make().aconvert(pdf)
    other = tmp_path / "other.pdf"
    write_pdf(other, pages=3, text="other")
    bad = tmp_path / "bad.pdf"
    bad.write_text("no")
    seen = len(service.seen)
    estimate = await make(api_key=()).aestimate([pdf, other, bad])
    assert (estimate.pages, estimate.points, len(service.seen)) == (5, 6, seen)
    assert [s.in_store for s in estimate.sources] == [True, False]
    assert estimate.refused[0][0] == str(bad)
    translated = await make().aestimate(other, ParseOptions(translate_to="de"))
    assert translated.points == 9


async def test_the_balance_of_every_key_is_asked_for(make: MakeConverter, service: Service) -> None:
    service.on(f"{API}/balance", answer(200, {"success": True, "points": 98, "api_key": "sk-"}))
    balance = await make(api_key=["sk-one", "sk-two"]).abalance()
    assert (balance.points, len(balance.by_key)) == (196, 2)


# -- keys ------------------------------------------------------------------------------------


async def test_the_key_is_nowhere_but_in_the_header(
    make: MakeConverter, pdf: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        converter = make()
        conversion = await converter.aconvert(pdf)
    assert KEY not in caplog.text + repr(converter) + repr(conversion) + str(vars(converter))
    assert KEY.encode() not in pickle.dumps(converter) + pickle.dumps(conversion)
    for path in (tmp_path / "store").rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()


def test_a_pickled_converter_takes_its_key_from_the_environment(
    make: MakeConverter, monkeypatch: pytest.MonkeyPatch, pdf: Path
) -> None:
    copy = pickle.loads(pickle.dumps(make(max_points=7)))
    with pytest.raises(AuthenticationError):
        copy.convert(pdf)
    monkeypatch.setenv("ZHIYIPDF_API_KEY", KEY)
    copy = pickle.loads(pickle.dumps(make(max_points=7)))
    assert copy.convert(pdf).points == 4


@pytest.mark.parametrize("key", ["sk-with space", "sk-line\nbreak", "ключ"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(
    make: MakeConverter, key: str
) -> None:
    with pytest.raises(ValueError, match="API key") as caught:
        make(api_key=key)
    assert key not in str(caught.value)


def test_keys_come_from_the_environment_separated_by_commas(
    make: MakeConverter, monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    monkeypatch.setenv("ZHIYIPDF_API_KEY", "sk-one, sk-two,")
    service.on(f"{API}/balance", answer(200, {"success": True, "points": 1}))
    assert len(make(api_key=None).balance().by_key) == 2


# -- several keys, several tasks ---------------------------------------------------------------

REFUSED = {"success": False, "message": "Invalid API key"}
EMPTY = {"success": False, "error_code": "insufficient_points"}
PROCESSING = {"success": True, "status": "processing"}


def many_pdfs(folder: Path, count: int) -> Path:
    for n in range(count):
        write_pdf(folder / f"{n:02}.pdf", pages=1 + n % 4, text=f"number {n}")
    return folder / "*.pdf"


@pytest.mark.parametrize(("status", "payload"), [(401, REFUSED), (402, EMPTY)])
async def test_when_a_key_fails_in_mid_run_its_tasks_finish_and_the_waiting_work_moves(
    make: MakeConverter, service: Service, tmp_path: Path, status: int, payload: object
) -> None:
    accepted: list[str] = []

    def by_key(wire: Wire) -> None:
        key = wire.seen.headers["authorization"].removeprefix("Bearer ")
        if key == "sk-first" and accepted.count(key) >= 2:
            answer(status, payload)(wire)
            return
        accepted.append(key)
        answer(200, ACCEPTED)(wire)

    service.on(PARSE, by_key)
    stream = make(api_key=["sk-first", "sk-second"]).aconvert_many(many_pdfs(tmp_path, 14))
    outcomes = [outcome async for outcome in stream]
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    if status == 402:
        assert failed == []
        assert (accepted.count("sk-first"), accepted.count("sk-second")) == (2, 12)
    else:  # what the refused key has paid can be had with it only: by a later run, unpaid
        assert all(isinstance(error, AuthenticationError) for error in failed)
        assert all(error.task_id == "t1" and error.points_charged for error in failed)
        assert len(failed) <= 2
        assert accepted.count("sk-second") == 12


async def test_a_refused_key_is_not_sent_again_until_there_is_a_new_converter(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(PARSE, answer(401, REFUSED))
    converter = make()
    for _ in range(3):
        with pytest.raises(AuthenticationError):
            await converter.aconvert(pdf)
    with pytest.raises(AuthenticationError):
        await converter.abalance()
    sent = [seen for seen in service.seen if seen.target.startswith(PARSE)]
    assert len(sent) == 1
    assert KEY.encode() not in pickle.dumps(converter)
    service.on(PARSE, answer(200, ACCEPTED))
    assert (await make().aconvert(pdf)).points == 4


async def test_a_poll_that_is_told_to_slow_down_rests_and_the_task_survives(
    make: MakeConverter, service: Service, pdf: Path, fake_time: FakeTime
) -> None:
    busy = {"success": False, "error_code": "rate_limited", "message": "too fast"}
    service.on(STATUS, answer(429, busy, retry_after="40"), answer(200, DONE))
    start = fake_time.seconds
    assert (await make().aconvert(pdf)).points == 4
    assert len(service.requests(STATUS)) == 2
    assert fake_time.seconds - start >= 40


async def test_a_paid_task_survives_an_outage_of_the_service(
    make: MakeConverter, service: Service, pdf: Path, fake_time: FakeTime
) -> None:
    service.on(STATUS, *[answer(502, body=b"<html>")] * 12, answer(200, DONE))
    assert (await make().aconvert(pdf)).points == 4
    # After five failures the circuit is open, so that the rest comes every ten seconds.
    assert sum(nap >= 9.0 for nap in fake_time.naps) >= 5


async def test_the_longest_pdf_starts_first(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    for n in range(12):
        write_pdf(tmp_path / f"{n:02}.pdf", pages=1 + n, text=f"number {n}")
    service.on(STATUS, answer(200, PROCESSING))
    stream = make(clock=Clock(), polling=QUICK).aconvert_many(tmp_path / "*.pdf")
    first = asyncio.ensure_future(anext(stream))
    await until(lambda: service.uploads >= 5 and len(service.requests(STATUS)) >= 10)
    service.on(STATUS, answer(200, DONE))
    await first
    assert len([outcome async for outcome in stream]) == 11
    names = [f'filename="{n:02}.pdf"'.encode() for n in range(12)]
    order = [n for seen in service.requests(PARSE) for n in range(12) if names[n] in seen.body]
    assert sorted(order) == list(range(12))
    assert order[5] == max(order[5:])


async def test_a_result_with_more_variants_serves_those_who_ask_for_fewer(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    files = {"a.md": "x", "a_translated.md": "y", "a_bilingual.md": "z"}
    service.on(DOWNLOAD, answer(200, body=archive(**files)))
    every = ParseOptions(translate_to="en", variants=("original", "translated", "bilingual"))
    await make().aconvert(pdf, every)
    for variant in ("translated", "bilingual"):
        fewer = ParseOptions(translate_to="en", variants=(variant,))  # type: ignore[arg-type]
        assert (await make().aconvert(pdf, fewer)).from_store
    assert service.uploads == 1


async def test_after_a_402_cheaper_pdfs_are_still_converted(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    for name, pages in (("book", 9), ("page", 1), ("sheet", 1)):
        write_pdf(tmp_path / f"{name}.pdf", pages=pages, text=f"{name} {{n}}")

    def pay(wire: Wire) -> None:
        wire.read_body()
        rich = b"book" not in wire.seen.body.partition(b"\r\n\r\n%PDF")[0]
        broke = {"success": False, "error_code": "insufficient_points", "current_points": 5}
        (answer(200, ACCEPTED) if rich else answer(402, broke))(wire)

    service.on(PARSE, pay)
    stream = make().aconvert_many(tmp_path / "*.pdf", ordered=True)
    outcomes = [outcome async for outcome in stream]
    assert [type(o.error).__name__ for o in outcomes] == [
        "InsufficientPoints",
        "NoneType",
        "NoneType",
    ]


async def test_a_running_task_is_finished_without_its_pdf(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(STATUS, answer(200, {"success": True, "status": "processing"}))
    with pytest.raises(ConversionTimeout):
        await make().aconvert(pdf)
    service.on(STATUS, answer(200, DONE))
    content = pdf.read_bytes()
    pdf.unlink()
    (finished,) = await make().aresume()
    assert finished == make().tasks()[0]
    pdf.write_bytes(content)
    assert (await make().aconvert(pdf)).from_store
    assert (await make().aresume(), service.uploads) == ((), 1)


async def test_a_forgotten_record_lets_the_pdf_be_uploaded_again(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    service.on(PARSE, reset_after_the_body(), answer(200, ACCEPTED))
    with pytest.raises(UploadOutcomeUnknown) as caught:
        await make().aconvert(pdf)
    with pytest.raises(KeyError):
        make().forget("not a record")
    assert caught.value.record is not None
    make().forget(caught.value.record[:12])
    assert (await make().aconvert(pdf)).points == 4


@pytest.mark.parametrize("choice", ["retry", lambda _error: True])
async def test_paying_twice_is_the_users_decision_alone(
    make: MakeConverter, service: Service, pdf: Path, choice: object
) -> None:
    service.on(PARSE, reset_after_the_body(), answer(200, ACCEPTED))
    assert (await make(on_ambiguous=choice).aconvert(pdf)).points == 4
    first, second = (seen.headers["idempotency-key"] for seen in service.requests(PARSE))
    assert first == second


async def test_a_damaged_page_does_not_shift_the_numbers_of_the_others(
    make: MakeConverter, service: Service, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "damaged.pdf", pages=3, broken=[2])
    files = {"a.md": "![](images/3-1.png)\n", "images/3-1.png": b"\x89PNG\r\n\x1a\n"}
    service.on(DOWNLOAD, answer(200, body=archive(**files)))
    conversion = await make().aconvert(path)
    assert [page.number for page in conversion.pages] == [1, 3]
    assert [p.page_number for p in conversion.blocks[0].provenance] == [3]


async def test_the_only_good_page_of_two_is_not_called_the_first(
    make: MakeConverter, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "damaged.pdf", pages=2, broken=[1])
    conversion = await make().aconvert(path)
    assert conversion.source.total_pages == 2
    assert all(block.provenance == () for block in conversion.blocks)


@pytest.mark.parametrize("ordered", [True, False])
async def test_the_first_document_does_not_wait_for_the_last_source(
    make: MakeConverter, pdf: Path, ordered: bool
) -> None:
    """A generator of sources may be slow; what it has named already is converted meanwhile."""
    go_on = threading.Event()

    def sources() -> Iterator[Path]:
        yield pdf
        assert go_on.wait(30)
        yield pdf

    async with make().aconvert_many(sources(), ordered=ordered) as stream:
        assert (await anext(stream)).conversion is not None
        go_on.set()
        assert [o.error async for o in stream] == [None]


async def test_an_error_of_the_generator_of_sources_comes_after_what_it_named(
    make: MakeConverter, pdf: Path
) -> None:
    def sources() -> Iterator[Path]:
        yield pdf
        raise ZeroDivisionError

    stream = make().aconvert_many(sources())
    assert (await anext(stream)).conversion is not None
    with pytest.raises(ZeroDivisionError):
        await anext(stream)


async def test_a_call_cancelled_while_it_waits_at_the_gate_pays_nothing(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow_balance(wire: Wire) -> None:
        asked.set()
        go_on.wait(30)
        answer(200, {"success": True, "points": 100})(wire)

    service.on(f"{API}/balance", slow_balance)
    call = asyncio.create_task(make().aconvert(pdf))
    await until(asked.is_set)
    call.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    await until(lambda: not list((tmp_path / "store").rglob("*.lease")))
    assert not any(seen.complete for seen in service.requests(PARSE))
    service.on(f"{API}/balance", answer(200, {"success": True, "points": 100}))
    assert (await make().aconvert(pdf)).points == 4
    assert sum(seen.complete for seen in service.requests(PARSE)) == 1


async def test_a_process_that_slept_through_its_lease_does_not_pay(
    make: MakeConverter, service: Service, pdf: Path, tmp_path: Path
) -> None:
    """Somebody takes over while we stand before the gate: what is paid from then on is theirs."""
    stolen: list[Path] = []

    def balance(wire: Wire) -> None:
        if not stolen:
            stolen.extend((tmp_path / "store").rglob("*.lease"))
            stolen[0].write_text(json.dumps({"token": "theirs", "host": "elsewhere", "pid": 1}))
        answer(200, {"success": True, "points": 100})(wire)

    service.on(f"{API}/balance", balance)
    call = asyncio.create_task(make().aconvert(pdf))
    await until(lambda: stolen and len(service.requests(PARSE)) == 1)
    assert not service.requests(PARSE)[0].complete
    stolen[0].unlink()  # they give it back, having paid nothing
    assert (await call).points == 4
    assert [seen.complete for seen in service.requests(PARSE)] == [False, True]


async def test_an_asynchronous_answer_to_a_doubt_is_waited_for(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    async def no(_error: UploadOutcomeUnknown) -> bool:
        return False

    service.on(PARSE, reset_after_the_body())
    with pytest.raises(UploadOutcomeUnknown):
        await make(on_ambiguous=no).aconvert(pdf)
    assert service.uploads == 1


def test_a_misspelt_choice_about_doubts_is_refused(make: MakeConverter) -> None:
    with pytest.raises(ValueError, match="on_ambiguous"):
        make(on_ambiguous="Retry")


async def test_a_doubt_is_not_forgotten_when_the_repetition_fails(
    make: MakeConverter, service: Service, pdf: Path
) -> None:
    not_stored = {"success": False, "error_code": "parse_file_not_pdf", "message": "x"}
    service.on(PARSE, reset_after_the_body(), answer(400, not_stored))
    with pytest.raises(NotAPDF) as caught:
        await make(on_ambiguous="retry").aconvert(pdf)
    assert caught.value.points_charged is None
    with pytest.raises(UploadOutcomeUnknown):
        await make().aconvert(pdf)


async def test_a_page_of_html_in_place_of_a_status_is_no_expired_result(
    make: MakeConverter, service: Service, pdf: Path, fake_time: FakeTime
) -> None:
    processing = answer(200, {"success": True, "status": "processing"})
    gone = answer(404, body=b"<html>not found</html>")
    service.on(STATUS, *[processing] * 40, gone, answer(200, DONE))
    assert (await make().aconvert(pdf)).points == 4
