from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from support.conversions import PNG, asset, blocks, conversion, on
from support.dom import Element, parsed
from support.drawings import noisy_pdf
from support.pdfs import write_pdf
from zhiyipdf import Converter
from zhiyipdf.models import Asset, Conversion, DocumentProperties, ParseOptions, Provenance
from zhiyipdf.preview import PagePicture, PreviewPage, draw_pages
from zhiyipdf.preview.pictures import PAGE_BYTES


def at(page: int, *bbox: float, score: float = 0.97) -> Provenance:
    x0, y0, x1, y1 = bbox
    return Provenance(page_number=page, source="aligned", score=score, bbox=(x0, y0, x1, y1))


def picture(number: int, *, label: str = "", png: bytes | None = PNG) -> PagePicture:
    return PagePicture(number=number, label=label or str(number), width=600, height=800, png=png)


def no_picture(wanted: Asset) -> bytes:
    raise FileNotFoundError(wanted.uri)


def page_of(
    made: Conversion,
    pictures: Sequence[PagePicture] | None = None,
    *,
    read_asset: Callable[[Asset], bytes] = no_picture,
    most_pages: int | None = None,
) -> Element:
    numbers = [page.number for page in made.pages]
    page = PreviewPage(made, numbers, read_asset=read_asset, most_pages=most_pages)
    if pictures is None:
        pictures = [picture(number) for number in page.page_numbers]
    return parsed("".join(page.pieces(pictures)))


def notices(page: Element) -> list[str]:
    return [said.text for box in page.all("div", class_="notices") for said in box.all("p")]


THREE = blocks(
    ("heading", "# Title\n\n", (at(1, 60, 40, 300, 60),), {"level": 1}),
    ("paragraph", "Runs on.\n\n", (at(1, 60, 700, 540, 760), at(2, 60, 40, 540, 80.126))),
    ("paragraph", "Nowhere.\n", ()),
)


# --- blocks and boxes ----------------------------------------------------------------------------


def test_every_block_is_on_the_page_once_and_in_order() -> None:
    page = page_of(conversion(THREE))
    shown = page.all("article")

    assert [block.attributes["id"] for block in shown] == ["block-0", "block-1", "block-2"]
    assert [block.one("div", class_="content").text.strip() for block in shown] == [
        "Title",
        "Runs on.",
        "Nowhere.",
    ]


def test_a_box_is_drawn_in_points_on_the_page_it_stands_on() -> None:
    page = page_of(conversion(THREE))
    first, second, third = page.all("figure")
    [title, begins] = sorted(first.all("rect"), key=lambda box: box.attributes["data-block"])
    [goes_on] = second.all("rect")

    assert first.one("svg").attributes["viewbox"] == "0 0 600 800"
    names = ("data-block", "x", "y", "width", "height")
    assert [title.attributes[n] for n in names] == ["block-0", "60", "40", "240", "20"]
    assert [begins.attributes[n] for n in names] == ["block-1", "60", "700", "480", "60"]
    assert [goes_on.attributes[n] for n in names] == ["block-1", "60", "40", "480", "40.13"]
    assert third.all("rect") == []


def test_a_large_box_lies_below_a_small_one() -> None:
    made = blocks(
        ("paragraph", "Small\n\n", (at(1, 100, 100, 120, 120),)),
        ("table", "Large\n", (at(1, 0, 0, 600, 800),)),
    )
    page = page_of(conversion(made, pages=1))

    assert [box.attributes["data-block"] for box in page.all("rect")] == ["block-1", "block-0"]


def test_a_box_has_the_grade_of_its_own_page_and_a_block_that_of_its_first() -> None:
    made = blocks(("paragraph", "a\n", (at(1, 0, 0, 9, 9), at(2, 0, 0, 9, 9, score=0.5))))
    page = page_of(conversion(made))

    assert [box.classes for box in page.all("rect")] == [{"box", "sure"}, {"box", "doubtful"}]
    assert "sure" in page.one("article").classes


def test_a_block_names_its_pages_and_its_place_in_words() -> None:
    _, runs_on, nowhere = page_of(conversion(THREE)).all("article")

    assert runs_on.attributes["data-pages"] == "1 2"
    assert runs_on.one("a", class_="where").text == "p. 1–2"
    assert runs_on.one("p", class_="label").text == "paragraph #1 · pages 1–2, aligned 0.97"
    assert nowhere.attributes["data-pages"] == ""


def test_a_blocks_page_number_is_a_link_to_the_block_and_so_within_reach_of_the_keyboard() -> None:
    links = page_of(conversion(THREE)).all("a", class_="where")

    assert [link.attributes["href"] for link in links] == ["#block-0", "#block-1", "#block-2"]


def test_the_legend_counts_blocks_by_grade() -> None:
    legend = page_of(conversion(THREE)).one("div", class_="legend")

    assert [entry.text for entry in legend.all("li")] == [
        "exact 0",
        "0.9 and up 2",
        "0.6 to 0.9 0",
        "below 0.6 0",
        "no page 1",
    ]


def test_each_variant_has_its_own_blocks_boxes_and_language() -> None:
    made = conversion(
        THREE,
        translated=blocks(("heading", "# Titel\n", (at(1, 60, 40, 300, 60),))),
        options=ParseOptions(translate_to="de", variants=("original", "translated")),
    )
    page = page_of(made)
    original, translated = page.all("div", class_="variant")

    assert [block.attributes["id"] for block in translated.all("article")] == ["translated-0"]
    assert (original.attributes["lang"], translated.attributes["lang"]) == ("", "de")
    layers = page.all("figure")[0].all("g")
    assert [layer.attributes["data-variant"] for layer in layers] == ["original", "translated"]
    assert layers[1].one("rect").attributes["data-block"] == "translated-0"
    assert [b.text for b in page.all("button") if "data-variant" in b.attributes] == [
        "original",
        "translated",
    ]


def test_a_variant_that_was_not_asked_for_is_not_shown() -> None:
    made = conversion(
        THREE, translated=blocks(("heading", "# Titel\n")), options=ParseOptions(translate_to="de")
    )

    assert [block.attributes["id"] for block in page_of(made).all("article")] == ["block-0"]


# --- pages ---------------------------------------------------------------------------------------


def test_a_pages_caption_has_its_printed_label() -> None:
    page = page_of(conversion(THREE, pages=2), [picture(1, label="<iv>"), picture(2)])

    assert [caption.text for caption in page.all("figcaption")] == ["<iv> (1)", "2"]


def test_a_page_that_cannot_be_drawn_keeps_its_place_and_its_boxes() -> None:
    page = page_of(conversion(THREE, pages=1), [picture(1, png=None)])
    figure = page.one("figure", id="page-1")

    assert figure.all("img") == []
    assert len(figure.all("rect")) == 2
    assert figure.one("figcaption").text == "Page 1 cannot be drawn"


def test_of_a_long_pdf_later_blocks_are_left_out_and_that_is_said() -> None:
    made = blocks(
        ("paragraph", "one\n\n", on(1)),
        ("paragraph", "from one to three\n\n", on(1, 2, 3)),
        ("comment", "<!-- where? -->\n\n", ()),
        ("paragraph", "three\n\n", on(3)),
        ("comment", "<!-- where? -->\n\n", ()),
        ("paragraph", "a note of page one\n", on(1)),
    )
    page = page_of(conversion(made), most_pages=2)
    shown = [block.attributes["id"] for block in page.all("article")]

    assert [figure.attributes["id"] for figure in page.all("figure")] == ["page-1", "page-2"]
    assert shown == ["block-0", "block-1", "block-2", "block-5"]
    assert notices(page)[0] == ("The first 2 of 3 pages; 2 blocks of later pages are left out.")


def test_where_no_page_is_known_the_markdown_is_shown_whole() -> None:
    page = page_of(conversion(blocks(("paragraph", "a\n\n"), ("paragraph", "b\n"))), most_pages=2)

    assert len(page.all("article")) == 2
    assert notices(page) == [
        "The first 2 of 3 pages; the Markdown of all of them.",
        "No block's page is known.",
    ]


def test_pictures_of_pages_are_taken_one_by_one() -> None:
    taken: list[int] = []

    def pictures() -> Iterator[PagePicture]:
        for number in (1, 2, 3):
            taken.append(number)
            yield picture(number)

    made = conversion(THREE)
    for piece in PreviewPage(made, [1, 2, 3], read_asset=no_picture).pieces(pictures()):
        if 'id="page-1"' in piece:
            break
    assert taken == [1]


def test_a_conversion_without_boxes_says_what_hovering_shows() -> None:
    page = page_of(conversion(blocks(("paragraph", "a\n", on(1)))))

    assert notices(page) == ["No block's place on its page is known: it marks the whole page."]


def test_a_conversion_without_pages_says_so() -> None:
    assert notices(page_of(conversion(blocks(("paragraph", "a\n"))))) == [
        "No block's page is known."
    ]


def test_a_page_with_every_place_known_has_no_notice() -> None:
    assert notices(page_of(conversion(THREE))) == []


# --- one file, and inert -------------------------------------------------------------------------


def test_a_picture_of_the_markdown_is_in_the_file() -> None:
    made = blocks(("image", "![plate](images/1-2.png)\n", on(1), {"images": ("images/1-2.png",)}))
    page = page_of(
        conversion(made, assets=[asset("images/1-2.png")]), read_asset=lambda _: b"pixels"
    )
    encoded = base64.b64encode(b"pixels").decode()

    assert page.one("article").one("img").attributes["src"] == f"data:image/png;base64,{encoded}"


def test_a_picture_that_the_store_has_lost_is_named() -> None:
    made = blocks(("image", "![plate](images/1-2.png)\n", on(1), {"images": ("images/1-2.png",)}))
    page = page_of(conversion(made, assets=[asset("images/1-2.png")]))

    assert page.one("p", class_="missing").one("code").text == "images/1-2.png"


def scan(pages: int, picture_bytes: int) -> Conversion:
    """Every page is one picture, as large as said."""
    names = [f"images/{n}-1.png" for n in range(1, pages + 1)]
    shown = [
        ("image", f"![]({name})\n\n", on(n + 1), {"images": (name,)})
        for n, name in enumerate(names)
    ]
    assets = [replace(asset(name), size_bytes=picture_bytes) for name in names]
    return conversion(blocks(*shown), pages=pages, assets=assets)


def test_fifty_scanned_pages_stay_below_25_megabytes(tmp_path: Path) -> None:
    """Pages of nothing but noise, and a picture of half a megabyte for each in the Markdown."""
    made = scan(50, 500_000)
    noise = next(draw_pages(noisy_pdf(tmp_path / "noise.pdf"), made.pages[:1]))
    preview = PreviewPage(made, range(1, 51), read_asset=lambda one: bytes(one.size_bytes))
    pictures = [replace(noise, number=n) for n in range(1, 51)]
    written = "".join(preview.pieces(pictures))

    assert len(noise.png or b"") > PAGE_BYTES / 3, "it is hard to pack"
    assert len(written) < 25_000_000
    shown = parsed(written)
    assert len(shown.one("section", id="text").all("img", alt="")) == 50
    assert len(shown.all("p", class_="missing")) == 38
    assert "38 large pictures of the Markdown are left out to keep this file small." in notices(
        shown
    )


def test_of_a_short_scan_every_picture_is_shown() -> None:
    page = page_of(scan(6, 500_000), read_asset=lambda _: b"pixels")

    assert not page.all("p", class_="missing")
    assert not [said for said in notices(page) if "left out" in said]


def test_a_picture_that_a_variant_shows_again_takes_its_room_again() -> None:
    made = scan(8, 500_000)
    both = replace(
        made,
        options=ParseOptions(translate_to="de", variants=("original", "translated")),
        markdown={**made.markdown, "translated": made.markdown["original"]},
        blocks_by_variant=dict.fromkeys(
            ("original", "translated"), made.blocks_by_variant["original"]
        ),
    )
    page = page_of(both, read_asset=lambda _: b"pixels")

    assert len(page.all("p", class_="missing")) == 4
    assert "2 large pictures of the Markdown are left out to keep this file small." in notices(page)


def test_nothing_is_fetched_from_anywhere() -> None:
    made = conversion(
        blocks(
            ("paragraph", "[a link](https://user.example)\n\n", on(1)),
            ("paragraph", "<img src='https://spy.example/a.png'>\n", on(1)),
        )
    )
    for element in page_of(made).elements:
        for name, value in element.attributes.items():
            if name in {"src", "srcset", "data", "poster", "action", "background"}:
                assert value.startswith("data:")
            if name == "href":
                assert value.startswith("#") or value == "https://user.example"
        if element.tag in {"style", "script"}:
            assert "http" not in element.text
            assert "url(" not in element.text
            assert "@import" not in element.text


def test_the_policy_allows_the_pages_own_script_and_style_by_their_hashes_alone() -> None:
    page = page_of(conversion(THREE))
    [policy] = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.strip().split(" ", 1) for rule in policy.attributes["content"].split(";"))

    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{_digest(page.one('style').text)}'",
        "script-src": f"'sha256-{_digest(page.one('script').text)}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [e for e in page.elements if "style" in e.attributes], "the policy forbids them"


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_names_titles_and_sections_are_text() -> None:
    hostile = '"><script>alert(1)</script>'
    made = conversion(
        blocks(("paragraph", "a\n", on(1), {"section": (hostile,)})),
        name=f"{hostile}.pdf",
        labels=[hostile, "2", "3"],
        properties=DocumentProperties(title=hostile),
    )
    page = page_of(made, [picture(1, label=hostile)])

    assert len(page.all("script")) == 1
    assert page.one("title").text == hostile
    assert page.one("p", class_="label").text.endswith(f"{hostile}\u2069")


def test_text_that_looks_like_a_slot_of_the_frame_is_text() -> None:
    page = page_of(conversion(blocks(("paragraph", "{{script}} {{pages}}\n", on(1)))))

    assert "{{script}} {{pages}}" in page.one("article").text


def test_every_block_carries_the_direction_of_its_own_text() -> None:
    page = page_of(conversion(blocks(("paragraph", "متن فارسی\n", on(1)))))

    assert page.one("div", class_="content").attributes["dir"] == "auto"


# --- with real PDFs ------------------------------------------------------------------------------


# Tags, targets and the language of a code block are not shown.
_MARKUP = re.compile(r"<[^>]*>|!?\[.*?\]\(.*?\)|^```\w*$", re.MULTILINE)


@pytest.mark.parametrize(
    "name", ["upstage_ai_packs_slides_4p.pdf", "us-017.pdf", "jo.pdf", "ocr_test.pdf"]
)
def test_a_real_conversion_becomes_a_page(name: str, pdf_dir: Path, shared_store: str) -> None:
    pytest.importorskip("liteparse", reason="converts on the embedded server")
    converter = Converter(base_url="local", store=shared_store)
    made = converter.convert(pdf_dir / name)
    page = page_of(
        made,
        list(draw_pages(pdf_dir / name, made.pages)),
        read_asset=converter.read_asset,
    )

    assert len(page.all("article")) == len(made.blocks)
    assert len(page.all("figure")) == len(made.pages)
    assert not page.all("p", class_="missing")
    shown = re.sub(r"\W+", "", page.one("section", id="text").text)
    for block in made.blocks:
        words = re.findall(r"[^\W_]{4,}", _MARKUP.sub(" ", block.text))
        assert all(word in shown for word in words), block.text


def test_a_page_of_a_drawn_pdf_holds_its_png(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", 1)
    made = conversion(blocks(("paragraph", "a\n", on(1))), pages=1)
    [drawn] = draw_pages(path, made.pages)
    image = page_of(made, [drawn]).one("figure").one("img")

    assert drawn.png is not None
    assert image.attributes["src"] == (
        "data:image/png;base64," + base64.b64encode(drawn.png).decode()
    )
    assert (image.attributes["width"], image.attributes["height"]) == ("793", "1123")
