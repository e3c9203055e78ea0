from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.doc2x import Doc2X
from support.embedded import Running
from support.scripted_engine import PNG, make_gate, open_gate, scripted_image, scripted_pdf
from zhiyipdf.server.doc2x.settings import Doc2XSettings

Serve = Callable[..., Running]

FIGURE = {"kind": "figure", "box": [10, 20, 60, 70], "picture": "1-1.png"}
TAG = '<img src="images/1-1.png" style="zoom:70%; display: block; margin: 0 auto;" />'


def test_a_pdf_goes_from_preupload_to_pages(serve: Serve) -> None:
    service = Doc2X(serve(points=10))
    _, pages = service.parse(scripted_pdf(pages=3))
    assert [page["page_idx"] for page in pages] == [0, 1, 2]
    assert [page["md"] for page in pages] == [f"Text {n} (markdown)" for n in (1, 2, 3)]
    assert {(page["page_width"], page["page_height"]) for page in pages} == {(200, 200)}
    assert all(page["url"] == "" and page["score"] == 100 for page in pages)
    assert service.remain() == 7


def test_announcing_costs_nothing_and_is_not_found_before_the_bytes_come(serve: Serve) -> None:
    service = Doc2X(serve(points=10))
    uid = service.preupload()["uid"]
    assert service.status(uid)["code"] == "parse_status_not_found"
    assert service.remain() == 10


def test_every_answer_has_a_trace_id(serve: Serve) -> None:
    service = Doc2X(serve())
    good = service.post("/api/v2/parse/preupload")
    bad = service.get("/api/v2/parse/status", uid="nobody")
    assert good.headers["trace-id"] != bad.headers["trace-id"]
    assert all(answer.headers["trace-id"] for answer in (good, bad))


@pytest.mark.parametrize("key", ["sk-wrong", "sk-", "acc-1.99999999999.forged"])
def test_a_bad_key_is_401(serve: Serve, key: str) -> None:
    service = Doc2X(serve())
    service.key = key
    answer = service.post("/api/v2/parse/preupload")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_an_identity_token_is_no_key_anywhere(serve: Serve) -> None:
    service = Doc2X(serve())
    service.key = service.identity()
    assert service.post("/api/v2/parse/preupload").status_code == 401
    assert service.get("/api/v1/limit").status_code == 401
    assert service.get("/api/pdf-to-markdown-proxy/balance").status_code == 401


@pytest.mark.parametrize("body", [b'{"model":"v9"}', b"[]", b"{", b'{"model":3}'])
def test_an_unknown_model_is_a_parameter_error(serve: Serve, body: bytes) -> None:
    answer = Doc2X(serve()).post("/api/v2/parse/preupload", content=body)
    assert (answer.status_code, answer.json()["code"]) == (200, "bad_request")


def test_the_upload_url_wants_no_key_and_is_good_for_one_success(serve: Serve) -> None:
    service = Doc2X(serve())
    url = service.preupload()["url"]
    assert service.put(url, scripted_pdf()).status_code == 200
    again = service.put(url, scripted_pdf())
    assert (again.status_code, again.headers["content-type"]) == (403, "application/xml")


def test_the_upload_url_ends_after_five_minutes(serve: Serve) -> None:
    now = [1000.0]
    service = Doc2X(serve(clock=lambda: now[0]))
    url = service.preupload()["url"]
    now[0] += 300
    assert service.put(url, scripted_pdf()).status_code == 403
    now[0] -= 1
    assert service.put(url, scripted_pdf()).status_code == 200


def test_a_pdf_may_come_with_its_request_the_older_way(serve: Serve) -> None:
    service = Doc2X(serve(points=10, doc2x=Doc2XSettings(v2_direct_bytes=200)))
    answer = service.post("/api/v2/parse/pdf", content=scripted_pdf(pages=2)).json()
    assert service.finish(answer["data"]["uid"])["code"] == "success"
    assert service.remain() == 8
    for content, code in (
        (b"<html>", "parse_file_not_pdf"),
        (scripted_pdf(x="y" * 200), "parse_file_too_large"),
    ):
        assert service.post("/api/v2/parse/pdf", content=content).json()["code"] == code


@pytest.mark.parametrize("change", ["X-Expires=9999999999&", "no signature", "other uid"])
def test_a_url_that_was_changed_opens_nothing(serve: Serve, change: str) -> None:
    service = Doc2X(serve())
    first, second = service.preupload(), service.preupload()
    url = first["url"]
    match change:
        case "no signature":
            url = url.split("&")[0]
        case "other uid":
            url = url.replace(first["uid"], second["uid"])
        case _:
            url = url.replace("X-Expires=", "X-Expires=9")
    assert service.put(url, scripted_pdf()).status_code == 403
    assert service.put(first["url"], scripted_pdf()).status_code == 200


def test_chunks_without_a_length_are_refused_and_may_be_sent_again(serve: Serve) -> None:
    service = Doc2X(serve())
    url = service.preupload()["url"]
    assert service.api.http.put(url, content=iter([scripted_pdf()])).status_code == 411
    assert service.put(url, scripted_pdf()).status_code == 200


def test_a_form_is_taken_as_the_bytes_it_is_unless_the_operator_refuses_it(serve: Serve) -> None:
    lenient = Doc2X(serve())
    answer = lenient.api.http.put(lenient.preupload()["url"], files={"file": scripted_pdf()})
    assert answer.status_code == 200
    strict = Doc2X(serve(doc2x=Doc2XSettings(refuse_multipart=True)))
    answer = strict.api.http.put(strict.preupload()["url"], files={"file": scripted_pdf()})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html>", "parse_file_not_pdf"),
        (scripted_pdf(count_do="invalid"), "parse_file_invalid"),
        (scripted_pdf(pages=2001), "parse_page_limit_exceeded"),
        (scripted_pdf(pages=51), "parse_quota_limit"),
        (scripted_pdf(do="fail"), "parse_error"),
        (scripted_pdf(do="crash"), "parse_error"),
        (scripted_pdf(do="hang"), "parse_timeout"),
    ],
)
def test_a_failure_shows_at_the_status_and_costs_nothing(
    serve: Serve, content: bytes, code: str
) -> None:
    service = Doc2X(serve(points=50, task_timeout_s=2.0))
    answer = service.finish(service.upload(content))
    assert answer["code"] == code
    assert answer["msg"]
    assert "data" not in answer
    assert service.remain() == 50


def test_the_same_broken_file_is_locked_for_a_day_after_three_failures(serve: Serve) -> None:
    now = [1000.0]
    service = Doc2X(serve(points=50, clock=lambda: now[0]))
    unreadable, failing = scripted_pdf(count_do="invalid"), scripted_pdf(do="fail")

    def send(content: bytes) -> str:
        return service.finish(service.upload(content))["code"]

    assert [send(unreadable) for _ in range(4)] == ["parse_file_invalid"] * 3 + ["parse_file_lock"]
    assert [send(failing) for _ in range(4)] == ["parse_error"] * 3 + ["parse_file_lock"]
    assert send(scripted_pdf()) == "success"
    other = Doc2X(service.api, service.api.new_key(5))
    assert other.finish(other.upload(failing))["code"] == "parse_error"
    now[0] += 24 * 3600
    assert send(failing) == "parse_error"
    assert service.remain() == 49


def test_a_pdf_over_the_size_limit_is_refused_by_the_store_and_the_status(serve: Serve) -> None:
    service = Doc2X(serve(doc2x=Doc2XSettings(v2_pdf_bytes=10)))
    announced = service.preupload()
    assert service.put(announced["url"], scripted_pdf()).status_code == 400
    assert service.status(announced["uid"])["code"] == "parse_file_too_large"


def test_somebody_elses_uid_is_not_found(serve: Serve) -> None:
    api = serve()
    uid, _ = Doc2X(api).parse(scripted_pdf())
    other = Doc2X(api, api.new_key(5))
    assert other.status(uid)["code"] == "parse_status_not_found"
    assert other.convert(uid, to="md")["code"] == "parse_status_not_found"


def test_a_uid_of_one_wire_is_unknown_on_the_others(serve: Serve) -> None:
    api = serve()
    service = Doc2X(api)
    uid, _ = service.parse(scripted_pdf())
    assert api.get(f"/status/{uid}").status_code == 404
    assert service.get("/api/v1/async/status", uuid=uid).status_code == 400
    task = api.submit(scripted_pdf())["task_id"]
    assert service.status(task)["code"] == "parse_status_not_found"


def test_too_many_tasks_wait_under_their_own_uid_and_start_by_themselves(
    serve: Serve, tmp_path: Path
) -> None:
    service = Doc2X(serve(points=10, doc2x=Doc2XSettings(tasks_per_key=1)))
    gate = make_gate(tmp_path, "gate")
    first = service.upload(scripted_pdf(gate=str(gate)))
    service.wait(lambda: service.status(first), lambda a: service.remain() == 9)
    second = service.upload(scripted_pdf())
    service.wait(lambda: service.status(second), lambda a: a["code"] == "parse_task_limit_exceeded")
    assert service.remain() == 9
    open_gate(gate)
    assert service.finish(first)["code"] == "success"
    assert service.finish(second)["code"] == "success"
    assert service.remain() == 8


def test_too_many_pages_wait_but_one_long_pdf_alone_does_not(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve(points=100, doc2x=Doc2XSettings(pages_per_key=10)))
    gate = make_gate(tmp_path, "gate")
    long = service.upload(scripted_pdf(pages=20, gate=str(gate)))
    service.wait(lambda: service.status(long), lambda a: service.remain() == 80)
    short = service.upload(scripted_pdf())
    service.wait(lambda: service.status(short), lambda a: a["code"] == "parse_concurrency_limit")
    open_gate(gate)
    assert service.wait(
        lambda: service.status(short), lambda a: a.get("data", {}).get("status") == "success"
    )


def test_results_and_pictures_are_kept_for_24_hours(serve: Serve) -> None:
    now = [1000.0]
    service = Doc2X(serve(clock=lambda: now[0]))
    uid, pages = service.parse(scripted_pdf(markdown=TAG, blocks=[FIGURE], pictures=["1-1.png"]))
    now[0] += 24 * 3600 - 1
    assert service.status(uid)["code"] == "success"
    assert service.api.http.get(pages[0]["url"]).status_code == 200
    now[0] += 1
    assert service.status(uid)["code"] == "parse_status_not_found"
    assert service.api.http.get(pages[0]["url"]).status_code == 404


def test_a_figure_is_a_link_to_a_part_of_the_page_and_the_part_is_served(serve: Serve) -> None:
    service = Doc2X(serve())
    uid, pages = service.parse(scripted_pdf(markdown=TAG, blocks=[FIGURE], pictures=["1-1.png"]))
    link = f"{service.api.base}/cdn/{uid}_0.png"
    source = f"{link}?x=20&y=40&w=100&h=100&r=0"
    assert pages[0]["url"] == link
    assert pages[0]["md"] == f'<!-- Media -->\n\n<img src="{source}"/>\n\n<!-- Media -->'
    picture = service.api.http.get(source)
    assert picture.headers["content-type"] == "image/png"
    assert picture.content == PNG + b'{"page": 1, "box": [10.0, 20.0, 60.0, 70.0], "scale": 2.0}'


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("_0.png", "_1.png"), 404),
        (("x=20", "x=-1"), 400),
        (("w=100", "w=0"), 400),
        (("&h=100", ""), 400),
        (("r=0", "r=90"), 400),
        (("/cdn/", "/cdn/%2e%2e%2f"), 404),
    ],
)
def test_a_picture_that_is_none_is_refused(
    serve: Serve, change: tuple[str, str], status: int
) -> None:
    service = Doc2X(serve())
    uid, _ = service.parse(scripted_pdf(blocks=[FIGURE]))
    url = f"{service.api.base}/cdn/{uid}_0.png?x=20&y=40&w=100&h=100&r=0".replace(*change)
    assert service.api.http.get(url).status_code == status


def test_v3_gives_blocks_with_boxes_in_pixels(serve: Serve) -> None:
    service = Doc2X(serve())
    blocks = [
        {"kind": "title", "box": [0, 0, 50, 10], "text": "Head"},
        {"kind": "table", "box": [0, 10.2, 50.4, 40], "text": "a\tb"},
        FIGURE,
        {"kind": "margin", "box": [-5, 95, 500, 500], "text": "7"},
    ]
    uid, pages = service.parse(scripted_pdf(blocks=blocks), model="v3-2026")
    assert pages[0]["layout"]["blocks"] == [
        _block("b1", "Title", [0, 0, 100, 20], "Head"),
        _block("b2", "Table", [0, 20, 101, 80], "a\tb"),
        {
            **_block("b3", "Figure", [20, 40, 120, 140], ""),
            "src": f"{service.api.base}/cdn/{uid}_0.png?x=20&y=40&w=100&h=100&r=0",
        },
        _block("b4", "Text", [0, 190, 200, 200], "7"),
    ]
    assert "layout" not in service.parse(scripted_pdf(blocks=blocks))[1][0]


def _block(name: str, kind: str, box: list[int], text: str) -> dict[str, Any]:
    return {"id": name, "type": kind, "bbox": box, "parent_id": "", "src": "", "text": text}


def test_an_ampersand_is_written_as_the_service_writes_it(serve: Serve) -> None:
    service = Doc2X(serve())
    uid, _ = service.parse(scripted_pdf())
    service.convert(uid, to="md")
    raw = service.get("/api/v2/convert/parse/result", uid=uid).text
    assert "\\u0026X-Signature=" in raw
    assert "&" not in raw


def test_the_markdown_export_is_named_as_asked_and_costs_nothing(serve: Serve) -> None:
    service = Doc2X(serve(points=5))
    uid, _ = service.parse(
        scripted_pdf(markdown=rf"\(x\) for $5 {TAG}", blocks=[FIGURE], pictures=["1-1.png"])
    )
    plain = _unzip(service.file(uid, to="md"))
    dollar = _unzip(service.file(uid, to="md", formula_mode="dollar", filename="my/paper.pdf"))
    assert list(plain) == ["output.md", "images/1-1.png"]
    assert list(dollar) == ["paper.md", "images/1-1.png"]
    assert plain["output.md"].startswith(b"\\(x\\) for $5")
    assert dollar["paper.md"].startswith(b"$x$ for \\$5")
    assert b"![1-1.png](images/1-1.png)" in plain["output.md"]
    assert service.remain() == 4


def test_v3_names_pictures_after_page_and_place(serve: Serve) -> None:
    service = Doc2X(serve())
    script = scripted_pdf(markdown=TAG, blocks=[FIGURE], pictures=["1-1.png"])
    uid, _ = service.parse(script, model="v3-2026")
    files = _unzip(service.file(uid, to="md"))
    assert list(files) == ["output.md", "images/0_20_40_100_100_0.png"]
    assert b"(images/0_20_40_100_100_0.png)" in files["output.md"]


def test_one_slot_a_uid_a_second_format_takes_it_over(serve: Serve) -> None:
    service = Doc2X(serve())
    uid, _ = service.parse(scripted_pdf())
    first = service.convert(uid, to="md")["data"]["url"]
    assert f"/objects/{uid}/convert_md_normal.zip?" in first
    second = service.convert(uid, to="docx")["data"]["url"]
    assert f"/objects/{uid}/convert_docx_origin.docx?" in second
    assert service.api.http.get(first).status_code == 404
    assert service.api.http.get(second).content.startswith(b"PK")


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "html"},
        {},
        {"to": "md", "formula_mode": "x"},
        {"to": "md", "formula_level": 3},
        {"to": "md", "merge_cross_page_forms": "yes"},
        {"to": "md", "filename": 7},
    ],
)
def test_a_wrong_export_is_a_parameter_error(serve: Serve, fields: dict[str, Any]) -> None:
    service = Doc2X(serve())
    uid, _ = service.parse(scripted_pdf())
    assert service.convert(uid, **fields)["code"] == "bad_request"


def test_an_export_needs_a_finished_parse(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve())
    gate = make_gate(tmp_path, "gate")
    uid = service.upload(scripted_pdf(gate=str(gate)))
    assert service.convert(uid, to="md")["code"] == "bad_request"
    open_gate(gate)
    service.finish(uid)
    assert service.get("/api/v2/convert/parse/result", uid=uid).json()["code"] == "bad_request"


def test_a_download_url_ends_and_cannot_be_made_up(serve: Serve) -> None:
    now = [1000.0]
    service = Doc2X(serve(clock=lambda: now[0]))
    uid, _ = service.parse(scripted_pdf())
    url = service.convert(uid, to="md")["data"]["url"]
    assert service.api.http.get(url.split("?")[0]).status_code == 403
    now[0] += 3600
    assert service.api.http.get(url).status_code == 403


def test_an_image_is_read_while_the_caller_waits(serve: Serve) -> None:
    service = Doc2X(serve(points=5))
    answer = service.post("/api/v2/parse/img/layout", content=scripted_image()).json()
    assert answer["code"] == "success"
    assert answer["data"]["convert_zip"] is None
    assert answer["data"]["result"]["pages"] == [
        {"page_width": 1000, "page_height": 800, "md": "as it is", "score": 97}
    ]
    assert service.remain() == 4


def test_an_image_to_be_read_now_is_refused_unpaid_where_too_many_tasks_live(
    serve: Serve, tmp_path: Path
) -> None:
    service = Doc2X(serve(points=5, doc2x=Doc2XSettings(tasks_per_key=1)))
    gate = make_gate(tmp_path, "gate")
    uid = service.upload(scripted_pdf(gate=str(gate)))
    service.wait(lambda: service.status(uid), lambda _: service.remain() == 4)
    answer = service.post("/api/v2/parse/img/layout", content=scripted_image()).json()
    assert answer["code"] == "parse_task_limit_exceeded"
    open_gate(gate)
    service.finish(uid)
    assert service.remain() == 4


def test_of_two_uploads_at_once_one_is_taken_and_the_other_refused(serve: Serve) -> None:
    service = Doc2X(serve())
    announced = service.preupload()
    bodies = [scripted_pdf(markdown=str(n)) for n in range(6)]
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda body: service.put(announced["url"], body), bodies))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [200, 403, 403, 403, 403, 403]
    answer = service.finish(announced["uid"])
    assert answer["data"]["result"]["pages"][0]["md"] == str(statuses.index(200))


def test_an_image_is_read_in_the_queue(serve: Serve, tmp_path: Path) -> None:
    service = Doc2X(serve())
    gate = make_gate(tmp_path, "gate")
    image = scripted_image(gate=str(gate))
    uid = service.post("/api/v2/async/parse/img/layout", content=image).json()["data"]["uid"]
    ask = lambda: service.get("/api/v2/parse/img/layout/status", uid=uid).json()  # noqa: E731
    assert ask()["data"]["status"] == "processing"
    assert service.status(uid)["code"] == "parse_status_not_found"
    open_gate(gate)
    answer = service.wait(ask, lambda a: a["data"]["status"] == "success")
    assert answer["data"]["convert_zip"] is None
    assert answer["data"]["result"]["pages"][0]["md"] == "as it is"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (scripted_pdf(), "parse_file_not_image"),
        (scripted_image(count_do="invalid"), "parse_file_not_image"),
        (scripted_image(count_do="no_ocr"), "parse_create_task_error"),
        (scripted_image(do="fail"), "parse_error"),
        (PNG + b"x" * 2000, "parse_file_too_large"),
    ],
)
def test_an_image_that_cannot_be_read_costs_nothing(
    serve: Serve, content: bytes, code: str
) -> None:
    service = Doc2X(serve(points=5, doc2x=Doc2XSettings(v2_image_bytes=1000)))
    answer = service.post("/api/v2/parse/img/layout", content=content).json()
    assert answer["code"] == code
    assert service.remain() == 5


def test_too_many_images_in_a_short_time_are_refused(serve: Serve) -> None:
    now = [1000.0]
    limits = Doc2XSettings(images_per_window=2)
    service = Doc2X(serve(doc2x=limits, clock=lambda: now[0]))

    def send() -> str:
        return service.post("/api/v2/parse/img/layout", content=scripted_image()).json()["code"]

    assert [send() for _ in range(3)] == ["success", "success", "request_limit_exceeded"]
    now[0] += 30
    assert send() == "success"


def test_rehearsed_throttles_strike_a_share_of_the_calls_and_change_nothing(serve: Serve) -> None:
    service = Doc2X(serve(doc2x=Doc2XSettings(throttle_share=0.5, throttle_seed=1)))
    answers = [service.post("/api/v2/parse/preupload") for _ in range(40)]
    struck = [answer for answer in answers if answer.status_code == 429]
    assert 10 < len(struck) < 30
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in struck)
    data = next(answer.json()["data"] for answer in answers if answer.status_code == 200)
    service.put(data["url"], scripted_pdf())
    codes = set()
    deadline = time.monotonic() + 30
    while len(codes) < 3 and time.monotonic() < deadline:
        codes.add(service.status(data["uid"])["code"])
    assert codes == {"success", "parse_task_limit_exceeded", "parse_concurrency_limit"}


def _unzip(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
