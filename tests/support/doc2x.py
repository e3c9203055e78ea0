"""Calls to the embedded Doc2X as a stranger would make them, who knows the wire notes only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from support.embedded import PATIENCE_S, Running
from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.database import open_database


@dataclass
class Doc2X:
    """Both versions on a running server."""

    api: Running
    key: str = ""

    def __post_init__(self) -> None:
        self.key = self.key or self.api.key

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.api.http.get(f"{self.api.base}{path}", params=query, headers=self.headers)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.api.http.post(f"{self.api.base}{path}", headers=self.headers, **options)

    def remain(self) -> int:
        return self.get("/api/v1/limit").json()["data"]["remain"]

    def identity(self, pages: int = 1000) -> str:
        with open_database(self.api.settings.folder) as database:
            return add_key(database, points=pages, identity=True).key

    # version 2

    def preupload(self, **fields: Any) -> dict[str, Any]:
        answer = self.post("/api/v2/parse/preupload", json=fields).json()
        assert answer["code"] == "success", answer
        return answer["data"]

    def put(self, url: str, content: bytes, **headers: str) -> httpx.Response:
        return self.api.http.put(url, content=content, headers=headers)

    def upload(self, content: bytes, **fields: Any) -> str:
        announced = self.preupload(**fields)
        assert self.put(announced["url"], content).status_code == 200
        return announced["uid"]

    def status(self, uid: str) -> dict[str, Any]:
        return self.get("/api/v2/parse/status", uid=uid).json()

    def wait(
        self, ask: Callable[[], dict[str, Any]], until: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while not until(answer := ask()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.01)
        return answer

    def finish(self, uid: str) -> dict[str, Any]:
        return self.wait(
            lambda: self.status(uid),
            lambda answer: (
                answer["code"] not in {"success", "parse_task_limit_exceeded"}
                or answer.get("data", {}).get("status") in {"success", "failed"}
            ),
        )

    def parse(self, content: bytes, **fields: Any) -> tuple[str, list[dict[str, Any]]]:
        uid = self.upload(content, **fields)
        answer = self.finish(uid)
        assert answer["code"] == "success", answer
        return uid, answer["data"]["result"]["pages"]

    def convert(self, uid: str, **fields: Any) -> dict[str, Any]:
        answer = self.post("/api/v2/convert/parse", json={"uid": uid, **fields}).json()
        if answer["code"] != "success":
            return answer
        return self.wait(
            lambda: self.get("/api/v2/convert/parse/result", uid=uid).json(),
            lambda result: result["data"]["status"] != "processing",
        )

    def file(self, uid: str, **fields: Any) -> bytes:
        answer = self.convert(uid, **fields)
        assert answer["data"]["status"] == "success", answer
        return self.api.http.get(answer["data"]["url"]).raise_for_status().content

    # version 1

    def submit(self, content: bytes, *, space: str = "v1", **fields: str) -> httpx.Response:
        files = {"file": ("a.pdf", content, "application/pdf")}
        return self.post(f"/api/{space}/async/pdf", files=files, data=fields)

    def submit_image(self, content: bytes, *, space: str = "v1", **fields: str) -> httpx.Response:
        files = {"file": ("a.png", content, "image/png")}
        return self.post(f"/api/{space}/async/img", files=files, data=fields)

    def v1_status(self, uuid: str, *, space: str = "v1", **query: str) -> dict[str, Any]:
        return self.get(f"/api/{space}/async/status", uuid=uuid, **query).json()["data"]

    def v1_finish(self, uuid: str, *, space: str = "v1", **query: str) -> dict[str, Any]:
        return self.wait(
            lambda: self.v1_status(uuid, space=space, **query),
            lambda data: data["status"] not in {"ready", "processing", "translate_processing"},
        )
