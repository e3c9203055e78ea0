"""The document's own curl commands, with only the host, the key and the task id replaced."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from support.embedded import Running

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")

DOCUMENT = json.loads(
    (Path(__file__).parent / "wire" / "curl" / "commands.json").read_text(encoding="utf-8")
)


def _curl(command: str, api: Running, folder: Path, task_id: str = "") -> str:
    command = command.replace("https://www.zhiyipdf.com", api.base).replace("sk-xxx", api.key)
    command = command.replace("\\\n", "").replace("01920000-0000-0000-0000-000000000000", task_id)
    done = subprocess.run(
        [*shlex.split(command), "--silent", "--show-error", "--noproxy", "*"],
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def test_the_documents_commands_convert_a_pdf(real: Running, pdf_dir: Path, tmp_path: Path) -> None:
    shutil.copy(pdf_dir / "us-017.pdf", tmp_path / "document.pdf")
    parse, status, download, balance = DOCUMENT["commands"]
    accepted = json.loads(_curl(parse, real, tmp_path))
    assert accepted["points_deducted"] == 7 * 2
    task_id = accepted["task_id"]
    real.finish(task_id)
    assert json.loads(_curl(status, real, tmp_path, task_id))["status"] == "completed"
    _curl(download, real, tmp_path, task_id)
    with zipfile.ZipFile(tmp_path / "downloaded_file.zip") as archive:
        assert archive.namelist() == ["document.md"]
    answer = json.loads(_curl(balance, real, tmp_path))
    assert answer["points"] == accepted["remaining_points"]


def test_translation_without_an_endpoint_is_refused_and_costs_nothing(
    real: Running, pdf_dir: Path, tmp_path: Path
) -> None:
    shutil.copy(pdf_dir / "jo.pdf", tmp_path / "document.pdf")
    before = real.points()
    answer = json.loads(_curl(DOCUMENT["translation"], real, tmp_path))
    assert answer["success"] is False
    assert "translation endpoint" in answer["message"]
    assert real.points() == before
