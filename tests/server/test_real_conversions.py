"""The whole server with the real engine, over the wire."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from support.embedded import Running


def test_a_pdf_with_pictures_becomes_an_archive(real: Running, pdf_dir: Path) -> None:
    pdf = pdf_dir / "upstage_ai_packs_slides_4p.pdf"
    content = real.convert(pdf.read_bytes(), name=pdf.name, table_mode="image")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        markdown = archive.read("upstage_ai_packs_slides_4p.md").decode()
    assert names[0] == "upstage_ai_packs_slides_4p.md"
    assert len(names) > 1
    for name in names[1:]:
        assert f'<img src="{name}" style="zoom:70%; display: block; margin: 0 auto;" />' in markdown


def test_an_encrypted_pdf_is_refused_before_it_is_paid_for(real: Running, pdf_dir: Path) -> None:
    before = real.points()
    response = real.parse((pdf_dir / "r6-both-passwords.pdf").read_bytes())
    assert response.status_code == 500
    assert response.json()["error_code"] == "parse_file_invalid"
    assert real.points() == before


def test_the_same_pdf_gives_the_same_archive(real: Running, pdf_dir: Path) -> None:
    pdf = (pdf_dir / "jo.pdf").read_bytes()
    assert real.convert(pdf) == real.convert(pdf)


@pytest.mark.corpus
@pytest.mark.slow
def test_every_pdf_of_the_corpus_ends_as_its_manifest_says(real: Running, corpus_dir: Path) -> None:
    manifest = json.loads((corpus_dir / "manifest.json").read_text(encoding="utf-8"))
    wrong = {}
    for entry in manifest["files"]:
        pdf = corpus_dir / entry["file"]
        outcome, reason = entry["expected"]["outcome"], entry["expected"]["reason"]
        response = real.parse(pdf.read_bytes(), name=pdf.name)
        answer = response.json()
        code = {
            "not_pdf": "parse_file_not_pdf",
            "encrypted": "parse_file_invalid",
            "invalid": "parse_file_invalid",
            "page_limit": "parse_page_limit_exceeded",
        }.get(reason or "")
        if outcome == "converts":
            ended = real.finish(answer["task_id"]) if answer["success"] else answer
            right = ended.get("status") == "completed"
            right = right and answer["points_deducted"] == 2 * entry["pages"]
        else:
            right = answer.get("error_code") == code
        if not right:
            wrong[entry["file"]] = answer
    assert wrong == {}
