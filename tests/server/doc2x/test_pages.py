from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.doc2x.links import PictureLink, read_crop, read_picture_name
from zhiyipdf.server.doc2x.pages import Crop, crop_name, markdown_of, pixels_of
from zhiyipdf.server.engine import BLANK_PAGE, PICTURE_PAGE, PageBlock, PageMarkdown

UID = "0192d745-5776-7261-abbd-814df3af3449"


def _page(markdown: str, *blocks: PageBlock) -> PageMarkdown:
    return PageMarkdown(number=1, width=100, height=80, markdown=markdown, blocks=blocks)


def _markdown(page: PageMarkdown) -> str:
    return markdown_of(page, source_of=lambda block: f"at/{block.picture}")


def test_a_table_stands_between_media_comments() -> None:
    page = _page("before\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nafter")
    table = "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td>2</td></tr></table>"
    media = f"<!-- Media -->\n\n{table}\n\n<!-- Media -->"
    assert _markdown(page) == f"before\n\n{media}\n\nafter"


def test_a_picture_without_a_block_is_left_out() -> None:
    assert _markdown(_page('a <img src="images/9-9.png" style="x" /> b')) == "a  b"


def test_running_lines_stand_where_they_stood_and_cannot_end_their_comment() -> None:
    head = PageBlock(kind="margin", box=(0, 2, 50, 8), text="Title --> of\nall")
    foot = PageBlock(kind="margin", box=(0, 75, 50, 79), text="7")
    assert _markdown(_page("text", head, foot)) == (
        "<!-- Meanless: Title -> of all -->\n\ntext\n\n<!-- Meanless: 7 -->"
    )


def test_the_engines_remarks_are_not_the_services() -> None:
    assert _markdown(_page(BLANK_PAGE)) == ""
    block = PageBlock(kind="figure", box=(0, 0, 100, 80), picture="1-1.png")
    page = _page(f'{PICTURE_PAGE}\n\n<img src="images/1-1.png" style="x" />', block)
    assert _markdown(page) == '<!-- Media -->\n\n<img src="at/1-1.png"/>\n\n<!-- Media -->'


def test_an_image_is_measured_in_its_own_pixels() -> None:
    page = _page("x")
    assert (pixels_of(page).width, pixels_of(page, image=True).width) == (200, 100)


coordinates = st.floats(-1e4, 1e4)


@given(st.tuples(coordinates, coordinates, coordinates, coordinates))
def test_any_box_becomes_a_part_of_the_page(box: tuple[float, float, float, float]) -> None:
    pixels = pixels_of(_page(""))
    x1, y1, x2, y2 = pixels.corners(box)
    assert 0 <= x1 < x2 <= pixels.width
    assert 0 <= y1 < y2 <= pixels.height


numbers = st.integers(0, 99_999)


@given(numbers, numbers, numbers.filter(bool), numbers.filter(bool), st.integers(0, 1999))
def test_a_link_says_which_part_of_which_page_it_is(
    x: int, y: int, w: int, h: int, page_idx: int
) -> None:
    crop = Crop(x, y, w, h)
    link = PictureLink("http://host", UID, page_idx).whole
    assert read_picture_name(link.rsplit("/", 1)[1]) == (UID, page_idx)
    query = dict(part.split("=") for part in crop.query.split("&"))
    assert read_crop(query) == crop
    assert crop_name(page_idx, crop, ".jpg") == f"{page_idx}_{x}_{y}_{w}_{h}_0.jpg"


def test_a_link_without_a_part_means_the_page() -> None:
    assert read_crop({}) is None
    assert read_picture_name("../server.sqlite3") is None
