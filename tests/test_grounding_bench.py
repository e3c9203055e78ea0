"""The benchmark of grounding is worth as much as its truth: that is what is tested here."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from grounding_bench.baselines import page_shingles, partial_ratio, unique_grams
from grounding_bench.boxes import iou
from grounding_bench.perturbations import PERTURBATIONS, perturb
from grounding_bench.scans import garbled, scanned
from grounding_bench.scoring import both_pages, calibration_error, reliability, tally
from grounding_bench.translations import translate
from grounding_bench.truth import Passage, join, pieces
from zhiyipdf.models.page_text import PageText

QUIET = [name for name in PERTURBATIONS if not name.startswith("ocr") and name != "mix"]

block = st.sampled_from(
    ["{}", "# {}", "- {}\n- {}", "![]({}.png)", "| {} | {} |\n|---|---|", "> {}"]
)
document = st.lists(st.lists(block, max_size=4), min_size=1, max_size=6)


def tagged(layout: list[list[str]]) -> list[tuple[int, str]]:
    """Pages whose every word says on which page it stands."""
    count = iter(range(1_000_000))

    def words(page: int) -> str:
        return " ".join(f"on{page}x{next(count)}y" for _ in range(4))

    return [
        (page, "\n\n".join(b.format(words(page), words(page)) for b in blocks))
        for page, blocks in enumerate(layout, start=1)
    ]


def tags(text: str) -> list[int]:
    return [int(page) for page in re.findall(r"on(\d+)x", text)]


@given(document)
def test_joined_pages_tell_where_each_block_begins_and_ends(layout: list[list[str]]) -> None:
    truth = join(pieces(tagged(layout)))
    for found, first, last in zip(truth.blocks, truth.first, truth.last, strict=True):
        assert [tags(found.text)[0], tags(found.text)[-1]] == [first, last]


@given(document)
def test_taking_apart_and_joining_gives_the_same_text(layout: list[list[str]]) -> None:
    pages = tagged(layout)
    texts = [text for _, text in pages if text]
    assert join(pieces(pages)).markdown == "\n\n".join(texts)


@pytest.mark.parametrize("name", QUIET)
@given(layout=document)
def test_the_truth_goes_along_with_what_is_moved_joined_or_split(
    name: str, layout: list[list[str]]
) -> None:
    truth = join(perturb(pieces(tagged(layout)), name, "seed"))
    for found, first, last in zip(truth.blocks, truth.first, truth.last, strict=True):
        assert [tags(found.text)[0], tags(found.text)[-1]] == [first, last]


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_spoils_in_the_same_way(name: str) -> None:
    original = pieces(tagged([["{}", "# {}", "![]({}.png)"]] * 20))
    assert perturb(original, name, "seed") == perturb(original, name, "seed")


def test_a_paragraph_that_goes_on_is_joined_over_its_page_break() -> None:
    original = pieces([(1, "it ends within a"), (2, "sentence of its own. It\n\nhas more.")])
    (joined, *_) = perturb(original, "join", "seed")
    assert [passage.page for passage in joined] == [1, 2]


def test_a_sentence_that_ends_with_its_page_is_left_alone() -> None:
    original = pieces([(1, "It ends here."), (2, "Another begins.")])
    assert perturb(original, "join", "seed") == original


def test_noise_leaves_links_and_tags_alone() -> None:
    kept = "[a link](page/with/a/long/address.html)"
    spoiled = perturb([(Passage(f"{'words ' * 50}{kept}", 1),)] * 5, "ocr10", "seed")
    assert all("](page/with/a/long/address.html)" in piece[0].text for piece in spoiled)


def test_noise_changes_about_its_share_of_the_letters() -> None:
    text = "abcdefghij" * 1000
    ((passage,),) = perturb([(Passage(text, 1),)], "ocr10", "seed")
    same = sum(a == b for a, b in zip(text[:50], passage.text[:50], strict=True))
    assert same < 50
    assert abs(len(passage.text) - len(text)) < 0.02 * len(text)


def pages_of(texts: list[str]) -> list[PageText]:
    return [
        PageText(
            number=number,
            width=600,
            height=800,
            codes=np.array([ord(char) for char in text], np.uint32),
            lines=np.array([[0, len(text)]], np.int32),
            line_boxes=np.array([[0, 0, 600, 10]], np.float32),
        )
        for number, text in enumerate(texts, start=1)
    ]


@pytest.mark.parametrize("method", [page_shingles, unique_grams, partial_ratio])
def test_the_baselines_find_text_that_stands_on_one_page_only(method: object) -> None:
    assert callable(method)
    chance = Random(7)
    sentences = ["".join(chance.choices("abcdefghijklmnop ", k=90)) for _ in range(12)]
    truth = join((Passage(text, page),) for page, text in enumerate(sentences, start=1))
    answers = method(truth.blocks, pages_of(sentences))
    assert [answer.pages for answer in answers] == [(page,) for page in truth.first]


@pytest.mark.parametrize("method", [page_shingles, unique_grams, partial_ratio])
def test_the_baselines_answer_for_texts_that_are_nowhere(method: object) -> None:
    assert callable(method)
    truth = join([(Passage("quite another text", 1),)])
    assert len(method(truth.blocks, pages_of(["", ""]))) == len(truth.blocks)


def test_a_fifth_of_the_pages_loses_its_text_and_keeps_its_ink() -> None:
    pages = pages_of([f"page {number}" for number in range(50)])
    seen = scanned(pages, dict.fromkeys(range(1, 51), 0.1), "seed")
    emptied = [page for page in seen if not len(page.codes)]
    assert 10 <= len(emptied) <= 15
    assert all(page.ink == 0.1 and len(page.pictures) == 1 for page in emptied)


def test_the_pages_that_would_be_scans_get_other_letters_of_the_same_kind() -> None:
    pages = pages_of([f"Page {number} of the book" for number in range(50)])
    seen = garbled(pages, "seed")
    spoiled = [
        page.number
        for page, before in zip(seen, pages, strict=True)
        if page.text() != before.text()
    ]
    emptied = [
        page.number
        for page in scanned(pages, dict.fromkeys(range(1, 51), 0.1), "seed")
        if not len(page.codes)
    ]
    assert spoiled == emptied
    before, after = pages[spoiled[0] - 1].text(), seen[spoiled[0] - 1].text()
    assert [(c.islower(), c.isdigit(), c.isspace()) for c in before] == [
        (c.islower(), c.isdigit(), c.isspace()) for c in after
    ]
    assert all(c == d for c, d in zip(before, after, strict=True) if not c.islower())
    assert not any(c == d for c, d in zip(before, after, strict=True) if c.islower())


def test_a_translation_keeps_pages_and_numbers_and_changes_the_words() -> None:
    original = [(Passage(f"house number {n} of the street", n),) for n in range(1, 60)]
    other = translate(original, "en", "seed")
    assert {piece[0].page for piece in other} <= set(range(1, 60))
    assert not any("street" in piece[0].text for piece in other)
    kept = sum(str(piece[0].page) in piece[0].text for piece in other)
    assert kept > 0.8 * len(other)


def sheet(**columns: object) -> SimpleNamespace:
    arrays = {name: np.array(values) for name, values in columns.items()}
    return SimpleNamespace(**arrays, right=arrays["first"] == arrays["told_first"])


def test_first_pages_are_counted_exactly_and_within_one() -> None:
    count = tally([sheet(first=[1, 2, 5, 1], told_first=[1, 3, 9, 0])])
    assert (count.blocks, count.right, count.near) == (4, 1, 2)


def test_a_crossing_block_is_right_if_both_its_pages_are() -> None:
    count = both_pages(
        [sheet(first=[1, 1, 4], last=[2, 2, 4], told_first=[1, 1, 4], told_last=[2, 1, 4])]
    )
    assert (count.blocks, count.right, count.near) == (2, 1, 2)


def test_scores_that_say_how_often_they_are_right_have_no_calibration_error() -> None:
    honest = sheet(first=[1] * 4, told_first=[1, 1, 1, 2], score=[0.75] * 4)
    assert calibration_error([honest]) == pytest.approx(0)


def test_the_calibration_error_is_the_gap_between_score_and_share() -> None:
    boastful = sheet(first=[1, 1], told_first=[1, 2], score=[0.9, 0.9])
    assert calibration_error([boastful]) == pytest.approx(0.4)


def test_sure_answers_are_counted_by_share_and_precision() -> None:
    sure = reliability(
        [sheet(first=[1, 1, 1, 1], told_first=[1, 2, 1, 2], score=[1, 0.9, 0.8, 0])], 0.9
    )
    assert (sure.share, sure.precision) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 2, 2), 1.0), ((1, 0, 3, 2), 1 / 3), ((2, 0, 4, 2), 0.0), ((0, 0, 2, 1), 0.5)],
)
def test_overlap_is_the_shared_area_over_the_covered_one(
    other: tuple[float, float, float, float], expected: float
) -> None:
    assert iou((0, 0, 2, 2), other) == pytest.approx(expected)
