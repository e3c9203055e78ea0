"""Doc2X's first API in the hands of the core: what its own answers mean for money and time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.fake_time import FakeTime
from support.fault_service import parse_form
from support.pdfs import write_pdf
from support.scripted_server import Move, ScriptedServer, Wire, answer, reset_after_the_body
from zhiyipdf import Conversion, Converter
from zhiyipdf.errors import (
    AuthenticationError,
    InputError,
    ResultExpired,
    TaskFailed,
    UploadOutcomeUnknown,
    ZhiyiPDFError,
)
from zhiyipdf.models import Doc2XOptions

SK = "sk-0a1b2c3d4e5f"
UUID = "655947fa-277c-4f05-8edc-b92f0eca3a63"
PAGES = [{"page_idx": n, "md": f"Page {n + 1}, \\(x\\)"} for n in range(2)]


def named(wire: Wire) -> None:
    answer(200, {"code": "success", "data": {"uuid": UUID}})(wire)


def status(**data: object) -> Move:
    return answer(200, {"code": "success", "data": data})


DONE = status(status="success", progress=100, result={"pages": PAGES})


class Balance:
    """``/limit``, less what was charged."""

    def __init__(self) -> None:
        self.left = 100

    def __call__(self, wire: Wire) -> None:
        answer(200, {"code": "success", "data": {"remain": self.left}})(wire)


@pytest.fixture
def balance() -> Balance:
    return Balance()


@pytest.fixture
def server(balance: Balance) -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    for namespace in ("v1", "platform"):
        server.on(f"/api/{namespace}/limit", balance)
        server.on(f"/api/{namespace}/async/pdf", named)
        server.on(f"/api/{namespace}/async/status", DONE)
    yield server
    server.close()


@pytest.fixture
def convert(server: ScriptedServer, tmp_path: Path) -> Any:
    pdf = write_pdf(tmp_path / "paper.pdf", pages=2, text="page {n}")

    def convert(wanted: Doc2XOptions | None = None, *, key: str = SK) -> Conversion:
        converter = Converter(
            provider="doc2x-v1",
            api_key=key,
            base_url=server.url,
            store=tmp_path / "store",
            clock=FakeTime().clock(),
        )
        return converter.convert(pdf, wanted)

    return convert


@pytest.mark.parametrize(("key", "namespace"), [(SK, "v1"), ("acc-1", "platform")])
def test_a_pdf_becomes_text_with_exact_pages(
    convert: Any, server: ScriptedServer, key: str, namespace: str
) -> None:
    conversion = convert(key=key)
    assert conversion.markdown["original"] == "Page 1, $x$\n\nPage 2, $x$\n"
    places = [(b.provenance[0].page_number, b.provenance[0].source) for b in conversion.blocks]
    assert places == [(1, "exact"), (2, "exact")]
    (upload,) = server.requests(f"/api/{namespace}/async/pdf")
    form = parse_form(upload)
    assert (form["ocr"], form["parse_to"]) == (b"1", b"1")


def test_options_of_this_api_are_sent_and_paid_for_apart(
    convert: Any, server: ScriptedServer
) -> None:
    convert()
    convert(Doc2XOptions(api_version="v1", ocr=False))
    uploads = server.requests("/api/v1/async/pdf")
    assert [parse_form(upload)["ocr"] for upload in uploads] == [b"1", b"0"]


def test_a_lost_answer_is_settled_by_the_pages_that_are_left(
    convert: Any, server: ScriptedServer
) -> None:
    server.on("/api/v1/async/pdf", reset_after_the_body(), named)
    assert convert().points == 2
    assert len(server.requests("/api/v1/async/pdf")) == 2


def test_a_charge_without_an_answer_is_told_and_not_repeated(
    convert: Any, server: ScriptedServer, balance: Balance
) -> None:
    def charge(wire: Wire) -> None:
        wire.read_body()
        balance.left -= 2
        wire.reset()

    server.on("/api/v1/async/pdf", charge)
    with pytest.raises(UploadOutcomeUnknown) as caught:
        convert()
    assert caught.value.points_charged
    assert len(server.requests("/api/v1/async/pdf")) == 1


@pytest.mark.parametrize(
    "throttle", [answer(429, {}), answer(200, {"code": "parse_task_limit_exceeded"})]
)
def test_throttling_is_waited_out(convert: Any, server: ScriptedServer, throttle: Move) -> None:
    server.on("/api/v1/async/pdf", throttle, throttle, named)
    server.on("/api/v1/async/status", answer(429, {}), status(status="ready"), DONE)
    assert convert().points == 2


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (answer(401, {"code": "unauthorized"}), AuthenticationError),
        (answer(400, {"code": "bad_request", "detail": "img locked"}), InputError),
    ],
)
def test_a_refusal_costs_nothing(
    convert: Any, server: ScriptedServer, refusal: Move, error: type[ZhiyiPDFError]
) -> None:
    server.on("/api/v1/async/pdf", refusal)
    with pytest.raises(error) as caught:
        convert()
    assert caught.value.points_charged is False
    assert len(server.requests("/api/v1/async/pdf")) == 1


@pytest.mark.parametrize(
    ("named_state", "charged"), [("pages limit exceeded", False), ("failed", None)]
)
def test_a_failed_task_says_why(
    convert: Any, server: ScriptedServer, named_state: str, charged: bool | None
) -> None:
    server.on("/api/v1/async/status", status(status=named_state))
    with pytest.raises(TaskFailed) as caught:
        convert()
    assert (caught.value.code, caught.value.points_charged) == (named_state, charged)


def test_a_task_that_is_gone_is_expired(convert: Any, server: ScriptedServer) -> None:
    server.on("/api/v1/async/status", answer(400, {"code": "invalid request", "msg": "bad params"}))
    with pytest.raises(ResultExpired):
        convert()


def test_a_state_nobody_documented_is_waited_for(convert: Any, server: ScriptedServer) -> None:
    server.on("/api/v1/async/status", status(status="thinking"), DONE)
    assert convert().points == 2
