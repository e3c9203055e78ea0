"""The table of the benchmark of grounding says what was measured, and no more."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from grounding_bench.boxes import covered, overlaps
from grounding_bench.extras import NAMED, WRITTEN
from grounding_bench.goals import HEAD, NO_GOAL, Goal, Row
from grounding_bench.methods import OURS
from grounding_bench.running import Sheet
from grounding_bench.targets import Measured, rows
from grounding_bench.truth import Passage, Truth, join
from zhiyipdf.models import BBox, Block, Provenance

BOX: BBox = (0, 0, 10, 10)


def boxed(*told: tuple[int, BBox | None] | None) -> tuple[Truth, list[Block]]:
    """Blocks that all stand on page 1 in BOX, and what is told of each."""
    truth = join([(Passage(f"text {n}", 1, BOX),) for n in range(len(told))])
    placed = [
        replace(
            block,
            provenance=()
            if one is None
            else (Provenance(page_number=one[0], bbox=one[1], source="aligned"),),
        )
        for block, one in zip(truth.blocks, told, strict=True)
    ]
    return truth, placed


def test_a_block_without_a_box_or_on_a_wrong_page_counts_as_a_missed_box() -> None:
    truth, placed = boxed((1, BOX), (1, (8, 8, 20, 20)), (1, None), (2, BOX), None)
    count = covered(overlaps(truth, placed, author="a", method="ours", document="d"))
    assert (count.blocks, count.pages, count.given, count.good) == (5, 3, 2, 1)
    assert (count.of_given, count.of_all) == (0.5, 0.2)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((99.9, 92.0), "aim"),
        ((99.95, 91.9), "yes"),
        ((99.5, 85.0), "yes"),
        ((99.6, 84.9), "no"),
        ((99.4, 99.0), "no"),
        ((float("nan"), 99.0), "–"),
    ],
)
def test_a_row_is_met_if_each_of_its_figures_is(figures: tuple[float, ...], expected: str) -> None:
    goal = Goal(prototype="", required=(99.5, 85), aim=(99.9, 92))
    assert goal.verdict(figures) == expected


@pytest.mark.parametrize(("cost", "expected"), [(11.0, "aim"), (15.0, "yes"), (15.1, "no")])
def test_of_a_cost_less_is_better(cost: float, expected: str) -> None:
    goal = Goal(prototype="", required=(15,), aim=(11,), is_cost=True)
    assert goal.verdict((cost,)) == expected


def test_nothing_is_met_where_nothing_is_required() -> None:
    assert NO_GOAL.verdict((0.0,)) == "–"


def test_a_share_that_only_floating_point_keeps_from_its_bound_reaches_it() -> None:
    assert Goal(prototype="", required=(98.5,), aim=(99,)).verdict((100 * 0.985 - 1e-12,)) == "yes"


def test_every_row_has_a_cell_for_each_column() -> None:
    row = Row(measure="m", figures=(1.0,), ours="1", baselines=("2", "–", "–"))
    assert len(row.cells()) == len(HEAD)


def answered(
    perturbation: str, right: int, wrong: int, *, score: float = 1.0, documents: int = 1
) -> Sheet:
    """Answers for blocks of page 1: page 1 where right, page 2 where wrong."""
    blocks = right + wrong
    truth = np.ones(blocks, np.int32)
    told = np.array([1] * right + [2] * wrong, np.int32)
    return Sheet(
        method=OURS,
        document=perturbation,
        language="en",
        engine="any",
        perturbation=perturbation,
        pages=1,
        seconds=1.0,
        reading_s=1.0,
        kind=np.zeros(blocks, np.int8),
        length=np.full(blocks, 20, np.int32),
        first=truth,
        last=truth,
        told_first=told,
        told_last=told,
        score=np.full(blocks, score),
        texts={},
        how=("seed",) * blocks,
        documents=documents,
    )


def test_what_others_wrote_does_not_count_in_the_score_of_the_perturbations() -> None:
    sheets = [
        answered("clean", 10, 0),
        answered(WRITTEN, 0, 10),
        answered(NAMED, 0, 10),
        answered("edgeparse", 0, 10),
    ]
    found = {row.measure: row for row in rows(Measured(sheets=sheets))}
    assert found["score >= 0.9, perturbations pooled: right / share"].figures == (100, 100)
    assert found["calibration error (ECE)"].figures == (0,)
    assert found["– score >= 0.9 on edgeparse's: right / share"].figures == (0, 100)


def test_the_row_of_what_people_wrote_says_of_how_many_blocks_and_pdfs_it_is() -> None:
    sheets = [answered(WRITTEN, 3, 1, documents=8), answered(WRITTEN, 2, 0, documents=3)]
    measures = [row.measure for row in rows(Measured(sheets=sheets))]
    assert "first page right, written by people and docling (6 blocks of 11 PDFs)" in measures


@pytest.mark.parametrize("runs", [("clean",), ("clean", "garbled20")])
def test_garbled_pages_have_a_row_if_they_were_run(runs: tuple[str, ...]) -> None:
    sheets = [answered(name, 1, 0) for name in runs]
    measures = [row.measure for row in rows(Measured(sheets=sheets))]
    row = "20 % of the pages garbled: exact (± 1)"
    assert (row in measures) == ("garbled20" in runs)
