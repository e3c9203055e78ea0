"""The page under a person's hands: pointer, wheel and keys in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.chromium import needs_chromium
from support.conversions import blocks, on
from support.devtools import Tab, chromium
from support.previews import write_preview
from zhiyipdf.models import Block, ParseOptions, Provenance

pytestmark = needs_chromium

LONG = "A paragraph that takes some lines of the narrow column that the Markdown has. " * 5


def at(page: int, y0: float) -> Provenance:
    return Provenance(page_number=page, source="aligned", score=0.97, bbox=(72, y0, 400, y0 + 40))


MANY: tuple[Block, ...] = blocks(
    *[
        ("paragraph", f"{number}. {LONG}\n\n", (at(1 + number // 10, 60 + 70 * (number % 10)),))
        for number in range(30)
    ]
)
"""Thirty blocks, ten on each of three pages: far more than a window shows of either side."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with chromium() as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, tmp_path: Path) -> Tab:
    """The page of thirty blocks, as it opens."""
    browser.open(write_preview(tmp_path, MANY))
    return browser


def in_view(selector: str) -> str:
    """A script that tells whether an element is within its side of the page."""
    return (
        f"(({{top, bottom}}, side) => top >= side.top && bottom <= side.bottom)"
        f"(document.querySelector('{selector}').getBoundingClientRect(),"
        f" document.querySelector('{selector}').closest('section').getBoundingClientRect())"
    )


def lit(tab: Tab, name: str) -> list[str]:
    """What of blocks, boxes and pages is ``hovered`` or ``selected``."""
    found: list[str] = tab.value(
        f"[...document.querySelectorAll('.{name}')].map(e => e.id || 'box of ' + e.dataset.block)"
    )
    return found


def scroll(tab: Tab, side: str, top: int) -> None:
    tab.value(f"void (document.getElementById('{side}').scrollTop = {top})")


def told(tab: Tab) -> str:
    said: str = tab.value("document.getElementById('told').textContent")
    return said


def box_of(block: str) -> str:
    return f'.box[data-block="{block}"]'


# --- pointer -------------------------------------------------------------------------------------


def test_pointing_at_a_block_lights_its_box_and_brings_it_into_view(tab: Tab) -> None:
    tab.value("document.getElementById('block-25').scrollIntoView({block: 'center'})")
    assert not tab.value(in_view(box_of("block-25")))

    tab.point_to("#block-25 .content")

    tab.until(in_view(box_of("block-25")))
    assert lit(tab, "hovered") == ["box of block-25", "block-25"]


def test_pointing_at_a_block_without_a_box_brings_its_page_into_view(
    browser: Tab, tmp_path: Path
) -> None:
    browser.open(write_preview(tmp_path, blocks(("paragraph", "Three\n", on(3)))))

    browser.point_to("#block-0 .content")

    browser.until(
        "(({top, bottom}) => top < innerHeight / 2 && bottom > innerHeight / 2)"
        "(document.getElementById('page-3').getBoundingClientRect())"
    )
    assert lit(browser, "hovered") == ["page-3", "block-0"]


def test_pointing_at_a_box_lights_its_block_and_brings_it_into_view(tab: Tab) -> None:
    tab.value("document.querySelector('[data-block=block-25]').scrollIntoView({block: 'center'})")
    assert not tab.value(in_view("#block-25"))

    tab.point_to(box_of("block-25"))

    tab.until(in_view("#block-25"))
    assert lit(tab, "hovered") == ["box of block-25", "block-25"]


def test_the_markdown_that_the_wheel_moves_under_the_pointer_is_followed(tab: Tab) -> None:
    x, y = tab.middle_of("#text")
    tab.point_at(x, y)
    tab.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=3000)

    tab.until("document.querySelector('.block.hovered')?.id.slice(6) > 10")
    tab.until(in_view(".box.hovered"))
    assert not tab.value(in_view(box_of("block-0")))


def test_a_place_that_is_in_view_stays_where_it_is(tab: Tab) -> None:
    tab.point_to("#block-1 .content")
    tab.settle()

    assert lit(tab, "hovered") == ["box of block-1", "block-1"]
    assert tab.value("document.getElementById('pages').scrollTop") == 0


@pytest.mark.parametrize("side", ["#block-1 .content", box_of("block-1")])
def test_a_pointer_that_leaves_takes_the_light_with_it(tab: Tab, side: str) -> None:
    tab.point_to(side)
    assert lit(tab, "hovered") == ["box of block-1", "block-1"]

    tab.point_to("h1")

    assert lit(tab, "hovered") == []
    assert told(tab) == ""


def test_what_is_pointed_at_is_told_where_it_covers_nothing(tab: Tab) -> None:
    tab.point_to("#block-2 .content")

    assert told(tab) == "paragraph #2 · page 1, aligned 0.97"
    covered: Any = tab.value(
        "(({top}) => [...document.querySelectorAll('#pages, #text')]"
        ".filter(side => side.getBoundingClientRect().bottom > top).length)"
        "(document.getElementById('told').getBoundingClientRect())"
    )
    assert covered == 0
    assert tab.value("getComputedStyle(document.querySelector('#block-2 .label')).display") == (
        "none"
    )


def test_pointing_moves_no_line_of_the_text(tab: Tab) -> None:
    places = "[...document.querySelectorAll('#text *, figcaption')].map(e => e.offsetTop).join()"
    before = tab.value(places)
    tab.point_to("#block-1 .content")

    assert lit(tab, "hovered")
    assert tab.value(places) == before


def test_a_page_that_opens_under_the_pointer_shows_what_its_address_names(
    browser: Tab, tmp_path: Path
) -> None:
    """The pointer happens to lie on another block, which must not take the page over."""
    address = write_preview(tmp_path, MANY)
    browser.open(address)
    x, y = browser.middle_of("#text")
    browser.point_at(x, y)
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=f"{address}#block-25")
    browser.until("document.querySelector('.block.selected')")
    browser.settle()

    assert browser.value(in_view(box_of("block-25")))
    assert lit(browser, "hovered") == []


# --- keys ----------------------------------------------------------------------------------------


def test_the_page_names_its_keys(tab: Tab) -> None:
    named = tab.value("[...document.querySelectorAll('kbd')].map(key => key.textContent)")

    assert named == ["j", "k", "b", "Esc"]
    assert tab.value("document.querySelector('.keys').getBoundingClientRect().bottom") <= 900


def test_j_and_k_go_from_block_to_block_and_light_them(tab: Tab) -> None:
    seen = []
    for key in "jjjk":
        tab.press(key)
        seen.append(lit(tab, "selected")[-1])

    assert seen == ["block-0", "block-1", "block-2", "block-1"]
    assert lit(tab, "selected") == ["box of block-1", "block-1"]
    assert told(tab) == "paragraph #1 · page 1, aligned 0.97"
    assert tab.value("location.hash") == "#block-1"


def test_the_first_j_goes_to_the_block_that_is_read_and_not_to_the_top(tab: Tab) -> None:
    tab.value("document.getElementById('block-15').scrollIntoView({block: 'start'})")
    tab.press("j")

    assert lit(tab, "selected") == ["box of block-15", "block-15"]
    assert tab.value(in_view(box_of("block-15")))


def test_j_goes_on_from_what_is_read_when_the_selection_is_out_of_view(tab: Tab) -> None:
    tab.press("j")
    tab.value("document.getElementById('block-15').scrollIntoView({block: 'start'})")
    tab.press("j")

    assert lit(tab, "selected") == ["box of block-15", "block-15"]


def test_many_js_reach_every_block_and_end_with_the_last(tab: Tab) -> None:
    for _ in range(len(MANY) + 2):
        tab.press("j")

    assert lit(tab, "selected") == ["box of block-29", "block-29"]
    assert tab.value(in_view("#block-29"))
    assert tab.value(in_view(box_of("block-29")))


def test_a_pointer_that_lies_still_does_not_disturb_the_keys(tab: Tab) -> None:
    """The keys move the text below it, which is no pointing."""
    tab.point_to("#text")
    for _ in range(20):
        tab.press("j")
    tab.settle()
    chosen = lit(tab, "selected")[-1]

    assert lit(tab, "hovered") == []
    assert tab.value(in_view(box_of(chosen)))


def test_arrows_go_on_from_a_block_that_was_clicked(tab: Tab) -> None:
    tab.click("#block-1 .content")
    tab.press("ArrowDown")
    assert lit(tab, "selected") == ["box of block-2", "block-2"]

    tab.press("ArrowUp")
    assert lit(tab, "selected") == ["box of block-1", "block-1"]


def test_arrows_scroll_as_ever_where_no_block_is_chosen(tab: Tab) -> None:
    tab.press("ArrowDown")

    assert lit(tab, "selected") == []


def test_tab_lights_the_block_that_it_reaches(tab: Tab) -> None:
    tab.value("document.getElementById('toggle').focus()")
    tab.press("Tab")
    tab.until("document.activeElement.closest('.block, section')")
    while not tab.value("document.activeElement.matches('.where')"):
        tab.press("Tab")  # some browsers stop at what scrolls
    assert lit(tab, "selected") == ["box of block-0", "block-0"]

    tab.press("Tab")
    assert lit(tab, "selected") == ["box of block-1", "block-1"]


def test_escape_clears_everything(tab: Tab) -> None:
    tab.click("#block-1 .content")
    assert lit(tab, "selected")
    assert lit(tab, "hovered")
    tab.press("Escape")

    assert lit(tab, "selected") == lit(tab, "hovered") == []
    assert told(tab) == ""
    assert tab.value("location.hash") == ""


def test_b_shows_boxes_only_when_they_are_pointed_at(tab: Tab) -> None:
    def outlined() -> list[str]:
        found: list[str] = tab.value(
            "[...document.querySelectorAll('.box')]"
            ".filter(box => getComputedStyle(box).strokeOpacity > 0).map(box => box.dataset.block)"
        )
        return found

    assert len(outlined()) == len(MANY)
    tab.press("b")
    assert outlined() == []
    tab.point_to("#block-1 .content")
    assert outlined() == ["block-1"]


def test_a_click_on_a_box_selects_its_block(tab: Tab) -> None:
    tab.click(box_of("block-2"))

    assert lit(tab, "selected") == ["box of block-2", "block-2"]


# --- variants and windows ------------------------------------------------------------------------


def test_a_hidden_variants_boxes_do_not_answer_the_pointer(browser: Tab, tmp_path: Path) -> None:
    browser.open(
        write_preview(
            tmp_path,
            MANY,
            translated=blocks(("paragraph", "Eins\n", (at(1, 60),))),
            options=ParseOptions(translate_to="de", variants=("original", "translated")),
        )
    )
    browser.click('button[data-variant="translated"]')
    browser.point_to(box_of("translated-0"))

    assert lit(browser, "hovered") == ["box of translated-0", "translated-0"]


@pytest.mark.parametrize("fragment", ["", "#block-300"])
def test_a_narrow_window_keeps_the_title(browser: Tab, tmp_path: Path, fragment: str) -> None:
    many = blocks(*[("paragraph", f"{n}. {LONG}\n\n", (at(1 + n // 110, 60),)) for n in range(330)])
    browser.open(f"{write_preview(tmp_path, many)}{fragment}", width=420, height=800)
    browser.settle()

    assert browser.value("document.querySelector('h1').getBoundingClientRect().top") >= 0
    assert browser.value("document.querySelector('footer').getBoundingClientRect().bottom") <= 800
    assert browser.value("document.documentElement.scrollWidth") <= 420
    if fragment:
        assert browser.value(in_view("#block-300 .where"))
        assert browser.value(in_view(box_of("block-300")))


@pytest.mark.parametrize("dark", [False, True])
def test_marks_and_words_stand_out_from_the_paper(tab: Tab, tmp_path: Path, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: a contrast of at least 4.5 for text of this size."""
    tab.open(write_preview(tmp_path, MANY), dark=dark)
    colours: dict[str, str] = tab.value(
        "Object.fromEntries(['paper', 'desk', 'ink', 'muted', 'exact', 'sure', 'about',"
        " 'doubtful', 'none'].map(name => [name,"
        " getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()]))"
    )
    paper = luminance(colours["paper"])
    faint = {
        name: round(ratio, 2)
        for name in colours.keys() - {"paper", "desk"}
        if (ratio := contrast(luminance(colours[name]), paper)) < 4.5
    }

    assert faint == {}
    assert (paper < 0.2) is dark


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)
