"""Whether a Markdown was made of a PDF."""

from __future__ import annotations

from support.page_texts import Author, document, page, scan, wrapped
from zhiyipdf.grounding import align
from zhiyipdf.grounding.aligning import place_blocks
from zhiyipdf.grounding.same_pdf import most_to_be_believed
from zhiyipdf.markdown import split_blocks


def believed(said, pages) -> float:
    work = place_blocks(split_blocks("\n\n".join(said)), pages)
    return most_to_be_believed(work.findings, work.said, work.body, work.strange)


OWN = [Author(n).paragraph(60) for n in range(1, 7)]
PAGES = [page(n, wrapped(text)) for n, text in enumerate(OWN, 1)]


def test_a_pdfs_own_text_is_believed():
    assert believed(OWN, PAGES) == 1.0


def test_another_pdfs_text_is_not():
    assert believed([Author(n).paragraph(60) for n in range(50, 56)], PAGES) == 0.0


def test_a_text_of_which_a_fifth_is_the_pdfs_is_doubted():
    strange = [Author(n).paragraph(60) for n in range(50, 56)]

    assert 0.0 < believed([*strange[:4], OWN[0], *strange[4:]], PAGES) < 1.0


def test_a_book_is_not_the_text_of_a_few_pages_of_crumbs():
    """Two crumbs of six pages stand in a book of hundreds of blocks: all of it was sure."""
    crumbs = [page(n, [f"Apache rotated {n}0", "PDFBox"]) for n in range(1, 7)]
    said = [*(Author(n).paragraph(40) for n in range(40)), "Apache rotated 10", "PDFBox"]

    found = align(split_blocks("\n\n".join(said)), crumbs)

    assert max(one.score for one in found) < 0.9


def test_a_short_text_that_is_there_is_believed():
    assert believed(["One line.", "Another."], [page(1, ["One line."]), page(2, ["Another."])]) == 1


def test_a_scan_with_a_few_pages_of_text_is_believed_if_these_are_in_the_markdown():
    made = document([[text] for text in OWN])
    pages = [made.pages[0], made.pages[1], *(scan(n) for n in range(3, 7))]

    assert believed(OWN, pages) == 1.0
    others = [Author(n).paragraph(60) for n in range(50, 56)]
    assert believed(others, pages) < 1.0
