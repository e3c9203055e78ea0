"""The exact stretches of the pages that a block covers."""

from __future__ import annotations

import numpy as np
import pytest

from support.page_texts import Author, page, streams, wrapped
from zhiyipdf.grounding.chain import choose
from zhiyipdf.grounding.finishing import finish
from zhiyipdf.grounding.seeds import find_hits, gather, grams_of
from zhiyipdf.models.page_text import PageText

AUTHOR = Author(1)
ONE, TWO, THREE = (AUTHOR.paragraph(30) for _ in range(3))


def finished(said: str, pages: list[PageText], *, is_table: bool = False):
    """The texts of the block's stretches, how much they match, and what its ends have left."""
    blocks, stream = streams([said], pages)
    grams = grams_of(stream)
    hits = find_hits(blocks, grams)
    clusters = gather(hits, blocks, stream)
    choices, _ = choose(blocks, stream, hits, grams, clusters, np.array([is_table]))
    others = [c for c in range(len(clusters.block)) if c != choices[0].cluster]
    stretches, matched, ends = finish(
        0, choices[0], others, blocks=blocks, pages=stream, hits=hits,
        clusters=clusters, is_table=is_table,
    )  # fmt: skip
    return [stream.text[a:b] for a, b in stretches], matched, ends


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def told(*own: str) -> list[PageText]:
    return [page(number, wrapped(text)) for number, text in enumerate(own, 1)]


def test_a_block_that_stands_there_whole_is_one_stretch():
    assert finished(TWO, told(ONE, TWO, THREE)) == ([letters(TWO)], len(letters(TWO)), (0, 0))


def test_noise_inside_is_part_of_the_stretch():
    noisy = TWO[:60] + "#x#" + TWO[63:]

    (text,), matched, ends = finished(noisy, told(ONE, TWO, THREE))

    assert text == letters(TWO)
    assert matched >= len(letters(TWO)) - 8
    assert ends == (0, 0)


def test_a_page_break_inside_parts_nothing():
    half = len(TWO) // 2

    texts, matched, _ = finished(TWO, told(f"{ONE} {TWO[:half]}", f"{TWO[half:]} {THREE}"))

    assert texts == [letters(TWO)]
    assert matched == len(letters(TWO))


def test_a_figure_inside_parts_the_block_in_two():
    half = TWO.index(" ", len(TWO) // 2)

    texts, matched, _ = finished(TWO, told(TWO[:half], f"{ONE} {TWO[half:]}"))

    # A letter that is the same by chance may join the second half.
    assert texts[0] == letters(TWO[:half])
    assert texts[1][-len(letters(TWO[half:])) :] == letters(TWO[half:])
    assert len(texts[1]) <= len(letters(TWO[half:])) + 1
    assert matched == len(letters(TWO))


def test_another_copy_far_away_is_not_joined():
    far = [page(n, wrapped(Author(n).paragraph(60))) for n in range(2, 6)]
    half = TWO.index(" ", len(TWO) // 2)
    again = page(6, wrapped(TWO[half:]))

    texts, _, _ = finished(TWO[:half] + TWO[half:][::-1], [*told(TWO[:half]), *far, again])

    assert texts[0].startswith(letters(TWO[:half]))
    assert letters(TWO[half:]) not in texts


@pytest.mark.parametrize("side", ["head", "tail"])
def test_damaged_ends_that_look_alike_are_taken_in(side):
    damaged = f"xq{TWO[2:]}" if side == "head" else f"{TWO[:-9]}x{TWO[-8:]}"

    (text,), _, ends = finished(damaged, told(ONE, TWO, THREE))

    assert len(text) >= len(letters(TWO)) - 2
    assert sum(ends) <= 2


def test_ends_that_stand_nowhere_are_told():
    strange = letters(Author(99).sentence(3))

    texts, matched, ends = finished(f"{TWO} {strange}", told(ONE, TWO, THREE))

    assert letters(TWO) in texts[0]
    assert ends[0] == 0
    assert ends[1] == pytest.approx(len(strange), abs=6)
    assert matched <= len(letters(TWO)) + 6


def test_the_cells_of_a_table_may_change_places():
    cells = [Author(n).sentence(8).rstrip(".") for n in range(10, 16)]
    row = " | ".join(cells)

    texts, matched, ends = finished(
        f"| {row} |\n|{'---|' * 6}\n", told(ONE, " ".join(cells[::-1]), TWO), is_table=True
    )

    total = sum(len(letters(cell)) for cell in cells)
    assert matched > 0.8 * total
    assert sum(map(len, texts)) > 0.8 * total
    assert ends == (0, 0)
