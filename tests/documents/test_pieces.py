from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, conversion, on
from zhiyipdf.documents.page_starts import place_of_span
from zhiyipdf.documents.pieces import _kept, cut
from zhiyipdf.grounding import ground
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block, BlockKind, ParseOptions

KINDS: list[BlockKind] = ["heading", "paragraph", "list", "table", "image", "formula", "comment"]
PAGES = st.lists(st.integers(1, 9), min_size=1, max_size=2).map(sorted).map(lambda p: on(*p))
PLACED = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(["a\n\n", "b c\n", " \n", "d"]), PAGES),
    max_size=12,
).map(lambda pieces: blocks(*pieces))
BLOCKS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.text(max_size=8), st.one_of(st.just(()), PAGES)),
    max_size=12,
).map(lambda pieces: blocks(*pieces))


def pages(*pieces: tuple[object, ...], total: int = 9) -> list[tuple[int | None, str, str, float]]:
    cuts = cut(conversion(blocks(*pieces), pages=total), ["original"], "page")["original"]
    return [(p.place.page_number, p.text, p.place.source, p.place.score) for p in cuts]


def test_a_block_without_a_page_stays_with_the_page_around_it() -> None:
    assert pages(
        ("paragraph", "a\n\n", on(1)), ("formula", "$$x$$\n\n"), ("paragraph", "b\n\n", on(1))
    ) == [(1, "a\n\n$$x$$\n\nb", "exact", 1.0)]


def test_a_block_between_two_neighbouring_pages_makes_the_page_before_an_estimate() -> None:
    assert pages(
        ("paragraph", "a\n\n", on(1)), ("code", "x = 1\n\n"), ("paragraph", "b\n\n", on(2))
    ) == [(1, "a\n\nx = 1", "estimated", 0.5), (2, "b", "exact", 1.0)]


def test_a_block_that_may_stand_on_more_than_two_pages_leaves_the_file_uncut() -> None:
    assert pages(
        ("paragraph", "a\n\n", on(1)), ("formula", "$$x$$\n\n"), ("paragraph", "b\n\n", on(3))
    ) == [(None, "a\n\n$$x$$\n\nb\n\n", "none", 0.0)]


def test_a_guess_in_a_long_text_makes_only_its_page_less_sure() -> None:
    long = "Words and words. " * 20
    assert pages(
        ("paragraph", f"{long}\n\n", on(1)), ("code", "x = 1\n\n"), ("paragraph", "b", on(4))
    ) == [(1, f"{long}\n\nx = 1", "estimated", 0.25), (4, "b", "exact", 1.0)]


def test_only_pages_that_were_converted_come_into_question() -> None:
    made = conversion(
        blocks(("paragraph", "a\n", on(1)), ("code", "x\n"), ("paragraph", "b", on(40))),
        pages=50,
        options=ParseOptions(pages="1,40-"),
    )
    first, second = cut(made, ["original"], "page")["original"]
    assert (first.text, first.place.score) == ("a\nx", 0.5)
    assert second.place.page_number == 40


def test_a_block_stands_whole_on_its_first_page_and_what_follows_on_its_last() -> None:
    assert pages(
        ("paragraph", "a\n\n", on(1, 2)), ("formula", "x\n\n"), ("paragraph", "b\n\n", on(2))
    ) == [(1, "a", "exact", 1.0), (2, "x\n\nb", "exact", 1.0)]


def test_an_empty_page_is_as_sure_as_the_pages_beside_it() -> None:
    made = conversion(
        blocks(("paragraph", "a\n", on(1)), ("paragraph", "b", on(3, source="aligned", score=0.9))),
        pages=4,
    )
    found = cut(made, ["original"], "page", include_empty_pages=True)["original"]
    assert [(p.place.source, p.place.score) for p in found] == [
        ("exact", 1.0),
        ("aligned", 0.9),
        ("aligned", 0.9),
        ("aligned", 0.9),
    ]


def test_a_pdf_without_any_text_has_empty_pages_if_asked_for() -> None:
    made = conversion(blocks(("page_break", "<!-- page 1 -->\n", on(1))), pages=2)
    found = cut(made, ["original"], "page", include_empty_pages=True)["original"]
    assert [(p.place.page_number, p.text, p.place.source) for p in found] == [
        (1, "", "exact"),
        (2, "", "exact"),
    ]


def test_a_file_of_unknown_pages_has_no_empty_pages_either() -> None:
    made = conversion(blocks(("paragraph", "a")), pages=2)
    (piece,) = cut(made, ["original"], "page", include_empty_pages=True)["original"]
    assert (piece.text, piece.place.page_number) == ("a", None)


def test_leading_blocks_without_a_page_go_to_the_first_page_known() -> None:
    assert pages(("heading", "# A\n\n"), ("paragraph", "b", on(2))) == [
        (2, "# A\n\nb", "estimated", 0.5)
    ]
    assert pages(("heading", "# A\n\n"), ("paragraph", "b", on(1))) == [
        (1, "# A\n\nb", "exact", 1.0)
    ]


def test_what_follows_the_last_page_known_is_sure_only_on_the_last_page() -> None:
    assert pages(("paragraph", "a\n\n", on(2)), ("paragraph", "b"), total=2) == [
        (2, "a\n\nb", "exact", 1.0)
    ]
    assert pages(("paragraph", "a\n\n", on(2)), ("paragraph", "b"), total=3) == [
        (2, "a\n\nb", "estimated", 0.5)
    ]


def test_a_page_is_gathered_even_if_the_text_leaves_it_and_comes_back() -> None:
    assert pages(
        ("paragraph", "a\n", on(1)), ("footnote", "[^1]: n\n", on(2)), ("paragraph", "b\n", on(1))
    ) == [(1, "a\n\nb", "exact", 1.0), (2, "[^1]: n", "exact", 1.0)]


def test_a_page_mark_between_two_blocks_does_not_make_them_one() -> None:
    marked = [
        ("paragraph", "a\n", on(1)),
        ("page_break", "<!-- page 1 -->\n"),
        ("paragraph", "b\n", on(1)),
    ]
    assert pages(*marked) == [(1, "a\n\nb", "exact", 1.0)]


def test_a_comment_that_is_no_page_mark_belongs_to_the_text() -> None:
    comment = "<!-- page without text, see figure 3 -->"
    assert pages(("comment", comment, on(1))) == [(1, comment, "exact", 1.0)]


@pytest.mark.parametrize(
    "mark", ["\f", "<!-- page 3 -->", "<!-- Page: 12 of 30 -->", "{0}" + "-" * 48, "[page 3]"]
)
def test_every_kind_of_page_mark_is_left_out(mark: str) -> None:
    assert pages(("page_break", f"{mark}\n\n", on(1)), ("paragraph", "a", on(1))) == [
        (1, "a", "exact", 1.0)
    ]


@pytest.mark.parametrize("mark", ["\f", "<!-- page {} -->\n\n", "{{{}}}" + "-" * 48 + "\n\n"])
def test_the_marks_that_grounding_finds_are_left_out(mark: str) -> None:
    text = "".join(f"{mark.format(page)}Text {page}.\n\n" for page in (1, 2, 3))
    made = conversion(ground(text, split_blocks(text), 3), pages=3)
    assert made.markdown["original"] == text
    pieces = cut(made, ["original"], "page")["original"]
    assert [piece.text for piece in pieces] == ["Text 1.", "Text 2.", "Text 3."]


def test_spaces_before_the_first_word_stay_because_they_may_mean_code() -> None:
    assert pages(("code", "\n    indented()\n\n", on(1)))[0][1] == "    indented()"


@given(BLOCKS)
def test_every_kept_block_is_on_exactly_one_page(made: tuple[Block, ...]) -> None:
    cuts = cut(conversion(made, pages=9), ["original"], "page")["original"]
    starts = sorted(block.start for piece in cuts for block in piece.blocks)
    kept = _kept(conversion(made, pages=9), "original")
    if [piece.place.page_number for piece in cuts] != [None]:
        assert starts == [block.start for block in kept]
        numbers = [piece.place.page_number for piece in cuts]
        assert numbers == sorted(set(numbers))
        assert all(0 < piece.place.score <= 1 for piece in cuts)
    else:
        assert [piece.text for piece in cuts] == ["".join(block.text for block in made)]


@given(PLACED)
def test_placed_blocks_stand_once_on_the_page_they_begin_on_in_their_order(
    made: tuple[Block, ...],
) -> None:
    whole = conversion(made, pages=9)
    cuts = cut(whole, ["original"], "page", include_empty_pages=True)["original"]
    assert [piece.place.page_number for piece in cuts] == list(range(1, 10))
    for piece in cuts:
        number = piece.place.page_number
        expected = [b for b in _kept(whole, "original") if b.provenance[0].page_number == number]
        assert list(piece.blocks) == expected
        assert "".join(piece.text.split()) == "".join("".join(b.text.split()) for b in expected)
        ends = {b.provenance[0].page_number for b in _kept(whole, "original")
                if number in [p.page_number for p in b.provenance[1:]]} - {number}  # fmt: skip
        assert piece.place.continues_from == min(ends, default=None)


@given(PLACED)
def test_the_runs_of_a_file_agree_with_the_page_of_each_character(made: tuple[Block, ...]) -> None:
    whole = conversion(made, pages=9)
    (piece,) = cut(whole, ["original"], "single")["original"]
    for char in range(len(piece.text)):
        if piece.runs:
            place = place_of_span(piece.runs, char, char + 1)
            assert place.page_number == whole.page_of(char)


@given(BLOCKS, BLOCKS, BLOCKS)
def test_positions_are_unique_and_a_pair_is_a_block_of_the_original_or_the_block_itself(
    original: tuple[Block, ...], translated: tuple[Block, ...], bilingual: tuple[Block, ...]
) -> None:
    options = ParseOptions(translate_to="en", variants=("original", "translated", "bilingual"))
    made = conversion(original, translated=translated, bilingual=bilingual, options=options)
    for mode in ("single", "page", "block"):
        cuts = cut(made, options.variants, mode)
        theirs = [piece.pair for piece in cuts["original"]]
        assert len(set(theirs)) == len(theirs)
        for variant, pieces in cuts.items():
            assert len({piece.position for piece in pieces}) == len(pieces)
            for at, piece in enumerate(pieces):
                own = piece.pair == f"{variant}:{at}" if mode == "block" else True
                assert piece.pair in theirs or own


def test_a_block_is_paired_as_grounding_has_found() -> None:
    original = blocks(("paragraph", "One.\n\n"), ("comment", "<!-- -->\n\n"), ("paragraph", "Two."))
    translated = blocks(
        ("paragraph", "Zwei, Teil eins.\n\n", {"pair": 2}),
        ("paragraph", "Zwei, Teil zwei.\n\n", {"pair": 2}),
        ("paragraph", "Eins.\n\n", {"pair": 0}),
        ("paragraph", "Bemerkung.\n\n", {"pair": 1}),
        ("paragraph", "Neu."),
    )
    options = ParseOptions(translate_to="de", variants=("original", "translated"))
    cuts = cut(
        conversion(original, translated=translated, options=options), options.variants, "block"
    )
    assert [piece.pair for piece in cuts["original"]] == ["block:0", "block:1"]
    assert [piece.pair for piece in cuts["translated"]] == [
        "block:1",
        "block:1",
        "block:0",
        "translated:3",
        "translated:4",
    ]


def test_pairing_ten_thousand_blocks_finds_those_that_stayed() -> None:
    chance = random.Random(7)
    kinds = [chance.choice(KINDS[:-1]) for _ in range(10_000)]
    original = blocks(*((kind, f"{kind} {i}\n\n") for i, kind in enumerate(kinds)))
    fewer = [kind for i, kind in enumerate(kinds) if i % 10]
    translated = blocks(*((kind, f"译 {i}\n\n") for i, kind in enumerate(fewer)))
    options = ParseOptions(translate_to="zh", variants=("original", "translated"))
    made = conversion(original, translated=translated, options=options)
    cuts = cut(made, options.variants, "block")
    paired = {p.pair for p in cuts["original"]} & {p.pair for p in cuts["translated"]}
    assert len(paired) == len(fewer)
