from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.command import zhiyipdf
from support.pdfs import write_pdf
from support.scripted_server import ScriptedServer, answer

BALANCE = "/api/pdf-to-markdown-proxy/balance"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    scripted = ScriptedServer()
    monkeypatch.setenv("ZHIYIPDF_BASE_URL", scripted.url)
    yield scripted
    scripted.close()


def test_an_estimate_counts_pages_and_points_without_a_key_or_an_upload(
    server: ScriptedServer, tmp_path: Path
) -> None:
    one, three = write_pdf(tmp_path / "one.pdf", 1), write_pdf(tmp_path / "three.pdf", 3)
    result = zhiyipdf("estimate", one, three)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{one}: 1 page, 2 points",
        f"{three}: 3 pages, 6 points",
        "total: 4 pages, 8 points",
    ]
    assert server.seen == []


def test_a_translation_is_estimated_at_its_own_price(
    server: ScriptedServer, tmp_path: Path
) -> None:
    path = write_pdf(tmp_path / "three.pdf", 3)

    assert zhiyipdf("estimate", "--translate-to", "en", path).stdout == (
        f"{path}: 3 pages, 9 points\n"
    )


def test_what_would_be_refused_is_said_and_is_exit_code_1(
    server: ScriptedServer, tmp_path: Path, pdf_dir: Path
) -> None:
    good, locked = write_pdf(tmp_path / "one.pdf", 1), pdf_dir / "r6-both-passwords.pdf"
    result = zhiyipdf("estimate", good, locked, tmp_path / "missing.pdf")

    assert result.exit_code == 1
    assert result.stdout == f"{good}: 1 page, 2 points\n"
    told = result.stderr.splitlines()
    assert [line.split(":")[0] for line in told] == ["refused", "refused"]
    assert str(locked) in told[0]
    assert str(tmp_path / "missing.pdf") in told[1]


def test_what_is_in_the_store_is_estimated_at_nothing(tmp_path: Path) -> None:
    pytest.importorskip("liteparse", reason="converts on the embedded server")
    path = write_pdf(tmp_path / "one.pdf", 1)
    zhiyipdf("convert", "--local", path)

    assert zhiyipdf("estimate", "--local", path).stdout == (
        f"{path}: 1 page, 0 points (in the store)\n"
    )


def test_the_balance_of_every_key_is_shown_and_no_key(server: ScriptedServer) -> None:
    server.on(BALANCE, answer(200, {"success": True, "points": 120, "api_key": "sk-aaaaa..."}))
    result = zhiyipdf("balance", "--api-key", "sk-aaaaaaaa,sk-bbbbbbbb")

    assert (result.exit_code, result.stderr) == (0, "")
    *keys, total = result.stdout.splitlines()
    assert len(keys) == 2
    assert all(line.startswith("key ") and line.endswith(": 120 points") for line in keys)
    assert total == "total: 240 points"
    assert "sk-" not in result.stdout


def test_a_balance_without_a_key_is_exit_code_3(server: ScriptedServer) -> None:
    result = zhiyipdf("balance")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "ZHIYIPDF_API_KEY" in result.stderr


def test_a_balance_with_a_refused_key_is_exit_code_3(server: ScriptedServer) -> None:
    server.on(BALANCE, answer(401, {"success": False, "message": "Invalid API key"}))

    assert zhiyipdf("balance", "--api-key", "sk-aaaaaaaa").exit_code == 3
