"""Both of Doc2X's APIs as data, read by the client alone; the server's tests have their own."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf import errors
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.providers import doc2x_v1_wire as v1
from zhiyipdf.providers import doc2x_wire as v2
from zhiyipdf.providers.doc2x_codes import CODES, SENT_AGAIN, error_for, task_error_for
from zhiyipdf.transport import Reply

WIRE = Path(__file__).parent / "wire"
V1 = json.loads((WIRE / "doc2x_v1.json").read_text("utf-8"))["examples"]
V2 = json.loads((WIRE / "doc2x_v2.json").read_text("utf-8"))["examples"]
READERS: dict[str, Any] = {
    "ticket": v2.read_ticket,
    "status": lambda reply: v2.read_status(reply, "uid"),
    "pages": lambda reply: v2.read_pages(reply, "uid"),
    "export": lambda reply: v2.read_export(reply, "uid"),
    "image": v2.read_image_uid,
}
V1_READERS: dict[str, Any] = {
    "token": v1.read_token,
    "limit": v1.read_remaining,
    "uuid": v1.read_uuid,
    "status": v1.read_status,
}


def reply_of(example: dict[str, Any]) -> Reply:
    body = json.dumps(example["reply"], ensure_ascii=False).encode()
    return Reply(status=example["http"], headers={"trace-id": "trace-1"}, body=body)


def plain(value: Any) -> Any:
    """As JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return json.loads(json.dumps(asdict(value)))
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    return value


def check(result: Any, means: Any) -> None:
    if isinstance(means, dict):
        assert {name: plain(getattr(result, name)) for name in means} == means
    else:
        assert plain(result) == means


@pytest.mark.parametrize("example", [e for e in V2 if "means" in e], ids=lambda e: e["name"])
def test_an_answer_of_the_second_api_is_read_as_the_notes_say(example: dict[str, Any]) -> None:
    check(READERS[example["call"]](reply_of(example)), example["means"])


@pytest.mark.parametrize("example", [e for e in V2 if "raises" in e], ids=lambda e: e["name"])
def test_a_refusal_of_the_second_api_becomes_the_right_error(example: dict[str, Any]) -> None:
    expected = dict(example["raises"])
    with pytest.raises(getattr(errors, expected.pop("error")), match="trace-1") as caught:
        READERS[example["call"]](reply_of(example))
    assert {name: getattr(caught.value, name) for name in expected} == expected


@pytest.mark.parametrize("example", V1, ids=lambda e: e["name"])
def test_an_answer_of_the_first_api_is_read_as_the_notes_say(example: dict[str, Any]) -> None:
    check(V1_READERS[example["call"]](reply_of(example)), example["means"])


# Section 2.5: error of a refused call, error of a failed task, retryable, sent again.
TABLE = {
    "parse_task_limit_exceeded": ("RateLimited", "TaskFailed", True, True),
    "parse_concurrency_limit": ("RateLimited", "TaskFailed", True, True),
    "request_limit_exceeded": ("RateLimited", "TaskFailed", True, True),
    "parse_status_not_found": ("ResultExpired", "TaskFailed", False, False),
    "parse_create_task_error": ("TaskFailed", "TaskFailed", True, True),
    "parse_error": ("TaskFailed", "TaskFailed", True, True),
    "parse_timeout": ("TaskFailed", "TaskFailed", False, False),
    "parse_quota_limit": ("InsufficientPoints", "InsufficientPoints", False, False),
    "parse_file_too_large": ("FileTooLarge", "TaskFailed", False, False),
    "parse_page_limit_exceeded": ("TooManyPages", "TaskFailed", False, False),
    "parse_file_page_limit": ("TooManyPages", "TaskFailed", False, False),
    "parse_file_lock": ("InputError", "TaskFailed", False, False),
    "parse_file_not_pdf": ("NotAPDF", "TaskFailed", False, False),
    "parse_file_invalid": ("InputError", "TaskFailed", False, False),
    "parse_pdf_invalid": ("InputError", "TaskFailed", False, False),
    "parse_file_not_image": ("InputError", "TaskFailed", False, False),
    "internal_error": ("ServiceUnavailable", "TaskFailed", True, False),
    "unauthorized": ("AuthenticationError", "TaskFailed", False, False),
}


def test_every_code_of_the_table_is_known_and_no_other() -> None:
    assert set(CODES) == set(TABLE)


@pytest.mark.parametrize("code", TABLE)
def test_a_code_says_what_it_means_and_what_to_do(code: str) -> None:
    refused, failed, retryable, again = TABLE[code]
    error = error_for(code, "in words; trace-id 7", task_id="uid")
    assert (type(error).__name__, error.retryable) == (refused, retryable)
    assert error.hint
    assert "in words; trace-id 7" in str(error)
    assert type(task_error_for(code, "")).__name__ == failed
    assert (code in SENT_AGAIN) == again


def test_an_undocumented_code_leaves_open_whether_pages_are_gone() -> None:
    error = error_for("parse_quantum_flux", "?")
    assert error.points_charged is None
    assert "parse_quantum_flux" in str(error)


@pytest.mark.parametrize(
    ("payload", "status", "received"),
    [
        ({"code": "parse_status_not_found"}, 200, False),
        ({"code": "success", "data": {"status": "processing", "progress": 0}}, 200, None),
        ({"code": "success", "data": {"status": "processing", "progress": 3}}, 200, True),
        ({"code": "success", "data": {"status": "success"}}, 200, True),
        ({"code": "parse_file_invalid"}, 200, True),
        ({"code": "parse_concurrency_limit"}, 200, True),
        ({"code": "internal_error"}, 200, None),
        ({"code": "unauthorized"}, 401, None),
        ({}, 502, None),
    ],
)
def test_only_a_clear_word_says_whether_an_upload_was_received(
    payload: dict[str, Any], status: int, received: bool | None
) -> None:
    reply = Reply(status=status, body=json.dumps(payload).encode())
    assert v2.was_received(reply) is received


NAMES = [
    "code", "data", "status", "progress", "result", "pages", "md", "page_idx", "page_width",
    "layout", "blocks", "bbox", "uid", "url", "uuid", "remain", "token", "msg", "convert_zip",
]  # fmt: skip
VALUES = st.sampled_from(
    ["success", "failed", "processing", "translate_success", "[1]", "parse_error"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=15,
)


@given(payload=JSON, status=st.sampled_from([200, 400, 401, 429, 500, 503]))
def test_no_json_whatever_breaks_a_reader(payload: object, status: int) -> None:
    reply = Reply(status=status, body=json.dumps(payload).encode())
    for read in (*READERS.values(), *V1_READERS.values(), v1.read_pages, v2.was_received):
        try:
            read(reply)
        except ZhiyiPDFError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine
