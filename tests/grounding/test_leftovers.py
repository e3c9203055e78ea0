"""Blocks among the running lines, and blocks whose words stand in another order."""

from __future__ import annotations

import random

from support.page_texts import Author, document, firsts, page, streams, text_at, wrapped
from zhiyipdf.grounding import align
from zhiyipdf.grounding.findings import Finding
from zhiyipdf.grounding.leftovers import add_running_ends, fill_running
from zhiyipdf.grounding.running_lines import find_running_lines
from zhiyipdf.markdown import split_blocks

HEAD = "The History of the Mill"
TEXT = [Author(n).paragraph(40) for n in range(1, 9)]
PAGES = [page(n, wrapped(text), head=HEAD, foot=f"Page {n}") for n, text in enumerate(TEXT, 1)]


def filled(said: list[str], *, exactly: bool, only: frozenset[int] | None = None):
    """Fill in what is none of the texts; these are on their pages."""
    blocks, stream = streams(said, PAGES)
    findings: list[Finding | None] = []
    for at, piece in enumerate(said):
        place = stream.text.find(blocks.text_of(at)) if piece in TEXT else -1
        found = None
        if place >= 0:
            found = Finding(
                method="seed",
                stretches=((place, place + len(blocks.text_of(at))),),
                pages=(TEXT.index(piece),),
                matched=100,
                share=1.0,
            )
        findings.append(found)
    running = find_running_lines(PAGES, stream, blocks)
    fill_running(findings, blocks, running, len(PAGES), exactly=exactly, only=only)
    return findings


def on(findings) -> list[int | None]:
    """1-based pages, None where there is none."""
    return [None if found is None else found.pages[0] + 1 for found in findings]


def test_a_page_number_goes_to_its_page():
    said = [TEXT[0], "Page 1", TEXT[1], "Page 2", TEXT[2]]

    assert on(filled(said, exactly=True)) == [1, 1, 2, 2, 3]


def test_a_head_between_two_pages_is_that_of_the_second():
    assert on(filled([TEXT[2], HEAD, TEXT[3]], exactly=True)) == [3, 4, 4]


def test_head_and_foot_keep_their_order():
    said = [TEXT[2], "Page 3", HEAD, TEXT[3]]

    assert on(filled(said, exactly=True)) == [3, 3, 4, 4]


def test_a_damaged_running_line_is_found_by_likeness_alone():
    said = [TEXT[2], "The Hist0ry of the M1ll", TEXT[3]]

    assert on(filled(said, exactly=True)) == [3, None, 4]
    found = filled(said, exactly=False)
    assert on(found) == [3, 4, 4]
    assert found[1].method == "running"
    assert found[1].likeness < 1


def test_only_the_blocks_asked_for_are_sought():
    said = [TEXT[2], "Page 3", HEAD, TEXT[3]]

    assert on(filled(said, exactly=True, only=frozenset({2}))) == [3, None, 4, 4]


def test_a_line_is_taken_once():
    said = [TEXT[0], "Page 2", TEXT[1], "Page 2", TEXT[2]]

    assert on(filled(said, exactly=True)).count(2) <= 3


def test_what_is_like_no_running_line_stays_open():
    assert on(filled([TEXT[2], "Something else entirely", TEXT[3]], exactly=False)) == [3, None, 4]


def test_without_running_lines_nothing_happens():
    blocks, stream = streams(["abc"], [page(1, ["abc"])])
    findings: list[Finding | None] = [None]
    running = find_running_lines([page(1, ["abc"])], stream, blocks)

    fill_running(findings, blocks, running, 1, exactly=False)

    assert findings == [None]


def test_a_block_that_ends_in_a_running_head_stands_on_the_next_page_too():
    blocks, stream = streams([f"{TEXT[2]} {HEAD}"], PAGES)
    running = find_running_lines(PAGES, stream, blocks)
    tail = len("thehistoryofthemill")
    found = Finding(method="seed", stretches=((0, 1),), pages=(2,), share=0.9, ends=(0, tail))
    findings: list[Finding | None] = [found]

    add_running_ends(findings, blocks, running)

    assert findings[0].pages == (2, 3)


def test_a_block_that_begins_with_a_running_foot_stands_on_the_page_before_too():
    blocks, stream = streams([f"Page 3 {TEXT[3]}"], PAGES)
    running = find_running_lines(PAGES, stream, blocks)
    found = Finding(method="seed", stretches=((0, 1),), pages=(3,), share=0.9, ends=(5, 0))
    findings: list[Finding | None] = [found]

    add_running_ends(findings, blocks, running)

    assert findings[0].pages == (2, 3)


def test_a_block_whose_words_were_shuffled_is_found_by_them():
    """As where a converter reads the columns of a table row by row."""
    author = Author(30)
    said = [[author.paragraph(20), author.paragraph(20), author.paragraph(20)] for _ in range(6)]
    pages = document(said).pages
    shuffled = said[3][0].rstrip(".").split()
    random.Random(1).shuffle(shuffled)
    texts = [piece for own in said for piece in own]
    texts[9] = " ".join(shuffled)

    found = align(split_blocks("\n\n".join(texts)), pages)

    assert firsts(found) == tuple(n for n in range(1, 7) for _ in range(3))
    assert (found[9].method, found[9].source) == ("bag", "aligned")


def test_the_two_halves_of_a_running_line_go_to_one_page():
    pages = [
        page(n, wrapped(text), foot=f"Internal Revenue Manual      Exhibit {n}-7")
        for n, text in enumerate(TEXT, 1)
    ]
    said, truth = [], []
    for n, text in enumerate(TEXT, 1):
        said += [text, "Internal Revenue Manuel", f"Exhibit {n}-7"]
        truth += [n] * 3

    assert firsts(align(split_blocks("\n\n".join(said)), pages)) == tuple(truth)


def test_a_piece_of_a_running_line_has_only_the_piece_s_characters():
    pages = [
        page(n, wrapped(text), foot=f"Internal Revenue Manual      Exhibit {n}-7")
        for n, text in enumerate(TEXT, 1)
    ]
    said = [piece for n, text in enumerate(TEXT, 1) for piece in (text, f"Exhibit {n}-7")]

    found = align(split_blocks("\n\n".join(said)), pages)

    assert [text_at(pages, one.spans[0]) for one in found[1::2]] == said[1::2]
