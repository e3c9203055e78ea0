"""What holds for the text of every real PDF."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2.raw as pdfium_c
import pytest

from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer import page_size, read_page_texts, span_boxes
from zhiyipdf.textlayer.characters import inked
from zhiyipdf.textlayer.opening import loaded_page, loaded_text, opened, pdfium_thread


@pytest.fixture(
    scope="module", params=["repository", pytest.param("corpus", marks=pytest.mark.corpus)]
)
def texts(request, pdf_dir) -> dict[Path, list[PageText]]:
    """The texts of all PDFs of the repository, and of the corpus, that open."""
    if request.param == "corpus":
        folder = request.getfixturevalue("corpus_dir")
        files = json.loads((folder / "manifest.json").read_text())["files"]
        paths = [folder / entry["file"] for entry in files if entry["verified"]["pdfium_opens"]]
    else:
        paths = [path for path in pdf_dir.glob("*.pdf") if path.name != "r6-both-passwords.pdf"]
    return {path: list(read_page_texts(path)) for path in paths}


def sample(pages: list[PageText], count: int) -> list[PageText]:
    return pages[:: max(1, len(pages) // count)]


def each(texts) -> Iterator[tuple[str, PageText]]:
    for path, pages in texts.items():
        for page in pages:
            yield f"{path.name}, page {page.number}", page


def one_by_one(path: Path, number: int) -> list[int]:
    """The code of each character, as PDFium gives it for its index."""
    with opened(path) as document, loaded_page(document, number) as page, loaded_text(page) as text:
        count = pdfium_c.FPDFText_CountChars(text)
        return [pdfium_c.FPDFText_GetUnicode(text, i) for i in range(count)]


def middles(path: Path, number: int) -> list[tuple[float, float] | None]:
    """The middle of each character's ink, by PDFium's own reckoning of what is shown where."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    x, y = ctypes.c_int(), ctypes.c_int()
    found: list[tuple[float, float] | None] = []
    with opened(path) as document, loaded_page(document, number) as page, loaded_text(page) as text:
        size = (
            round(100 * pdfium_c.FPDF_GetPageWidthF(page)),
            round(100 * pdfium_c.FPDF_GetPageHeightF(page)),
        )
        for i in range(pdfium_c.FPDFText_CountChars(text)):
            pdfium_c.FPDFText_GetCharBox(text, i, left, right, bottom, top)
            if right.value - left.value < 0.01 or top.value - bottom.value < 0.01:
                found.append(None)
                continue
            spot = (left.value + right.value) / 2, (bottom.value + top.value) / 2
            pdfium_c.FPDF_PageToDevice(page, 0, 0, *size, 0, *spot, x, y)
            found.append((x.value / 100, y.value / 100))
    return found


def test_every_page_that_loads_has_a_text_of_its_size(texts):
    for path, pages in texts.items():
        assert pages, path.name
        for page in sample(pages, 3):
            assert (page.width, page.height) == pytest.approx(page_size(path, page.number))


def test_boxes_are_on_the_page_and_have_an_area(texts):
    for name, page in each(texts):
        for boxes in (page.line_boxes, page.pictures):
            assert (boxes >= 0).all(), name
            assert (boxes[:, 2] <= np.float32(page.width)).all(), name
            assert (boxes[:, 3] <= np.float32(page.height)).all(), name
            assert (boxes[:, 0] < boxes[:, 2]).all(), name
            assert (boxes[:, 1] < boxes[:, 3]).all(), name


def test_each_character_to_be_seen_is_in_one_line(texts):
    for name, page in each(texts):
        times = np.zeros(len(page.codes), int)
        for start, end in page.lines.tolist():
            assert start < end, name
            times[start:end] += 1
        assert times.max(initial=0) <= 1, name
        assert (times[inked(page.codes)] == 1).all(), name
        assert (np.diff(page.lines.reshape(-1)) >= 0).all(), name


def test_every_text_can_be_written(texts):
    for name, page in each(texts):
        assert len(page.text().encode()) >= np.count_nonzero(page.codes), name


def test_ink_is_measured_where_there_is_next_to_no_text(texts):
    for name, page in each(texts):
        letters = sum(letter.isalnum() for letter in page.text())
        assert (page.ink is not None) == (letters < 15), name
        assert page.ink is None or 0 <= page.ink <= 1, name


def test_codes_are_those_that_pdfium_gives_one_by_one(texts):
    for path, pages in texts.items():
        for page in sample(pages, 4):
            units = pdfium_thread.run(lambda path=path, page=page: one_by_one(path, page.number))
            assert len(units) == len(page.codes)
            for code, unit in zip(page.codes.tolist(), units, strict=True):
                same = code in (unit, 0) or (code, unit) in {(0xAD, 2), (0xFFFD, 0)}
                assert same or 0xD800 <= unit < 0xE000, (path.name, page.number, code, unit)


def test_lines_are_around_the_ink_of_each_of_their_characters(texts):
    for path, pages in texts.items():
        for page in sample(pages, 3):
            spots = pdfium_thread.run(lambda path=path, page=page: middles(path, page.number))
            for (start, end), box in zip(
                page.lines.tolist(), page.line_boxes.tolist(), strict=True
            ):
                for i in range(start, end):
                    if page.codes[i] and spots[i]:
                        x, y = spots[i]
                        assert box[0] - 1 <= x <= box[2] + 1, (path.name, page.number, i)
                        assert box[1] - 1 <= y <= box[3] + 1, (path.name, page.number, i)


def sevenths(count: int) -> list[tuple[int, int]]:
    return [(count * i // 7, count * (i + 1) // 7) for i in range(7)]


def lines_of(page: PageText, start: int, end: int) -> list[list[float]]:
    """Boxes of the lines that show something of a stretch."""
    ranges, boxes = page.lines.tolist(), page.line_boxes.tolist()
    return [
        box
        for (a, b), box in zip(ranges, boxes, strict=True)
        if inked(page.codes[max(a, start) : min(b, end)]).any()
    ]


def test_stretches_of_text_have_boxes_within_those_of_their_lines(texts):
    for path, pages in texts.items():
        pages = sample(pages, 20)
        spans = {page.number: sevenths(len(page.codes)) for page in pages}
        found = span_boxes(path, spans)
        for page in pages:
            for (start, end), boxes in zip(spans[page.number], found[page.number], strict=True):
                lines = lines_of(page, start, end)
                assert len(boxes) == len(lines), (path.name, page.number)
                for box, line in zip(boxes, lines, strict=True):
                    assert line[0] - 2 <= box[0] < box[2] <= line[2] + 2, (path.name, page.number)
                    assert line[1] - 2 <= box[1] < box[3] <= line[3] + 2, (path.name, page.number)
