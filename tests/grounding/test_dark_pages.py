"""Blocks shared out among pages that cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from support.page_texts import Author, page, scan, shown
from zhiyipdf.grounding import sharing
from zhiyipdf.grounding.aligning import align, place_blocks
from zhiyipdf.grounding.dark_pages import dark_pages, is_blank
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.streams import page_stream
from zhiyipdf.markdown import split_blocks

AUTHOR = Author(1)
LONG = [AUTHOR.paragraph(60) for _ in range(12)]


def dark(*pages) -> list[float]:
    body = page_stream(pages, Folding())
    return dark_pages(pages, body, np.zeros(len(pages), np.int64)).tolist()


def placed(said: list[str], pages) -> list[int]:
    """1-based pages of the blocks."""
    return [one.pages[0] for one in align(split_blocks("\n\n".join(said)), pages)]


def read(number: int, *said: str, **more):
    return page(number, [line for piece in said for line in shown(piece)], **more)


@pytest.mark.parametrize(
    ("one", "is_dark", "blank"),
    [
        (scan(1), True, False),
        (page(1, ["17"], ink=0.05), True, False),
        (page(1, ink=0.0), False, True),
        (page(1, ink=0.001), False, True),
        (page(1, ["17"], ink=0.001), False, False),
        (page(1, ["A whole sentence of text."]), False, False),
        (page(1, ["\ufffd" * 50], ink=0.05), True, False),
    ],
)
def test_a_page_is_dark_if_it_has_ink_and_hardly_a_letter(one, is_dark, blank):
    assert dark(one) == [one.ink if is_dark else 0]
    assert is_blank(one) == blank


def test_a_run_between_two_readable_pages_goes_to_the_dark_one():
    pages = [read(1, *LONG[:2]), scan(2), read(3, *LONG[4:6])]

    assert placed(LONG[:6], pages) == [1, 1, 2, 2, 3, 3]


def test_dark_pages_at_both_ends_get_what_stands_there():
    pages = [scan(1), read(2, *LONG[2:4]), scan(3)]

    assert placed(LONG[:6], pages) == [1, 1, 2, 2, 3, 3]


def test_equal_pages_get_equal_shares():
    assert placed(LONG[:8], [scan(n) for n in range(1, 5)]) == [1, 1, 2, 2, 3, 3, 4, 4]


def test_a_page_begins_with_a_heading_rather_than_in_the_middle():
    said = [*LONG[:3], "# Second part", *LONG[3:5]]

    assert placed(said, [scan(1), scan(2)]) == [1, 1, 1, 2, 2, 2]


def test_names_of_pictures_outweigh_the_ink():
    said = [LONG[0], "![](images/1-2.png)", *LONG[1:6], "![](images/2-1.png)"]

    assert placed(said, [scan(1, ink=0.2), scan(2, ink=0.01)])[1::6] == [1, 2]
    said = ["![](images/2-1.png)", *LONG[:6]]
    assert placed(said, [scan(1, ink=0.2), scan(2, ink=0.01)])[0] == 2


def test_running_lines_that_were_kept_part_the_scans_pages():
    """Pages of very different length, each with the running head that the text pages have."""
    head = "The History of the Mill"
    parts = [LONG[0:1], LONG[1:6], LONG[6:7]]
    pages = [
        *(read(n, Author(n).paragraph(40), head=head) for n in range(1, 6)),
        *(scan(n) for n in range(6, 9)),
    ]
    said = [piece for n in range(1, 6) for piece in (head, Author(n).paragraph(40))]
    said += [piece for own in parts for piece in (head, *own)]

    truth = [n for n in range(1, 6) for _ in range(2)]
    truth += [n for n, own in enumerate(parts, 6) for _ in range(len(own) + 1)]
    assert placed(said, pages) == truth


def test_a_chance_hit_does_not_hold_a_block_back():
    """A block of the dark page has a phrase that a readable page has too."""
    phrase = "subject to the conditions of this contract"
    hit = f"{Author(7).paragraph(20)} {phrase} {Author(8).paragraph(20)}"
    pages = [read(1, *LONG[:3], phrase), scan(2), read(3, *LONG[6:9])]

    assert placed([*LONG[:3], phrase, LONG[3], hit, *LONG[6:9]], pages)[4:6] == [2, 2]


def test_the_middle_of_a_page_is_surer_than_its_edge():
    blocks = split_blocks("\n\n".join(Author(3).paragraph(20) for _ in range(20)))
    found = place_blocks(blocks, [scan(1), scan(2)]).findings

    margins = [one.margin for one in found]
    assert margins[0] > margins[9]
    assert margins[19] > margins[10]
    assert all(0 <= margin <= 1 for margin in margins)


def test_one_dark_page_is_surer_than_several():
    sure = align(
        split_blocks("\n\n".join(LONG[:6])), [read(1, *LONG[:2]), scan(2), read(3, *LONG[4:6])]
    )
    several = align(
        split_blocks("\n\n".join(LONG[:8])),
        [read(1, *LONG[:2]), scan(2), scan(3), read(4, *LONG[6:8])],
    )

    assert np.mean([one.score for one in sure[2:4]]) > np.mean([one.score for one in several[2:6]])


@pytest.fixture(params=["pages taken together", "ink alone"])
def bounded(request, monkeypatch) -> str:
    """Too many blocks and pages for the whole search."""
    monkeypatch.setattr(sharing, "_MOST_STATES", 30 if request.param != "ink alone" else 0)
    return request.param


def test_too_many_states_still_leave_what_is_found_and_fill_the_dark_page(bounded):
    """Short blocks, none of which is trusted, so that nothing parts the search."""
    said = [Author(n).sentence(4) for n in range(16)]
    pages = [read(n + 1, *said[2 * n : 2 * n + 2]) for n in range(8)]
    pages[4] = scan(5)

    found = place_blocks(split_blocks("\n\n".join(said)), pages).findings

    told = [one.pages[0] for one in found]
    assert told[8:10] == [4, 4]
    assert told[:8] + told[10:] == [n // 2 for n in range(16) if n not in (8, 9)]


def test_too_many_states_share_blocks_that_are_nowhere_out_in_pace(monkeypatch):
    monkeypatch.setattr(sharing, "_MOST_STATES", 0)
    pages = [one for n in range(1, 5) for one in (scan(2 * n - 1), read(2 * n, LONG[n]))]
    strangers = [Author(40 + n).paragraph(40) for n in range(12)]

    found = place_blocks(split_blocks("\n\n".join(strangers)), pages).findings

    assert [one.pages[0] for one in found] == [0, 0, 0, 2, 2, 2, 4, 4, 4, 6, 6, 6]


def test_a_garbled_page_weighs_as_much_as_a_scan_of_it():
    """So that both share what stands between them."""
    lines = [line for piece in LONG[:4] for line in shown(piece)]
    pages = [page(1, lines), page(2, lines), scan(3)]
    body = page_stream(pages, Folding())
    letters = np.diff(body.page_starts)
    weights = dark_pages(pages, body.without_lines(body.line_starts[1] > np.arange(
        int(body.line_starts[-1]))), np.array([letters[0], 0, 0]))  # fmt: skip

    boxes = pages[0].line_boxes
    area = float(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sum())
    assert weights[0] == pytest.approx(0.5 * area / (pages[0].width * pages[0].height))
    assert weights[1] == 0
