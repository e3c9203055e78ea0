from __future__ import annotations

import math

import numpy as np
import pytest

from support.drawings import Drawing, picture, text, write_drawings
from support.pdfs import write_pdf
from support.pixels import dark_box
from zhiyipdf.errors import EncryptedPDF, InvalidPDF
from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer import page_size, read_page_texts, render_page


def read(path, numbers=None) -> list[PageText]:
    return list(read_page_texts(path, numbers))


def line_texts(page: PageText) -> list[str]:
    return ["".join(map(chr, page.codes[a:b].tolist())) for a, b in page.lines.tolist()]


def drawn(tmp_path, content: str, **page) -> PageText:
    (found,) = read(write_drawings(tmp_path / "a.pdf", [Drawing(content=content, **page)]))
    return found


# Pages


def test_pages_come_in_order_with_their_text(tmp_path):
    pages = read(write_pdf(tmp_path / "a.pdf", pages=3))

    assert [page.number for page in pages] == [1, 2, 3]
    assert [page.text() for page in pages] == [f"Page {n} of 3" for n in (1, 2, 3)]
    assert (pages[0].width, pages[0].height) == (595, 842)


def test_pages_come_in_the_order_asked_for(tmp_path):
    pages = read(write_pdf(tmp_path / "a.pdf", pages=5), [4, 2, 2])

    assert [page.number for page in pages] == [4, 2, 2]
    assert [page.text() for page in pages] == ["Page 4 of 5", "Page 2 of 5", "Page 2 of 5"]


def test_a_damaged_page_is_left_out(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=4, broken=[2])

    assert [page.number for page in read(path)] == [1, 3, 4]
    assert [page.number for page in read(path, [2, 3])] == [3]


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_page_that_is_not_there_is_a_wrong_number(tmp_path, number):
    with pytest.raises(ValueError, match="not one of"):
        read(write_pdf(tmp_path / "a.pdf", pages=3), [1, number])


def test_what_cannot_be_opened_is_refused(tmp_path, pdf_dir):
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    with pytest.raises(InvalidPDF):
        read(tmp_path / "bad.pdf")
    with pytest.raises(EncryptedPDF):
        read(pdf_dir / "r6-both-passwords.pdf")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "absent.pdf")


def test_content_that_is_garbage_is_a_page_without_text(tmp_path):
    page = drawn(tmp_path, "q BT (never ended Tj 5 0 0 re W n /Nothing Do [ << ")

    assert len(page.codes) == len(page.lines) == len(page.pictures) == 0
    assert page.ink == 0


# Lines


def test_each_line_has_its_characters_and_its_box(tmp_path):
    page = drawn(tmp_path, text(20, 70, "The first line") + text(20, 50, "and another"))

    assert line_texts(page) == ["The first line", "and another"]
    first, second = (page.line_bbox(i) for i in range(2))
    assert first[0] == pytest.approx(20, abs=0.5)
    assert first[1] < 100 - 70 < first[3]  # the base line
    assert first[3] <= second[1] + 1
    assert page.codes.dtype == np.uint32
    assert page.lines.dtype == np.int32
    assert page.line_boxes.dtype == np.float32


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "boxes",
    [
        {"media": (0, 0, 200, 100)},
        {"media": (33, -50, 233, 50)},
        {"media": (-500, -500, 900, 900), "crop": (20, 10, 220, 110)},
        {"media": (0, 0, 200, 100), "crop": (-50, -50, 900, 900)},
    ],
    ids=["plain", "shifted media box", "crop box", "crop box beyond the media box"],
)
def test_boxes_are_where_a_rendered_page_is_dark(tmp_path, rotate, boxes):
    media, crop = boxes["media"], boxes.get("crop", (-math.inf, -math.inf))
    x, y = max(media[0], crop[0]), max(media[1], crop[1])
    content = text(x + 30, y + 60, "HHHHHHHH", size=12)
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content, rotate=rotate, **boxes)])
    (page,) = read(path)
    dark = dark_box(render_page(path, 1, scale=4), scale=4)

    assert (page.width, page.height) == page_size(path, 1)
    (box,) = page.line_boxes.tolist()
    # The font is higher than its capitals, above and below; at the ends the letters fill it.
    assert box[0] <= dark[0] + 0.5
    assert box[1] <= dark[1] + 0.5
    assert box[2] >= dark[2] - 0.5
    assert box[3] >= dark[3] - 0.5
    assert max(abs(a - b) for a, b in zip(box, dark, strict=True)) < 4


def test_text_up_the_page_is_one_line(tmp_path):
    page = drawn(tmp_path, "BT /F1 10 Tf 0 1 -1 0 50 20 Tm (up) Tj ( the) Tj ( page) Tj ET")

    assert line_texts(page) == ["up the page"]
    x0, y0, x1, y1 = page.line_bbox(0)
    assert y1 - y0 > 3 * (x1 - x0)


def test_vertical_text_is_columns_one_em_wide_even_where_its_font_is_not_there(pdf_dir):
    (page,) = read(pdf_dir / "jo.pdf")

    assert len(page.lines) == 16
    for x0, y0, x1, y1 in page.line_boxes.tolist():
        assert x1 - x0 < 1.2 * 9.6
        assert y1 - y0 > 8 * 9.6


def test_a_line_that_pdfium_reads_on_elsewhere_is_parted(pdf_dir):
    (page,) = read(pdf_dir / "nics-background-checks-2015-11-rotated.pdf")
    texts = line_texts(page)

    assert "Pre-Pawn Redemption" in " ".join(texts)
    (title,) = [text for text in texts if "November" in text]
    assert title.strip() == "November - 2015"


def test_symbols_of_a_font_four_ems_high_do_not_make_a_line_higher(tmp_path):
    line = text(30, 50, "some words")
    usual = drawn(tmp_path, line).line_bbox(0)
    with_symbols = drawn(tmp_path, text(20, 50, "=", font="F3") + line).line_bbox(0)

    assert with_symbols[0] < usual[0]
    assert with_symbols[3] - with_symbols[1] <= usual[3] - usual[1]


# What is to be seen


def test_a_page_cut_from_a_spread_holds_its_own_half_alone(tmp_path):
    spread = text(20, 50, "left page") + text(120, 50, "right page")
    halves = [(0, 0, 100, 100), (100, 0, 200, 100)]
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=spread, crop=c) for c in halves])
    left, right = read(path)

    assert left.text().strip() == "left page"
    assert right.text().strip() == "right page"
    assert len(left.codes) == len(right.codes) > len("left page" + "right page")
    assert left.line_bbox(0)[0] == pytest.approx(20, abs=0.5)
    assert right.line_bbox(0)[0] == pytest.approx(20, abs=0.5)


def test_a_word_cut_by_the_edge_keeps_the_letters_on_the_page(tmp_path):
    page = drawn(tmp_path, text(70, 50, "MMMMMMMM"), crop=(0, 0, 100, 100))

    assert 1 <= len(page.text()) < 8
    assert page.line_bbox(0)[2] <= 100


def test_lines_above_and_below_the_page_are_not_on_it(tmp_path):
    content = text(20, 95, "above") + text(20, 50, "here") + text(20, 5, "below")
    page = drawn(tmp_path, content, crop=(0, 30, 200, 80))

    assert page.text().strip() == "here"
    assert line_texts(page) == ["here"]


def test_text_without_an_extent_is_not_to_be_seen(tmp_path):
    content = text(20, 50, "seen") + "BT /F1 10 Tf 0 0 0 0 20 20 Tm (nothing) Tj ET"
    page = drawn(tmp_path, content)

    assert page.text().strip() == "seen"
    assert len(page.lines) == 1


# Ink


def test_a_page_with_text_is_not_measured_for_ink(tmp_path):
    assert drawn(tmp_path, text(20, 50, "fifteen letters")).ink is not None  # a blank is none
    assert drawn(tmp_path, text(20, 50, "fifteen letters!1")).ink is None


def test_a_blank_page_has_no_ink_and_a_scanned_one_has(tmp_path):
    assert drawn(tmp_path, "").ink == 0
    assert drawn(tmp_path, picture(0, 0, 100, 50)).ink == pytest.approx(0.25, abs=0.02)


def test_ink_on_a_dark_page_is_what_is_light(tmp_path):
    dark = "0 g 0 0 200 100 re f 1 g 0 0 20 100 re f"

    assert drawn(tmp_path, dark).ink == pytest.approx(0.1, abs=0.02)


def test_a_scan_of_text_has_more_ink_than_noise(pdf_dir):
    (page,) = read(pdf_dir / "ocr_test.pdf")

    assert len(page.pictures) == 1
    assert 0.01 < page.ink < 0.2
