"""The page of asynchronous requests followed line by line, and the loaders, on the real server."""

from __future__ import annotations

import asyncio
import importlib.util
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.doc2x import Doc2X
from support.embedded import Running, running
from support.pdfs import write_pdf
from zhiyipdf import Converter, Doc2XLoader, Doc2XReader
from zhiyipdf.doc2x import (
    Exporter,
    RequestError,
    get_limit,
    read_picture,
    refresh_key,
    upload_img,
    upload_pdf,
    uuid2file,
    uuid_status,
)
from zhiyipdf.errors import ZhiyiPDFError
from zhiyipdf.models import Doc2XOptions
from zhiyipdf.server.settings import ServerSettings
from zhiyipdf.textlayer import render_page

HAS_OCR = importlib.util.find_spec("rapidocr") is not None
WORDS = ["The first page speaks of apples.", "The second page speaks of pears."]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = ServerSettings(folder=tmp_path_factory.mktemp("server"), workers=2)
    with running(settings, points=1000) as api:
        yield api


@pytest.fixture(autouse=True)
def environment(server: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOC2X_BASE_URL", server.base)
    monkeypatch.setenv("DOC2X_API_KEY", server.key)
    monkeypatch.setenv("ZHIYIPDF_STORE", str(tmp_path / "store"))


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "paper.pdf", pages=2, text=WORDS)


async def finished(key: str, uuid: str, **options: bool) -> list[str]:
    while True:
        progress, status, texts = await uuid_status(key, uuid, **options)
        if progress == 100:
            assert status == "Success"
            return texts
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("kind", ["identity", "sk"])
async def test_the_page_can_be_followed_line_by_line(
    server: Running, pdf: Path, tmp_path: Path, kind: str
) -> None:
    key = server.key if kind == "sk" else await refresh_key(Doc2X(server).identity())
    before = await get_limit(key)
    uuid = await upload_pdf(key, str(pdf))
    texts = await finished(key, uuid)
    assert [word in text for word, text in zip(WORDS, texts, strict=True)] == [True, True]
    assert await get_limit(key) == before - 2
    for output_format in ("md", "md_dollar", "latex"):
        path = await uuid2file(key, uuid, output_format, str(tmp_path / output_format))  # type: ignore[arg-type]  # literals
        assert path == str(tmp_path / output_format / f"{uuid}.zip")
        with zipfile.ZipFile(path) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith((".md", ".tex")))
            assert "apples" in archive.read(name).decode()
    path = await uuid2file(key, uuid, "docx", str(tmp_path))
    with zipfile.ZipFile(path) as archive:
        assert "apples" in archive.read("word/document.xml").decode()


async def test_what_is_no_pdf_is_an_exception(server: Running, tmp_path: Path) -> None:
    path = tmp_path / "no.pdf"
    path.write_bytes(b"no PDF at all")
    with pytest.raises(ZhiyiPDFError):
        await finished(server.key, await upload_pdf(server.key, str(path)))


async def test_an_unknown_uuid_cannot_be_exported(server: Running, tmp_path: Path) -> None:
    with pytest.raises(RequestError):
        await uuid2file(server.key, "655947fa-277c-4f05-8edc-b92f0eca3a63", "md", str(tmp_path))


async def test_a_picture_is_read_where_the_server_can(
    server: Running, pdf: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "page.png"
    picture.write_bytes(render_page(pdf, 1, scale=2.0))
    if not HAS_OCR:
        with pytest.raises(ZhiyiPDFError):
            await finished(server.key, await upload_img(server.key, str(picture)))
        return
    (text,) = await finished(server.key, await upload_img(server.key, str(picture)))
    assert "apples" in text


# -- the second API --------------------------------------------------------------------------------


@pytest.mark.parametrize("api_version", ["v2", "v1"])
def test_a_loader_gives_exact_pages(pdf: Path, api_version: str) -> None:
    loader = Doc2XLoader(pdf, api_version=api_version)  # type: ignore[arg-type]  # parametrised
    documents = loader.load()
    assert [d.metadata["page_number"] for d in documents] == [1, 2]
    assert {d.metadata["page_source"] for d in documents} == {"exact"}
    assert ["apples" in d.page_content for d in documents] == [True, False]
    assert loader.report.points == 2
    assert Doc2XLoader(pdf, api_version=api_version).load() == documents  # type: ignore[arg-type]  # the same


def test_a_reader_gives_boxes(pdf: Path) -> None:
    documents = Doc2XReader(mode="block", model="v3-2026").load_data(pdf)
    assert [d.metadata["page_number"] for d in documents] == [1, 2]
    for document in documents:
        x0, y0, x1, y1 = document.metadata["bbox"]
        assert 0 <= x0 < x1 <= 595
        assert 0 <= y0 < y1 <= 842


def test_the_embedded_server_of_this_process_needs_no_key(
    pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOC2X_API_KEY")
    documents = Doc2XLoader(pdf, base_url="local").load()
    assert ["apples" in d.page_content for d in documents] == [True, False]


@pytest.mark.skipif(not HAS_OCR, reason="the extra ocr is not installed")
def test_a_picture_becomes_a_document_of_one_page(pdf: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    picture.write_bytes(render_page(pdf, 1, scale=2.0))
    (document,) = Doc2XLoader(picture).load()
    assert "apples" in document.page_content
    assert (document.metadata["page_number"], document.metadata["total_pages"]) == (1, 1)


def test_pictures_of_a_real_pdf_are_fetched(pdf_dir: Path) -> None:
    converter = Converter(provider="doc2x")
    source = pdf_dir / "upstage_ai_packs_slides_4p.pdf"
    conversion = converter.convert(source, Doc2XOptions(model="v3-2026"))
    (asset,) = conversion.assets
    assert (asset.is_image, asset.referenced) == (True, True)
    assert {block.provenance[0].source for block in conversion.blocks} == {"exact"}
    assert {block.provenance[0].page_number for block in conversion.blocks} == {1, 2, 3, 4}


async def test_every_format_of_a_task_can_be_exported(pdf: Path, tmp_path: Path) -> None:
    conversion = await Converter(provider="doc2x").aconvert(pdf)
    async with Exporter() as exporter:
        for to in ("md", "tex", "docx"):
            path = await exporter.export(conversion.tasks[0].id, to, tmp_path)  # type: ignore[arg-type]  # literals
            with zipfile.ZipFile(path) as archive:
                text = b"".join(map(archive.read, archive.namelist()))
            assert b"apples" in text


@pytest.mark.skipif(not HAS_OCR, reason="the extra ocr is not installed")
async def test_a_picture_is_read_while_you_wait(pdf: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(render_page(pdf, 2, scale=2.0))
    picture = await read_picture(path)
    assert "pears" in picture.markdown
    assert picture.width == pytest.approx(1190, abs=2)
