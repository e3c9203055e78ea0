from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import blocks, on
from zhiyipdf.grounding.translation import (
    Pair,
    Pairing,
    band,
    inherit,
    inherit_all,
    pair_bilingual,
    pair_translated,
)
from zhiyipdf.grounding.translation.features import compare
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block

KINDS = ["heading", "paragraph", "list", "table", "image", "formula", "code", "comment", "rule"]
TEXTS = st.text(max_size=30) | st.sampled_from(["same", "7", "a 7", "漢字", "```\n", "![](a.png)"])
ANY = st.lists(st.tuples(st.sampled_from(KINDS), TEXTS), max_size=15).map(lambda b: blocks(*b))
WORDS = [f"{a}{b}{c}" for a in "kmtr" for b in "aeiou" for c in ("lo", "n", "sti", "wer", "p")]
# Distinct paragraphs of prose, as a document has them.
PROSE = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=4, max_size=40).map(" ".join),
    min_size=1,
    max_size=20,
    unique=True,
)


def text(*pieces: str) -> tuple[Block, ...]:
    return split_blocks("".join(f"{piece}\n\n" for piece in pieces))


def foreign(said: str) -> str:
    """The same in letters that the original does not have; numbers, code and pictures stay."""
    table = {ord(latin): chr(0x0430 + ord(latin) - ord("a")) for latin in "abcdefghijklmnopqrst"}
    keeps = said.startswith(("![", "```"))
    return said if keeps else said.translate({**table, ord("w"): "ю", ord("u"): "я"})


def rendered(pairing: Pairing) -> list[tuple[int, ...]]:
    return [pair.originals for pair in pairing.pairs]


def one_to_one(size: int) -> list[tuple[int, ...]]:
    return [(at,) for at in range(size)]


def story(size: int, *, seed: int = 3) -> list[str]:
    """A document with chapters, pictures, code and some numbers."""
    chance = random.Random(seed)
    pieces: list[str] = []
    for at in range(size):
        words = " ".join(chance.choices(WORDS, k=chance.randint(5, 60)))
        number = f" {chance.randrange(9000)}" if chance.random() < 0.3 else ""
        kind = at % 25
        if kind in {0, 7}:
            pieces.append(f"{'#' * (1 if kind == 0 else 2)} {words[:40].strip()}")
        elif kind == 12:
            pieces.append(f"![](images/{at}-1.png)")
        elif kind == 19:
            pieces.append(f"```\nrun --step {at}\n```")
        else:
            pieces.append(f"{words}{number}.")
    return pieces


# -- translations ----------------------------------------------------------------------------------


@given(ANY)
def test_a_text_renders_itself_block_by_block(made: tuple[Block, ...]) -> None:
    assert rendered(pair_translated(made, made)) == one_to_one(len(made))


@given(ANY, ANY)
def test_whatever_comes_every_block_gets_a_pair_within_the_original_and_in_order(
    original: tuple[Block, ...], other: tuple[Block, ...]
) -> None:
    pairing = pair_translated(original, other)
    assert len(pairing.pairs) == len(other)
    rows = [row for pair in pairing.pairs for row in pair.originals]
    assert set(rows) <= set(range(len(original)))
    firsts = [first for first in pairing.first() if first is not None]
    assert firsts == sorted(firsts)
    assert all((0 < pair.score <= 1) == bool(pair.originals) for pair in pairing.pairs)


@given(PROSE, st.data())
def test_a_block_that_was_added_shifts_nothing_else(pieces: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(pieces)))
    added = data.draw(st.sampled_from(["![](new.png)", "---", "# neu", "| a |\n|---|\n| b |"]))
    other = text(*map(foreign, pieces[:at]), added, *map(foreign, pieces[at:]))
    pairs = rendered(pair_translated(text(*pieces), other))
    assert pairs[:at] + pairs[at + 1 :] == one_to_one(len(pieces))


@given(PROSE)
def test_prose_without_a_number_is_paired_by_its_lengths(pieces: list[str]) -> None:
    pairing = pair_translated(text(*pieces), text(*map(foreign, pieces)))
    assert rendered(pairing) == one_to_one(len(pieces))


def test_a_paragraph_that_was_left_out_shifts_nothing_else() -> None:
    pieces = story(100)
    other = [foreign(piece) for at, piece in enumerate(pieces) if at not in {22, 56, 57}]
    pairs = rendered(pair_translated(text(*pieces), text(*other)))
    assert pairs == [(at,) for at in range(100) if at not in {22, 56, 57}]


def test_a_block_made_of_two_renders_both() -> None:
    pieces = story(60)
    other = [foreign(piece) for piece in pieces]
    other[30:32] = [f"{other[30]} {other[31]}"]
    pairs = rendered(pair_translated(text(*pieces), text(*other)))
    assert pairs == [*one_to_one(30), (30, 31), *[(at,) for at in range(32, 60)]]


def test_two_halves_of_a_block_both_render_it() -> None:
    pieces = story(60)
    long = max(range(26, 31), key=lambda at: len(pieces[at]))
    other = [foreign(piece) for piece in pieces]
    words = other[long].split()
    half = len(words) // 2
    other[long : long + 1] = [" ".join(words[:half]), " ".join(words[half:])]
    pairs = rendered(pair_translated(text(*pieces), text(*other)))
    assert pairs == [*one_to_one(long + 1), *[(at,) for at in range(long, 60)]]


def test_numbers_code_and_addresses_tell_paragraphs_of_equal_length_apart() -> None:
    pieces = ["alo 1815", "ban 4401", "man dpkg", "tan 7f/x", "ran 2009", "pan 1648", "kan `tar`"]
    kept = [1, 2, 4, 6]
    pairs = pair_translated(
        text(*pieces), text(*(foreign(p[:3]) + p[3:] for p in map(pieces.__getitem__, kept)))
    )
    assert rendered(pairs) == [(at,) for at in kept]


def test_a_language_that_takes_more_letters_is_paired_by_lengths_too() -> None:
    pieces = [piece for piece in story(80) if piece[0] not in "#!`"]
    kept = [at for at in range(len(pieces)) if at != 20]
    other = [" ".join(f"{foreign(word)}нность" for word in pieces[at].split()) for at in kept]
    assert rendered(pair_translated(text(*pieces), text(*other))) == [(at,) for at in kept]


def test_a_token_that_stands_in_most_blocks_or_in_one_text_alone_tells_nothing() -> None:
    original = blocks(*(("paragraph", f"debian n{at:03} alone{at}.") for at in range(30)))
    other = blocks(*(("paragraph", f"debian n{at:03} иное.") for at in range(30)))
    features = compare(original, other)
    telling = features.original.tokens[features.weights[features.original.tokens] > 0]
    assert len(telling) == 30
    assert features.unique[telling].all()


def test_a_whole_chapter_that_is_missing_is_skipped_in_a_long_document() -> None:
    pieces = story(1800)
    missing = range(700, 1000)
    kept = [at for at in range(1800) if at not in missing]
    pairs = rendered(pair_translated(text(*pieces), text(*(foreign(pieces[at]) for at in kept))))
    wrong = [at for at, pair in zip(kept, pairs, strict=True) if pair != (at,)]
    assert len(wrong) <= 3  # the edges of the gap may be a block or two off
    assert all(690 <= at <= 1010 for at in wrong)


def test_a_disorderly_translation_of_a_long_document_is_paired_to_a_hundredth() -> None:
    chance = random.Random(5)
    pieces, other, truth = story(1500), [], []
    for at, piece in enumerate(pieces):
        said = foreign(piece)
        fate = chance.random()
        plain = not said.startswith(("#", "!", "`"))
        if fate < 0.02:
            continue
        if plain and fate < 0.05 and truth and other[-1][-1] == ".":
            other[-1] = f"{other[-1]} {said}"
            continue
        if plain and fate < 0.08 and len(said.split()) > 8:
            words = said.split()
            other += [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
            truth += [at, at]
            continue
        other.append(said)
        truth.append(at)
    firsts = pair_translated(text(*pieces), text(*other)).first()
    right = sum(a == b for a, b in zip(firsts, truth, strict=True))
    assert right >= 0.99 * len(truth)


@pytest.mark.parametrize("anchored", [True, False])
def test_a_band_finds_what_comparing_everything_finds(
    monkeypatch: pytest.MonkeyPatch, anchored: bool
) -> None:
    pieces = story(500)
    if not anchored:
        pieces = [piece.rstrip("0123456789. ") for piece in pieces if piece[0] not in "!`"]
    original, other = text(*pieces), text(*(foreign(p) for p in pieces[:200] + pieces[212:]))
    whole = rendered(pair_translated(original, other))
    assert whole[250] == (262,)
    monkeypatch.setattr(band, "_ALL_CELLS", 0)
    monkeypatch.setattr(band, "_GAP_CELLS", 1)
    assert rendered(pair_translated(original, other)) == whole


@pytest.mark.parametrize("anchored", [True, False])
def test_a_band_has_both_corners_and_rows_that_overlap_and_grows_with_the_text(
    anchored: bool,
) -> None:
    sizes = []
    for size in (2000, 4000):
        prose = [("paragraph", f"ка {at if anchored else ''}") for at in range(size)]
        low, high = band.find_band(compare(blocks(*prose), blocks(*prose)))
        assert (low[0], high[-1]) == (0, size + 1)
        assert (low[1:] < high[:-1]).all()
        assert (low[1:] >= low[:-1]).all()
        assert (high[1:] >= high[:-1]).all()
        sizes.append((high - low).sum())
    assert sizes[1] < 2.2 * sizes[0]
    assert sizes[0] < 2000 * 2000 / 5


@pytest.mark.parametrize(("left", "right"), [(5000, 5000), (5000, 300), (300, 5000)])
def test_thousands_of_identical_blocks_are_paired_in_order(left: int, right: int) -> None:
    original = blocks(*[("paragraph", "The same 1.\n\n")] * left)
    other = blocks(*[("paragraph", "The same 1.\n\n")] * right)
    firsts = [row for row in pair_translated(original, other).first() if row is not None]
    assert len(firsts) >= min(left, right) / 2
    assert firsts == sorted(firsts)


@pytest.mark.parametrize(("left", "right"), [(0, 0), (0, 3), (3, 0), (1, 1)])
def test_empty_and_tiny_texts_are_paired_too(left: int, right: int) -> None:
    one = blocks(("paragraph", "One."))
    for pair in (pair_translated, pair_bilingual):
        assert len(pair(one * left, one * right).pairs) == right
        assert rendered(pair(one, one)) == [(0,)]


def test_a_pair_is_surer_with_common_tokens_and_less_sure_beside_a_gap() -> None:
    pieces = story(60)
    other = [foreign(piece) for at, piece in enumerate(pieces) if at != 30]
    scores = {
        pair.originals[0]: pair.score for pair in pair_translated(text(*pieces), text(*other)).pairs
    }
    calm = [at for at in range(40, 60) if pieces[at][0] not in "#!`"]
    numbered = [at for at in calm if pieces[at].rstrip(".")[-1].isdigit()]
    assert all(scores[at] == max(scores.values()) for at in numbered)
    assert scores[29] < max(scores.values())
    assert scores[31] < max(scores.values())


# -- bilingual texts -------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [True, False])
def test_each_original_and_its_translation_beside_it_render_the_same(first: bool) -> None:
    pieces = story(80)
    mixed, truth = [], []
    for at, piece in enumerate(pieces):
        pair = [piece, foreign(piece)] if first else [foreign(piece), piece]
        mixed += [piece] if foreign(piece) == piece else pair
        truth += [(at,)] if foreign(piece) == piece else [(at,), (at,)]
    assert rendered(pair_bilingual(text(*pieces), text(*mixed))) == truth


@pytest.mark.parametrize("first", [True, False])
def test_original_and_translation_may_stand_in_one_block(first: bool) -> None:
    pieces = [piece for piece in story(80) if piece[0] not in "#!`"]
    lines = [(piece, foreign(piece)) if first else (foreign(piece), piece) for piece in pieces]
    pairs = rendered(pair_bilingual(text(*pieces), text(*map("\n".join, lines))))
    assert pairs == one_to_one(len(pieces))


def test_translations_may_follow_a_few_originals_at_a_time() -> None:
    pieces = story(60)
    mixed, truth = [], []
    for at in range(0, 60, 6):
        group = range(at, at + 6)
        others = [row for row in group if foreign(pieces[row]) != pieces[row]]
        mixed += [pieces[row] for row in group] + [foreign(pieces[row]) for row in others]
        truth += [(row,) for row in group] + [(row,) for row in others]
    assert rendered(pair_bilingual(text(*pieces), text(*mixed))) == truth


@pytest.mark.parametrize("times", [1, 2])
def test_a_table_is_paired_once_or_twice(times: int) -> None:
    table = "| kalo | 12 |\n|---|---|\n| man | 13 |"
    tables = [table, foreign(table)][:times]
    mixed = ["malo ten", foreign("malo ten"), *tables, "rista pen tap", foreign("rista pen tap")]
    pairs = rendered(pair_bilingual(text("malo ten", table, "rista pen tap"), text(*mixed)))
    assert pairs == [(0,), (0,), *[(1,)] * times, (2,), (2,)]


def test_a_translation_in_two_paragraphs_belongs_to_the_one_before_it() -> None:
    pieces = ["malo ten kap", "rista pen tap mip"]
    mixed = [pieces[0], foreign(pieces[0]), pieces[1], foreign("rista pen"), foreign("tap mip")]
    assert rendered(pair_bilingual(text(*pieces), text(*mixed))) == [(0,), (0,), (1,), (1,), (1,)]


def test_a_translation_of_two_paragraphs_at_once_renders_both() -> None:
    pieces = [piece for piece in story(40) if piece[0] not in "#!`"]
    mixed = [said for piece in pieces[:20] for said in (piece, foreign(piece))]
    mixed += [*pieces[20:22], f"{foreign(pieces[20])} {foreign(pieces[21])}"]
    pairs = rendered(pair_bilingual(text(*pieces[:22]), text(*mixed)))
    assert pairs[40:] == [(20,), (21,), (20, 21)]


@given(ANY, ANY)
def test_any_bilingual_text_gets_pairs_within_the_original(
    original: tuple[Block, ...], other: tuple[Block, ...]
) -> None:
    pairing = pair_bilingual(original, other)
    assert len(pairing.pairs) == len(other)
    assert {row for pair in pairing.pairs for row in pair.originals} <= set(range(len(original)))


# -- inheritance -----------------------------------------------------------------------------------


def paired(*originals: Sequence[int], score: float = 0.994) -> Pairing:
    return Pairing(
        pairs=tuple(Pair(originals=tuple(o), score=score if o else 0.0) for o in originals)
    )


def test_a_block_stands_where_the_one_it_renders_does() -> None:
    place = on(3, source="aligned", score=0.9, bbox=(1, 2, 3, 4))
    original = blocks(("paragraph", "a", on(3)), ("paragraph", "b", place))
    (block,) = inherit(original, blocks(("paragraph", "B")), paired([1]))
    assert block.provenance == place
    assert block.pair == 1


def test_an_exact_page_stays_exact_where_a_wrong_pair_would_change_nothing() -> None:
    original = blocks(*(("paragraph", str(at), on(1)) for at in range(9)))
    (block,) = inherit(original, blocks(("paragraph", "x")), paired([4], score=0.84))
    assert block.provenance == on(1)


def test_an_unsure_pair_beside_a_page_break_makes_an_exact_page_aligned() -> None:
    original = blocks(("paragraph", "a", on(1)), ("paragraph", "b", on(2)))
    (block,) = inherit(original, blocks(("paragraph", "x")), paired([1], score=0.9))
    (found,) = block.provenance
    assert (found.page_number, found.source) == (2, "aligned")
    assert found.score == pytest.approx(0.9)


def test_a_merged_block_stands_on_the_pages_of_both_with_a_box_around_both() -> None:
    original = blocks(
        ("paragraph", "a", on(1, bbox=(0, 0, 10, 10))),
        ("paragraph", "b", (*on(1, bbox=(5, 20, 30, 40)), *on(2, bbox=(1, 1, 2, 2)))),
    )
    (block,) = inherit(original, blocks(("paragraph", "x")), paired([0, 1], score=1.0))
    assert [(found.page_number, found.bbox) for found in block.provenance] == [
        (1, (0, 0, 30, 40)),
        (2, (1, 1, 2, 2)),
    ]


def test_of_two_merged_blocks_the_less_sure_one_speaks() -> None:
    unsure = on(1, source="estimated", score=0.4)
    original = blocks(("paragraph", "a", on(1)), ("paragraph", "b", unsure))
    (block,) = inherit(original, blocks(("paragraph", "x")), paired([0, 1], score=1.0))
    assert block.provenance == unsure


def test_a_block_that_renders_none_is_estimated_to_stand_after_the_one_before_it() -> None:
    original = blocks(("paragraph", "a", on(1)), ("paragraph", "b", on(2)))
    other = blocks(*(("paragraph", name) for name in "vwxyz"))
    made = inherit(original, other, paired([], [0], [], [1], []))
    assert [block.provenance[0].page_number for block in made] == [1, 1, 1, 2, 2]
    assert [block.provenance[0].source for block in made[::2]] == ["estimated"] * 3
    assert [block.pair for block in made] == [None, 0, None, 1, None]


def test_a_block_that_renders_none_is_surer_between_two_on_the_same_page() -> None:
    def between(page: int) -> float:
        original = blocks(("paragraph", "a", on(1)), ("paragraph", "b", on(page)))
        other = blocks(*(("paragraph", name) for name in "xyz"))
        return inherit(original, other, paired([0], [], [1]))[1].provenance[0].score

    assert between(1) > between(2)


def test_a_page_mark_of_the_translation_itself_is_believed_and_the_box_taken_over() -> None:
    original = blocks(("paragraph", "a", on(2, bbox=(1, 2, 3, 4))))
    (same,) = inherit(original, blocks(("paragraph", "x", on(2))), paired([0]))
    (other,) = inherit(original, blocks(("paragraph", "x", on(5))), paired([0]))
    assert same.provenance == on(2, bbox=(1, 2, 3, 4))
    assert other.provenance == on(5)


def test_what_the_translation_tells_stays_where_the_original_tells_nothing() -> None:
    place = on(4, source="estimated", score=0.7)
    (block,) = inherit(blocks(("image", "a")), blocks(("image", "x", place)), paired([0]))
    assert block.provenance == place


def test_all_variants_inherit_from_the_original_and_it_stays_as_it_is() -> None:
    original = blocks(("paragraph", "malo ten 12\n\n", on(1)), ("paragraph", "kap 13\n\n", on(2)))
    translated = blocks(("paragraph", "малл 12\n\n"), ("paragraph", "как 13\n\n"))
    mixed = blocks(
        *((b.kind, b.text) for pair in zip(original, translated, strict=True) for b in pair)
    )
    made = inherit_all({"original": original, "translated": translated, "bilingual": mixed})
    assert made["original"] == original
    pages = {v: [b.provenance[0].page_number for b in found] for v, found in made.items()}
    assert pages == {"original": [1, 2], "translated": [1, 2], "bilingual": [1, 1, 2, 2]}


def test_a_translation_without_its_original_stays_as_it_is() -> None:
    translated = blocks(("paragraph", "x", on(1)))
    assert inherit_all({"translated": translated}) == {"translated": translated}
