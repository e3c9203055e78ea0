"""The page in a real browser: its script runs, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.chromium import dom_of, needs_chromium
from support.conversions import blocks, on
from support.dom import Element, parsed
from support.hostile import HOSTILE
from support.previews import write_preview
from zhiyipdf.models import Block, ParseOptions, Provenance

pytestmark = needs_chromium


def opened(folder: Path, original: tuple[Block, ...], fragment: str, **more: object) -> Element:
    """The page of some blocks, on three drawn pages, as the browser has it."""
    return parsed(dom_of(f"{write_preview(folder, original, **more)}{fragment}"))


def box(page: int, y0: float) -> Provenance:
    return Provenance(page_number=page, source="aligned", score=0.97, bbox=(72, y0, 400, y0 + 20))


def selected(page: Element) -> list[str]:
    """Ids or names of what the script has lit up."""
    return [
        element.attributes.get("id") or f"box of {element.attributes['data-block']}"
        for element in page.all(class_="selected")
    ]


TWO = blocks(
    ("paragraph", "One\n\n", (box(1, 60),)),
    ("paragraph", "Two\n\n", (box(1, 90), box(2, 60))),
    ("paragraph", "Three\n", on(3)),
)


def test_the_fragment_selects_a_block_and_lights_its_boxes_on_every_page(tmp_path: Path) -> None:
    page = opened(tmp_path, TWO, "#block-1")

    assert selected(page) == ["box of block-1", "box of block-1", "block-1"]


def test_what_the_address_alone_would_select_is_left_to_the_script(tmp_path: Path) -> None:
    """The address's own mark would stay where it was when another block is selected."""
    assert "plain" not in opened(tmp_path, TWO, "#block-1").one("html").classes


def test_a_block_without_a_box_lights_its_whole_page(tmp_path: Path) -> None:
    assert selected(opened(tmp_path, TWO, "#block-2")) == ["page-3", "block-2"]


def test_without_a_fragment_nothing_is_selected(tmp_path: Path) -> None:
    assert selected(opened(tmp_path, TWO, "")) == []


@pytest.mark.parametrize("fragment", ["#block-99", "#pages", "#%E0%A4%A"])
def test_a_fragment_that_names_no_block_is_passed_over(tmp_path: Path, fragment: str) -> None:
    assert selected(opened(tmp_path, TWO, fragment)) == []


def test_selecting_a_block_of_another_variant_shows_that_variant(tmp_path: Path) -> None:
    page = opened(
        tmp_path,
        TWO,
        "#translated-0",
        translated=blocks(("paragraph", "Eins\n", (box(1, 60),))),
        options=ParseOptions(translate_to="de", variants=("original", "translated")),
    )
    original, translated = page.all("div", class_="variant")

    assert selected(page) == ["box of translated-0", "translated-0"]
    assert "hidden" in original.attributes
    assert "hidden" not in translated.attributes
    pressed = {
        button.text: button.attributes["aria-pressed"]
        for button in page.all("button")
        if "data-variant" in button.attributes
    }
    assert pressed == {"original": "false", "translated": "true"}


def test_hostile_markdown_runs_nothing_and_changes_nothing_around_it(tmp_path: Path) -> None:
    harm = "document.documentElement.dataset.harm='done'"
    texts = [text.replace("alert(1)", harm) + "\n\n" for text in HOSTILE]
    made = blocks(*[("paragraph", text, on(1)) for text in texts])
    page = opened(tmp_path, made, f"#block-{len(texts) - 1}")

    assert "data-harm" not in page.one("html").attributes
    assert selected(page) == ["page-1", f"block-{len(texts) - 1}"], "the page's own script runs"
    variant = page.one("div", class_="variant")
    assert [e.tag for e in variant.inside if isinstance(e, Element)] == ["article"] * len(texts)
    assert len(page.all("script")) == 1
