from __future__ import annotations

import pytest

from support.conversions import blocks, on
from zhiyipdf.models import Block, Provenance
from zhiyipdf.preview.standing import count_grades, described, grade_of, mark_of


def block(*provenance: Provenance, kind: str = "paragraph", **more: object) -> Block:
    [made] = blocks((kind, "Text", provenance, more))
    return made


@pytest.mark.parametrize(
    ("source", "score", "grade"),
    [
        ("exact", 1.0, "exact"),
        ("aligned", 1.0, "sure"),
        ("aligned", 0.9, "sure"),
        ("estimated", 0.95, "sure"),
        ("aligned", 0.89, "about"),
        ("estimated", 0.6, "about"),
        ("estimated", 0.59, "doubtful"),
        ("none", 1.0, "none"),
    ],
)
def test_the_grade_follows_the_source_and_the_score(source: str, score: float, grade: str) -> None:
    [place] = on(1, source=source, score=score)  # type: ignore[arg-type]

    assert grade_of(place) == grade


def test_a_block_without_a_page_has_the_grade_none() -> None:
    assert grade_of(None) == "none"
    assert mark_of(block()) == "–"
    assert described(block(), 3) == "paragraph #3 · page unknown"


@pytest.mark.parametrize(
    ("provenance", "mark"),
    [
        (on(3), "p. 3"),
        (on(3, 4), "p. 3–4"),
        (on(3, source="aligned", score=0.97), "p. 3"),
        (on(3, source="aligned", score=0.7), "≈ p. 3"),
        (on(3, source="estimated", score=0.4), "p. 3 ?"),
    ],
)
def test_the_mark_says_what_the_colour_says(provenance: tuple[Provenance, ...], mark: str) -> None:
    assert mark_of(block(*provenance)) == mark


def test_a_block_is_described_by_kind_number_page_score_and_section() -> None:
    table = block(*on(3, 4, source="aligned", score=0.974), kind="table", section=("A", "B"))

    described_table = described(table, 12).replace("\u2068", "").replace("\u2069", "")
    assert described_table == "table #12 · pages 3–4, aligned 0.97 · A › B"


def test_a_heading_that_runs_from_right_to_left_turns_nothing_around_it() -> None:
    """Each is isolated as Unicode Standard Annex 9 has it."""
    section = ("مقدمه 1", "Über 2", "ساختار")

    assert described(block(*on(1), section=section), 7).split(" · ")[2] == (
        "\u2068مقدمه 1\u2069 › \u2068Über 2\u2069 › \u2068ساختار\u2069"
    )


def test_a_heading_says_its_level_and_an_exact_page_no_score() -> None:
    assert described(block(*on(1), kind="heading", level=2), 0) == "heading 2 #0 · page 1, exact"


def test_blocks_are_counted_by_the_grade_of_their_first_page() -> None:
    made = [block(*on(1)), block(*on(1), *on(2, source="estimated", score=0.1)), block()]

    assert count_grades(made) == {"exact": 2, "sure": 0, "about": 0, "doubtful": 0, "none": 1}
