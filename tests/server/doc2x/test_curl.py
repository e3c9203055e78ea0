"""Both versions walked through with curl, as a person without this package would."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from support.doc2x import Doc2X
from support.embedded import Running

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def _curl(*arguments: str, folder: Path) -> str:
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", *arguments],
        cwd=folder,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def test_version_2_by_hand(real: Running, pdf_dir: Path, tmp_path: Path) -> None:
    service = Doc2X(real)
    key = f"Authorization: Bearer {real.key}"
    v2 = f"{real.base}/api/v2"
    announced = json.loads(_curl("-X", "POST", "-H", key, f"{v2}/parse/preupload", folder=tmp_path))
    url = announced["data"]["url"]
    _curl("-T", str(pdf_dir / "us-017.pdf"), url, folder=tmp_path)
    uid = announced["data"]["uid"]
    service.finish(uid)
    status = json.loads(_curl("-H", key, f"{v2}/parse/status?uid={uid}", folder=tmp_path))
    assert len(status["data"]["result"]["pages"]) == 7
    wanted = json.dumps({"uid": uid, "to": "md", "filename": "paper"})
    _curl("-H", key, "-d", wanted, f"{v2}/convert/parse", folder=tmp_path)
    made = service.wait(
        lambda: json.loads(
            _curl("-H", key, f"{v2}/convert/parse/result?uid={uid}", folder=tmp_path)
        ),
        lambda answer: answer["data"]["status"] == "success",
    )
    _curl("-o", "paper.zip", made["data"]["url"], folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "paper.zip") as archive:
        assert archive.namelist() == ["paper.md"]


def test_version_1_by_hand(real: Running, pdf_dir: Path, tmp_path: Path) -> None:
    service = Doc2X(real)
    shutil.copy(pdf_dir / "us-017.pdf", tmp_path / "a.pdf")
    identity = f"Authorization: Bearer {service.identity(20)}"
    token = json.loads(
        _curl("-X", "POST", "-H", identity, f"{real.base}/api/token/refresh", folder=tmp_path)
    )["data"]["token"]
    key = f"Authorization: Bearer {token}"
    platform = f"{real.base}/api/platform"
    upload = _curl(
        "-H", key, "-F", "file=@a.pdf", "-F", "ocr=1", f"{platform}/async/pdf", folder=tmp_path
    )
    uuid = json.loads(upload)["data"]["uuid"]
    Doc2X(real, token).v1_finish(uuid, space="platform")
    limit = json.loads(_curl("-H", key, f"{platform}/limit", folder=tmp_path))
    assert limit["data"]["remain"] == 13
    export = f"{real.base}/api/export?request_id={uuid}&to=docx"
    _curl("-H", key, "-o", "a.docx", export, folder=tmp_path)
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        assert "word/document.xml" in archive.namelist()
