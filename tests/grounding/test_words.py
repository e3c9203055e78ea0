"""Words compared whatever their order and the order of their letters."""

from __future__ import annotations

import numpy as np
import pytest

from support.page_texts import Author, page
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.words import PageWords
from zhiyipdf.markdown import split_blocks

PAGES = [page(1, ["red green blue", "yellow"]), page(2, ["red black"]), page(3)]


def shares(markdown: str, window=(0, 1, 2), *, telling: bool = False) -> list[float]:
    (block,) = split_blocks(markdown)
    return PageWords(PAGES, Folding()).over(window).shares(block, telling=telling).tolist()


def test_the_share_of_a_blocks_words_is_told_by_their_letters():
    assert shares("red blue") == [1, pytest.approx(3 / 7), 0]


def test_the_order_of_words_does_not_matter():
    assert shares("yellow blue green red")[0] == 1


def test_the_order_of_letters_does_not_matter():
    assert shares("der eulb")[0] == 1


def test_words_of_several_pages_tell_less():
    assert shares("red", telling=True) == [0.5, 0.5, 0]
    assert shares("red green", telling=True)[0] == pytest.approx((1.5 + 5) / 8)


def test_markup_and_table_bars_part_words():
    assert shares("|red|blue|\n|---|---|\n|**green**|yellow|")[0] == 1


def test_only_the_pages_of_the_window_are_asked():
    assert shares("red", [1]) == [1]
    assert shares("red", []) == []


@pytest.mark.parametrize("markdown", ["---", "![](a.png)", "<!-- a -->"])
def test_a_block_without_words_has_none_anywhere(markdown):
    assert shares(markdown) == [0, 0, 0]


def test_a_very_long_block_is_told_by_its_beginning():
    (block,) = split_blocks("red " * 400 + Author(1).paragraph(400))

    assert PageWords(PAGES, Folding()).over([0]).shares(block) == [1]


def test_a_word_of_very_many_pages_tells_none_of_them():
    pages = [page(number, ["common", "rare" if number == 7 else ""]) for number in range(1, 100)]
    (block,) = split_blocks("common rare nowhere")

    told = PageWords(pages, Folding()).over(range(99)).shares(block)

    assert np.delete(told, 6) == pytest.approx(np.full(98, 6 / 17))
    assert told[6] == pytest.approx(10 / 17)
