"""The pages of blocks, on made-up documents whose truth is known."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import replace

import pytest

from support.page_texts import (
    Author,
    document,
    firsts,
    page,
    scan,
    shown,
    text_at,
    wrapped,
)
from zhiyipdf.grounding import align
from zhiyipdf.markdown import split_blocks

FORM = [
    "Application for a permit",
    "Name and address of the applicant",
    "Please return this sheet within thirty days of receipt",
    "Signature of the applicant",
]


def crossing(kept: tuple[str, ...] = ()) -> tuple:
    """Paragraphs that run on from page to page, and the pages each stands on.

    Args:
        kept: Lines that the converter left in the text at each page break.
    """
    per_page, done = 11, 0
    author = Author(5)
    lines, said, truth = [], [], []
    for _ in range(10):
        own = []
        first = done // per_page + 1
        for line in wrapped(author.paragraph(60)):
            if done and done % per_page == 0 and kept:
                own += [kept[0].format(done // per_page), *kept[1:]]
            own.append(line)
            lines.append(line)
            done += 1
        said.append("\n".join(own))
        truth.append(tuple(range(first, (done - 1) // per_page + 2)))
    pages = [
        page(number, lines[at : at + per_page], head="The Running Head", foot=str(number))
        for number, at in enumerate(range(0, len(lines), per_page), 1)
    ]
    return document([said], pages), truth


# The text as it is


@pytest.mark.parametrize(
    "script", ["latin", "russian", "greek", "vietnamese", "arabic", "korean", "chinese"]
)
def test_text_that_the_pages_hold_is_found_on_them(script):
    made = document(Author(1, script).pages(12))

    found = align(made.blocks, made.pages)

    assert firsts(found) == made.truth
    assert {one.source for one in found} == {"aligned"}
    assert min(one.score for one in found) > 0.95


@pytest.mark.parametrize("script", ["korean", "vietnamese", "greek"])
def test_pages_whose_letters_are_in_parts_are_read(script):
    said = Author(1, script).pages(4)
    made = document(said)
    apart = [
        page(n, [unicodedata.normalize("NFD", line) for piece in own for line in shown(piece)])
        for n, own in enumerate(said, 1)
    ]

    assert firsts(align(made.blocks, apart)) == made.truth


def test_a_block_knows_the_characters_it_was_found_in():
    made = document(Author(2).pages(3))

    for block, found in zip(made.blocks, align(made.blocks, made.pages), strict=True):
        said = " ".join(block.text.lstrip("# ").split())
        there = " ".join(text_at(made.pages, span) for span in found.spans)
        assert there.rstrip(".") == said.rstrip(".")


def test_the_same_is_answered_twice():
    made = document(Author(3).pages(6))

    assert align(made.blocks, made.pages) == align(made.blocks, made.pages)


@pytest.mark.parametrize("shift", [1, 7, 990])
def test_shifted_page_numbers_shift_the_answers(shift):
    made = document(Author(4).pages(6))
    later = [replace(one, number=one.number + shift) for one in made.pages]

    for before, after in zip(
        align(made.blocks, made.pages), align(made.blocks, later), strict=True
    ):
        assert after.pages == tuple(number + shift for number in before.pages)
        assert [span.page_number - shift for span in after.spans] == [
            span.page_number for span in before.spans
        ]
        assert (after.source, after.score) == (before.source, before.score)


def test_nothing_answers_a_page_that_is_not_there_and_the_rest_stays():
    made = document(Author(5).pages(8))
    left = [one for one in made.pages if one.number != 4]

    found = align(made.blocks, left)

    for truth, one in zip(made.truth, found, strict=True):
        if truth == 4:
            assert one.source != "aligned" or one.score < 0.5
            assert not one.spans
        else:
            assert one.pages == (truth,)
    assert 4 not in firsts(found)


def test_another_pdfs_markdown_is_refused():
    made, other = document(Author(6).pages(8)), document(Author(7).pages(8))

    assert firsts(align(other.blocks, made.pages)) == (None,) * len(other.blocks)


def test_too_little_text_to_tell_is_not_refused():
    made = document([[f"Part {letter * 3}", "x"] for letter in "abc"])

    assert firsts(align(made.blocks, made.pages)) == made.truth


# Pages that look alike


def test_copies_of_a_form_are_told_apart_by_their_order():
    made = document([FORM] * 60)

    assert firsts(align(made.blocks, made.pages)) == made.truth


def test_copies_of_a_form_are_told_apart_by_what_was_filled_in():
    filled = [[FORM[0], f"Number {1000 + 17 * n}", *FORM[1:]] for n in range(60)]
    whole = document(filled)
    chance = random.Random(5)
    partly = [[said for said in own if chance.random() > 0.2] for own in filled]
    made = document(partly, whole.pages)

    assert firsts(align(whole.blocks, whole.pages)) == whole.truth
    found = align(made.blocks, made.pages)
    for block, truth, one in zip(made.blocks, made.truth, found, strict=True):
        if block.text.startswith("Number"):
            assert one.pages == (truth,)
        assert abs(one.pages[0] - truth) <= 1


@pytest.mark.parametrize("as_list", [True, False])
def test_entries_of_the_contents_are_not_taken_for_the_headings(as_list):
    author = Author(8)
    titles = [author.sentence(3).rstrip(".") for _ in range(20)]
    entries = [f"{title} {number}" for number, title in enumerate(titles, 2)]
    contents = ["\n".join(f"- {entry}" for entry in entries)] if as_list else entries
    made = document(
        [
            ["# Contents", *contents],
            *([f"## {title}", author.paragraph(), author.paragraph()] for title in titles),
        ]
    )

    assert firsts(align(made.blocks, made.pages)) == made.truth


# Running lines


def running(said):
    """Pages with a running head and a page number, whatever the Markdown has of them."""
    return [
        page(
            number,
            [line for piece in own for line in shown(piece)],
            head="Annual Report of the Society",
            foot=str(number),
        )
        for number, own in enumerate(said, 1)
    ]


@pytest.mark.parametrize("head_every", [0, 1, 3])
@pytest.mark.parametrize("foot_every", [0, 1, 4])
def test_running_lines_do_no_harm_whether_kept_or_not(head_every, foot_every):
    said = Author(9).pages(30)
    kept = [
        [
            *(["Annual Report of the Society"] if head_every and not n % head_every else []),
            *own,
            *([str(n)] if foot_every and not n % foot_every else []),
        ]
        for n, own in enumerate(said, 1)
    ]
    made = document(kept, running(said))

    assert firsts(align(made.blocks, made.pages)) == made.truth


def test_a_chapters_heading_is_not_taken_for_the_running_head_after_it():
    author, said, pages = Author(10), [], []
    for _ in range(6):
        title = author.sentence(3).rstrip(".")
        for at in range(5):
            own = [author.paragraph() for _ in range(3)]
            if not at:
                own.insert(0, f"# {title}")
            said.append(own)
            lines = [line for piece in own for line in shown(piece)]
            number = len(said)
            pages.append(page(number, lines, head=title if at else "", foot=str(number)))
    made = document(said, pages)

    assert firsts(align(made.blocks, made.pages)) == made.truth


@pytest.mark.parametrize("kept", [(), ("{}", "The Running Head")])
def test_a_paragraph_over_a_page_break_stands_on_both_pages(kept):
    made, truth = crossing(kept)

    assert [one.pages for one in align(made.blocks, made.pages)] == truth
    assert sum(len(pages) == 2 for pages in truth) > 3


# Another order


def test_figures_that_moved_are_found_where_they_were():
    author = Author(11)
    said = [
        [*(author.paragraph() for _ in range(3)), f"Figure {n}. {author.sentence()}"]
        for n in range(1, 9)
    ]
    pages = document(said).pages
    moved = [[*own[:3], *([said[n - 2][3]] if n > 1 else [])] for n, own in enumerate(said, 1)]
    made = document([*moved, [said[-1][3]]], pages)

    found = align(made.blocks, made.pages)

    for block, truth, one in zip(made.blocks, made.truth, found, strict=True):
        is_figure = block.text.startswith("Figure")
        assert one.pages == (truth - 1 if is_figure else truth,)


def test_notes_at_the_end_of_the_text_are_found_on_their_pages():
    author = Author(12)
    said = [[author.paragraph(), author.paragraph(), author.paragraph(20)] for _ in range(8)]
    made = document(
        [[*(piece for own in said for piece in own[:2]), *(own[2] for own in said)]],
        document(said).pages,
    )

    assert firsts(align(made.blocks, made.pages)) == (
        *(number for number in range(1, 9) for _ in range(2)),
        *range(1, 9),
    )


def test_two_columns_drawn_row_by_row_are_read_column_by_column():
    author, said, pages = Author(13), [], []
    for number in range(1, 7):
        left, right = ([author.paragraph(30) for _ in range(3)] for _ in range(2))
        said.append([*left, *right])
        columns = [
            [line for piece in side for line in wrapped(piece, 36)] for side in (left, right)
        ]
        rows = [
            (column[row], x, 96.0 + 14 * row)
            for row in range(max(map(len, columns)))
            for column, x in zip(columns, (72.0, 310.0), strict=True)
            if row < len(column)
        ]
        pages.append(page(number, rows))
    made = document(said, pages)

    assert firsts(align(made.blocks, made.pages)) == made.truth


@pytest.mark.parametrize("by_line", [True, False])
def test_right_to_left_text_in_visual_order_is_found(by_line):
    said = Author(14, "arabic").pages(8)
    pages = document(said).pages
    visual = [
        [
            "\n".join(line[::-1] for line in wrapped(piece)) if by_line else piece[::-1]
            for piece in own[1:]
        ]
        for own in said
    ]
    made = document(visual, pages)

    assert firsts(align(made.blocks, made.pages)) == made.truth


@pytest.mark.parametrize("form", ["pipe", "html"])
def test_a_tables_cells_may_stand_in_another_order(form):
    author = Author(15)
    rows = [[[author.sentence(2) for _ in range(3)] for _ in range(6)] for _ in range(5)]
    said, pages = [], []
    for number, own in enumerate(rows, 1):
        prose = author.paragraph()
        by_columns = [cell for column in zip(*own, strict=True) for cell in column]
        pages.append(page(number, [*wrapped(prose), *by_columns]))
        if form == "pipe":
            lines = [f"| {' | '.join(row)} |" for row in own]
            table = "\n".join([lines[0], "|---|---|---|", *lines[1:]])
        else:
            cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in own)
            table = f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
        said.append([prose, table])
    made = document(said, pages)

    assert {"table"} < {block.kind for block in made.blocks}
    assert firsts(align(made.blocks, made.pages)) == made.truth


def test_a_formula_is_found_by_what_it_prints():
    author = Author(16)
    printed = ["E = α + β sin θ", "x2 + y2 = z2 log n", "γ = max(λ, μ) − δ"]
    written = [
        r"E = \alpha + \beta \sin\theta",
        "x^2 + y^2 = z^2 \\log n",
        r"\gamma = \max(\lambda, \mu) - \delta",
    ]
    said, pages = [], []
    for number, (shows, says) in enumerate(zip(printed, written, strict=True), 1):
        before, after = author.paragraph(), author.paragraph()
        said.append([before, f"$$\n{says}\n$$", after])
        pages.append(page(number, [*wrapped(before), shows, *wrapped(after)]))
    made = document(said, pages)

    found = align(made.blocks, made.pages)

    assert firsts(found) == made.truth
    assert {one.source for one in found} == {"aligned"}


# Text that cannot be read


def test_a_garbled_page_lies_between_the_pages_that_can_be_read():
    made = document(Author(17).pages(6))
    garbled = page(3, ["\ufffd" * 70] * 20, ink=0.05)
    pages = [garbled if one.number == 3 else one for one in made.pages]

    found = align(made.blocks, pages)

    assert firsts(found) == made.truth
    assert {one.source for one, truth in zip(found, made.truth, strict=True) if truth == 3} == {
        "estimated"
    }


@pytest.mark.parametrize("dark", [{2}, {4, 5}, {1, 2, 3}, {7, 8}])
def test_blocks_of_scanned_pages_lie_between_their_neighbours(dark):
    made = document(Author(18).pages(8))
    pages = [scan(one.number) if one.number in dark else one for one in made.pages]

    found = align(made.blocks, pages)

    got = firsts(found)
    assert list(got) == sorted(got)
    for truth, one in zip(made.truth, found, strict=True):
        if truth in dark:
            assert one.source == "estimated"
            assert abs(one.pages[0] - truth) <= 1
        else:
            assert one.pages == (truth,)
    assert dark <= set(got)


def test_a_scanned_document_gives_every_page_with_ink_something():
    said = Author(19).pages(6)
    blocks = document(said).blocks
    pages = [scan(number) for number in range(1, 7)]

    found = align(blocks, pages)

    got = firsts(found)
    assert list(got) == sorted(got)
    assert set(got) == {1, 2, 3, 4, 5, 6}
    assert {one.source for one in found} == {"estimated"}


def test_a_page_with_more_ink_gets_more():
    author = Author(20)
    blocks = split_blocks("\n\n".join(author.paragraph() for _ in range(40)))

    got = firsts(align(blocks, [scan(1, ink=0.02), scan(2, ink=0.06), scan(3, ink=0.02)]))

    assert got.count(2) > got.count(1)
    assert got.count(2) > got.count(3)


def test_blocks_of_unknown_pages_never_land_on_a_blank_one():
    made = document(Author(21).pages(6))
    blank = {1, 4}
    pages = [page(one.number, ink=0.0) if one.number in blank else one for one in made.pages]

    got = firsts(align(made.blocks, pages))

    assert {one for one, truth in zip(got, made.truth, strict=True) if truth == 1} == {2}
    assert {one for one, truth in zip(got, made.truth, strict=True) if truth == 4} <= {3, 5}


def test_a_picture_between_two_pages_never_lands_on_the_blank_one_between():
    author = Author(24)
    said = [[author.paragraph(), author.paragraph(), "![](a.png)"], [], [author.paragraph()] * 2]
    pages = document([own[:2] for own in said]).pages
    made = document(said, [pages[0], page(2, ink=0.0), pages[2]])

    assert firsts(align(made.blocks, made.pages))[2] in {1, 3}


def test_a_readable_page_that_the_markdown_has_not_leaves_the_scans_around_it_their_shares():
    blocks = document(Author(25).pages(6)).blocks
    stamped = page(4, ["Approved by the council on the third of May", "and filed in the archive"])
    pages = [scan(1), scan(2), scan(3), stamped, scan(5), scan(6)]

    got = firsts(align(blocks, pages))

    assert list(got) == sorted(got)
    assert set(got) >= {1, 2, 3, 5, 6}


def test_a_blank_page_in_a_scan_gets_nothing():
    blocks = document(Author(22).pages(5)).blocks
    pages = [scan(1), scan(2), page(3, ink=0.0), scan(4), scan(5)]

    assert set(firsts(align(blocks, pages))) == {1, 2, 4, 5}


def test_names_of_pictures_part_a_scans_pages():
    author = Author(23)
    said = [
        [author.paragraph(), f"![](images/{n}-1.png)", *(author.paragraph() for _ in range(size))]
        for n, size in enumerate((6, 1, 2, 5), 1)
    ]
    made = document(said, [scan(number) for number in range(1, 5)])

    found = align(made.blocks, made.pages)

    for block, truth, one in zip(made.blocks, made.truth, found, strict=True):
        if block.images:
            assert one.pages == (truth,)
    assert list(firsts(found)) == sorted(firsts(found))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_without_blocks_or_pages_there_is_nothing_to_say(count):
    blocks = split_blocks("\n\n".join("abc" for _ in range(count)))

    assert firsts(align(blocks, [])) == (None,) * len(blocks)
    assert align([], [page(n + 1, ["abc"]) for n in range(count)]) == ()


def rows(count: int, seed: int = 1) -> list[str]:
    author = Author(seed)
    return [" ".join(author.word() for _ in range(5)) for _ in range(count)]


def as_table(lines: list[str]) -> str:
    head, *rest = [f"| {line.replace(' ', ' | ')} |" for line in lines]
    return "\n".join([head, "|" + "-|" * 5, *rest])


@pytest.mark.parametrize("count", [2, 12, 30])
def test_a_long_table_begins_on_its_first_page_and_ends_on_its_last(count):
    lines = rows(50 * count)
    pages = [
        page(1, wrapped(Author(5).paragraph())),
        *(page(n + 2, lines[50 * n : 50 * n + 50]) for n in range(count)),
        page(count + 2, wrapped(Author(6).paragraph())),
    ]
    said = "\n\n".join([Author(5).paragraph(), as_table(lines), Author(6).paragraph()])

    assert align(split_blocks(said), pages)[1].pages == tuple(range(2, count + 2))


def test_two_rows_at_the_end_of_a_page_begin_a_table():
    lines = rows(62)
    pages = [page(1, [*wrapped(Author(5).paragraph()), *lines[:2]]), page(2, lines[2:])]
    said = Author(5).paragraph() + "\n\n" + as_table(lines)

    assert align(split_blocks(said), pages)[1].pages == (1, 2)


def test_a_phrase_that_recurs_does_not_claim_the_block_around_it():
    phrase = "as provided by the regulation of the council"
    author = Author(4)
    own = [[*pages, f"{phrase} {n}"] for n, pages in enumerate(author.pages(12, paragraphs=3), 1)]
    made = document(own)
    prose = Author(77).paragraph(120)
    strange = f"{prose[: len(prose) // 2]} {phrase} {prose[len(prose) // 2 :]}"
    said = [piece for pieces in own[:6] for piece in pieces]
    said += [strange, *(piece for pieces in own[6:] for piece in pieces)]
    blocks = split_blocks("\n\n".join(said))

    found = align(blocks, made.pages)[[block.text.strip() for block in blocks].index(strange)]

    assert found.source != "aligned"
    assert found.score < 0.9


def test_the_foot_of_a_page_is_not_taken_for_the_head_of_the_next():
    """A form's title stands in its foot and, after other lines, at the top of the next page."""
    said, pages, truth = [], [], []
    for n in range(1, 13):
        text = Author(n).paragraph(30)
        title = f"Exhibit 2.3.59-{(n + 1) // 2}"
        top = [(f"{title} (Cont.)", 72.0, 50.0)] if n % 2 == 0 else []
        foot = [
            f"Cat. No. 28171 (12-12)   Internal Manual   {title}",
            "Any line with a # is Official",
        ]
        feet = [(line, 72.0, 780.0 + 12 * at) for at, line in enumerate(foot)]
        pages.append(page(n, [*top, *wrapped(text), *feet]))
        said += [*([f"{title} (Cont.)"] if top else []), text]
        said += ["Cat. No. 28171 (12-12) Any line with a # is Official", "Internal Manual", title]
        truth += [n] * (4 + len(top))

    assert firsts(align(split_blocks("\n\n".join(said)), pages)) == tuple(truth)


def test_two_pages_with_the_same_text_have_a_block_each():
    """A memo that was scanned in twice: the Markdown has each copy as one block."""
    text = Author(3).paragraph(40)
    pages = [page(1, wrapped(text)), page(2, wrapped(text))]

    found = align(split_blocks(f"{text}\n\n{text}"), pages)

    assert [one.pages for one in found] == [(1,), (2,)]


def test_a_heading_that_the_pages_have_once_is_not_found_twice():
    """The converter kept a running head that the text layer has not."""
    texts = [Author(n).paragraph(60) for n in range(1, 5)]
    heading = "The repair of the great wheel"
    pages = [
        page(n, [heading, *wrapped(text)] if n == 2 else wrapped(text))
        for n, text in enumerate(texts, 1)
    ]
    said = [texts[0], heading, texts[1], texts[2], heading, texts[3]]

    found = align(split_blocks("\n\n".join(said)), pages)

    assert found[1].pages == (2,)
    assert found[4].pages[0] in {3, 4}
    assert found[4].source == "estimated"


def test_a_heading_out_of_order_is_where_it_stands_and_not_in_the_running_head():
    said, pages = [], []
    for n in range(1, 9):
        before, after = Author(n).paragraph(30), Author(n + 20).paragraph(30)
        title = f"{n}.9 Novice contributor of chapter {n}"
        head = f"Chapter {n} Prerequisites {title}"
        pages.append(page(n, [*wrapped(before), title, *wrapped(after)], head=head))
        said += [before, after, title]

    made = align(split_blocks("\n\n".join(said)), pages)

    assert [text_at(pages, one.spans[0]) for one in made[2::3]] == said[2::3]
    assert all(one.spans[0].start > 60 for one in made[2::3])


def test_a_title_of_two_lines_is_on_its_page_and_not_in_the_running_head_that_repeats_it():
    """The title page of a report: from page 2 on its title is the running head."""
    title = ["Restrictions on Land Ownership by", "Foreigners in Selected Jurisdictions"]
    texts = [Author(n).paragraph(60) for n in range(1, 7)]
    texts = [f"{text} Of land ownership by foreigners in jurisdictions." for text in texts]
    pages = [page(1, [*title, *wrapped(texts[0])])]
    pages += [page(n, wrapped(text), head=" ".join(title)) for n, text in enumerate(texts[1:], 2)]

    found = align(split_blocks("\n\n".join([f"# {' '.join(title)}", *texts])), pages)

    assert [one.pages[0] for one in found] == [1, 1, 2, 3, 4, 5, 6]
