"""Which evidence decides where marks, text and names of pictures disagree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.page_texts import Author, document, page, scan, text_at
from zhiyipdf.grounding.locating import Located, locate
from zhiyipdf.markdown import split_blocks

SAID = Author(1).pages(6)
PAGES = document(SAID).pages


def marked(numbers, said=SAID) -> str:
    """The text of pages with a mark before each."""
    parts = []
    for number, own in zip(numbers, said, strict=True):
        parts += [f"<!-- page {number} -->", *own]
    return "\n\n".join(parts)


def located(text: str, pages=PAGES, total: int | None = None) -> Located:
    found = locate(text, split_blocks(text), total or len(pages), pages)
    assert "".join(block.text for block in found.blocks) == text
    assert len(found.spans) == len(found.blocks)
    return found


def told(found: Located, said=SAID) -> dict[str, set[tuple[int, str]]]:
    """Page and source of each block that says something, by the piece it is of."""
    answers: dict[str, set[tuple[int, str]]] = {}
    for block in found.blocks:
        for own in said:
            if block.text.strip() in own:
                places = {(one.page_number, one.source) for one in block.provenance}
                answers.setdefault(block.text.strip(), set()).update(places)
    return answers


def right(source: str, shift: int = 0, said=SAID) -> dict[str, set[tuple[int, str]]]:
    return {
        piece: {(number + shift, source)} for number, own in enumerate(said, 1) for piece in own
    }


def test_marks_that_the_text_confirms_are_exact():
    found = located(marked(range(1, 7)))

    assert told(found) == right("exact")
    assert [b.text.strip() for b in found.blocks if b.kind == "page_break"] == [
        f"<!-- page {number} -->" for number in range(1, 7)
    ]


@pytest.mark.parametrize("off", [1, 3])
def test_marks_that_hold_printed_numbers_are_corrected(off):
    front = [page(number, [Author(number + 50).sentence()]) for number in range(1, off + 1)]
    pages = [*front, *document([*[[]] * off, *SAID]).pages[off:]]

    assert told(located(marked(range(1, 7)), pages)) == right("exact", off)


def test_marks_that_the_text_contradicts_are_ignored():
    found = located(marked([1, 2, 4, 7, 9, 10]), [*PAGES, *(page(n) for n in range(7, 11))])

    assert told(found) == right("aligned")


def test_marks_are_believed_where_no_text_can_be_read():
    found = located(marked(range(1, 7)), [scan(number) for number in range(1, 7)])

    assert told(found) == right("exact")


def test_marks_without_any_readable_page_are_believed():
    assert told(located(marked(range(1, 7)), [], total=6)) == right("exact")


def test_text_without_marks_is_aligned_and_scored():
    found = located(document(SAID).text)

    assert told(found) == right("aligned")
    assert all(0 < one.score < 1 for block in found.blocks for one in block.provenance)


def test_a_pdf_of_one_page_is_exact_and_still_knows_its_places():
    made = document(SAID[:1])
    found = located(made.text, made.pages)

    assert told(found, SAID[:1]) == right("exact", said=SAID[:1])
    assert all(one.score == 1 for block in found.blocks for one in block.provenance)
    assert all(found.spans)


def test_another_pdfs_text_has_no_pages():
    assert told(located(document(SAID).text, document(Author(2).pages(6)).pages)) == {
        piece: set() for own in SAID for piece in own
    }


def test_names_of_pictures_are_what_is_left_where_another_pdfs_text_is_read():
    text = "A\n\n![](images/1-1.png)\n\nB\n\n![](images/2-1.png)\n\nC"
    pages = document(Author(3).pages(2)).pages
    long = f"{text}\n\n" + "\n\n".join(Author(4).paragraph() for _ in range(3))

    found = located(long, pages)

    places = [block.provenance[0] for block in found.blocks if block.images]
    assert [(one.page_number, one.source) for one in places] == [(1, "estimated"), (2, "estimated")]


def test_the_spans_are_of_the_blocks_they_stand_with():
    found = located(marked(range(1, 7)))

    for block, spans in zip(found.blocks, found.spans, strict=True):
        if block.kind == "page_break":
            assert not spans
        else:
            there = " ".join(text_at(PAGES, span) for span in spans)
            assert there.rstrip(".") == " ".join(block.text.lstrip("# ").split()).rstrip(".")


def test_pages_of_a_block_rise_from_the_one_it_begins_on():
    author = Author(5)
    lines = [author.sentence() for _ in range(6)]
    pages = [page(1, lines[:3]), page(2, lines[3:])]
    found = located(" ".join(lines), pages)

    assert [one.page_number for one in found.blocks[0].provenance] == [1, 2]


PIECES = st.sampled_from(
    ["<!-- page 1 -->", "<!-- page 2 -->", "<!-- page 3 -->", "\f", "[page 1]", "[page 2]",
     "![](images/2-1.png)", SAID[0][1], SAID[1][1], SAID[2][1], "- a\n- b", "```\n\f\n```", ""]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12), st.integers(1, 3), st.booleans())
def test_any_mixture_keeps_its_letters_and_gets_pages_of_the_pdf(pieces, total, readable):
    text = "\n\n".join(pieces)
    found = located(text, PAGES[:total] if readable else [], total)

    for block in found.blocks:
        numbers = [one.page_number for one in block.provenance]
        assert numbers == sorted(set(numbers))
        assert all(1 <= number <= total for number in numbers)
        assert len({one.source for one in block.provenance}) <= 1
