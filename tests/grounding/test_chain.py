"""The choice among the places of each block."""

from __future__ import annotations

import numpy as np

from support.page_texts import Author, page, streams, wrapped
from zhiyipdf.grounding.chain import Choice, choose
from zhiyipdf.grounding.seeds import find_hits, gather, grams_of
from zhiyipdf.models.page_text import PageText


def chosen(said: list[str], pages: list[PageText]) -> tuple[dict[int, Choice], float, list[int]]:
    """The choices, how good the text is, and the page of each block, 0 where there is none."""
    blocks, stream = streams(said, pages)
    grams = grams_of(stream)
    hits = find_hits(blocks, grams)
    clusters = gather(hits, blocks, stream)
    tables = np.zeros(len(blocks.starts) - 1, bool)
    choices, good = choose(blocks, stream, hits, grams, clusters, tables)
    on = [
        int(np.searchsorted(stream.page_starts, choices[block].start, side="right"))
        if block in choices
        else 0
        for block in range(len(tables))
    ]
    return choices, good, on


def told(*own: list[str]) -> list[PageText]:
    return [page(number, lines) for number, lines in enumerate(own, 1)]


def test_a_block_that_stands_in_two_places_goes_where_its_neighbours_are():
    author = Author(1)
    a, b, c, twice = (author.sentence() for _ in range(4))

    assert chosen([a, twice, b, c], told([a, twice], [b], [c, twice]))[2] == [1, 1, 2, 3]
    assert chosen([a, b, c, twice], told([a, twice], [b], [c, twice]))[2] == [1, 2, 3, 3]


def test_a_figure_may_go_back_and_the_text_goes_on():
    author = Author(2)
    text = [author.sentence() for _ in range(6)]
    figure = author.sentence()
    pages = told([*text[:2], figure], text[2:4], text[4:])

    assert chosen([*text[:4], figure, *text[4:]], pages)[2] == [1, 1, 2, 2, 1, 3, 3]


def test_copies_go_one_after_the_other():
    lines = ["Name and address", "Date and signature"]

    assert chosen(lines * 8, told(*[lines] * 8))[2] == [n for n in range(1, 9) for _ in range(2)]


def test_copies_of_a_few_words_go_one_after_the_other():
    """They reached back over their whole page and stayed on the first one."""
    lines = ["Name", "Date", "Signature"]

    assert chosen(lines * 20, told(*[lines] * 20))[2] == [n for n in range(1, 21) for _ in range(3)]


def test_more_copies_in_the_markdown_than_in_the_pdf_do_not_pull_the_text_apart():
    author = Author(3)
    text = [author.sentence() for _ in range(8)]
    head = "The History of the Mill"
    said = [piece for sentence in text for piece in (head, sentence)]
    pages = told([head, *text[:2]], text[2:4], text[4:6], text[6:])

    assert chosen(said, pages)[2][1::2] == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_choice_knows_how_it_was_found():
    author = Author(4)
    long = author.paragraph(40)
    choices, good, _ = chosen(
        [long, "Alone", "Often", "nowhere"], told([*wrapped(long), "Alone", *["Often"] * 5])
    )

    assert good == 1
    assert (choices[0].places, choices[1].places, choices[2].places) == (0, 1, 5)
    assert choices[0].cluster >= 0
    assert choices[1].cluster == choices[2].cluster == -1
    assert choices[0].covered == choices[0].end - choices[0].start
    assert 3 not in choices


def test_a_rival_is_the_best_place_on_another_page():
    author = Author(5)
    twice, once = author.sentence(), author.sentence()

    choices, _, _ = chosen([once, twice], told([once, twice], [author.sentence(), twice]))

    assert choices[1].rival > 0.8 * choices[1].covered
    assert choices[0].rival == 0


def test_a_chance_phrase_in_a_long_block_is_not_believed():
    author = Author(6)
    phrase = "as has been shown above"
    good = [author.paragraph(30) for _ in range(10)]
    stranger = f"{Author(7).paragraph(30)} {phrase} {Author(8).paragraph(30)}"
    pages = told(*(wrapped(text) for text in good), [phrase])

    choices, _, on = chosen([*good, stranger], pages)

    assert on[:10] == list(range(1, 11))
    assert 10 not in choices


def test_noise_lowers_what_is_asked_of_a_block():
    author = Author(9)
    text = [author.paragraph(30) for _ in range(6)]
    noisy = [[line.replace("a", "0") for line in wrapped(piece)] for piece in text]

    _, good, on = chosen(text, told(*noisy))

    assert good < 0.9
    assert on == [1, 2, 3, 4, 5, 6]


def test_nothing_shared_is_no_choice():
    assert chosen(["abcdefghijklmnop"], told(["qrstuvwxyz"]))[0] == {}
    assert chosen([], told(["abc"]))[0] == {}
    assert chosen(["abc"], told([]))[0] == {}
