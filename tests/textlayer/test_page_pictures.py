from __future__ import annotations

import pytest

from support.drawings import Drawing, Form, picture, text, write_drawings
from support.pixels import dark_box
from zhiyipdf.textlayer import read_page_texts, render_page


def pictures(tmp_path, content: str, forms: dict[str, Form] | None = None, **page):
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content, **page)], forms=forms)
    (found,) = read_page_texts(path)
    if len(found.pictures) == 1:  # the only dark thing there
        dark = dark_box(render_page(path, 1, scale=4), scale=4)
        assert found.pictures[0].tolist() == pytest.approx(dark, abs=0.3)
    return found.pictures.tolist()


def test_a_picture_is_where_it_is_drawn(tmp_path):
    assert pictures(tmp_path, picture(10, 20, 30, 40)) == [[10, 40, 40, 80]]


def test_pictures_come_in_the_order_they_are_drawn(tmp_path):
    content = picture(100, 0, 10, 10) + text(5, 50, "word") + picture(0, 0, 10, 10)

    assert [box[0] for box in pictures(tmp_path, content)] == [100, 0]


def test_a_turned_picture_on_a_turned_page_of_a_shifted_box(tmp_path):
    content = "q 0 30 -20 0 90 40 cm /P1 Do Q"

    found = pictures(tmp_path, content, media=(50, 20, 250, 120), rotate=90)
    assert found == [[20, 20, 50, 40]]


def test_a_picture_in_forms_is_placed_by_all_their_matrices(tmp_path):
    forms = {
        "Inner": Form(content=picture(1, 2, 10, 5), matrix=(0, 1, -1, 0, 12, 0)),
        "Outer": Form(content="q 1 0 0 1 3 4 cm /Inner Do Q", matrix=(2, 0, 0, 2, 0, 0)),
    }

    # (1, 2, 11, 7) turned: (5, 1, 10, 11); moved: (8, 5, 13, 15); doubled; moved by 20
    found = pictures(tmp_path, "q 1 0 0 1 20 0 cm /Outer Do Q", forms)
    assert found == [[36, 70, 46, 90]]


def test_what_is_clipped_away_does_not_count(tmp_path):
    content = "q 20 10 15 25 re W n " + picture(0, 0, 100, 50) + " Q"

    assert pictures(tmp_path, content) == [[20, 65, 35, 90]]


def test_a_form_is_clipped_by_its_box_and_by_who_draws_it(tmp_path):
    form = Form(content=picture(0, 0, 90, 90), box=(0, 0, 60, 30))

    found = pictures(tmp_path, "q 10 10 500 500 re W n /Inner Do Q", {"Inner": form})
    assert found == [[10, 70, 60, 90]]


def test_a_picture_outside_the_page_is_none(tmp_path):
    content = picture(300, 10, 50, 50) + "q 5 5 1 1 re W n " + picture(20, 20, 30, 30) + " Q"

    assert pictures(tmp_path, content) == []


def test_a_picture_that_hangs_over_the_edge_is_cut_there(tmp_path):
    assert pictures(tmp_path, picture(150, -50, 100, 100)) == [[150, 50, 200, 100]]


def test_a_form_in_forms_in_forms_has_an_end(tmp_path):
    forms = {"F0": Form(content=picture(0, 0, 10, 10))}
    for depth in range(1, 12):
        forms[f"F{depth}"] = Form(content=f"/F{depth - 1} Do")

    assert pictures(tmp_path, "/F3 Do", forms) == [[0, 90, 10, 100]]
    assert pictures(tmp_path, "/F11 Do", forms) == []


def test_a_thousand_pictures_of_a_page_are_enough(tmp_path):
    content = "".join(picture(i % 200, i // 200, 1, 1) for i in range(1200))

    assert len(pictures(tmp_path, content)) == 1000


def drawings(tmp_path, content: str, forms: dict[str, Form] | None = None, **page):
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content, **page)], forms=forms)
    (found,) = read_page_texts(path)
    dark = dark_box(render_page(path, 1, scale=4), scale=4)
    assert found.drawings[0].tolist() == pytest.approx(dark, abs=0.6)  # the only dark thing there
    assert not len(found.pictures)
    return found.drawings.tolist()


def test_a_drawing_is_where_its_path_is(tmp_path):
    assert drawings(tmp_path, "20 30 40 50 re f") == [pytest.approx([20, 20, 60, 70], abs=0.1)]


def test_a_drawing_in_a_form_is_placed_by_its_matrix(tmp_path):
    form = Form(content="0 0 10 20 re f", matrix=(2, 0, 0, 2, 30, 10))

    found = drawings(tmp_path, "/Plot Do", {"Plot": form})
    assert found == [pytest.approx([30, 50, 50, 90], abs=0.3)]


def test_a_drawing_on_a_turned_page_is_turned(tmp_path):
    found = drawings(tmp_path, "20 30 40 50 re f", rotate=90)
    assert found == [pytest.approx([30, 20, 80, 60], abs=0.1)]


def test_of_a_large_drawing_only_what_is_not_clipped_away_counts(tmp_path):
    content = "q 20 10 60 50 re W n 0 0 500 400 re f Q"
    found = drawings(tmp_path, content, media=(0, 0, 500, 400))
    assert found == [pytest.approx([20, 340, 80, 390], abs=0.1)]


def test_rules_are_no_drawings(tmp_path):
    content = "0 0 200 1 re f 50 0 1 90 re f 10 10 m 100 10 l S"
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content)])

    (found,) = read_page_texts(path)

    assert found.drawings.shape == (0, 4)


def test_of_a_map_a_part_of_its_lines_is_enough(tmp_path):
    content = "".join(f"{n % 180} {n // 180} 10 10 re f\n" for n in range(9000))
    path = write_drawings(tmp_path / "a.pdf", [Drawing(content=content)])

    (found,) = read_page_texts(path)

    assert 300 < len(found.drawings) <= 500
    assert found.drawings[:, :2].min() < 45
    assert found.drawings[:, 2].max() > 180
    assert found.drawings[:, 3].max() > 95


def test_pictures_of_a_real_slide_are_found(pdf_dir):
    slides = list(read_page_texts(pdf_dir / "upstage_ai_packs_slides_4p.pdf"))

    assert [len(slide.pictures) for slide in slides] == [0, 0, 7, 11]
    chart = max(slides[2].pictures.tolist(), key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    assert chart == pytest.approx([124.2, 229.5, 260.0, 503.2], abs=0.1)
