"""Doc2X within this process, as base_url="local" has it: no socket, and its own URLs lead back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from support.embedded import PATIENCE_S
from zhiyipdf.local import BASE_URL, LocalServer


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    running = LocalServer()
    yield running
    running.close()


@pytest.fixture
def client(server: LocalServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.key.value}"}
    with httpx.Client(
        transport=server.clients.sync_transport(), base_url=BASE_URL, headers=headers
    ) as client:
        yield client


def _wait(client: httpx.Client, path: str, uid: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        data = client.get(path, params={"uid": uid}).json()["data"]
        if data["status"] != "processing":
            return data
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_signed_urls_and_pictures_lead_back_into_the_process(
    server: LocalServer, client: httpx.Client, pdf_dir: Path
) -> None:
    with httpx.Client(transport=server.clients.sync_transport()) as stranger:
        announced = client.post("/api/v2/parse/preupload").json()["data"]
        uid, url = announced["uid"], announced["url"]
        assert urlsplit(url).netloc == urlsplit(BASE_URL).netloc
        content = (pdf_dir / "upstage_ai_packs_slides_4p.pdf").read_bytes()
        assert stranger.put(url, content=content).status_code == 200
        pages = _wait(client, "/api/v2/parse/status", uid)["result"]["pages"]
        sources = [s for page in pages for s in re.findall(r'<img src="([^"]+)"', page["md"])]
        assert sources
        assert stranger.get(sources[0]).content.startswith(b"\x89PNG")
        client.post("/api/v2/convert/parse", json={"uid": uid, "to": "md"})
        made = _wait(client, "/api/v2/convert/parse/result", uid)
        assert stranger.get(made["url"]).content.startswith(b"PK")
