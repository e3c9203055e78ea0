"""Running headers and footers, and which of them the Markdown kept."""

from __future__ import annotations

import numpy as np
import pytest

from support.page_texts import Author, line_text, page, wrapped
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.running_lines import RunningLines, find_running_lines, running_key
from zhiyipdf.grounding.streams import block_stream, page_stream
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models.page_text import PageText


def book(count: int = 12, *, head: str = "The History of the Mill", foot: str = "Page {}"):
    author = Author(1)
    return [
        page(n, wrapped(author.paragraph(120)), head=head.format(n), foot=foot.format(n))
        for n in range(1, count + 1)
    ]


def found(pages: list[PageText], markdown: str = "nothing of all this") -> RunningLines:
    folding = Folding()
    blocks = block_stream(split_blocks(markdown), folding)
    return find_running_lines(pages, page_stream(pages, folding), blocks)


def masked(pages: list[PageText], markdown: str = "nothing of all this") -> set[str]:
    """The texts of the lines that are masked."""
    texts = [line_text(one, at) for one in pages for at in range(len(one.lines))]
    return {
        text for text, is_out in zip(texts, found(pages, markdown).masked, strict=True) if is_out
    }


def test_lines_at_the_same_height_on_many_pages_run():
    assert masked(book()) == {"The History of the Mill", *(f"Page {n}" for n in range(1, 13))}


def test_heads_run_at_the_top_and_feet_at_the_bottom():
    running = found(book())

    assert {(line.text, line.edge) for line in running.by_page[4]} == {
        ("thehistoryofthemill", -1),
        ("page5", 1),
    }
    assert sorted(set(np.sign(running.rank).tolist())) == [-1, 0, 1]
    assert running.kept_keys == frozenset()


def test_the_running_lines_of_a_page_come_from_top_to_bottom():
    assert [line.edge for line in found(book()).by_page[0]] == [-1, 1]


@pytest.mark.parametrize("foot", ["{}", "- {} -", "Page {} of 12"])
def test_page_numbers_run_whatever_they_are(foot):
    assert {foot.format(n) for n in range(1, 13)} <= masked(book(foot=foot))


def test_roman_page_numbers_run():
    numerals = ["i", "ii", "iii", "iv", "v", "vi"]
    pages = [page(n, ["text of the page"], foot=roman) for n, roman in enumerate(numerals, 1)]

    assert set(numerals) <= masked(pages)


def test_lines_of_the_body_do_not_run_however_often_they_come():
    author = Author(2)
    pages = [
        page(n, [*wrapped(author.paragraph(200)), "Summary", *wrapped(author.paragraph(200))])
        for n in range(1, 10)
    ]

    assert "Summary" not in masked(pages)


def test_a_line_on_two_pages_does_not_run():
    pages = book(foot="")
    changed = [
        page(n, wrapped(Author(n).paragraph()), head="Only here" if n in {3, 4} else "")
        for n in range(1, len(pages) + 1)
    ]

    assert "Only here" not in masked(changed)


def test_lines_far_apart_do_not_run():
    pages = [
        page(n, wrapped(Author(n).paragraph()), head="Seldom said" if n in {1, 20, 40} else "")
        for n in range(1, 41)
    ]

    assert "Seldom said" not in masked(pages)


def test_a_chapter_title_beside_a_fixed_text_runs_by_what_is_fixed():
    author = Author(3)
    titles = [author.sentence(2) for _ in range(12)]
    pages = [
        page(n, wrapped(author.paragraph()), head=f"The History of the Mill {title}")
        for n, title in enumerate(titles, 1)
    ]

    assert {f"The History of the Mill {title}" for title in titles} <= masked(pages)


def test_what_the_markdown_kept_is_not_masked():
    markdown = "\n\n".join(["The History of the Mill"] * 12)
    running = found(book(), markdown)

    assert "The History of the Mill" not in masked(book(), markdown)
    assert "Page 3" in masked(book(), markdown)
    assert "thehistoryofthemill" in running.kept_keys


def test_what_the_markdown_kept_once_is_masked_on_the_pages():
    assert "The History of the Mill" in masked(book(), "# The History of the Mill\n\nText.")


def test_page_numbers_that_the_markdown_kept_are_not_masked():
    markdown = "\n\n".join(f"Page {n}" for n in range(1, 13))

    assert "Page 3" not in masked(book(), markdown)


@pytest.mark.parametrize(
    ("text", "key"),
    [("page12of300", "page0of0"), ("xii", "0"), ("7", "0"), ("mill", "mill"), ("", "")],
)
def test_numbers_do_not_tell_running_lines_apart(text, key):
    assert running_key(text) == key


@pytest.mark.parametrize("pages", [[], [page(1)], [page(1, ["a"]), page(2)]])
def test_too_few_pages_have_no_running_lines(pages):
    running = found(pages)

    assert not running.masked.any()
    assert not running.by_page


def test_a_third_line_at_an_edge_runs_too():
    """Forms have three lines at the foot of each page."""
    foot = [("Any line marked with a # is for", 72.0, 780.0), ("Official Use Only", 72.0, 790.0)]
    pages = [
        page(n, [*wrapped(Author(n).paragraph(60)), ("Cat. No. 28171E Manual", 72.0, 770.0), *foot])
        for n in range(1, 7)
    ]

    assert [len(lines) for lines in found(pages).by_page.values()] == [3] * 6


def titled(title: str) -> list[PageText]:
    """Pages with one title at the same height, below a first line that always changes."""
    return [
        page(
            n,
            [
                (Author(n).paragraph(4), 72.0, 40.0),
                (title, 72.0, 60.0),
                *wrapped(Author(n).paragraph(60)),
            ],
        )
        for n in range(1, 7)
    ]


def test_a_title_below_a_line_that_does_not_run_does_not_run():
    """Titles recur at the same height, under a chapter's name that does not."""
    pages = titled("Display of the command code")

    assert not found(pages).by_page or not any(found(pages).by_page.values())


def test_a_line_of_two_columns_is_kept_if_the_markdown_has_its_halves():
    pages = book(foot="Cat. No. 28171E     Internal Revenue Manual     Page {}")
    kept = "\n\n".join(f"Cat. No. 28171E\n\nInternal Revenue Manual\n\nPage {n}" for n in range(12))

    assert masked(pages, kept) == {"The History of the Mill"}


def test_a_long_running_line_is_kept_though_every_copy_of_it_is_damaged():
    head = "The remarkable and curious history of the old mill"
    damaged = [
        head.replace("The", f"Th{n % 10}x").replace("mill", f"m{n % 10}l") for n in range(12)
    ]

    assert masked(book(head=head, foot=""), "\n\n".join(damaged)) == set()


def test_a_line_that_does_not_run_is_not_kept_either():
    """A second line at one height on every page, below a first one that always changes."""
    pages = titled("Exercises")

    assert found(pages).kept_keys == frozenset()
