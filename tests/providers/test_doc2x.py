"""A PDF through Doc2X, from the file to blocks with exact pages; what goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.doc2x_service import (
    Doc2XService,
    coded,
    lost,
    reset,
    says,
    stored_then,
)
from support.fake_time import FakeTime
from support.pdfs import write_pdf
from zhiyipdf import Conversion, Converter
from zhiyipdf.errors import (
    AuthenticationError,
    InsufficientPoints,
    ServiceError,
    TaskFailed,
    TooManyPages,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.models import Doc2XOptions, ParseOptions

KEY = "sk-0a1b2c3d4e5f60718293a4b5"


@pytest.fixture
def service() -> Iterator[Doc2XService]:
    service = Doc2XService()
    yield service
    service.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "paper.pdf", pages=3, text="page {n}")


def converter(service: Doc2XService, tmp_path: Path, time: FakeTime, **options: Any) -> Converter:
    defaults: dict[str, Any] = {
        "provider": "doc2x",
        "api_key": KEY,
        "base_url": service.url,
        "store": tmp_path / "store",
        "clock": time.clock(),
    }
    return Converter(**{**defaults, **options})


@pytest.fixture
def convert(service: Doc2XService, tmp_path: Path, time: FakeTime, pdf: Path) -> Any:
    def convert(wanted: ParseOptions | None = None, **options: Any) -> Conversion:
        return converter(service, tmp_path, time, **options).convert(pdf, wanted)

    return convert


# -- the whole way ---------------------------------------------------------------------------------


def test_a_pdf_becomes_text_with_exact_pages(convert: Any, service: Doc2XService) -> None:
    conversion = convert()
    pages = [
        (block.kind, [(p.page_number, p.source, p.score) for p in block.provenance])
        for block in conversion.blocks
    ]
    assert pages == [
        ("heading", [(1, "exact", 1.0)]),
        ("paragraph", [(1, "exact", 1.0)]),
        ("image", [(1, "exact", 1.0)]),
        ("heading", [(2, "exact", 1.0)]),
        ("paragraph", [(2, "exact", 1.0)]),
        ("heading", [(3, "exact", 1.0)]),
        ("paragraph", [(3, "exact", 1.0)]),
    ]
    assert conversion.points == 3
    assert "".join(block.text for block in conversion.blocks) == conversion.markdown["original"]


def test_the_file_goes_to_the_signed_url_as_it_is_and_without_the_key(
    convert: Any, service: Doc2XService, pdf: Path
) -> None:
    convert()
    (put,) = service.of("put")
    assert put.body == pdf.read_bytes()
    assert "authorization" not in put.headers
    assert "transfer-encoding" not in put.headers
    assert put.headers["content-length"] == str(pdf.stat().st_size)


def test_pictures_are_kept_and_the_text_shows_them(
    convert: Any, service: Doc2XService, tmp_path: Path
) -> None:
    conversion = convert()
    (asset,) = conversion.assets
    assert asset.name == "images/1-1.png"
    assert '<img src="images/1-1.png"/>' in conversion.markdown["original"]
    (picture,) = service.of("picture")
    assert "authorization" not in picture.headers
    assert picture.target.endswith("?x=1&y=2&w=3&h=4&r=0")


def test_the_same_pdf_is_not_paid_for_twice(convert: Any, service: Doc2XService) -> None:
    first, second = convert(), convert(Doc2XOptions(formula_style="bracket", comments="all"))
    assert (second.points, second.from_store) == (0, True)
    assert len(service.of("preupload")) == 1
    assert "$x_0$" in first.markdown["original"]
    assert "\\(x_0\\)" in second.markdown["original"]
    assert all(block.provenance[0].source == "exact" for block in second.blocks)


def test_another_model_is_another_result(convert: Any, service: Doc2XService) -> None:
    convert()
    convert(Doc2XOptions(model="v3-2026"))
    models = [json.loads(seen.body)["model"] for seen in service.of("preupload")]
    assert models == ["v2", "v3-2026"]


def test_layout_blocks_become_boxes_in_points(convert: Any, service: Doc2XService) -> None:
    block = {"id": "b1", "type": "Title", "bbox": [170, 220, 850, 440], "text": "Two words"}
    service.pages = [
        {
            "page_idx": number,
            "page_width": 1700,
            "page_height": 2200,
            "md": "# Two words\n\nNo box here.",
            "layout": {"blocks": [block]},
        }
        for number in (2, 0, 1)
    ]
    conversion = convert(Doc2XOptions(model="v3-2026"))
    headings = [block for block in conversion.blocks if block.kind == "heading"]
    assert [h.provenance[0].page_number for h in headings] == [1, 2, 3]
    box = headings[0].provenance[0].bbox
    assert box is not None
    width, height = 595.0, 842.0  # of the PDF's pages, in points
    assert box == pytest.approx((0.1 * width, 0.1 * height, 0.5 * width, 0.2 * height))
    paragraphs = [block for block in conversion.blocks if block.kind == "paragraph"]
    assert [p.provenance[0].bbox for p in paragraphs] == [None, None, None]


def test_pages_keep_their_numbers_when_only_some_are_sent(
    convert: Any, service: Doc2XService
) -> None:
    conversion = convert(Doc2XOptions(pages="2-3"))
    assert {b.provenance[0].page_number for b in conversion.blocks} == {2, 3}
    assert conversion.points == 2


def test_options_of_the_other_service_are_refused_before_anything_is_sent(
    convert: Any, service: Doc2XService
) -> None:
    with pytest.raises(ValueError, match="translation"):
        convert(ParseOptions(translate_to="en"))
    with pytest.raises(ValueError, match="table_mode"):
        convert(ParseOptions(table_mode="image"))
    assert service.seen == []


def test_a_balance_cannot_be_told(service: Doc2XService, tmp_path: Path, time: FakeTime) -> None:
    with pytest.raises(ServiceError, match="does not tell"):
        converter(service, tmp_path, time).balance()


def test_the_key_and_the_address_come_from_the_environment(
    service: Doc2XService, tmp_path: Path, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOC2X_API_KEY", KEY)
    monkeypatch.setenv("DOC2X_BASE_URL", f"{service.url}/api/v2")
    conversion = Converter(provider="doc2x", store=tmp_path / "store").convert(pdf)
    assert conversion.points == 3
    monkeypatch.delenv("DOC2X_API_KEY")
    without = Converter(provider="doc2x", store=False)
    with pytest.raises(AuthenticationError, match="DOC2X_API_KEY"):
        without.convert(pdf)


# -- waiting ---------------------------------------------------------------------------------------


def test_a_throttled_task_is_waited_for_and_not_uploaded_again(
    convert: Any, service: Doc2XService
) -> None:
    service.throttled = 20
    assert convert().points == 3
    assert (len(service.of("preupload")), len(service.of("put"))) == (1, 1)


def test_a_task_that_is_throttled_for_half_an_hour_is_sent_once_more(
    convert: Any, service: Doc2XService, time: FakeTime
) -> None:
    service.throttled = 1_000_000
    with pytest.raises(TaskFailed) as caught:
        convert()
    assert caught.value.code == "parse_concurrency_limit"
    assert caught.value.retryable
    assert len(service.of("put")) == 2
    assert sum(time.naps) > 3600


def test_a_throttled_preupload_waits_and_tries_again(convert: Any, service: Doc2XService) -> None:
    service.queue("preupload", coded("parse_task_limit_exceeded"), says(429, {"code": "busy"}))
    assert convert().points == 3
    assert (len(service.of("preupload")), len(service.of("put"))) == (3, 1)


def test_a_task_that_is_not_known_yet_is_waited_for(convert: Any, service: Doc2XService) -> None:
    service.unseen = 3
    assert convert().points == 3
    assert len(service.of("put")) == 1


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["parse_error", "parse_create_task_error"])
def test_a_task_that_failed_and_cost_nothing_is_sent_once_more(
    convert: Any, service: Doc2XService, code: str
) -> None:
    service.code = code
    with pytest.raises(TaskFailed) as caught:
        convert()
    assert caught.value.code == code
    assert len(service.of("put")) == 2


@pytest.mark.parametrize("code", ["parse_file_invalid", "parse_file_lock", "parse_quota_limit"])
def test_a_task_that_failed_for_good_is_not_sent_again(
    convert: Any, service: Doc2XService, code: str
) -> None:
    service.code = code
    with pytest.raises(ZhiyiPDFError, match="trace-4711") as caught:
        convert()
    assert len(service.of("put")) == 1
    assert not caught.value.retryable
    assert isinstance(caught.value, InsufficientPoints) == (code == "parse_quota_limit")
    assert caught.value.points_charged is False


def test_a_part_that_takes_too_long_is_cut_in_two(convert: Any, service: Doc2XService) -> None:
    service.code = "parse_timeout"
    with pytest.raises(TaskFailed):
        convert()
    assert len(service.of("put")) > 2


def test_a_refusal_of_the_preupload_costs_nothing(convert: Any, service: Doc2XService) -> None:
    service.queue("preupload", coded("parse_page_limit_exceeded"))
    with pytest.raises(TooManyPages) as caught:
        convert(split=False)
    assert caught.value.points_charged is False
    assert caught.value.code == "parse_page_limit_exceeded"
    assert service.of("put") == []


def test_a_refused_key_is_sent_once(convert: Any, service: Doc2XService) -> None:
    service.refused_keys = {KEY}
    with pytest.raises(AuthenticationError, match="trace-4711"):
        convert()
    assert len(service.seen) == 1


# -- uploads in doubt ------------------------------------------------------------------------------


def test_a_lost_answer_of_the_store_is_settled_by_asking_for_the_uid(
    convert: Any, service: Doc2XService
) -> None:
    service.queue("put", stored_then(reset))
    assert convert().points == 3
    assert len(service.of("put")) == 1
    assert max(service.charges_by_pdf().values()) == 1


def test_an_upload_that_never_arrived_is_sent_again_with_a_new_ticket(
    convert: Any, service: Doc2XService
) -> None:
    service.queue("put", lost)
    assert convert().points == 3
    assert len(service.of("preupload")) == 2
    assert max(service.charges_by_pdf().values()) == 1


def test_a_store_that_refuses_has_kept_nothing(convert: Any, service: Doc2XService) -> None:
    xml = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Key>secret</Key></Error>"
    service.queue("put", says(403, xml))
    assert convert().points == 3
    assert len(service.of("put")) == 2


def test_a_gateway_that_fails_after_the_file_is_a_doubt_that_the_uid_settles(
    convert: Any, service: Doc2XService
) -> None:
    service.queue("put", stored_then(lambda s, wire: s.reply(wire, 502, b"<html>")))
    assert convert().points == 3
    assert len(service.of("put")) == 1


def test_what_nothing_proves_is_raised_and_settled_by_the_next_run(
    convert: Any, service: Doc2XService, tmp_path: Path, pdf: Path
) -> None:
    service.queue("put", stored_then(reset))
    service.queue("status", *[says(200, {"code": "success", "data": {"status": "processing"}})] * 3)
    with pytest.raises(UploadOutcomeUnknown) as caught:
        convert()
    assert caught.value.task_id in service.tasks
    (record,) = (json.loads(p.read_text()) for p in (tmp_path / "store/claims").rglob("*.json"))
    assert (record["state"], record["task_id"]) == ("unknown", caught.value.task_id)
    conversion = convert()
    assert conversion.tasks[0].id == caught.value.task_id
    assert service.charges_by_pdf() == {hashlib.sha256(pdf.read_bytes()).hexdigest(): 1}


def test_the_record_names_the_uid_before_the_last_bytes_are_sent(
    convert: Any, service: Doc2XService, tmp_path: Path
) -> None:
    records: list[dict[str, Any]] = []

    def look(service: Doc2XService, wire: Any) -> None:
        wire.read_body()
        found = (tmp_path / "store/claims").rglob("*.json")
        records.extend(json.loads(path.read_text()) for path in found)
        wire.reset()

    service.queue("put", look)
    convert()
    (record,) = records
    assert record["state"] == "committing"
    assert record["task_id"] in service.tasks


# -- pictures that cannot be had -------------------------------------------------------------------


def test_a_picture_that_is_gone_keeps_its_address(
    convert: Any, service: Doc2XService, caplog: pytest.LogCaptureFixture
) -> None:
    service.queue("picture", says(404, b"gone"))
    conversion = convert()
    assert conversion.assets == ()
    assert "/cdn/" in conversion.markdown["original"]
    assert "stays where it is: HTTP 404" in caplog.text


def test_a_picture_that_is_unreachable_is_fetched_by_the_next_run_without_paying(
    convert: Any, service: Doc2XService
) -> None:
    service.queue("picture", *[says(503, b"later")] * 5)
    with pytest.raises(ZhiyiPDFError) as caught:
        convert()
    assert caught.value.points_charged
    conversion = convert()
    assert (len(conversion.assets), conversion.points) == (1, 0)
    assert len(service.of("put")) == 1


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/a.jpg",
        "https://127.0.0.1/a.jpg",
        "https://169.254.169.254/latest/meta-data",
        "https://user:word@example.com/a.jpg",
        "https://intranet/a.jpg",
    ],
)
def test_a_picture_s_address_leads_nowhere_private(
    convert: Any, service: Doc2XService, address: str
) -> None:
    service.pages = [{"md": f'<img src="{address}"/>'}] * 3
    conversion = convert()
    assert conversion.assets == ()
    assert address in conversion.markdown["original"]
    assert all(seen.target.startswith(("/api/v2/", "/store/")) for seen in service.seen)


# -- secrets ---------------------------------------------------------------------------------------


def test_neither_key_nor_signature_is_in_logs_records_or_errors(
    convert: Any, service: Doc2XService, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    service.queue("put", lost, says(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>"))
    conversion = convert()
    kept = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    everything = (caplog.text + repr(conversion)).encode() + kept
    assert KEY.encode() not in everything
    assert b"Signature=" not in everything
