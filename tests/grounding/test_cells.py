"""Rows and cells of tables that were hit in part."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from support.page_texts import page
from zhiyipdf.grounding import cells
from zhiyipdf.grounding.cells import fill_cells
from zhiyipdf.grounding.findings import Finding, pages_of
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.searching import TextSearch
from zhiyipdf.grounding.streams import page_stream
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models.page_text import PageText

FOLDING = Folding()


def table(*rows: list[str]) -> str:
    """A pipe table, the first row its head."""
    width = len(rows[0])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * width, *lines[1:]])


def filled(markdown: str, pages: list[PageText], *found: str, **more) -> list[str]:
    """Fill in the cells of a table of which some texts were found; give what its stretches hold."""
    stream = page_stream(pages, FOLDING)
    places = [(stream.text.index(said), stream.text.index(said) + len(said)) for said in found]
    finding = Finding(
        **{
            "method": "seed",
            "stretches": tuple(places),
            "pages": pages_of(places, stream.page_starts.tolist(), least=1),
            "share": 0.5,
            **more,
        }
    )
    findings: list[Finding | None] = [finding]
    fill_cells(findings, split_blocks(markdown), stream, FOLDING)
    assert findings[0].pages == finding.pages
    return [stream.text[start:end] for start, end in findings[0].stretches]


ROWS = [["Name", "Wohnort"], ["Anna Berg", "Ulm"], ["Emil Hof", "Bonn"]]


def test_a_row_that_stands_on_the_page_as_it_is_is_found_whole():
    pages = [page(1, ["Name Wohnort", "Anna Berg Ulm", "Emil Hof Bonn"])]

    assert filled(table(*ROWS), pages, "namewohnort") == [
        "namewohnort",
        "annabergulm",
        "emilhofbonn",
    ]


def test_of_a_row_in_another_order_the_cells_are_found():
    pages = [page(1, ["Name Wohnort", "Bonn Emil Hof"])]

    assert filled(table(*ROWS), pages, "namewohnort") == ["namewohnort", "bonn", "emilhof"]


def test_cells_of_html_tables_are_found_too():
    said = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in ROWS)
    pages = [page(1, ["Name Wohnort", "Bonn Emil Hof"])]

    assert filled(f"<table>{said}</table>", pages, "namewohnort")[1:] == ["bonn", "emilhof"]


def test_cells_too_short_to_tell_anything_are_left():
    pages = [page(1, ["Name Wohnort", "Ulm"])]

    assert filled(table(*ROWS), pages, "namewohnort") == ["namewohnort"]


def test_a_cell_on_a_page_that_the_table_is_not_on_is_left():
    pages = [page(1, ["Name Wohnort"]), page(2, ["Emil Hof Bonn"])]

    assert filled(table(*ROWS), pages, "namewohnort") == ["namewohnort"]


def test_of_several_places_that_behind_the_beginning_of_the_table_is_taken():
    pages = [page(1, ["Emil Hof was here", "Name Wohnort", "Emil Hof"])]

    assert filled(table(*ROWS), pages, "namewohnort") == ["namewohnort", "emilhof"]


def test_what_stands_before_the_table_alone_is_found_and_the_table_still_begins_where_it_did():
    pages = [page(1, ["Emil Hof", "Name Wohnort"])]

    assert filled(table(*ROWS), pages, "namewohnort") == ["namewohnort", "emilhof"]


def test_what_is_part_of_a_stretch_already_is_not_added():
    pages = [page(1, ["Name Wohnort", "Emil Hof Bonn"])]

    assert filled(table(*ROWS), pages, "namewohnortemilhofbonn") == ["namewohnortemilhofbonn"]


def test_a_table_that_was_found_whole_is_left_as_it_is():
    pages = [page(1, ["Name Wohnort", "Emil Hof Bonn"])]

    assert filled(table(*ROWS), pages, "namewohnort", share=0.99) == ["namewohnort"]


def test_a_table_that_was_not_hit_is_left_as_it_is():
    pages = [page(1, ["Name Wohnort", "Emil Hof Bonn"])]

    assert filled(table(*ROWS), pages, "namewohnort", method="bag") == ["namewohnort"]


def test_the_pages_of_a_wide_table_are_not_read_once_for_each_cell(monkeypatch):
    chance = random.Random(1)
    numbers = [str(chance.randint(10_000, 99_999_999)) for _ in range(4_000)]
    rows = [numbers[at : at + 80] for at in range(0, len(numbers), 80)]
    shuffled = chance.sample(numbers, len(numbers))
    pages = [page(1, ["Name of all", *(" ".join(shuffled[n : n + 8]) for n in range(0, 4_000, 8))])]
    reads: list[int] = []

    class Counted(TextSearch):
        def _count(self, read: int) -> None:
            reads.append(read)
            super()._count(read)

    monkeypatch.setattr(cells, "TextSearch", Counted)
    found = filled(table(["Name of all"] * 80, *rows), pages, "nameofall")

    assert set(found) == {"nameofall", *numbers}
    assert sum(reads) < 250 * sum(map(len, numbers))


STRETCHES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 12)).map(lambda s: (s[0], s[0] + s[1])),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(deadline=None)
@given(STRETCHES, st.integers(0, 30), st.integers(1, 12))
def test_what_is_known_covers_a_place_if_one_of_its_stretches_does(stretches, start, size):
    known = cells._Known(stretches)

    assert known.covers((start, start + size)) == any(
        low <= start and start + size <= high for low, high in stretches
    )
    assert known.edges == (min(low for low, _ in stretches), max(high for _, high in stretches))
    assert known.stretches == stretches
