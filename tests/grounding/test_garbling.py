"""Pages whose text layer is garbled are told from those that the Markdown lacks."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.page_texts import Author, document, firsts, page, shown
from zhiyipdf.grounding import align
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.garbling import find_garbled
from zhiyipdf.grounding.streams import block_stream, page_stream
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models.page_text import PageText

SAID = Author(1).pages(6)
SCRIPTS = ["latin", "russian", "greek", "vietnamese", "arabic", "chinese"]


def shifted(one: PageText, by: int = 7) -> PageText:
    """Letters moved on in their alphabet, as fonts have them whose map is off."""
    codes = one.codes.copy()
    for first, count in ((ord("a"), 26), (ord("A"), 26)):
        own = (codes >= first) & (codes < first + count)
        codes[own] = (codes[own] - first + by) % count + first
    return replace(one, codes=codes)


def exchanged(one: PageText, seed: int = 1) -> PageText:
    """Each letter of the page's stands for another, whatever the script."""
    present = [code for code in np.unique(one.codes).tolist() if chr(code).isalpha()]
    random.Random(seed).shuffle(present)
    codes = one.codes.copy()
    for code, other in zip(present, present[1:] + present[:1], strict=True):
        codes[one.codes == code] = other
    return replace(one, codes=codes)


def written(one: PageText, write) -> PageText:
    """The page's lines written by another rule."""
    lines = ["".join(map(chr, one.codes[a:b].tolist())) for a, b in one.lines.tolist()]
    return page(one.number, [write(line) for line in lines], ink=one.ink)


GARBLED = {
    "shifted letters": shifted,
    "exchanged letters": exchanged,
    "private characters": lambda one: written(
        one, lambda line: "".join(chr(0xE000 + ord(c)) if c != " " else c for c in line)
    ),
    "no characters": lambda one: written(
        one, lambda line: "".join("\ufffd" if c.isalpha() else c for c in line)
    ),
    "glyph numbers": lambda one: written(
        one, lambda line: "".join(f"(cid:{ord(c)})" if c.isalpha() else c for c in line)
    ),
    "mojibake": lambda one: written(
        one, lambda line: "".join(chr(0xC0 + ord(c) % 64) if c.isalpha() else c for c in line)
    ),
}


def garbled_pages(markdown: str, pages) -> list[int]:
    """1-based."""
    folding = Folding()
    said = block_stream(split_blocks(markdown), folding)
    found = find_garbled(pages, page_stream(pages, folding), said)
    return (np.flatnonzero(found.letters) + 1).tolist()


def markdown(said) -> str:
    return "\n\n".join(piece for own in said for piece in own)


@pytest.mark.parametrize("garble", GARBLED.values(), ids=GARBLED)
def test_a_garbled_page_gives_no_false_evidence_but_gets_its_blocks(garble):
    made = document(SAID)
    pages = [garble(one) if one.number == 3 else one for one in made.pages]

    found = align(made.blocks, pages)

    assert firsts(found) == made.truth
    for truth, one in zip(made.truth, found, strict=True):
        assert one.source == ("estimated" if truth == 3 else "aligned")
        assert not one.spans or truth != 3


@pytest.mark.parametrize("garble", GARBLED.values(), ids=GARBLED)
def test_a_run_of_garbled_pages_is_parted_by_their_letters(garble):
    """Pages of very different length, which equal shares would cut wrongly."""
    said = [own[: 2 + 3 * (n % 2)] for n, own in enumerate(Author(2).pages(7))]
    made = document(said)
    pages = [garble(one) if one.number in (3, 4, 5) else one for one in made.pages]

    assert firsts(align(made.blocks, pages)) == made.truth


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(SCRIPTS), st.data())
def test_exchanged_letters_of_any_script_leave_the_pages_as_they_are(seed, script, data):
    made = document(Author(seed, script).pages(6))
    spoiled = data.draw(st.sets(st.integers(1, 6), min_size=1, max_size=3))
    pages = [exchanged(one, seed) if one.number in spoiled else one for one in made.pages]

    assert garbled_pages("".join(block.text for block in made.blocks), pages) == sorted(spoiled)
    for truth, one in zip(made.truth, align(made.blocks, pages), strict=True):
        if truth not in spoiled:
            assert one.pages[:1] == (truth,)
        if len(spoiled) == 1:
            assert one.pages[:1] == (truth,)


def test_a_heading_in_a_good_font_is_found_on_a_garbled_page():
    said = [[f"## {Author(n).sentence(8)}", *own[1:]] for n, own in enumerate(SAID)]
    made = document(said)
    lines = shown(said[2][0])
    rest = written(exchanged(made.pages[2]), str)
    mixed = page(3, [*lines, *("".join(map(chr, rest.codes[a:b])) for a, b in rest.lines[1:])])
    pages = [mixed if one.number == 3 else one for one in made.pages]

    found = align(made.blocks, pages)

    assert firsts(found) == made.truth
    heading = made.truth.index(3)
    assert [one.source for one in found[heading : heading + 3]] == [
        "aligned", "estimated", "estimated",
    ]  # fmt: skip
    assert found[heading].spans


def test_all_pages_but_one_may_be_garbled():
    made = document(SAID[:5])
    pages = [one if one.number == 2 else exchanged(one) for one in made.pages]

    assert firsts(align(made.blocks, pages)) == made.truth


def test_where_all_pages_are_garbled_nothing_is_sure():
    made = document(SAID)

    for garble in GARBLED.values():
        found = align(made.blocks, [garble(one) for one in made.pages])
        assert all(one.source != "aligned" and one.score < 0.9 for one in found)


# What is not garbled


def test_a_page_that_the_markdown_lacks_is_not_garbled():
    prose = [[Author(seed).paragraph(400)] for seed in range(8)]
    pages = document(prose).pages

    assert garbled_pages(markdown(prose[:3] + prose[4:]), pages) == []


@pytest.mark.parametrize("script", ["chinese", "arabic", "russian"])
def test_a_page_in_another_language_that_the_markdown_lacks_swallows_nothing(script):
    foreign = page(4, shown(Author(3, script).paragraph(200)))
    made = document(SAID)
    pages = [
        *made.pages[:3],
        foreign,
        *(replace(one, number=one.number + 1) for one in made.pages[3:]),
    ]

    found = align(made.blocks, pages)

    assert firsts(found) == tuple(n if n < 4 else n + 1 for n in made.truth)
    assert {one.source for one in found} == {"aligned"}
    assert min(one.score for one in found) > 0.9


def test_a_short_block_beside_such_a_page_stays_where_it_is():
    foreign = page(2, shown(Author(3, "chinese").paragraph(200)))
    pages = [page(1, shown(SAID[0][1])), foreign, page(3, ["Notes", *shown(SAID[1][1])])]

    found = align(split_blocks(f"{SAID[0][1]}\n\n# Notes\n\n{SAID[1][1]}"), pages)

    assert firsts(found) == (1, 3, 3)


def test_the_caption_of_a_figure_full_of_strange_labels_is_found():
    labels = [f"Q{chr(97 + n % 26)}{chr(97 + n % 7)}zx kw{n}jq vv{n}" for n in range(60)]
    caption = "Figure 3. The wheel of the mill as the miller drew it in his book."
    pages = [*document(SAID[:2]).pages, page(3, [*labels, caption])]
    blocks = split_blocks(f"{markdown(SAID[:2])}\n\n![](figure.png)\n\n{caption}")

    found = align(blocks, pages)

    assert (found[-1].pages, found[-1].source) == ((3,), "aligned")


def test_another_documents_pages_are_not_garbled():
    """Nothing tells them from a PDF that is garbled as a whole: nothing is said of either."""
    pages = document(Author(9, "russian").pages(6)).pages

    assert garbled_pages(markdown(SAID), pages) == []
    assert not any(one.pages for one in align(split_blocks(markdown(SAID)), pages))


def test_few_letters_are_not_enough_to_judge_a_page():
    made = document(SAID)
    pages = [*made.pages, page(7, ["Qxzw kjvq wzqx"])]

    assert garbled_pages(markdown(SAID), pages) == []


def test_private_bullets_do_not_make_a_page_garbled():
    said = Author(4).paragraph(60).split(". ")
    one = page(1, [f"\uf0b7 {line}" for line in said])

    assert garbled_pages("\n\n".join(f"- {line}" for line in said), [one]) == []
