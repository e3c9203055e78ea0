from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.conversions import blocks
from support.dom import Element, parsed
from support.hostile import HOSTILE
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block
from zhiyipdf.preview.rendering import BlockRenderer

PICTURE = "data:image/png;base64,iVBORw0KGgo="


def rendered(markdown: str, pictures: Mapping[str, str] | None = None) -> Element:
    """All blocks of a text, rendered as the page has them."""
    renderer = BlockRenderer(markdown, (pictures or {}).get)
    return parsed("".join(renderer.render(block) for block in split_blocks(markdown)))


# --- what does harm ------------------------------------------------------------------------------

HARMLESS_TAGS = """
    a abbr b blockquote br caption cite code col colgroup dd del dfn dl dt em figcaption figure h1
    h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub sup table tbody
    td tfoot th thead tr u ul var
"""
HARMLESS_ATTRIBUTES = """
    href title rel target span src alt width height value start colspan rowspan align scope class
"""


def assert_harmless(shown: Element) -> None:
    for element in shown.elements:
        assert element.tag in HARMLESS_TAGS.split()
        assert set(element.attributes) <= set(HARMLESS_ATTRIBUTES.split())
        assert element.classes <= {"math", "note", "source", "missing"}
        assert element.attributes.get("href", "http://").startswith(
            ("http://", "https://", "mailto:", "HTTP")
        )
        source = element.attributes.get("src", PICTURE)
        assert source.startswith(("data:image/png;", "data:image/jpeg;"))


@pytest.mark.parametrize("markdown", HOSTILE)
def test_hostile_markdown_is_inert(markdown: str) -> None:
    assert_harmless(rendered(markdown))


FRAGMENTS = st.sampled_from(
    [*HOSTILE, "<", ">", "<!--", "-->", "`", "$", "$$", "\n", "\n\n", "|", "&lt;", '"', "'", "> "]
)


@settings(deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=20), max_size=8).map("".join))
def test_no_mixture_of_hostile_markdown_does_harm(markdown: str) -> None:
    assert_harmless(rendered(markdown))


def test_a_script_is_shown_and_not_run() -> None:
    shown = rendered("<script>alert(1)</script>\n")

    assert shown.one("code", class_="source").text == "<script>alert(1)</script>"


def test_a_comment_that_is_never_closed_swallows_only_its_own_block() -> None:
    one, two = blocks(("comment", "<!-- never closed\n\n"), ("paragraph", "After it.\n"))
    renderer = BlockRenderer(one.text + two.text, lambda _: None)

    assert parsed(renderer.render(one)).text == "<!-- never closed"
    assert parsed(renderer.render(two)).text.strip() == "After it."


def test_a_huge_block_is_shown_as_its_source() -> None:
    [block] = split_blocks("<div>" * 200_000)

    assert parsed(BlockRenderer(block.text, lambda _: None).render(block)).one("code").text == (
        block.text
    )


# --- Markdown ------------------------------------------------------------------------------------


def test_an_inline_formula_is_shown_as_latex() -> None:
    shown = rendered(r"Energy is $E = mc^2$, and \(a_1 * b_1 * c\) holds; $$x$$ too.")

    assert [code.text for code in shown.all("code", class_="math")] == [
        "$E = mc^2$",
        r"\(a_1 * b_1 * c\)",
        "$$x$$",
    ]


@pytest.mark.parametrize("text", ["It costs $5 and $10.", "From $5-$10.", r"\$a\$", "$ a $"])
def test_an_amount_of_money_is_no_formula(text: str) -> None:
    assert rendered(text).all("code") == []


def test_a_display_formula_keeps_its_lines() -> None:
    shown = rendered("$$\na < b \\\\\nc\n$$\n")

    assert shown.one("pre").one("code", class_="math").text == "$$\na < b \\\\\nc\n$$"


def test_a_pipe_table_keeps_its_alignment_without_a_style() -> None:
    shown = rendered("| a | b |\n|---|--:|\n| 1 | 2 |\n")

    assert [cell.attributes for cell in shown.all("td")] == [{}, {"align": "right"}]


def test_an_html_table_with_blank_lines_stays_one_table() -> None:
    shown = rendered("<table><tr>\n\n<td colspan='2'>a</td>\n\n</tr></table>\n")

    assert shown.one("table").one("td").attributes == {"colspan": "2"}
    assert shown.one("td").text == "a"


def test_a_link_defined_in_another_block_is_a_link() -> None:
    shown = rendered("See [the report][1].\n\n# Next\n\n[1]: https://report.example\n")

    assert shown.all("a")[0].attributes["href"] == "https://report.example"
    assert ": https://report.example" in shown.text, "the definition is text too"


def test_a_link_opens_elsewhere_and_tells_nobody() -> None:
    link = rendered("[x](https://a.example)").one("a").attributes

    assert link["target"] == "_blank"
    assert set(link["rel"].split()) == {"noopener", "noreferrer", "nofollow"}


def test_a_link_within_the_services_folder_leads_nowhere() -> None:
    assert "href" not in rendered("[x](other.md) ").one("a").attributes


def test_a_footnote_and_its_mark_carry_the_same_number() -> None:
    shown = rendered("A claim.[^1]\n\n[^1]: The proof\n    goes on.\n")

    assert [note.text for note in shown.all("sup", class_="note")] == ["1", "1"]
    assert "The proof\ngoes on." in shown.text


def test_a_paragraph_above_a_line_is_no_heading() -> None:
    shown = rendered("word " * 60 + "\n---\n")

    assert not shown.all("h2")
    assert shown.all("p")


def test_a_comment_is_shown_as_its_source() -> None:
    assert rendered("<!-- Page 2 has no text -->\n").one("code", class_="source").text == (
        "<!-- Page 2 has no text -->"
    )


def test_no_block_loses_its_words() -> None:
    markdown = (
        "---\ntitle: x\n---\n\n# H\n\ntext\n\n- a\n- b\n\n> q\n\n    code\n\n***\n\n[^1]: f\n"
    )
    renderer = BlockRenderer(markdown, lambda _: None)
    shown = [parsed(renderer.render(block)).text for block in split_blocks(markdown)]
    words = " ".join(shown).split()

    assert {"title:", "x", "H", "text", "a", "b", "q", "code", "f"} <= set(words)


# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "markdown",
    [
        "![plate](images/1.png)\n",
        "See ![plate](images/1.png) there.\n",
        "<img src='images/1.png' alt='plate'>\n",
        "<table><tr><td><img src=images/1.png alt=plate></td></tr></table>\n",
        "![plate][p]\n\n[p]: images/1.png\n",
    ],
)
def test_a_picture_is_in_the_page_itself(markdown: str) -> None:
    shown = rendered(markdown, {"images/1.png": PICTURE})
    image = shown.one("img")

    assert (image.attributes["src"], image.attributes["alt"]) == (PICTURE, "plate")
    assert not shown.all(class_="missing")


@pytest.mark.parametrize("target", ["images/图 1.png", "images/a%20b.png", "images/a&b.png"])
def test_a_pictures_name_may_hold_any_character(target: str) -> None:
    shown = rendered(f"![plate](<{target}>)\n", {target: PICTURE})

    assert shown.one("img").attributes["src"] == PICTURE


def test_a_picture_that_is_not_there_is_named() -> None:
    shown = rendered("![plate](images/<9>.png)\n\n![x](https://far.example/a.png)\n")

    assert [note.one("code").text for note in shown.all("p", class_="missing")] == [
        "images/<9>.png",
        "https://far.example/a.png",
    ]
    assert all("src" not in image.attributes for image in shown.all("img"))


def test_a_picture_that_the_page_has_no_room_for_is_named_and_not_asked_for() -> None:
    def asked(target: str) -> str:
        raise AssertionError(target)

    [block] = split_blocks("![plate](images/1.png)\n")
    shown = parsed(BlockRenderer(block.text, asked, left_out={"images/1.png"}).render(block))

    assert shown.one("p", class_="missing").text == (
        "Picture left out to keep this file small: images/1.png"
    )


def test_a_picture_within_the_text_stays() -> None:
    assert rendered(f"![x]({PICTURE})\n").one("img").attributes["src"] == PICTURE


def test_one_blocks_pictures_are_not_another_ones() -> None:
    one = Block(kind="image", start=0, end=9, text="![x](a)\n\n", images=("a",))
    two = Block(kind="paragraph", start=9, end=22, text="<img src='a'>")
    renderer = BlockRenderer(one.text + two.text, lambda _: PICTURE)

    assert parsed(renderer.render(one)).one("img").attributes["src"] == PICTURE
    assert "src" not in parsed(renderer.render(two)).one("img").attributes
