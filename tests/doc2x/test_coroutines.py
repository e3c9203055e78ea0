"""The page of asynchronous requests, top to bottom: return values, exceptions, retries."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_time import FakeTime
from support.fault_service import parse_form
from support.scripted_server import Move, ScriptedServer, answer, reset_after_the_body
from zhiyipdf import doc2x
from zhiyipdf.doc2x import (
    FileError,
    KeyRefused,
    RateLimit,
    RequestError,
    StatusError,
    get_limit,
    refresh_key,
    upload_img,
    upload_pdf,
    uuid2file,
    uuid_status,
)
from zhiyipdf.doc2x import session as sessions
from zhiyipdf.doc2x.session import V1Session
from zhiyipdf.errors import ServiceUnavailable, ZhiyiPDFError

ACCESS = "acc-9f8e7d6c5b4a"
SK = "sk-0a1b2c3d4e5f"
UUID = "655947fa-277c-4f05-8edc-b92f0eca3a63"
NAMED = {"code": "success", "data": {"uuid": UUID}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    monkeypatch.setenv("DOC2X_BASE_URL", server.url)
    yield server
    server.close()


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Waits that are noted and not waited for."""
    time = FakeTime()
    monkeypatch.setattr(sessions, "Clock", time.clock)
    return time


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    path = tmp_path / "paper.pdf"
    path.write_bytes(b"%PDF-1.7 of a test")
    return str(path)


@pytest.fixture
def png(tmp_path: Path) -> str:
    path = tmp_path / "formula.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n of a test")
    return str(path)


def status(**data: object) -> Move:
    return answer(200, {"code": "success", "data": data})


# -- the documented signatures ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (refresh_key, {"key": ...}),
        (
            upload_pdf,
            {
                "apikey": ...,
                "pdffile": ...,
                "ocr": True,
                "translate": False,
                "language": "zh",
                "model": "deepseek",
            },
        ),
        (
            upload_img,
            {"apikey": ..., "imgfile": ..., "formula": False, "img_correction": False},
        ),
        (uuid_status, {"apikey": ..., "uuid": ..., "convert": False, "translate": False}),
        (
            uuid2file,
            {"apikey": ..., "uuid": ..., "output_format": ..., "output_path": "./Output"},
        ),
        (get_limit, {"apikey": ...}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_names_parameters_and_defaults_are_those_of_the_page(
    function: Any, parameters: dict[str, object]
) -> None:
    found = inspect.signature(function).parameters
    defaults = {n: ... if p.default is p.empty else p.default for n, p in found.items()}
    assert defaults == parameters
    assert list(found) == list(parameters)
    assert inspect.iscoroutinefunction(function)


# -- refresh_key -----------------------------------------------------------------------------------


async def test_an_identity_token_is_exchanged_for_an_access_token(server: ScriptedServer) -> None:
    server.on("/api/token/refresh", answer(200, {"code": "success", "data": {"token": ACCESS}}))
    assert await refresh_key("identity") == ACCESS
    (seen,) = server.seen
    assert (seen.method, seen.headers["authorization"], seen.body) == (
        "POST",
        "Bearer identity",
        b"",
    )


async def test_a_key_that_begins_with_sk_is_used_as_it_is(server: ScriptedServer) -> None:
    assert await refresh_key(SK) == SK
    assert server.seen == []


@pytest.mark.parametrize(
    "refusal",
    [answer(401, {"code": "unauthorized", "msg": "no"}), answer(200, {"code": "token error"})],
    ids=["401", "another code"],
)
async def test_a_key_that_cannot_be_validated_is_an_exception(
    server: ScriptedServer, refusal: Move
) -> None:
    server.on("/api/token/refresh", refusal)
    with pytest.raises(KeyRefused):
        await refresh_key("identity")


# -- get_limit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "namespace"), [(ACCESS, "platform"), (SK, "v1")])
async def test_the_kind_of_key_decides_where_the_limit_is_asked_for(
    server: ScriptedServer, key: str, namespace: str
) -> None:
    server.on(f"/api/{namespace}/limit", answer(200, {"code": "success", "data": {"remain": 998}}))
    assert await get_limit(key) == 998


async def test_a_limit_with_an_invalid_key_is_a_runtime_error(server: ScriptedServer) -> None:
    server.on("/api/v1/limit", answer(401, {"code": "unauthorized"}))
    with pytest.raises(RuntimeError):
        await get_limit(SK)


# -- upload_pdf and upload_img ---------------------------------------------------------------------


async def test_a_pdf_is_uploaded_as_a_form_and_named(server: ScriptedServer, pdf: str) -> None:
    server.on("/api/platform/async/pdf", answer(200, NAMED))
    assert await upload_pdf(ACCESS, pdf) == UUID
    (seen,) = server.seen
    assert parse_form(seen) == {
        "ocr": b"1",
        "parse_to": b"1",
        "file": Path(pdf).read_bytes(),
    }
    assert b'filename="paper.pdf"' in seen.body
    assert b"Content-Type: application/pdf" in seen.body


async def test_language_and_model_are_sent_with_a_translation_alone(
    server: ScriptedServer, pdf: str
) -> None:
    server.on("/api/platform/async/pdf", answer(200, NAMED))
    await upload_pdf(ACCESS, pdf, False, True, "ja", "glm4")
    form = parse_form(server.seen[0])
    form.pop("file")
    assert form == {"ocr": b"0", "parse_to": b"2", "lang": b"ja", "model": b"glm4"}


async def test_a_picture_is_uploaded_with_its_own_options(server: ScriptedServer, png: str) -> None:
    server.on("/api/v1/async/img", answer(200, NAMED))
    assert await upload_img(SK, png, formula=True) == UUID
    form = parse_form(server.seen[0])
    assert form == {"equation": b"1", "img_correction": b"0", "file": Path(png).read_bytes()}
    assert b"Content-Type: image/png" in server.seen[0].body


@pytest.mark.parametrize(
    ("upload", "limit"), [(upload_pdf, 100 * 1024 * 1024), (upload_img, 10 * 1024 * 1024)]
)
async def test_a_file_that_is_too_large_is_a_file_error_and_not_sent(
    server: ScriptedServer, tmp_path: Path, upload: Any, limit: int
) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(limit + 1)
    with pytest.raises(FileError, match="too large"):
        await upload(SK, str(path))
    assert server.seen == []


@pytest.mark.parametrize("upload", [upload_pdf, upload_img])
async def test_a_file_that_cannot_be_opened_is_a_file_error(
    server: ScriptedServer, tmp_path: Path, upload: Any
) -> None:
    with pytest.raises(FileError, match="cannot open"):
        await upload(SK, str(tmp_path / "nothing.pdf"))
    assert server.seen == []


@pytest.mark.parametrize(
    "refusal",
    [answer(429, {"code": "too many"}), answer(200, {"code": "parse_task_limit_exceeded"})],
    ids=["429", "200 with the throttle code"],
)
async def test_too_many_tasks_are_a_rate_limit_that_is_not_retried(
    server: ScriptedServer, pdf: str, refusal: Move, time: FakeTime
) -> None:
    server.on("/api/v1/async/pdf", refusal)
    with pytest.raises(RateLimit):
        await upload_pdf(SK, pdf)
    assert (len(server.seen), time.naps) == (1, [])


async def test_a_bad_file_is_a_request_error_that_is_not_retried(
    server: ScriptedServer, png: str
) -> None:
    locked = {"code": "bad_request", "msg": "no", "detail": "img locked"}
    server.on("/api/v1/async/img", answer(400, locked))
    with pytest.raises(RequestError, match="img locked"):
        await upload_img(SK, png)
    assert len(server.seen) == 1


# -- retries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [
        answer(500, {"code": "service unavailable", "msg": "read file error"}),
        answer(200, {"code": "success", "data": {}}),
        reset_after_the_body(),
    ],
    ids=["500", "no uuid", "reset"],
)
async def test_a_failed_call_is_tried_again_twice_after_1_and_2_seconds(
    server: ScriptedServer, pdf: str, failure: Move, time: FakeTime
) -> None:
    server.on("/api/v1/async/pdf", failure, failure, answer(200, NAMED))
    assert await upload_pdf(SK, pdf) == UUID
    assert time.naps == [1.0, 2.0]


async def test_after_three_attempts_the_failure_is_raised(
    server: ScriptedServer, pdf: str, time: FakeTime
) -> None:
    server.on("/api/v1/async/pdf", answer(502, {}))
    with pytest.raises(ServiceUnavailable):
        await upload_pdf(SK, pdf)
    assert (len(server.seen), time.naps) == (3, [1.0, 2.0])


# -- uuid_status -----------------------------------------------------------------------------------

PAGES = {
    "pages": [
        {"page_idx": 1, "page_width": 2334, "page_height": 1313, "url": "", "md": "second"},
        {"page_idx": 0, "page_width": 2334, "page_height": 1313, "url": "", "md": "\\(x\\) is"},
        {"page_idx": 2},
    ]
}
TRANSLATION = (
    '[{"raw":"## Test","translated":"## 测试","page_idx":0,"page_width":2040,"page_height":1148,'
    '"x":867,"y":418},{"raw":"no place"}]'
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"status": "ready"}, (0, "Waiting for processing", [])),
        ({"status": "processing", "progress": 6}, (6, "Processing file", [])),
        ({"status": "processing", "progress": "50"}, (50, "Processing file", [])),
        ({"status": "success", "result": PAGES}, (100, "Success", ["\\(x\\) is", "second", ""])),
        ({"status": "success"}, (100, "Success", [])),
        ({"status": "translate_processing", "progress": 3}, (3, "Translating file", [])),
        (
            {"status": "translate_success", "result": TRANSLATION},
            (100, "Translate success", ["## 测试"]),
        ),
    ],
    ids=lambda value: value.get("status", "") if isinstance(value, dict) else "",
)
async def test_a_status_is_progress_words_and_texts(
    server: ScriptedServer, data: dict[str, object], expected: tuple[int, str, list[str]]
) -> None:
    server.on("/api/v1/async/status", status(**data))
    assert await uuid_status(SK, UUID) == expected
    assert server.seen[0].target == f"/api/v1/async/status?uuid={UUID}"


async def test_formulas_get_dollars_if_asked_for(server: ScriptedServer) -> None:
    server.on("/api/v1/async/status", status(status="success", result=PAGES))
    assert (await uuid_status(SK, UUID, convert=True))[2][0] == "$x$ is"


async def test_a_translation_is_asked_for_with_parse_to(server: ScriptedServer) -> None:
    server.on("/api/platform/async/status", status(status="ready"))
    await uuid_status(ACCESS, UUID, translate=True)
    assert server.seen[0].target.endswith(f"?uuid={UUID}&parse_to=2")


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("pages limit exceeded", "Page limit exceeded"),
        ("unheard of", "unknown state"),
        ("failed", "could not parse"),
    ],
)
async def test_a_task_that_ends_badly_is_a_runtime_error_at_once(
    server: ScriptedServer, named: str, words: str, time: FakeTime
) -> None:
    server.on("/api/v1/async/status", status(status=named))
    with pytest.raises(RuntimeError, match=words) as caught:
        await uuid_status(SK, UUID)
    assert isinstance(caught.value, StatusError)
    assert time.naps == []


async def test_a_state_that_cannot_be_had_is_an_exception(server: ScriptedServer) -> None:
    server.on("/api/v1/async/status", answer(503, {"code": "down"}))
    with pytest.raises(ZhiyiPDFError):
        await uuid_status(SK, UUID)
    assert len(server.seen) == 3


# -- uuid2file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output_format", "suffix"),
    [("md", "zip"), ("md_dollar", "zip"), ("latex", "zip"), ("docx", "docx")],
)
async def test_a_file_is_saved_under_its_uuid(
    server: ScriptedServer, tmp_path: Path, output_format: Any, suffix: str
) -> None:
    server.on("/api/export", answer(200, body=b"PK\x03\x04 of a test"))
    path = await uuid2file(ACCESS, UUID, output_format, str(tmp_path / "out"))
    assert path == str(tmp_path / "out" / f"{UUID}.{suffix}")
    assert Path(path).read_bytes() == b"PK\x03\x04 of a test"
    assert server.seen[0].target == f"/api/export?request_id={UUID}&to={output_format}"


async def test_an_output_path_that_is_a_file_is_refused(
    server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="Input path is not a directory"):
        await uuid2file(SK, UUID, "md", str(tmp_path / "file"))
    assert server.seen == []


async def test_a_throttled_export_is_a_rate_limit(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("/api/export", answer(429, {}))
    with pytest.raises(RateLimit):
        await uuid2file(SK, UUID, "docx", str(tmp_path))


@pytest.mark.parametrize("status_code", [200, 500])
async def test_a_download_that_fails_leaves_no_file_behind(
    server: ScriptedServer, tmp_path: Path, status_code: int
) -> None:
    server.on("/api/export", answer(status_code, {"code": "error", "msg": "no"}))
    with pytest.raises(ZhiyiPDFError):
        await uuid2file(SK, UUID, "md", str(tmp_path / "out"))
    assert list((tmp_path / "out").iterdir()) == []
    assert len(server.seen) == 3


async def test_a_uuid_cannot_lead_out_of_the_folder(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("/api/export", answer(200, body=b"PK\x03\x04"))
    path = await uuid2file(SK, "../../etc/x", "md", str(tmp_path))
    assert Path(path).parent == tmp_path
    assert server.seen[0].target == "/api/export?request_id=..%2F..%2Fetc%2Fx&to=md"


# -- keys and addresses ----------------------------------------------------------------------------


async def test_no_log_and_no_error_shows_the_key(
    server: ScriptedServer, pdf: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.on("/api/v1/async/pdf", answer(401, {"code": "unauthorized"}))
    with pytest.raises(KeyRefused) as caught:
        await upload_pdf(SK, pdf)
    shown = traceback.TracebackException.from_exception(caught.value)
    assert SK not in "".join(shown.format()) + caplog.text + repr(vars(V1Session(SK)))


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/", "/api/v2"])
async def test_the_address_may_be_written_with_or_without_the_apis_path(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setenv("DOC2X_BASE_URL", server.url + suffix)
    server.on("/api/v1/limit", answer(200, {"data": {"remain": 1}}))
    assert await get_limit(SK) == 1


def test_the_exceptions_of_the_page_are_exported() -> None:
    assert issubclass(doc2x.FileError, Exception)
    assert issubclass(doc2x.RateLimit, Exception)
    assert issubclass(doc2x.RequestError, Exception)
