"""Every PDF of ../shared/pdfs does on the embedded server what its manifest says."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from zhiyipdf import Converter, ZhiyiPDFLoader, errors
from zhiyipdf.models import Asset

pytestmark = pytest.mark.corpus

CORPUS = Path(__file__).parent.parent.parent / "shared" / "pdfs"
MANIFEST = CORPUS / "manifest.json"
FILES: list[dict[str, Any]] = (
    json.loads(MANIFEST.read_text("utf-8"))["files"] if MANIFEST.exists() else []
)
REASONS = {
    "not_pdf": errors.NotAPDF,
    "invalid": errors.InvalidPDF,
    "encrypted": errors.EncryptedPDF,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def loaded(
    corpus_dir: Path, store: str
) -> tuple[dict[str, list[Any]], dict[str, Exception | None]]:
    """Documents and errors by file name; all files go through one loader at once."""
    loader = ZhiyiPDFLoader(
        [corpus_dir / entry["file"] for entry in FILES],
        base_url="local",
        store=store,
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
        assert expected["outcome"] in ("rejected", "either"), error
        assert isinstance(error, REASONS[expected["reason"]])
        assert name in str(error)
        assert name not in documents
        return
    assert expected["outcome"] in ("converts", "split", "either")
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


LONG = [  # 1,075 pages, 128 pictures
    "GeoTopo-komprimiert.pdf",
    "debian-reference.ja.pdf",
    "irs_manual_400p.pdf",
    "一份（不太）简短的 LaTeX2e 介绍.pdf",
    "lshort-persian.pdf",
]


def test_a_pdf_of_a_thousand_pages_keeps_every_picture_and_its_page(
    corpus_dir: Path, store: str, tmp_path: Path
) -> None:
    joined = pypdfium2.PdfDocument.new()
    for name in LONG:
        joined.import_pages(pypdfium2.PdfDocument(corpus_dir / name))
    joined.save(tmp_path / "long.pdf")
    converter = Converter(base_url="local", store=store)
    conversion = converter.convert(tmp_path / "long.pdf")
    assert (len(conversion.pages), len(conversion.tasks)) == (1075, 2)
    assert "".join(block.text for block in conversion.blocks) == conversion.markdown["original"]

    expected: Counter[tuple[int, str]] = Counter()
    before = 0
    for name in LONG:
        single = converter.convert(corpus_dir / name)
        expected.update((before + page_of(asset), asset.sha256) for asset in single.assets)
        before += len(single.pages)
    assert Counter((page_of(asset), asset.sha256) for asset in conversion.assets) == expected
    assert expected.total() == 128

    assets = {asset.name: asset for asset in conversion.assets}
    shown = [(b, target) for b in conversion.blocks for target in b.images]
    assert {target for _, target in shown} == set(assets)
    for block, target in shown:
        assert page_of(assets[target]) in [p.page_number for p in block.provenance]


def page_of(asset: Asset) -> int:
    """The page in a picture's name."""
    match = re.fullmatch(r"images/(\d+)-\d+\.\w+", asset.name)
    assert match is not None
    return int(match[1])


def test_a_manual_over_the_limit_is_two_tasks_and_paid_for_once(
    corpus_dir: Path, store: str
) -> None:
    converter = Converter(base_url="local", store=store)
    conversion = converter.convert(corpus_dir / "octave.pdf")
    assert (len(conversion.pages), len(conversion.tasks)) == (1158, 2)
    estimate = converter.estimate(corpus_dir / "octave.pdf")
    assert (estimate.pages, estimate.points, estimate.sources[0].parts) == (1158, 0, 2)
