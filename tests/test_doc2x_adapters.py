"""Doc2X in both frameworks: the loaders' own rules, exact pages, pictures among the sources."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llama_index.core import SimpleDirectoryReader
from llama_index.core.readers.loading import load_reader

from support.archives import PNG, real_zip
from support.doc2x_service import Doc2XService, coded, says
from support.pdfs import write_pdf
from zhiyipdf import Converter, Doc2XLoader, Doc2XReader
from zhiyipdf.documents import make_records
from zhiyipdf.errors import FileTooLarge, InputError, NotAPDF, UploadOutcomeUnknown
from zhiyipdf.models import Doc2XOptions, ParseOptions
from zhiyipdf.policy import Polling

KEY = "sk-0a1b2c3d4e5f60718293a4b5"
FAST = Polling(interval_min_s=0.01, interval_max_s=0.02, requests_per_s=1000)


@pytest.fixture(autouse=True)
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Doc2XService]:
    service = Doc2XService()
    monkeypatch.setenv("DOC2X_BASE_URL", service.url)
    monkeypatch.setenv("DOC2X_API_KEY", KEY)
    monkeypatch.setenv("ZHIYIPDF_STORE", str(tmp_path / "store"))
    yield service
    service.close()


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "paper.pdf", pages=2, text="page {n}")


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "formula.png"
    path.write_bytes(PNG)
    return path


@pytest.fixture
def converter() -> Converter:
    return Converter(provider="doc2x", polling=FAST)


# -- LangChain -------------------------------------------------------------------------------------


def test_a_loader_gives_a_document_for_each_page(pdf: Path) -> None:
    loader = Doc2XLoader(str(pdf))
    documents = loader.load()
    found = [
        (d.metadata["page_number"], d.metadata["page"], d.metadata["page_source"])
        for d in documents
    ]
    assert found == [(1, 0, "exact"), (2, 1, "exact")]
    assert documents[0].page_content.startswith("# Page 1\n\nText of")
    assert documents[0].metadata["image_count"] == 1
    assert documents[0].metadata["images"][0].startswith("file:")
    assert loader.report.points == 2


async def test_an_asynchronous_load_gives_the_same_documents(
    pdf: Path, converter: Converter
) -> None:
    loader = Doc2XLoader(pdf, converter=converter)
    assert await loader.aload() == loader.load()


def test_the_metadata_has_the_same_keys_as_the_other_service_s(pdf: Path) -> None:
    keys = {"source", "file_name", "total_pages", "content_sha256", "page_source", "image_count"}
    for document in Doc2XLoader(pdf).lazy_load():
        assert keys <= set(document.metadata)


def test_a_block_has_its_box(pdf: Path, service: Doc2XService) -> None:
    block = {"type": "Title", "xyxy": [0, 0, 50, 100], "text": "A title of it"}
    page = {"page_width": 100, "page_height": 200, "md": "# A title of it"}
    service.pages = [{**page, "layout": {"blocks": [block]}}]
    (document,) = Doc2XLoader(pdf, mode="block", model="v3-2026").load()
    assert document.metadata["bbox"] == pytest.approx([0, 0, 297.5, 421])
    assert document.metadata["kind"] == "heading"


def test_ids_depend_on_the_service_and_on_what_was_asked_of_it(
    pdf: Path, converter: Converter
) -> None:
    plain = converter.convert(pdf)
    others = [
        converter.convert(pdf, Doc2XOptions(formula_style="bracket")),
        replace(plain, options=ParseOptions()),
    ]
    ids = {next(make_records(conversion, mode="single")).id for conversion in (plain, *others)}
    assert len(ids) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"model": "v9"},
        {"formula_style": "euro"},
        {"comments": "some"},
        {"api_version": "v3"},
        {"ocr": False},
        {"img_correction": True},
        {"formula_only": True},
        {"model": "v3-2026", "api_version": "v1"},
    ],
    ids=str,
)
def test_options_that_cannot_be_are_refused_when_the_loader_is_made(options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Doc2XLoader("a.pdf", **options)


def test_a_loader_shows_no_key_and_pickles(pdf: Path) -> None:
    loader = Doc2XLoader(pdf, api_key=KEY)
    assert KEY not in repr(loader) + str(loader.options)
    again = pickle.loads(pickle.dumps(loader))
    assert [d.id for d in again.load()] == [d.id for d in loader.load()]


# -- LlamaIndex ------------------------------------------------------------------------------------


def test_a_reader_gives_the_same_texts(pdf: Path) -> None:
    documents = Doc2XReader().load_data(pdf)
    assert [d.text for d in documents] == [d.page_content for d in Doc2XLoader(pdf).load()]
    assert [d.metadata["page_number"] for d in documents] == [1, 2]


def test_a_directory_of_pdfs_and_pictures_is_read(pdf: Path, png: Path) -> None:
    reader = Doc2XReader()
    documents = SimpleDirectoryReader(
        input_files=[pdf, png],
        file_extractor={".pdf": reader, ".png": reader},
        raise_on_error=True,
    ).load_data()
    assert [d.metadata["file_name"] for d in documents] == ["paper.pdf"] * 2 + ["formula.png"]


def test_a_reader_survives_its_dump_and_its_pickle() -> None:
    reader = Doc2XReader(api_key=KEY, model="v3-2026", comments="none")
    assert KEY not in reader.to_json() + repr(reader)
    again = load_reader(json.loads(reader.to_json()))
    assert isinstance(again, Doc2XReader)
    assert (again.model, again.comments, again.api_key) == ("v3-2026", "none", None)
    assert pickle.loads(pickle.dumps(reader)).api_key == reader.api_key


def test_resources_of_a_folder_are_pdfs_and_pictures(pdf: Path, png: Path) -> None:
    names = [Path(uri).name for uri in Doc2XReader().list_resources(pdf.parent)]
    assert names == ["formula.png", "paper.pdf"]
    assert Doc2XReader().get_resource_info(str(png))["file_type"] == "image/png"


# -- pictures --------------------------------------------------------------------------------------


def test_a_picture_is_one_page(png: Path, service: Doc2XService, converter: Converter) -> None:
    conversion = converter.convert(png)
    assert conversion.markdown["original"] == "# Read\n\n$E=mc^2$\n"
    assert [b.provenance[0].page_number for b in conversion.blocks] == [1, 1]
    assert (conversion.points, conversion.source.total_pages) == (1, 1)
    (upload,) = service.of("image")
    assert (upload.body, upload.headers["content-type"]) == (PNG, "image/png")
    assert converter.convert(png).from_store


def test_a_picture_without_text_is_an_empty_result(
    png: Path, service: Doc2XService, converter: Converter, caplog: pytest.LogCaptureFixture
) -> None:
    empty = {"code": "success", "data": {"status": "success", "result": {"pages": []}}}
    service.queue("image_status", says(200, empty), says(200, empty))
    conversion = converter.convert(png)
    assert (conversion.markdown["original"], conversion.blocks) == ("", ())
    assert "text layer" not in caplog.text


def test_figures_of_a_picture_are_kept(
    png: Path, service: Doc2XService, converter: Converter
) -> None:
    zipped = real_zip({"images/0.png": PNG, "../outside.png": PNG})
    service.image_zip = base64.b64encode(zipped).decode()
    assert converter.convert(png).assets == ()  # hostile names cost the figures, not the text
    zipped = real_zip({"images/0.png": PNG, "notes.txt": b"no picture"})
    service.image_zip = "data:application/zip;base64," + base64.b64encode(zipped).decode()
    (asset,) = Converter(provider="doc2x", polling=FAST, store=False).convert(png).assets
    assert asset.name == "images/0.png"


def test_a_picture_whose_answer_was_lost_is_not_sent_again(
    png: Path, service: Doc2XService, converter: Converter
) -> None:
    def lose(service: Doc2XService, wire: Any) -> None:
        service.image(wire)
        wire.reset()

    service.queue("image", lose)
    with pytest.raises(UploadOutcomeUnknown):
        converter.convert(png)
    assert len(service.charged) == 1


def test_a_picture_that_is_refused_costs_nothing(
    png: Path, service: Doc2XService, converter: Converter
) -> None:
    service.queue("image", coded("parse_file_not_image"))
    with pytest.raises(InputError) as caught:
        converter.convert(png)
    assert (caught.value.code, caught.value.points_charged) == ("parse_file_not_image", False)


def test_a_picture_over_the_limit_is_not_sent(
    tmp_path: Path, service: Doc2XService, converter: Converter
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(b"\xff\xd8\xff" + bytes(7 * 1024 * 1024))
    with pytest.raises(FileTooLarge):
        converter.convert(large)
    assert service.seen == []


def test_the_other_service_takes_no_pictures(png: Path) -> None:
    with pytest.raises(NotAPDF):
        Converter(api_key=KEY, base_url="http://127.0.0.1:9").convert(png)


# -- the first API ---------------------------------------------------------------------------------


def test_the_first_api_has_options_of_its_own_and_a_balance(
    pdf: Path, png: Path, service: Doc2XService
) -> None:
    uuid = "655947fa-277c-4f05-8edc-b92f0eca3a63"
    pages = [{"page_idx": 1, "md": "Second"}, {"page_idx": 0, "md": "First \\(x\\)"}]
    done = {"data": {"status": "success", "result": {"pages": pages}}}
    service.on("/api/v1/limit", lambda wire: service.reply(wire, 200, {"data": {"remain": 40}}))
    for kind in ("pdf", "img"):
        service.on(
            f"/api/v1/async/{kind}",
            lambda wire: says(200, {"code": "ok", "data": {"uuid": uuid}})(service, wire),
        )
    service.on(
        "/api/v1/async/status",
        lambda wire: service.reply(wire, 200, {"data": {"status": "ready"}}),
        lambda wire: service.reply(wire, 200, done),
    )
    documents = Doc2XLoader(pdf, api_version="v1", ocr=False).load()
    assert [(d.page_content, d.metadata["page_number"]) for d in documents] == [
        ("First $x$", 1),
        ("Second", 2),
    ]
    (upload,) = service.requests("/api/v1/async/pdf")
    assert b'name="ocr"\r\n\r\n0\r\n' in upload.body
    Doc2XLoader(png, api_version="v1", formula_only=True).load()
    (upload,) = service.requests("/api/v1/async/img")
    assert b'name="equation"\r\n\r\n1\r\n' in upload.body
    assert Converter(provider="doc2x-v1").balance().points == 40


def test_options_decide_what_is_paid_for(pdf: Path, service: Doc2XService) -> None:
    converter = Converter(provider="doc2x", polling=FAST)
    converter.convert(pdf, Doc2XOptions())
    assert converter.estimate(pdf, Doc2XOptions(formula_style="bracket")).points == 0
    assert converter.estimate(pdf, Doc2XOptions(model="v3-2026")).points == 2
