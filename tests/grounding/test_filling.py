"""Short and damaged blocks between those that were hit."""

from __future__ import annotations

import pytest
from rapidfuzz import fuzz

from support.page_texts import Author, page, streams, wrapped
from zhiyipdf.grounding import filling
from zhiyipdf.grounding.filling import fill_exactly, fill_roughly
from zhiyipdf.grounding.findings import Finding, pages_of
from zhiyipdf.models.page_text import PageText

AUTHOR = Author(1)
A, B, C, D = (AUTHOR.sentence() for _ in range(4))


def filled(said: list[str], pages: list[PageText], found: tuple[str, ...], rough: float = 0):
    """Fill in what is not in ``found``; the long texts are where they stand."""
    blocks, stream = streams(said, pages)
    findings: list[Finding | None] = []
    for at, piece in enumerate(said):
        text = blocks.text_of(at)
        place = stream.text.index(text) if piece in found else -1
        stretches = ((place, place + len(text)),)
        on = pages_of(stretches, stream.page_starts.tolist(), least=1) if place >= 0 else ()
        findings.append(
            Finding(method="seed", stretches=stretches, pages=on, matched=len(text), share=1.0)
            if place >= 0
            else None
        )
    if rough:
        fill_roughly(findings, blocks, stream, least=rough)
    else:
        fill_exactly(findings, blocks, stream)
    return findings


def told(*own: list[str]) -> list[PageText]:
    return [page(number, lines) for number, lines in enumerate(own, 1)]


def on(findings) -> list[int | None]:
    """1-based pages, None where there is none."""
    return [None if found is None else found.pages[0] + 1 for found in findings]


def test_a_short_block_is_found_right_behind_the_one_before():
    assert on(filled([A, "(1)", B], told([A, "(1)"], [B, "(1)"]), (A, B))) == [1, 1, 2]


def test_a_short_block_is_found_right_before_the_one_after():
    assert on(filled([A, "x2", B], told([A, *wrapped(C)], ["x2", B]), (A, B))) == [1, 2, 2]


def test_a_single_letter_far_from_its_neighbours_is_not_believed():
    pages = told([A, *wrapped(Author(2).paragraph(60))], [*wrapped(Author(3).paragraph(60)), B])

    assert on(filled([A, "q", B], pages, (A, B)))[1] is None


def test_a_telling_block_is_believed_anywhere_between():
    pages = told([A, C], ["Bibliography", *wrapped(Author(3).paragraph(60))], [D, B])

    assert on(filled([A, "Bibliography", B], pages, (A, B))) == [1, 2, 3]


def test_a_run_of_crumbs_goes_from_left_to_right():
    crumbs = ["10", "20", "30", "40"]
    pages = told([A, "10", "20"], ["30", "40", B])

    assert on(filled([A, *crumbs, B], pages, (A, B))) == [1, 1, 1, 2, 2, 2]


def test_no_place_is_taken_twice():
    findings = filled([A, "ten", "ten", B], told([A, "ten"], ["ten", B]), (A, B))

    assert on(findings) == [1, 1, 2, 2]
    assert findings[1].stretches != findings[2].stretches


def test_what_stands_outside_its_neighbours_pages_is_not_sought():
    assert on(filled([A, "Index", B], told([A, B], ["Index"]), (A, B))) == [1, None, 1]


def test_a_figure_that_moved_does_not_draw_its_neighbours_along():
    """C stands at the end of the PDF; what comes after it in the Markdown is near A."""
    pages = told([A, "(1)"], [B, D], [*wrapped(Author(5).paragraph(90))], [C, "(1)"])

    assert on(filled([A, C, "(1)", B, D], pages, (A, B, C, D)))[2] == 1


def test_a_block_that_no_page_has_is_not_sought_from_each_of_its_origins(monkeypatch):
    class Reads(filling.TextSearch):
        count = 0

        def first(self, sought: str, low: int, high: int) -> int:
            Reads.count += sought == "bibliography"
            return super().first(sought, low, high)

        def last(self, sought: str, low: int, high: int) -> int:
            Reads.count += sought == "bibliography"
            return super().last(sought, low, high)

    monkeypatch.setattr(filling, "TextSearch", Reads)
    crumbs = ["ten", "eleven", "twelve"]
    pages = told([A, *crumbs * 3, B])

    assert on(filled([A, *crumbs, "Bibliography", B], pages, (A, B)))[4] is None
    assert Reads.count == 1


def test_text_at_both_ends_of_the_markdown_is_found():
    pages = told(["Preface", A], [B, "Appendix"])

    assert on(filled(["Preface", A, B, "Appendix"], pages, (A, B))) == [1, 1, 2, 2]


def test_a_damaged_block_is_found_by_likeness():
    damaged = C.replace("a", "4").replace("e", "3", 2)
    findings = filled([A, damaged, B], told([A], [C], [B]), (A, B), rough=70)

    assert on(findings) == [1, 2, 3]
    assert findings[1].method == "fuzzy"
    assert 0.7 <= findings[1].likeness < 1


def test_what_is_not_alike_is_not_taken():
    assert on(filled([A, D, B], told([A], [C], [B]), (A, B), rough=85)) == [1, None, 3]


def test_crumbs_are_not_found_by_likeness():
    assert on(filled([A, "abcd", B], told([A], ["abce"], [B]), (A, B), rough=70)) == [1, None, 3]


def test_likeness_takes_no_place_that_another_has():
    near = C.replace("a", "4", 1)

    assert on(filled([A, C, near, B], told([A, C], [B]), (A, B, C), rough=85)) == [1, 1, None, 2]


class Likeness:
    """Compares as rapidfuzz does, and counts the steps by the lengths of what it is given."""

    def __init__(self) -> None:
        self.steps = 0
        self.sought: list[str] = []

    def partial_ratio_alignment(self, text: str, there: str, *, score_cutoff: float):
        self.steps += len(there) * len(text) * (len(text) / 64 + 1)
        self.sought.append(text)
        return fuzz.partial_ratio_alignment(text, there, score_cutoff=score_cutoff)


@pytest.fixture
def likeness(monkeypatch: pytest.MonkeyPatch) -> Likeness:
    counted = Likeness()
    monkeypatch.setattr(filling, "fuzz", counted)
    return counted


def test_many_long_foreign_blocks_cost_no_more_than_the_documents_size_allows(likeness):
    pages = told(*(wrapped(Author(seed).paragraph(400)) for seed in (2, 3, 4)))
    foreign = [Author(seed).paragraph(300) for seed in range(10, 30)]
    letters = sum(map(len, foreign)) + sum(len(one.codes) for one in pages)

    assert on(filled(foreign, pages, (), rough=85)) == [None] * 20

    assert 0 < likeness.steps <= 500_000_000 + 1_100 * letters


def test_where_not_all_can_be_compared_the_shortest_blocks_are(likeness, monkeypatch):
    monkeypatch.setattr(filling, "_LEAST_STEPS", 0)
    monkeypatch.setattr(filling, "_STEPS_PER_LETTER", 90)
    damaged = B.replace("a", "4", 1)
    said = [A, Author(7).paragraph(80), damaged, Author(8).paragraph(80), C]

    findings = filled(said, told([A], [B], [C]), (A, C), rough=85)

    assert on(findings) == [1, None, 2, None, 3]
    assert len(likeness.sought) == 1


def test_all_damaged_blocks_of_a_document_are_compared(likeness):
    said = [Author(seed).paragraph() for seed in range(40)]
    damaged = [piece.replace("a", "4") if n % 2 else piece for n, piece in enumerate(said)]

    findings = filled(damaged, told(*map(wrapped, said)), tuple(damaged[::2]), rough=70)

    assert on(findings) == list(range(1, 41))
    assert len(likeness.sought) == 20


def test_without_anything_found_the_whole_pdf_is_looked_at():
    assert on(filled(["Bibliography"], told([A], [B, "Bibliography"]), ())) == [2]
    assert on(filled(["Bibliography"], told([A], [B]), ())) == [None]
    assert on(filled([], told([A]), ())) == []
