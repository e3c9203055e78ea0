"""Both wires with the real engine: real PDFs, real pictures, real files."""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from pathlib import Path

import pytest

from support.doc2x import Doc2X
from support.embedded import Running

needs_ocr = pytest.mark.skipif(
    importlib.util.find_spec("rapidocr") is None, reason='the extra "ocr" is not installed'
)
SOURCE = re.compile(r'<img src="([^"]+)"/>')


@pytest.fixture(scope="module")
def service(real: Running) -> Doc2X:
    return Doc2X(real)


def test_tables_are_html_and_running_lines_are_comments(service: Doc2X, pdf_dir: Path) -> None:
    before = service.remain()
    _, pages = service.parse((pdf_dir / "loc_land_ownership_5p.pdf").read_bytes())
    assert [page["page_idx"] for page in pages] == [0, 1, 2, 3, 4]
    assert before - service.remain() == 5
    assert (pages[0]["page_width"], pages[0]["page_height"]) == (1224, 1584)
    text = pages[2]["md"]
    assert "<!-- Media -->\n\n<table><tr><td>Jurisdiction</td>" in text
    assert "|---" not in text
    assert text.endswith("<!-- Meanless: The Law Library of Congress 5 -->")
    assert text.startswith("<!-- Meanless: Restrictions on Land Ownership by Foreigners")


def test_each_picture_of_a_page_can_be_fetched(service: Doc2X, slides: Path) -> None:
    _, pages = service.parse(slides.read_bytes(), model="v3-2026")
    sources = [source for page in pages for source in SOURCE.findall(page["md"])]
    figures = [
        block["src"]
        for page in pages
        for block in page["layout"]["blocks"]
        if block["type"] == "Figure"
    ]
    assert sources
    assert set(sources) <= set(figures)
    for source in sources:
        answer = service.api.http.get(source)
        assert answer.content.startswith(b"\x89PNG")
        width = int(re.search(r"w=(\d+)", source)[1])  # type: ignore[index]  # it is there
        assert abs(int.from_bytes(answer.content[16:20], "big") - width) <= 2


@pytest.fixture
def slides(pdf_dir: Path) -> Path:
    return pdf_dir / "upstage_ai_packs_slides_4p.pdf"


def test_boxes_lie_within_their_page(service: Doc2X, pdf_dir: Path) -> None:
    pdf = pdf_dir / "nics-background-checks-2015-11-rotated.pdf"
    _, pages = service.parse(pdf.read_bytes(), model="v3-2026")
    for page in pages:
        for block in page["layout"]["blocks"]:
            x1, y1, x2, y2 = block["bbox"]
            assert 0 <= x1 < x2 <= page["page_width"]
            assert 0 <= y1 < y2 <= page["page_height"]


def test_an_encrypted_pdf_is_refused_at_the_status(service: Doc2X, pdf_dir: Path) -> None:
    before = service.remain()
    uid = service.upload((pdf_dir / "r6-both-passwords.pdf").read_bytes())
    assert service.finish(uid)["code"] == "parse_file_invalid"
    assert service.remain() == before


def test_every_format_is_a_real_file(service: Doc2X, pdf_dir: Path) -> None:
    import docx

    uid, _ = service.parse((pdf_dir / "upstage_ai_packs_slides_4p.pdf").read_bytes())
    with zipfile.ZipFile(io.BytesIO(service.file(uid, to="md"))) as archive:
        markdown = archive.read("output.md").decode()
        named = set(re.findall(r"!\[[^\]]*\]\((images/[^)]+)\)", markdown))
        assert named == set(archive.namelist()) - {"output.md"}
    with zipfile.ZipFile(io.BytesIO(service.file(uid, to="tex"))) as archive:
        latex = archive.read("output.tex").decode()
        shown = set(re.findall(r"\\includegraphics\[[^\]]*\]\{([^}]+)\}", latex))
        assert shown == named
    document = docx.Document(io.BytesIO(service.file(uid, to="docx")))
    words = " ".join(paragraph.text for paragraph in document.paragraphs)
    assert "Upstage aims to enrich your business" in words
    assert len(document.inline_shapes) == len(named)
    assert document.tables


@needs_ocr
def test_a_scanned_page_is_read(service: Doc2X, pdf_dir: Path) -> None:
    _, pages = service.parse((pdf_dir / "ocr_test.pdf").read_bytes(), model="v3-2026")
    assert "Docling bundles PDF document conversion" in pages[0]["md"]
    assert 90 <= pages[0]["score"] <= 100
    assert pages[0]["layout"]["blocks"][0]["type"] == "Text"


def test_a_scanned_page_stays_a_picture_where_ocr_is_declined(
    service: Doc2X, pdf_dir: Path
) -> None:
    uuid = service.submit((pdf_dir / "ocr_test.pdf").read_bytes(), ocr="0").json()["data"]["uuid"]
    page = service.v1_finish(uuid)["result"]["pages"][0]
    assert SOURCE.search(page["md"])
    assert page["url"]


@needs_ocr
def test_an_image_is_read_by_both_versions(service: Doc2X, pdf_dir: Path) -> None:
    image = _picture_of(pdf_dir / "ocr_test.pdf")
    answer = service.post("/api/v2/parse/img/layout", content=image).json()
    assert "JSON and Markdown" in answer["data"]["result"]["pages"][0]["md"]
    uuid = service.submit_image(image).json()["data"]["uuid"]
    assert "JSON and Markdown" in service.v1_finish(uuid)["result"]["pages"][0]["md"]


@needs_ocr
def test_a_crooked_image_is_straightened_if_asked(service: Doc2X, pdf_dir: Path) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(_picture_of(pdf_dir / "ocr_test.pdf"))) as upright:
        size = upright.size
        crooked = io.BytesIO()
        upright.rotate(-7, expand=True, fillcolor="white").save(crooked, "JPEG")
    uuid = service.submit_image(crooked.getvalue(), img_correction="1").json()["data"]["uuid"]
    page = service.v1_finish(uuid)["result"]["pages"][0]
    assert "Docling bundles PDF document conversion" in page["md"]
    # Turned once, the picture is 1.17 times as wide; turned back, it has grown a second time.
    assert page["page_width"] > 1.25 * size[0]


def _picture_of(pdf: Path) -> bytes:
    from zhiyipdf.server.page_pictures import Drawing

    with Drawing(pdf) as drawing:
        picture = drawing.draw(1)
    assert picture is not None
    return picture
