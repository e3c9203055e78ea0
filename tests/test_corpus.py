"""Every PDF of ../shared/pdfs does on the embedded server what its manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zhiyipdf import ZhiyiPDFLoader, errors

pytestmark = pytest.mark.corpus

CORPUS = Path(__file__).parent.parent.parent / "shared" / "pdfs"
MANIFEST = CORPUS / "manifest.json"
FILES: list[dict[str, Any]] = (
    json.loads(MANIFEST.read_text("utf-8"))["files"] if MANIFEST.exists() else []
)
# `split` belongs to a later release: until then such a file is refused by its page count.
REASONS = {
    "not_pdf": errors.NotAPDF,
    "invalid": errors.InvalidPDF,
    "encrypted": errors.EncryptedPDF,
    "page_limit": errors.TooManyPages,
}


@pytest.fixture(scope="module")
def loaded(
    corpus_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, list[Any]], dict[str, Exception | None]]:
    """Documents and errors by file name; all files go through one loader at once."""
    loader = ZhiyiPDFLoader(
        [corpus_dir / entry["file"] for entry in FILES],
        base_url="local",
        store=tmp_path_factory.mktemp("store"),
        mode="single",
        on_error="skip",
    )
    documents: dict[str, list[Any]] = {}
    for document in loader.lazy_load():
        documents.setdefault(document.metadata["file_name"], []).append(document)
    outcomes = {Path(entry.source).name: entry.error for entry in loader.report.sources}
    return documents, outcomes


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"][:40])
def test_the_outcome_is_that_of_the_manifest(
    entry: dict[str, Any],
    loaded: tuple[dict[str, list[Any]], dict[str, Exception | None]],
) -> None:
    documents, outcomes = loaded
    name, expected = entry["file"], entry["expected"]
    error = outcomes[name]
    if error is not None:
        assert expected["outcome"] in ("rejected", "split", "either"), error
        assert isinstance(error, REASONS[expected["reason"]])
        assert name in str(error)
        assert name not in documents
        return
    assert expected["outcome"] in ("converts", "either")
    (document,) = documents[name]
    assert document.metadata["total_pages"] == entry["pages"]
    assert document.metadata["content_sha256"] == entry["sha256"]
    assert document.page_content.strip()
    if entry["text_layer"] == "no":
        assert document.metadata["image_count"] >= entry["pages"]


def test_every_file_of_the_manifest_has_an_outcome(
    loaded: tuple[dict[str, list[Any]], dict[str, Exception | None]],
) -> None:
    assert set(loaded[1]) == {entry["file"] for entry in FILES}
