"""The real engine on real PDFs: structure is asserted, not exact Markdown, which moves with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.pdfs import write_pdf
from zhiyipdf.server.engine import BLANK_PAGE, PICTURE_PAGE, EngineFailure, PageMarkdown
from zhiyipdf.server.liteparse_engine import (
    BATCH_PAGES,
    LiteparseEngine,
    batch_size,
)

IMAGE = re.compile(
    r'<img src="images/(\d+-\d+\.(?:png|jpg))" style="zoom:70%; display: block; margin: 0 auto;" />'
)


def _convert(
    pdf: Path,
    folder: Path,
    table_mode: Literal["markdown", "image"] = "markdown",
    *,
    ocr: bool = False,
) -> Sequence[PageMarkdown]:
    begun: list[int] = []
    pages = LiteparseEngine().convert(
        pdf, folder, table_mode=table_mode, ocr=ocr, on_page=begun.append
    )
    assert begun == sorted(begun)
    assert [page.number for page in pages] == list(range(1, begun[-1] + 1))
    named = {name for page in pages for name in IMAGE.findall(page.markdown)}
    assert named == {path.name for path in (folder / "images").iterdir()}
    assert not any("![" in page.markdown for page in pages)
    return pages


def test_tables_are_pipe_tables(pdf_dir: Path, tmp_path: Path) -> None:
    pages = _convert(pdf_dir / "us-017.pdf", tmp_path)
    assert len(pages) == 7
    assert "| 1996 | 51,544 |" in pages[1].markdown
    assert (pages[1].width, pages[1].height) == (612, 792)


def test_tables_become_pictures_named_by_page_and_block(pdf_dir: Path, tmp_path: Path) -> None:
    pages = _convert(pdf_dir / "us-017.pdf", tmp_path, "image")
    assert not any("|---|" in page.markdown for page in pages)
    for page in pages:
        for name in IMAGE.findall(page.markdown):
            assert int(name.split("-")[0]) == page.number
            assert (tmp_path / "images" / name).read_bytes().startswith(b"\x89PNG")
    assert len(IMAGE.findall(pages[1].markdown)) == 2


def test_a_table_of_a_rotated_page_is_cut_out_where_it_is_seen(
    pdf_dir: Path, tmp_path: Path
) -> None:
    import pypdfium2 as pdfium

    from zhiyipdf.server.page_pictures import DPI

    pdf = pdf_dir / "nics-background-checks-2015-11-rotated.pdf"
    (page,) = _convert(pdf, tmp_path, "image")
    (name,) = IMAGE.findall(page.markdown)
    head = (tmp_path / "images" / name).read_bytes()[16:24]
    width, height = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
    document = pdfium.PdfDocument(pdf)
    assert document[0].get_size() == (page.width, page.height)
    document.close()
    assert width <= page.width * DPI / 72 + 1
    assert height <= page.height * DPI / 72 + 1
    assert height > 2 * width  # as the page is shown: its text runs from top to bottom


def test_figures_are_extracted_and_named_by_their_place(pdf_dir: Path, tmp_path: Path) -> None:
    pages = _convert(pdf_dir / "upstage_ai_packs_slides_4p.pdf", tmp_path)
    names = [name for page in pages for name in IMAGE.findall(page.markdown)]
    assert names
    assert all(name.startswith("3-") for name in names)


def test_a_scanned_page_becomes_its_picture_and_says_so(pdf_dir: Path, tmp_path: Path) -> None:
    (page,) = _convert(pdf_dir / "ocr_test.pdf", tmp_path)
    assert page.markdown.startswith(PICTURE_PAGE)
    assert IMAGE.findall(page.markdown) == ["1-1.png"]
    assert "```" not in page.markdown


def test_a_blank_page_is_said_to_be_blank(tmp_path: Path) -> None:
    pages = _convert(write_pdf(tmp_path / "a.pdf", 3, text=["one", "", "three"]), tmp_path)
    assert [page.markdown for page in pages] == ["one", BLANK_PAGE, "three"]


def test_a_page_of_nothing_but_running_lines_keeps_them(tmp_path: Path) -> None:
    text = "The running title\n{n}"
    pages = _convert(write_pdf(tmp_path / "a.pdf", 4, text=text), tmp_path)
    assert all("The running title" in page.markdown for page in pages)


def test_no_page_mark_is_left_in_the_markdown(pdf_dir: Path, tmp_path: Path) -> None:
    for page in _convert(pdf_dir / "loc_land_ownership_5p.pdf", tmp_path):
        assert "\f" not in page.markdown
        assert not re.search(r"<!--.*\d.*-->", page.markdown)


def test_a_damaged_page_does_not_cost_the_others(tmp_path: Path) -> None:
    pdf = write_pdf(tmp_path / "a.pdf", 3, broken=[2])
    assert LiteparseEngine().count_pages(pdf) == 2
    pages = _convert(pdf, tmp_path)
    assert "Page 1" in pages[0].markdown
    assert "Page 3" in pages[2].markdown
    assert "damaged" in pages[1].markdown


def test_long_documents_are_converted_whole_in_batches(tmp_path: Path) -> None:
    count = BATCH_PAGES + 1
    pages = _convert(write_pdf(tmp_path / "a.pdf", count, text="Text {n}."), tmp_path)
    assert [page.markdown for page in pages] == [f"Text {n}." for n in range(1, count + 1)]


@given(st.integers(1, 800))
def test_batches_are_about_equal_and_never_too_large(pages: int) -> None:
    size = batch_size(pages)
    assert size <= BATCH_PAGES
    last = pages - size * ((pages - 1) // size)
    assert pages <= BATCH_PAGES or last >= size / 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [("r6-both-passwords.pdf", "encrypted"), ("README.md", "invalid")],
)
def test_what_cannot_be_opened_is_told_apart(
    pdf_dir: Path, tmp_path: Path, name: str, kind: str
) -> None:
    with pytest.raises(EngineFailure) as caught:
        LiteparseEngine().count_pages(pdf_dir / name)
    assert caught.value.kind == kind
    with pytest.raises(EngineFailure):
        LiteparseEngine().convert(
            pdf_dir / name, tmp_path, table_mode="markdown", ocr=False, on_page=lambda _: None
        )


def test_an_owner_password_alone_does_not_hinder(pdf_dir: Path, tmp_path: Path) -> None:
    assert _convert(pdf_dir / "r4-owner-password.pdf", tmp_path)[0].markdown


def test_a_chinese_paper_gets_its_headings_and_loses_no_spaces_in_them(tmp_path: Path) -> None:
    lines = [
        (24, "系统 白皮书"),
        (16, "第一章 概述"),
        (11, "本系统将文档转换为结构化文本，并保留其中的"),
        (11, "表格与图片，供检索与问答使用。"),
        (16, "第二章 设计"),
        (11, "设计的目标是简单可靠，易于维护。"),
    ]
    (page,) = _convert(_chinese_pdf(tmp_path / "a.pdf", lines), tmp_path)
    headings = [line for line in page.markdown.split("\n") if line.startswith("#")]
    assert headings == ["# 系统 白皮书", "## 第一章 概述", "## 第二章 设计"]
    assert "并保留其中的表格与图片" in page.markdown


def _chinese_pdf(path: Path, lines: Sequence[tuple[int, str]]) -> Path:
    """A page of Chinese in the standard font STSong-Light, which is not embedded."""
    y, shown = 780, []
    for size, text in lines:
        y -= 15 if size == 11 else 40
        shown.append(f"/F1 {size} Tf 1 0 0 1 72 {y} Tm <{text.encode('utf-16-be').hex()}> Tj")
    content = f"BT {' '.join(shown)} ET"
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
        " /DescendantFonts [6 0 R] >>",
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /CIDSystemInfo"
        " << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor 7 0 R >>",
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [0 -200 1000 900]"
        " /ItalicAngle 0 /Ascent 850 /Descent -150 /CapHeight 850 /StemV 80 >>",
    ]
    file = "%PDF-1.5\n"
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    file += (
        f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(bodies) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n"
    )
    path.write_bytes(file.encode("ascii"))
    return path
