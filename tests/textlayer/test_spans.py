from __future__ import annotations

import pytest

from support.drawings import Drawing, text, write_drawings
from support.pdfs import write_pdf
from support.pixels import dark_box
from zhiyipdf.errors import EncryptedPDF, InvalidPDF
from zhiyipdf.textlayer import read_page_texts, render_page, span_boxes


def where(path, words: str, number: int = 1):
    """The boxes of some words on a page."""
    (page,) = read_page_texts(path, [number])
    start = "".join(map(chr, page.codes.tolist())).index(words)
    return span_boxes(path, {number: [(start, start + len(words))]})[number][0]


def drawn(tmp_path, *contents: str, **page):
    drawings = [Drawing(content=content, **page) for content in contents]
    return write_drawings(tmp_path / "a.pdf", drawings)


def test_words_have_their_box_and_not_that_of_their_line(tmp_path):
    path = drawn(tmp_path, text(20, 50, "some HHHH words"))
    (box,) = where(path, "HHHH")
    (before,) = where(path, "some ")
    (after,) = where(path, "words")

    alone = drawn(tmp_path, text(20, 50, "HHHH"))
    dark = dark_box(render_page(alone, 1, scale=4), scale=4)
    assert before[2] <= box[0] + 0.5
    assert box[2] <= after[0] + 0.5
    assert box[2] - box[0] == pytest.approx(dark[2] - dark[0], abs=2)


def test_a_stretch_over_lines_has_a_box_on_each(tmp_path):
    path = drawn(tmp_path, text(20, 70, "one two") + text(20, 55, "three") + text(20, 40, "four"))
    (page,) = read_page_texts(path)
    start = page.text().index("two")
    ((boxes,),) = span_boxes(path, {1: [(start, len(page.codes))]}).values()

    lines = page.line_boxes.tolist()
    assert [list(box) for box in boxes[1:]] == lines[1:]
    assert boxes[0][0] > lines[0][0] + 10
    assert boxes[0][2:] == tuple(lines[0][2:])


def test_boxes_are_as_high_as_the_font(tmp_path):
    path = drawn(tmp_path, text(20, 50, "mmm", size=20))
    (box,) = where(path, "m")
    dark = dark_box(render_page(path, 1, scale=4), scale=4)

    assert box[1] < dark[1] - 2
    assert box[3] > dark[3] + 2


def test_a_large_letter_does_not_reach_beyond_its_line(tmp_path):
    content = text(20, 50, "some ") + text(50, 50, "m", size=24) + text(75, 50, " words")
    path = drawn(tmp_path, content)
    (page,) = read_page_texts(path)
    (line,) = page.line_boxes.tolist()
    (box,) = where(path, "m ")

    assert line[1] <= box[1] < box[3] <= line[3]


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_boxes_turn_with_the_page(tmp_path, rotate):
    path = drawn(tmp_path, text(20, 50, "HHHH"), rotate=rotate)
    (box,) = where(path, "HHHH")
    dark = dark_box(render_page(path, 1, scale=4), scale=4)

    assert max(abs(a - b) for a, b in zip(box, dark, strict=True)) < 3


@pytest.mark.parametrize("span", [(0, 0), (4, 5), (5, 3), (90, 99)], ids=str)
def test_what_is_not_to_be_seen_has_no_box(tmp_path, span):
    path = drawn(tmp_path, text(20, 50, "some words"))

    assert span_boxes(path, {1: [span]}) == {1: [()]}


def test_text_outside_the_page_has_no_box(tmp_path):
    path = drawn(tmp_path, text(20, 50, "left") + text(120, 50, "right"), crop=(0, 0, 100, 100))
    (page,) = read_page_texts(path)

    ((everything,),) = span_boxes(path, {1: [(0, len(page.codes))]}).values()
    assert len(everything) == 1
    assert everything[0][2] < 50
    assert span_boxes(path, {1: [(len(page.codes) - 4, len(page.codes))]}) == {1: [()]}


def test_stretches_of_many_pages_keep_their_order(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=150)
    spans = {number: [(0, 4), (8, 10), (0, 12)] for number in (150, 2, 77)}
    found = span_boxes(path, spans)

    assert set(found) == set(spans)
    for boxes in found.values():
        (word,), (of,), (line,) = boxes
        assert word[0] == line[0] < word[2] < of[0] < of[2] < line[2]


def test_a_damaged_page_has_no_boxes(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=3, broken=[2])

    assert span_boxes(path, {2: [(0, 4), (5, 6)]}) == {2: [(), ()]}


def test_no_spans_are_no_boxes(tmp_path):
    assert span_boxes(write_pdf(tmp_path / "a.pdf"), {}) == {}
    assert span_boxes(write_pdf(tmp_path / "a.pdf"), {1: []}) == {1: []}


def test_what_cannot_be_opened_is_refused(tmp_path, pdf_dir):
    with pytest.raises(ValueError, match="not one of"):
        span_boxes(write_pdf(tmp_path / "a.pdf"), {4: [(0, 1)]})
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(InvalidPDF):
        span_boxes(tmp_path / "bad.pdf", {1: [(0, 1)]})
    with pytest.raises(EncryptedPDF):
        span_boxes(pdf_dir / "r6-both-passwords.pdf", {1: [(0, 1)]})


def test_the_whole_of_a_line_has_the_lines_box(pdf_dir):
    path = pdf_dir / "loc_land_ownership_5p.pdf"
    pages = list(read_page_texts(path))
    spans = {page.number: [tuple(span) for span in page.lines.tolist()] for page in pages}

    for page, boxes in zip(pages, span_boxes(path, spans).values(), strict=True):
        assert [list(box) for (box,) in boxes] == page.line_boxes.tolist()
