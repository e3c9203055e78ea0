"""The wire notes' own examples as data (wire/*.json), exchange by exchange, on a real socket."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.chat_endpoint import chat_endpoint
from support.doc2x import Doc2X
from support.embedded import PATIENCE_S, Running
from support.scripted_engine import make_gate, open_gate, scripted_image, scripted_pdf
from zhiyipdf.server.settings import TranslationEndpoint

EXAMPLES = sorted((Path(__file__).parent / "wire").glob("*.json"))


class _Story:
    """An example being played: what was kept of earlier answers fills the later requests."""

    def __init__(self, service: Doc2X, given: dict[str, Any], gate: Path) -> None:
        self._service = service
        self._gate = gate
        self._bodies = {
            "pdf": scripted_pdf(**_with_gate(given.get("pdf", {}), gate)),
            "image": scripted_image(**given.get("image", {})),
        }
        self._kept = {
            "base": service.api.base,
            "key": service.key,
            "identity": service.identity(given.get("pages", 1000)),
        }

    def play(self, exchange: dict[str, Any]) -> None:
        if "open" in exchange:
            open_gate(self._gate)
            return
        until = exchange.get("until") or {}
        response = self._send(exchange["request"])
        deadline = time.monotonic() + PATIENCE_S
        while any(_at(response.json(), path) != value for path, value in until.items()):
            assert time.monotonic() < deadline, response.text
            time.sleep(0.01)
            response = self._send(exchange["request"])
        expected = exchange["answer"]
        assert response.status_code == expected["http"], response.text
        for name in expected.get("headers", ()):
            assert response.headers[name]
        if "begins" in expected:
            assert response.text.startswith(expected["begins"])
        if "json" in expected:
            self._check(response.json(), expected["json"])
        for name, path in exchange.get("keep", {}).items():
            self._kept[name] = _at(response.json(), path)

    def _send(self, request: dict[str, Any]) -> httpx.Response:
        url = self._filled(request["url"])
        options: dict[str, Any] = {}
        if "bearer" in request:
            options["headers"] = {"Authorization": f"Bearer {self._filled(request['bearer'])}"}
        if "json" in request:
            options["json"] = json.loads(self._filled(json.dumps(request["json"])))
        if "raw" in request:
            options["content"] = self._bodies[request["raw"]]
        if "form" in request or "file" in request:
            options["data"] = request.get("form")
            options["files"] = {"file": ("a.bin", self._bodies[request["file"]])}
        base = "" if url.startswith("http") else self._service.api.base
        return self._service.api.http.request(request["method"], f"{base}{url}", **options)

    def _filled(self, text: str) -> str:
        for name, value in self._kept.items():
            text = text.replace(f"<{name}>", value)
        return text

    def _check(self, answer: Any, expected: Any) -> None:
        if isinstance(expected, dict):
            assert isinstance(answer, dict)
            assert answer.keys() == expected.keys()
            for name, value in expected.items():
                self._check(answer[name], value)
        elif isinstance(expected, list):
            assert len(answer) == len(expected)
            for one, other in zip(answer, expected, strict=True):
                self._check(one, other)
        elif expected == "<string>":
            assert isinstance(answer, str)
            assert answer
        elif isinstance(expected, str):
            assert answer == self._filled(expected)
        else:
            assert type(answer) is type(expected)
            assert answer == expected


def _with_gate(script: dict[str, Any], gate: Path) -> dict[str, Any]:
    return {**script, "gate": str(gate)} if "gate" in script else script


def _at(content: Any, path: str) -> Any:
    for name in path.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


@pytest.fixture
def story(
    request: pytest.FixtureRequest, serve: Callable[..., Running], tmp_path: Path
) -> Iterator[tuple[_Story, list[dict[str, Any]]]]:
    example = json.loads(request.param.read_text(encoding="utf-8"))
    given = example["given"]
    settings: dict[str, Any] = {"points": given.get("pages", 1000), **given.get("settings", {})}
    with ExitStack() as stack:
        if given.get("translation"):
            endpoint = stack.enter_context(chat_endpoint())
            settings["translation"] = TranslationEndpoint(base_url=endpoint.base_url, model="any")
        service = Doc2X(serve(**settings))
        yield _Story(service, given, make_gate(tmp_path, "gate")), example["exchanges"]


@pytest.mark.parametrize("story", EXAMPLES, ids=lambda path: path.stem, indirect=True)
def test_the_documented_exchanges_happen_as_documented(
    story: tuple[_Story, list[dict[str, Any]]],
) -> None:
    player, exchanges = story
    for exchange in exchanges:
        player.play(exchange)
