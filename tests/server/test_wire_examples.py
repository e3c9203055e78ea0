"""The API document's own examples as data (wire/*.json), against a real socket."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from support.embedded import Running
from support.scripted_engine import make_gate, scripted_pdf
from zhiyipdf.server.settings import TranslationEndpoint

EXAMPLES = sorted((Path(__file__).parent / "wire").glob("*.json"))
TASK_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_documented_request_gets_the_documented_answer(
    path: Path, serve: Callable[..., Running], tmp_path: Path
) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    given, request, expected = example["given"], example["request"], example["answer"]
    settings: dict[str, Any] = {"points": given["points"]}
    if given.get("translation"):
        settings["translation"] = TranslationEndpoint(base_url="http://127.0.0.1:9", model="none")
    api = serve(**settings)
    task_id = _bring_about(api, given, tmp_path)
    response = _send(api, given, request, task_id)
    assert response.status_code == expected["http"]
    if "json" in expected:
        _check(response.json(), expected["json"], api, task_id)
    else:
        assert response.headers["Content-Type"] == expected["content_type"]
        assert response.content.startswith(expected["begins"].encode())


def test_every_answer_of_the_document_has_an_example() -> None:
    named = {json.loads(path.read_text(encoding="utf-8"))["document"] for path in EXAMPLES}
    for answer in (
        "立即处理",
        "排队中",
        "积分不足",
        "文件格式错误",
        "文件过大",
        "页数超限",
        "处理中",
    ):
        assert any(answer in name for name in named)


def _bring_about(api: Running, given: dict[str, Any], tmp_path: Path) -> str | None:
    gate = str(make_gate(tmp_path, "gate"))
    for _ in range(given.get("in_process", 0)):
        api.submit(scripted_pdf(gate=gate))
    pages = given.get("pages", 1)
    match given.get("task"):
        case None:
            return None
        case "completed" | "waiting" as state:
            script = scripted_pdf(pages=pages)
        case "failed" as state:
            script = scripted_pdf(pages=pages, do="fail")
        case text:
            state, page = "processing", int(text.removeprefix("at page "))
            script = scripted_pdf(pages=pages, gate=gate, gate_page=page)
            task_id = api.submit(script)["task_id"]
            api.wait(task_id, lambda answer: f" {page} " in answer["message"])
            return task_id
    task_id = api.submit(script)["task_id"]
    api.wait(task_id, lambda answer: answer["status"] == state)
    return task_id


def _send(
    api: Running, given: dict[str, Any], request: dict[str, Any], task_id: str | None
) -> httpx.Response:
    path = request["path"].replace("<task_id>", str(task_id))
    key = given.get("key", api.key)
    if "announced_bytes" in given:
        return _announce(api, path, given["announced_bytes"])
    content = given.get("content", "").encode() or scripted_pdf(pages=given.get("pages", 1))
    # The document's own commands present the key in the query.
    return httpx.request(
        request["method"],
        f"{api.base}{path}",
        params={"api_key": key},
        data=request.get("form"),
        files={"file": (request["file"], content)} if request.get("file") else None,
    )


def _announce(api: Running, path: str, size: int) -> httpx.Response:
    """Announce a large body and send none of it: the answer must not wait for it."""
    connection = http.client.HTTPConnection(urlsplit(api.base).netloc, timeout=30)
    connection.putrequest("POST", f"{path}?api_key={api.key}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return httpx.Response(answer.status, content=content)


def _check(answer: Any, expected: Any, api: Running, task_id: str | None) -> None:
    if isinstance(expected, dict):
        assert list(answer) == list(expected)
        for name, value in expected.items():
            _check(answer[name], value, api, task_id)
    elif expected == "<integer>":
        assert type(answer) is int
    elif expected == "<string>":
        assert isinstance(answer, str)
        assert answer
    elif expected == "<masked key>":
        assert answer == f"{api.key[:8]}..."
    elif expected == "<task_id>" and task_id is None:
        assert TASK_ID.fullmatch(answer)
    elif isinstance(expected, str):
        assert answer == expected.replace("<task_id>", str(task_id))
    else:
        assert type(answer) is type(expected)
        assert answer == expected
