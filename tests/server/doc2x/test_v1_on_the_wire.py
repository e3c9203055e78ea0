from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from support.chat_endpoint import chat_endpoint
from support.doc2x import Doc2X
from support.embedded import Running
from support.scripted_engine import make_gate, open_gate, scripted_image, scripted_pdf
from zhiyipdf.server.accounts import revoke_key
from zhiyipdf.server.database import open_database
from zhiyipdf.server.doc2x.settings import Doc2XSettings
from zhiyipdf.server.settings import TranslationEndpoint

Serve = Callable[..., Running]

BLOCKS = [
    {"kind": "title", "box": [10, 20, 90, 30], "text": "Test"},
    {"kind": "figure", "box": [0, 40, 50, 50], "picture": "1-2.png"},
    {"kind": "text", "box": [10, 60, 90, 70], "text": "some words"},
]


def _platform(service: Doc2X, pages: int = 1000) -> Doc2X:
    """The same server with an access token in place of the key."""
    identity = Doc2X(service.api, service.identity(pages))
    answer = identity.post("/api/token/refresh").json()
    assert answer["code"] == "success"
    return Doc2X(service.api, answer["data"]["token"])


def test_an_identity_token_is_exchanged_for_one_that_works_under_platform(serve: Serve) -> None:
    service = _platform(Doc2X(serve()), pages=7)
    answer = service.get("/api/platform/limit").json()
    assert answer == {"code": "success", "data": {"remain": 7}}
    uuid = service.submit(scripted_pdf(), space="platform").json()["data"]["uuid"]
    assert service.v1_finish(uuid, space="platform")["status"] == "success"
    assert service.get("/api/platform/limit").json()["data"]["remain"] == 6


@pytest.mark.parametrize("token", ["id-unknown", "sk-unknown", "x"])
def test_what_is_no_identity_token_is_not_exchanged(serve: Serve, token: str) -> None:
    answer = Doc2X(serve(), token).post("/api/token/refresh")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_key_is_not_exchanged(serve: Serve) -> None:
    assert Doc2X(serve()).post("/api/token/refresh").status_code == 401


def test_each_kind_of_credential_has_its_own_namespace(serve: Serve) -> None:
    key = Doc2X(serve())
    token = _platform(key)
    assert key.get("/api/platform/limit").status_code == 401
    assert token.get("/api/v1/limit").status_code == 401


def test_an_access_token_ends_with_its_time_and_with_its_identity(serve: Serve) -> None:
    now = [1000.0]
    first = _platform(Doc2X(serve(clock=lambda: now[0])))
    assert first.get("/api/platform/limit").status_code == 200
    now[0] += 24 * 3600
    assert first.get("/api/platform/limit").status_code == 401
    identity = first.identity()
    token = Doc2X(first.api, identity).post("/api/token/refresh").json()["data"]["token"]
    with open_database(first.api.settings.folder) as database:
        revoke_key(database, identity)
    assert Doc2X(first.api, token).get("/api/platform/limit").status_code == 401


def test_a_pdf_is_ready_then_processing_then_success(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve(points=10, in_process_per_key=1))
    gates = [make_gate(tmp_path, f"gate{n}") for n in range(2)]
    uuids = [
        service.submit(scripted_pdf(pages=2, gate=str(gate), gate_page=2)).json()["data"]["uuid"]
        for gate in gates
    ]
    service.wait(lambda: service.v1_status(uuids[0]), lambda data: data.get("progress") == 49)
    assert service.v1_status(uuids[1]) == {"status": "ready"}
    for gate in gates:
        open_gate(gate)
    done = service.v1_finish(uuids[0])
    assert (done["status"], done["progress"]) == ("success", 100)
    assert done["result"]["pages"][1] == {
        "page_idx": 1,
        "page_width": 200,
        "page_height": 200,
        "url": "",
        "md": "Text 2 (markdown)",
    }
    service.v1_finish(uuids[1])


def test_pages_are_taken_at_the_start_and_come_back_on_failure(serve: Serve) -> None:
    service = Doc2X(serve(points=10))
    uuid = service.submit(scripted_pdf(pages=4, do="fail")).json()["data"]["uuid"]
    assert service.v1_finish(uuid) == {"status": "failed"}
    assert service.remain() == 10


@pytest.mark.parametrize("pages", [11, 2001])
def test_too_few_pages_left_or_too_many_in_the_file_show_at_the_status(
    serve: Serve, pages: int
) -> None:
    service = Doc2X(serve(points=10))
    uuid = service.submit(scripted_pdf(pages=pages)).json()["data"]["uuid"]
    assert service.v1_finish(uuid) == {"status": "pages limit exceeded"}
    assert service.remain() == 10


def test_too_many_live_tasks_are_refused_without_data(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve(points=10, doc2x=Doc2XSettings(tasks_per_key=1)))
    gate = make_gate(tmp_path, "gate")
    uuid = service.submit(scripted_pdf(gate=str(gate))).json()["data"]["uuid"]
    service.wait(lambda: service.v1_status(uuid), lambda _: service.remain() == 9)
    answer = service.submit(scripted_pdf())
    assert answer.status_code == 200
    assert answer.json()["code"] == "parse_task_limit_exceeded"
    assert "data" not in answer.json()
    open_gate(gate)
    service.v1_finish(uuid)


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        (b"<html>", {}, "invalid request"),
        (scripted_pdf(count_do="invalid"), {}, "bad_request"),
        (scripted_pdf(), {"ocr": "perhaps"}, "bad_request"),
        (scripted_pdf(), {"parse_to": "3"}, "bad_request"),
        (scripted_pdf(), {"parse_to": "2", "lang": "xx"}, "bad_request"),
        (scripted_pdf(), {"parse_to": "2", "model": "other"}, "bad_request"),
        (scripted_pdf(), {"parse_to": "2"}, "bad_request"),
        (scripted_pdf(x="y" * 2000), {}, "bad_request"),
    ],
)
def test_a_bad_upload_is_400_and_leaves_nothing(
    serve: Serve, content: bytes, fields: dict[str, str], code: str
) -> None:
    service = Doc2X(serve(points=10, doc2x=Doc2XSettings(v1_pdf_bytes=1000)))
    answer = service.submit(content, **fields)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["msg"]
    assert service.remain() == 10
    assert list(service.api.settings.folder.glob("tasks/*")) == []


def test_the_same_broken_file_is_locked_after_three_failures(serve: Serve) -> None:
    service = Doc2X(serve())
    broken = scripted_image(count_do="invalid")
    details = [service.submit_image(broken).json()["detail"] for _ in range(4)]
    assert details[3] == "img locked"
    assert "img locked" not in details[:3]
    failing = scripted_pdf(do="fail")
    for _ in range(3):
        service.v1_finish(service.submit(failing).json()["data"]["uuid"])
    assert service.submit(failing).json()["detail"] == "img locked"


def test_a_form_without_a_file_is_bad_params(serve: Serve) -> None:
    answer = Doc2X(serve()).post("/api/v1/async/pdf", data={"ocr": "1"}, files={"x": b"y"})
    assert answer.status_code == 400
    assert answer.json() == {"code": "invalid request", "msg": "bad params"}


def test_an_image_has_one_page_without_an_index(serve: Serve) -> None:
    service = Doc2X(serve(points=5))
    uuid = service.submit_image(scripted_image(), img_correction="1").json()["data"]["uuid"]
    done = service.v1_finish(uuid)
    assert done["result"]["pages"] == [
        {"page_width": 1000, "page_height": 800, "url": "", "md": "straightened"}
    ]
    assert service.remain() == 4


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        (scripted_pdf(), {}),
        (scripted_image(), {"equation": "1"}),
        (scripted_image(count_do="no_ocr"), {}),
        (scripted_image(count_do="invalid"), {}),
    ],
)
def test_an_image_that_cannot_be_read_is_400(
    serve: Serve, content: bytes, fields: dict[str, str]
) -> None:
    service = Doc2X(serve(points=5))
    assert service.submit_image(content, **fields).status_code == 400
    assert service.remain() == 5


def test_a_translation_is_a_list_in_a_string(serve: Serve) -> None:
    with chat_endpoint() as endpoint:
        translation = TranslationEndpoint(base_url=endpoint.base_url, model="any")
        service = _platform(Doc2X(serve(translation=translation)))
        script = scripted_pdf(blocks=BLOCKS, markdown="# Test\n\nsome words")
        uuid = service.submit(script, space="platform", parse_to="2", lang="pt", model="glm4")
        uuid = uuid.json()["data"]["uuid"]
        done = service.v1_finish(uuid, space="platform", parse_to="2")
        plain = service.v1_status(uuid, space="platform")
    assert done["status"] == "translate_success"
    assert json.loads(done["result"]) == [
        _item("## Test", "## TEST", 20, 40),
        _item("some words", "SOME WORDS", 20, 120),
    ]
    assert "Portuguese" in endpoint.requests[0]["messages"][0]["content"]
    assert plain["status"] == "success"
    assert plain["result"]["pages"][0]["md"] == "# Test\n\nsome words"


def _item(raw: str, translated: str, x: int, y: int) -> dict[str, object]:
    return {
        "raw": raw,
        "translated": translated,
        "page_idx": 0,
        "page_width": 200,
        "page_height": 200,
        "x": x,
        "y": y,
    }


def test_a_translation_that_fails_is_failed_and_returned(serve: Serve) -> None:
    translation = TranslationEndpoint(base_url="http://127.0.0.1:9", model="any")
    service = Doc2X(serve(points=5, translation=translation))
    uuid = service.submit(scripted_pdf(blocks=BLOCKS), parse_to="2").json()["data"]["uuid"]
    assert service.v1_finish(uuid, parse_to="2")["status"] == "failed"
    assert service.remain() == 5


@pytest.mark.parametrize(
    ("to", "entries"),
    [
        ("md", ["output.md"]),
        ("md_dollar", ["output.md"]),
        ("latex", ["output.tex"]),
        ("docx", None),
    ],
)
def test_an_export_is_the_file_itself(serve: Serve, to: str, entries: list[str] | None) -> None:
    service = Doc2X(serve())
    uuid = service.submit(scripted_pdf(markdown=r"\(x\)")).json()["data"]["uuid"]
    service.v1_finish(uuid)
    answer = service.get("/api/export", request_id=uuid, to=to)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        if entries is None:
            assert "[Content_Types].xml" in archive.namelist()
        else:
            assert archive.namelist() == entries
            assert (b"$x$" in archive.read(entries[0])) == (to == "md_dollar")


def test_an_export_of_what_is_not_there_is_400(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve())
    gate = make_gate(tmp_path, "gate")
    uuid = service.submit(scripted_pdf(gate=str(gate))).json()["data"]["uuid"]
    assert service.get("/api/export", request_id=uuid, to="md").status_code == 400
    assert service.get("/api/export", request_id="nobody", to="md").status_code == 400
    open_gate(gate)
    service.v1_finish(uuid)
    assert service.get("/api/export", request_id=uuid, to="pdf").status_code == 400
    other = Doc2X(service.api, service.api.new_key(5))
    assert other.get("/api/export", request_id=uuid, to="md").status_code == 400
