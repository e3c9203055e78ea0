"""The documented answers, as data, read by the client alone; the server's tests have their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf import errors
from zhiyipdf.errors import ProtocolError, ServiceUnavailable, ZhiyiPDFError
from zhiyipdf.providers.zhiyipdf_codes import CODES, error_for
from zhiyipdf.providers.zhiyipdf_wire import read_balance, read_status, read_submission
from zhiyipdf.transport import Reply

EXAMPLES = json.loads((Path(__file__).parent / "wire" / "zhiyipdf.json").read_text("utf-8"))[
    "examples"
]


def read(call: str, reply: Reply) -> Any:
    match call:
        case "submit":
            return read_submission(reply)
        case "status":
            return read_status(reply, "12345")
        case _:
            return read_balance(reply)


def reply_of(example: dict[str, Any]) -> Reply:
    body = json.dumps(example["reply"], ensure_ascii=False).encode()
    return Reply(status=example["http"], body=body)


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if "means" in e], ids=lambda example: example["name"]
)
def test_an_answer_is_read_as_the_page_says(example: dict[str, Any]) -> None:
    result = read(example["call"], reply_of(example))
    if isinstance(example["means"], dict):
        assert {name: getattr(result, name) for name in example["means"]} == example["means"]
    else:
        assert result == example["means"]


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if "raises" in e], ids=lambda example: example["name"]
)
def test_a_refusal_becomes_the_right_error(example: dict[str, Any]) -> None:
    expected = dict(example["raises"])
    with pytest.raises(getattr(errors, expected.pop("error"))) as caught:
        read(example["call"], reply_of(example))
    assert {name: getattr(caught.value, name) for name in expected} == expected


# The page's table "业务错误代码说明": error, whether points are gone, whether a retry can help.
TABLE = {
    "invalid_api_key": ("AuthenticationError", False, False),
    "insufficient_points": ("InsufficientPoints", False, False),
    "no_file_found": ("ProtocolError", False, False),
    "parse_file_too_large": ("FileTooLarge", False, False),
    "parse_page_limit_exceeded": ("TooManyPages", False, False),
    "parse_file_not_pdf": ("NotAPDF", False, False),
    "file_upload_failed": ("ServiceUnavailable", False, True),
    "points_deduction_failed": ("TaskFailed", False, False),
    "task_creation_failed": ("TaskFailed", False, True),
    "parse_error": ("TaskFailed", False, True),
    "parse_file_invalid": ("TaskFailed", False, False),
    "parse_timeout": ("TaskFailed", False, False),
}


def test_every_documented_code_is_known_and_no_other() -> None:
    assert set(CODES) == set(TABLE)


@pytest.mark.parametrize("code", TABLE)
def test_a_code_says_what_it_means_what_it_cost_and_what_to_do(code: str) -> None:
    kind, charged, retryable = TABLE[code]
    error = error_for(code, "服务的原话", {})
    assert (type(error).__name__, error.points_charged, error.retryable) == (
        kind,
        charged,
        retryable,
    )
    assert error.hint
    assert "服务的原话" in str(error)


def test_codes_whose_points_were_returned_say_so() -> None:
    for code, row in CODES.items():
        assert ("returned" in row.hint) == (row.charge == "returned"), code


def test_an_undocumented_code_leaves_open_whether_points_are_gone() -> None:
    error = error_for("parse_quantum_flux", "?", {})
    assert error.points_charged is None
    assert "parse_quantum_flux" in str(error)


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b'{"success": true, "task_', b"[1]", b"\xff\xfe"]
)
@pytest.mark.parametrize("status", [200, 302, 502])
def test_an_answer_that_is_no_json_object_proves_nothing_about_an_upload(
    body: bytes, status: int
) -> None:
    with pytest.raises((ProtocolError, ServiceUnavailable)) as caught:
        read_submission(Reply(status=status, body=body))
    assert caught.value.points_charged is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "task_id",
                    "success",
                    "error_code",
                    "error",
                    "queue_info",
                    "progress",
                    "result",
                    "message",
                    "points",
                    "code",
                    "ahead_tasks",
                    "download_url",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(payload=JSON, status=st.sampled_from([200, 202, 400, 401, 402, 404, 429, 500, 503]))
def test_no_json_whatever_breaks_a_reader(payload: object, status: int) -> None:
    for call in ("submit", "status", "balance"):
        try:
            read(call, Reply(status=status, body=json.dumps(payload).encode()))
        except ZhiyiPDFError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine
