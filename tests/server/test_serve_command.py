from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from zhiyipdf.cli.serve import serve
from zhiyipdf.server.accounts import find_account
from zhiyipdf.server.database import FolderLock, open_database


def _run(*arguments: str, folder: Path) -> str:
    result = CliRunner().invoke(serve, ["--data-dir", str(folder), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_key_is_made_listed_filled_and_revoked(tmp_path: Path) -> None:
    key = _run("key", "add", "--points", "40", "--name", "lab", folder=tmp_path).strip()
    assert key.startswith("sk-")
    assert re.match(
        rf"{re.escape(key[:8])}\.\.\.\t40\tin use\t.*\tlab", _run("key", "list", folder=tmp_path)
    )
    _run("key", "points", key[:8], "2", folder=tmp_path)
    with open_database(tmp_path) as database:
        account = find_account(database, key)
        assert account is not None
        assert account.points == 42
    _run("key", "revoke", key[:8], folder=tmp_path)
    assert "revoked" in _run("key", "list", folder=tmp_path)
    assert key not in _run("key", "list", folder=tmp_path)


def test_an_identity_token_is_made_for_doc2x(tmp_path: Path) -> None:
    token = _run("key", "add", "--identity", folder=tmp_path).strip()
    with open_database(tmp_path) as database:
        account = find_account(database, token)
    assert account is not None
    assert account.is_identity


def test_the_folder_may_be_named_after_the_command_too(tmp_path: Path) -> None:
    result = CliRunner().invoke(serve, ["key", "add", "--data-dir", str(tmp_path)])
    with open_database(tmp_path) as database:
        assert find_account(database, result.output.strip()) is not None


@pytest.mark.parametrize(
    "arguments", [["key", "points", "sk-none", "1"], ["key", "revoke", "sk-none"]]
)
def test_an_unknown_key_is_an_error_of_one_line(tmp_path: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(serve, ["--data-dir", str(tmp_path), *arguments])
    assert result.exit_code == 1
    assert "0 keys" in result.output


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zhiyipdf.cli.serve as module

    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "uvicorn" else object())
    result = CliRunner().invoke(serve, ["--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert 'pip install "zhiyipdf[local]"' in result.output


def test_a_folder_in_use_is_an_error_of_one_line(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    result = CliRunner().invoke(serve, ["--data-dir", str(tmp_path)])
    lock.close()
    assert result.exit_code == 1
    assert "another server" in result.output


def test_a_translation_url_without_a_model_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        serve, ["--data-dir", str(tmp_path), "--translation-url", "http://127.0.0.1:9/v1"]
    )
    assert result.exit_code == 2
    assert "model" in result.output


def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    key = _run("key", "add", folder=tmp_path).strip()
    program = "from zhiyipdf.cli.serve import serve; serve()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "--data-dir", str(tmp_path), "--port", "0"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_PROXY": "*"},
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        log = ""
        while "Uvicorn running on" not in log:
            line = process.stderr.readline()
            assert line, log
            log += line
        base = re.search(r"running on (http://\S+)", log)
        assert base is not None
        answer = httpx.get(f"{base[1]}/api/pdf-to-markdown-proxy/balance", params={"api_key": key})
        assert answer.json()["points"] == 1000
        process.send_signal(signal.SIGINT)
        log += process.stderr.read()
        assert process.stdout.read() == ""
    assert process.returncode == 0
    assert "balance 200" in log
    assert key not in log
