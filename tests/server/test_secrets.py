from __future__ import annotations

import logging
from collections.abc import Callable

import httpx
import pytest

from support.embedded import PREFIX, Running
from support.scripted_engine import scripted_pdf

Serve = Callable[..., Running]


def test_keys_are_nowhere_in_the_servers_files(serve: Serve) -> None:
    api = serve()
    api.finish(api.submit(scripted_pdf())["task_id"])
    files = [path for path in api.settings.folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite3" for path in files)
    for path in files:
        assert api.key.encode() not in path.read_bytes()
        assert api.key[9:].encode() not in path.read_bytes()


def test_the_log_has_no_key_however_it_was_presented(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):  # the test's own client writes its URLs
        logging.getLogger(name).setLevel(logging.WARNING)
    api = serve()
    httpx.get(f"{api.base}{PREFIX}/balance", params={"api_key": api.key})
    httpx.get(f"{api.base}{PREFIX}/status/x", params={"api_key": api.key})
    httpx.post(f"{api.base}{PREFIX}/parse", params={"api_key": api.key})
    api.finish(api.submit(scripted_pdf(do="raise"))["task_id"])
    assert f"GET {PREFIX}/balance 200" in caplog.text
    assert api.key not in caplog.text
    assert "api_key" not in caplog.text


def test_the_servers_folder_is_for_its_owner_only(serve: Serve) -> None:
    api = serve()
    assert api.settings.folder.stat().st_mode & 0o077 == 0
