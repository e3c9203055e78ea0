from __future__ import annotations

import base64
import logging
import pickle
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.document_loaders import Blob
from pydantic import SecretStr

from support.conversions import blocks, conversion, on
from zhiyipdf import ZhiyiPDFLoader, ZhiyiPDFParser, ZhiyiPDFReader
from zhiyipdf.converter import Converter
from zhiyipdf.documents import Record
from zhiyipdf.errors import EncryptedPDF
from zhiyipdf.loader_options import (
    LoaderOptions,
    secrets_of,
    store_of,
    variants_of,
)
from zhiyipdf.loading import ConversionReport, Loading, SourceReport
from zhiyipdf.models import Asset, Outcome, Secret

KEY = "sk-very-secret"
SLIDES = "upstage_ai_packs_slides_4p.pdf"


@pytest.mark.parametrize(
    "option",
    [
        {"mode": "pages"},
        {"images": "base64"},
        {"metadata_style": "nested"},
        {"on_error": "ignore"},
        {"table_mode": "html"},
        {"translate_to": "xx"},
        {"variants": ("translated",)},
        {"max_points": -1},
    ],
)
def test_options_are_refused_when_they_are_given(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(ValueError, match=name):
        LoaderOptions(**option)


def test_variants_default_to_what_was_asked_for() -> None:
    assert LoaderOptions().variants == ("original",)
    assert LoaderOptions(translate_to="en").variants == ("translated",)


@pytest.mark.parametrize(
    "api_key",
    [
        "a,b",
        " a , b ",
        ["a", "b"],
        ("a", SecretStr("b")),
        [Secret("a"), "b", "a"],
        SecretStr("a,b"),
    ],
)
def test_keys_come_in_many_forms(api_key: Any) -> None:
    assert secrets_of(api_key) == (Secret("a"), Secret("b"))


@pytest.mark.parametrize("api_key", [None, "", " ", []])
def test_no_key_leaves_it_to_the_environment(api_key: Any) -> None:
    assert secrets_of(api_key) is None


def test_one_variant_may_be_written_without_a_list() -> None:
    assert variants_of("original") == ("original",)
    assert variants_of(["bilingual", "original"]) == ("bilingual", "original")
    assert variants_of(None) == ()


def test_a_store_may_be_a_path_or_false(tmp_path: Path) -> None:
    assert store_of(tmp_path) == str(tmp_path)
    assert store_of(False) is False
    assert store_of(None) is None


def test_neither_keys_nor_storage_options_are_shown() -> None:
    options = LoaderOptions(api_key=secrets_of(KEY), storage_options={"secret": KEY})
    assert KEY not in repr(options)
    assert KEY not in str(options)


def test_a_ready_converter_does_not_go_with_what_only_a_new_one_could_heed() -> None:
    for options in (
        LoaderOptions(api_key=secrets_of(KEY)),
        LoaderOptions(base_url="local"),
        LoaderOptions(store=False),
        LoaderOptions(max_points=1),
    ):
        with pytest.raises(ValueError, match="converter"):
            Loading(options, converter=Converter(base_url="local"))


def test_it_can_be_pickled_with_its_keys_before_and_after_its_converter_was_made() -> None:
    loading = Loading(LoaderOptions(api_key=secrets_of(KEY), base_url="local"))
    for _ in range(2):
        copy = pickle.loads(pickle.dumps(loading))
        assert copy.options == loading.options
        assert copy.converter is not loading.converter


def test_the_report_adds_up_and_names_the_failures() -> None:
    failed = SourceReport(source="b", error=OSError("no"))
    report = ConversionReport(sources=(SourceReport(source="a", points=4), failed))
    assert report.points == 4
    assert report.failed == (failed,)


# --- on the embedded server ---------------------------------------------------------------------


@pytest.fixture
def options(shared_store: str) -> dict[str, Any]:
    return {"base_url": "local", "store": shared_store}


def load(
    sources: Any, options: dict[str, Any], **more: Any
) -> tuple[list[Record], list[SourceReport]]:
    reports: list[SourceReport] = []
    loading = Loading(LoaderOptions(**{**options, **more}))
    return list(loading.records(sources, reports)), reports


def test_nothing_happens_before_the_first_record_is_asked_for(options: dict[str, Any]) -> None:
    reports: list[SourceReport] = []
    records = Loading(LoaderOptions(**options)).records("/no/such/file.pdf", reports)
    assert reports == []
    with pytest.raises(FileNotFoundError):
        next(records)


def test_records_come_in_input_order_and_each_source_is_reported(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    sources = [pdf_dir / "us-017.pdf", pdf_dir / "jo.pdf"]
    records, reports = load(sources, options)
    names = dict.fromkeys(record.metadata["file_name"] for record in records)
    assert list(names) == ["us-017.pdf", "jo.pdf"]
    assert [report.source for report in reports] == [str(source) for source in sources]
    assert all(report.error is None and report.seconds > 0 for report in reports)


def test_a_second_load_is_from_the_store_and_equal(pdf_dir: Path, options: dict[str, Any]) -> None:
    first, _ = load(pdf_dir / "jo.pdf", options)
    second, reports = load(pdf_dir / "jo.pdf", options)
    assert second == first
    assert [(report.from_store, report.points) for report in reports] == [(True, 0)]


async def test_sync_and_async_records_are_equal_inside_a_running_loop(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    sources = [pdf_dir / SLIDES, pdf_dir / "jo.pdf"]
    expected, _ = load(sources, options, images="documents", mode="block")
    reports: list[SourceReport] = []
    loading = Loading(LoaderOptions(**options, images="documents", mode="block"))
    assert [record async for record in loading.arecords(sources, reports)] == expected
    assert len(reports) == 2


def test_the_first_failure_is_raised_and_reported(pdf_dir: Path, options: dict[str, Any]) -> None:
    reports: list[SourceReport] = []
    records = Loading(LoaderOptions(**options)).records(pdf_dir / "r6-both-passwords.pdf", reports)
    with pytest.raises(EncryptedPDF, match="r6-both-passwords"):
        next(records)
    assert isinstance(reports[0].error, EncryptedPDF)


def test_failures_can_be_skipped_but_not_overlooked(
    pdf_dir: Path, options: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    sources = [pdf_dir / "r6-both-passwords.pdf", pdf_dir / "gone.pdf", pdf_dir / "jo.pdf"]
    records, reports = load(sources, options, on_error="skip")
    assert {record.metadata["file_name"] for record in records} == {"jo.pdf"}
    assert [type(report.error) for report in reports] == [
        EncryptedPDF,
        FileNotFoundError,
        type(None),
    ]
    errors = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "r6-both-passwords.pdf" in errors[0]
    assert "gone.pdf" in errors[1]


def test_pictures_stay_in_the_store_unless_told_otherwise(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    records, _ = load(pdf_dir / SLIDES, options)
    images = [image for record in records for image in record.images]
    assert images
    for image in images:
        assert image.uri.startswith(Path(options["store"]).as_uri())
    linked = next(record for record in records if record.images)
    assert linked.images[0].uri in linked.text


def test_pictures_can_be_exported(pdf_dir: Path, options: dict[str, Any], tmp_path: Path) -> None:
    records, _ = load(pdf_dir / SLIDES, options, image_dir=str(tmp_path / "pictures"))
    images = {image for record in records for image in record.images}
    assert images
    assert {image.uri for image in images} == {
        path.as_uri() for path in (tmp_path / "pictures").iterdir()
    }


def test_pictures_that_cannot_be_exported_are_that_sources_error(
    pdf_dir: Path, options: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    sources = [pdf_dir / SLIDES, pdf_dir / "jo.pdf"]
    records, reports = load(
        sources, options, image_dir=str(tmp_path / "file" / "x"), on_error="skip"
    )
    assert {record.metadata["file_name"] for record in records} == {"jo.pdf"}
    assert isinstance(reports[0].error, OSError)


def test_inline_pictures_are_the_pictures_themselves(
    pdf_dir: Path, options: dict[str, Any]
) -> None:
    records, _ = load(pdf_dir / SLIDES, options, images="inline")
    linked = next(record for record in records if record.metadata["image_count"])
    encoded = linked.text.split(";base64,")[1].split('"')[0].split(")")[0]
    assert base64.b64decode(encoded).startswith((b"\x89PNG", b"\xff\xd8\xff"))
    assert "images" not in linked.metadata


def test_without_a_store_links_stay_and_one_warning_says_why(
    pdf_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = [pdf_dir / SLIDES, pdf_dir / SLIDES]
    records, _ = load(sources, {"base_url": "local", "store": False})
    assert sum(int(str(record.metadata["image_count"])) for record in records) > 0
    assert all("images" not in record.metadata for record in records)
    assert any('src="images/' in record.text or "](images/" in record.text for record in records)
    warnings = [entry for entry in caplog.records if "store=False" in entry.getMessage()]
    assert len(warnings) == 1


def test_without_a_store_pictures_can_still_be_exported(pdf_dir: Path, tmp_path: Path) -> None:
    records, _ = load(
        pdf_dir / SLIDES, {"base_url": "local", "store": False}, image_dir=str(tmp_path / "x")
    )
    assert any("images" in record.metadata for record in records)
    assert list((tmp_path / "x").iterdir())


class ReadyConverter:
    """Has converted a PDF of three pages, of which the second is empty."""

    keeps_assets = False

    def read_asset(self, asset: Asset) -> bytes:
        raise AssertionError(asset)

    async def aconvert_many(
        self, sources: Any, options: Any, *, ordered: bool, fs: Any
    ) -> AsyncGenerator[Outcome, None]:
        made = conversion(blocks(("paragraph", "a\n\n", on(1)), ("paragraph", "b", on(3))))
        yield Outcome(source="paper.pdf", conversion=made)


@pytest.mark.parametrize("include_empty_pages", [False, True])
def test_empty_pages_are_given_where_they_are_asked_for(include_empty_pages: bool) -> None:
    options: dict[str, Any] = {
        "include_empty_pages": include_empty_pages,
        "converter": ReadyConverter(),
    }
    expected = ["a", "", "b"] if include_empty_pages else ["a", "b"]
    loader = ZhiyiPDFLoader("paper.pdf", **options)
    assert [document.page_content for document in loader.load()] == expected
    parsed = ZhiyiPDFParser(**options).parse(Blob.from_data(b"%PDF-"))
    assert [document.page_content for document in parsed] == expected
    read = ZhiyiPDFReader(**options).load_data("paper.pdf")
    assert [document.text for document in read] == expected


async def test_leaving_early_ends_the_work(pdf_dir: Path, options: dict[str, Any]) -> None:
    sources = [pdf_dir / "jo.pdf", pdf_dir / "us-017.pdf"]
    loading = Loading(LoaderOptions(**options))
    reports: list[SourceReport] = []
    records = loading.records(sources, reports)
    next(records)
    records.close()
    stream = loading.arecords(sources, reports)
    await anext(stream)
    await stream.aclose()
    assert len(reports) == 2


def test_a_progress_bar_is_drawn_on_request_and_to_stderr(
    pdf_dir: Path, options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    load(pdf_dir / "jo.pdf", options, show_progress=True)
    shown = capsys.readouterr()
    assert "1file" in shown.err
    assert shown.out == ""
