from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.doc2x.formulas import with_dollars, without_formulas
from zhiyipdf.server.doc2x.tables import html_tables, join_tables


def test_cells_are_text_not_markup() -> None:
    table = "| **a** \\| b | x<br>y |\n|---|---|\n| 1 < 2 & 3 | \\* |"
    assert html_tables(table) == (
        "<table><tr><td>a | b</td><td>x<br>y</td></tr>"
        "<tr><td>1 &lt; 2 &amp; 3</td><td>*</td></tr></table>"
    )


def test_rows_that_are_too_short_are_filled_up() -> None:
    assert html_tables("| a | b |\n|---|---|\n| 1 |").endswith("<td>1</td><td></td></tr></table>")


def test_what_is_no_table_stays() -> None:
    text = "| no table\n\n```\n| a |\n|---|\n```"
    assert html_tables(text) == text


@given(st.lists(st.lists(st.text(alphabet="ab1|*<&", max_size=4), min_size=2, max_size=2)))
def test_no_cell_is_lost(rows: list[list[str]]) -> None:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    table = "\n".join(["| h | k |", "|---|---|", *lines])
    assert html_tables(table).count("<td>") == 2 * (len(rows) + 1)


def test_a_table_goes_on_over_page_breaks_without_its_repeated_head() -> None:
    head = "| a | b |\n|---|---|"
    pages = [f"text\n\n{head}\n| 1 | 2 |", f"{head}\n| 3 | 4 |", "| 5 | 6 |\n|---|---|\n\nend"]
    assert join_tables(pages) == [
        f"text\n\n{head}\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |",
        "",
        "end",
    ]


def test_tables_of_other_width_or_with_text_between_are_not_joined() -> None:
    two, three = "| a | b |\n|---|---|", "| a | b | c |\n|---|---|---|"
    assert join_tables([two, three]) == [two, three]
    assert join_tables([f"{two}\n\ntext", two]) == [f"{two}\n\ntext", two]


def test_dollars_of_formulas_and_of_money_are_told_apart() -> None:
    text = r"\(x\) costs $5, `\(code\)`, \[ y \] and <a href='\(z\)'>"
    assert with_dollars(text) == r"$x$ costs \$5, `\(code\)`, $$ y $$ and <a href='\(z\)'>"


def test_formulas_become_text_by_level() -> None:
    text = r"\(\alpha_{1}\) and \[\frac{a}{b}\]"
    assert without_formulas(text, 0) == text
    assert without_formulas(text, 1) == r"alpha _1 and \[\frac{a}{b}\]"
    assert without_formulas(text, 2) == "alpha _1 and frac ab"


@given(st.text())
def test_without_formulas_and_money_nothing_changes(text: str) -> None:
    plain = re.sub(r"[\\$]", "", text)
    assert with_dollars(plain) == plain
    assert without_formulas(plain, 2) == plain
