"""What holds of every alignment, whatever the Markdown and the PDF."""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.page_texts import Author, Made, document, firsts, page, scan, shown, wrapped
from zhiyipdf.grounding import align
from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import Block
from zhiyipdf.models.page_text import PageText

SCRIPTS = st.sampled_from(
    ["latin", "russian", "greek", "vietnamese", "arabic", "korean", "chinese"]
)
MADE = st.builds(
    lambda seed, script, count: document(Author(seed, script).pages(count)),
    st.integers(0, 10**6),
    SCRIPTS,
    st.integers(1, 6),
)
LINES = st.lists(
    st.text(max_size=30)
    | st.sampled_from(
        ["", "a", "1", "12", "Chapter 1", "same line again", "漢字仮名交じり文", "שלום עולם",
         "\x00\x02", "\ud800", "\ufffd\ufffd", "\u00ad", "ﬁﬂ", "İ", "\u2e8d", "𝔘𝔫𝔦", "x" * 200]
    ),
    max_size=6,
)  # fmt: skip
INK = st.sampled_from([None, 0.0, 0.004, 0.2])
ANY_PAGES = st.lists(st.tuples(LINES, INK), max_size=5).map(
    lambda made: [page(number, lines, ink=ink) for number, (lines, ink) in enumerate(made, 1)]
)
PIECES = st.lists(
    st.text(max_size=40)
    | st.sampled_from(
        ["# Chapter 1", "- a\n- b", "![](images/2-1.png)", "| a | b |\n|---|---|\n| 1 | 2 |",
         "$$\n\\alpha\n$$", "<table><tr><td>a</td></tr></table>", "<!-- page 2 -->", "---",
         "```\n1\n```", "same line again", "漢字仮名交じり文", "12", "\ud800", "\x00",
         "[^1]: note", "\\(", "$", "x" * 200]
    ),
    max_size=8,
)  # fmt: skip
ANY_BLOCKS = PIECES.map(lambda pieces: split_blocks("\n\n".join(pieces)))


def is_sound(
    found: Sequence[Alignment], blocks: Sequence[Block], pages: Sequence[PageText]
) -> None:
    """Check what each answer must keep to."""
    assert len(found) == len(blocks)
    by_number = {one.number: one for one in pages}
    for one in found:
        assert set(one.pages) <= set(by_number)
        assert len(set(one.pages)) == len(one.pages)
        assert 0 <= one.score <= 1
        assert (one.source == "none") == (not one.pages)
        for span in one.spans:
            assert 0 <= span.start < span.end <= len(by_number[span.page_number].codes)


@given(ANY_BLOCKS, ANY_PAGES)
def test_any_blocks_and_any_pages_get_a_sound_answer(blocks, pages):
    is_sound(align(blocks, pages), blocks, pages)


@given(st.lists(LINES, max_size=5), st.integers(0, 100))
def test_any_pages_own_lines_get_a_sound_answer(lines, seed):
    """Garbage that matches goes further into the algorithm than garbage that does not."""
    pages = [page(number, own) for number, own in enumerate(lines, 1)]
    pieces = [line for own in lines for line in own]
    random.Random(seed).shuffle(pieces)
    blocks = split_blocks("\n\n".join(pieces))
    is_sound(align(blocks, pages), blocks, pages)


@given(ANY_BLOCKS, ANY_PAGES)
def test_the_same_question_gets_the_same_answer(blocks, pages):
    assert align(blocks, pages) == align(blocks, pages)


@given(ANY_BLOCKS, ANY_PAGES.filter(bool), st.integers(1, 500))
def test_shifting_all_page_numbers_shifts_all_answers(blocks, pages, shift):
    bare = tuple(replace(block, images=()) for block in blocks)  # whose names would tell numbers
    later = [replace(one, number=one.number + shift) for one in pages]
    for before, after in zip(align(bare, pages), align(bare, later), strict=True):
        assert after.pages == tuple(number + shift for number in before.pages)
        assert after.score == before.score


@settings(deadline=None)
@given(MADE)
def test_the_pages_own_text_is_found_on_them(made: Made):
    found = align(made.blocks, made.pages)

    assert firsts(found) == made.truth
    assert {one.source for one in found} == {"aligned"}


def full_width(text: str) -> str:
    """Latin letters and digits as East Asian fonts have them."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def hyphenated(text: str) -> str:
    """Soft hyphens inside words, as where lines end."""
    return " ".join(f"{w[:3]}\u00ad{w[3:]}" if len(w) > 5 else w for w in text.split(" "))


CHANGES: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "full width": full_width,
    "soft hyphens": hyphenated,
    "ligatures": lambda text: text.replace("fi", "\ufb01").replace("fl", "\ufb02"),
    "accents": lambda text: text.replace("e", "é").replace("o", "ö"),
    "accents apart": lambda text: unicodedata.normalize("NFD", text.replace("a", "à")),
    "blanks": lambda text: text.replace(" ", "\u00a0"),
    "no blanks": lambda text: text.replace(" ", ""),
    "punctuation": lambda text: text.replace(".", " —").replace(" ", ", ", 1),
}


@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@given(seed=st.integers(0, 10**6))
def test_how_the_page_writes_its_letters_changes_nothing(change, seed):
    said = Author(seed).pages(4)
    plain = document(said)
    pages = [
        page(number, [change(line) for piece in own for line in shown(piece)])
        for number, own in enumerate(said, 1)
    ]

    found = align(plain.blocks, pages)

    assert [one.pages for one in found] == [one.pages for one in align(plain.blocks, plain.pages)]


def each_word(text: str, change: Callable[[str], str], step: int) -> str:
    """Change every ``step``-th word."""
    words = text.split(" ")
    return " ".join(change(word) if n % step == 0 else word for n, word in enumerate(words))


MARKUP: dict[str, Callable[[str], str]] = {
    "emphasis": lambda text: each_word(text, "**{}**".format, 3),
    "links": lambda text: each_word(text, "[{}](https://example.org/x)".format, 5),
    "entities": lambda text: text.replace("a", "&#97;"),
    "tags": lambda text: f"<b>{text}</b>",
    "comments": lambda text: text.replace(". ", ". <!-- a note that no page shows --> "),
    "quotation": lambda text: f"> {text}",
    "list": lambda text: f"- {text}",
    "capitals": str.upper,
}


@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("change", MARKUP.values(), ids=MARKUP)
@given(seed=st.integers(0, 10**6))
def test_markup_changes_nothing(change, seed):
    said = [own[1:] for own in Author(seed).pages(4)]
    plain = document(said)
    made = document([[change(piece) for piece in own] for own in said], plain.pages)

    found = align(made.blocks, made.pages)
    assert firsts(found) == made.truth
    assert {one.source for one in found} == {"aligned"}


@settings(deadline=None)
@given(MADE, st.data())
def test_a_page_that_is_taken_away_answers_nothing_and_the_others_stay(made, data):
    gone = data.draw(st.integers(1, len(made.pages)))
    left = [one for one in made.pages if one.number != gone]

    for truth, one in zip(made.truth, align(made.blocks, left), strict=True):
        assert gone not in one.pages
        if truth == gone:
            assert not one.spans
        elif len(made.pages) > 2:
            assert one.pages == (truth,)


@settings(deadline=None)
@given(MADE, st.data())
def test_pages_of_a_scan_never_fall(made, data):
    inks = data.draw(
        st.lists(
            st.sampled_from([0.0, 0.01, 0.05, 0.2]),
            min_size=len(made.pages), max_size=len(made.pages),
        )
    )  # fmt: skip
    pages = [scan(number, ink=ink) for number, ink in enumerate(inks, 1)]

    found = align(made.blocks, pages)

    got = [one for one in firsts(found) if one is not None]
    assert got == sorted(got)
    assert set(got) == {number for number, ink in enumerate(inks, 1) if ink}
    assert all(one.source != "aligned" for one in found)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["latin", "russian", "chinese"]),
    st.floats(0, 0.1),
)
def test_noise_in_the_text_layer_leaves_the_pages_of_paragraphs(seed, script, noise):
    chance = random.Random(seed)
    said = Author(seed, script).pages(5, paragraphs=3)
    letters = "".join(piece for own in said for piece in own)
    clean = document(said)
    pages = [
        page(one.number, [
            "".join(chance.choice(letters) if chance.random() < noise else c for c in line)
            for piece in own for line in shown(piece)
        ])
        for one, own in zip(clean.pages, said, strict=True)
    ]  # fmt: skip

    found = align(clean.blocks, pages)

    for block, truth, one in zip(clean.blocks, clean.truth, found, strict=True):
        if block.kind == "paragraph":
            assert one.pages[:1] == (truth,)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6))
def test_dropped_blocks_leave_the_others_where_they_are(seed):
    chance = random.Random(seed)
    said = Author(seed).pages(6)
    kept = [[piece for piece in own if chance.random() < 0.6] for own in said]
    made = document(kept, document(said).pages)

    assert firsts(align(made.blocks, made.pages)) == made.truth


# Growth


def identical(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """As many pages of three equal lines, and as many times the three as blocks."""
    lines = ["Name of the applicant", "Date of the application", "Signature"]
    return (
        split_blocks("\n\n".join(lines * count)),
        [page(number, lines) for number in range(1, count + 1)],
    )


def different(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    made = document(Author(1).pages(count, paragraphs=2))
    return made.blocks, list(made.pages)


def scanned(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    blocks = document(Author(1).pages(count, paragraphs=2)).blocks
    return blocks, [scan(number) for number in range(1, count + 1)]


def half_scanned(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    blocks, pages = different(count)
    return blocks, [scan(one.number) if one.number % 2 else one for one in pages]


def numbers_only(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """Drawings full of crumbs."""
    chance = random.Random(1)
    crumbs = [[str(chance.randint(1, 99)) for _ in range(10)] for _ in range(count)]
    text = "\n\n".join(crumb for own in crumbs for crumb in own)
    return split_blocks(text), [page(number, own) for number, own in enumerate(crumbs, 1)]


def one_word(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """The same letter over and over."""
    line = "a" * 400
    return (
        split_blocks("\n\n".join([line] * count)),
        [page(number, wrapped(line)) for number in range(1, count + 1)],
    )


def half_found(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """One block whose second half no page has."""
    there, nowhere = (Author(seed).paragraph(60 * count) for seed in (1, 2))
    lines = wrapped(there)
    parts = [lines[at : at + 40] for at in range(0, len(lines), 40)]
    others = document(Author(3).pages(len(parts))).pages
    pages = [page(number, own) for number, own in enumerate(parts, 1)]
    pages += [replace(one, number=one.number + len(parts)) for one in others]
    return split_blocks(f"{there} {nowhere}"), pages


def stranger(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """A block that no page has, between two that are found."""
    author = Author(1)
    before, after = author.paragraph(), author.paragraph()
    between = wrapped(author.paragraph(1200))
    pages = [page(1, wrapped(before)), page(2, between), page(3, wrapped(after))]
    return split_blocks("\n\n".join((before, Author(2).paragraph(count), after))), pages


def gibberish(chance: random.Random, letters: int) -> str:
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(letters))


def gibberish_page(number: int, chance: random.Random, lines: int = 20) -> PageText:
    return page(
        number, [" ".join(gibberish(chance, 7) for _ in range(8)) for _ in range(lines)]
    )  # fmt: skip


def short_strangers(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """Ten words to a page that no page has."""
    chance = random.Random(1)
    pages = [gibberish_page(number, chance) for number in range(1, count + 1)]
    return split_blocks("\n\n".join(gibberish(chance, 9) for _ in range(10 * count))), pages


def crowded(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """One page of all that is found, a word that is not between any two."""
    chance = random.Random(1)
    lines = [gibberish(chance, 60) for _ in range(2 * count)]
    said = "\n\n".join(f"{line}\n\n{gibberish(chance, 9)}" for line in lines)
    return split_blocks(said), [page(1, lines)]


def wide_table(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """A table of 100 rows, a third of whose cells stand elsewhere on its pages."""
    chance = random.Random(1)
    columns = count // 10
    rows = [[str(chance.randint(10_000, 99_999_999)) for _ in range(columns)] for _ in range(100)]
    cells = [cell for row in rows for cell in row]
    moved = [
        chance.random() * len(cells) if chance.random() < 0.3 else n for n in range(len(cells))
    ]
    shown_cells = [cell for _, cell in sorted(zip(moved, cells, strict=True))]
    lines = [" ".join(shown_cells[at : at + 8]) for at in range(0, len(cells), 8)]
    pages = [page(n + 1, lines[at : at + 50]) for n, at in enumerate(range(0, len(lines), 50))]
    head = f"|{'h|' * columns}\n|{'-|' * columns}\n"
    return split_blocks(head + "\n".join(f"|{'|'.join(row)}|" for row in rows)), pages


def foreign(count: int) -> tuple[tuple[Block, ...], list[PageText]]:
    """Long blocks of another text than that of a short PDF."""
    chance = random.Random(1)
    pages = [gibberish_page(number, chance, 45) for number in range(1, 5)]
    said = (" ".join(gibberish(chance, 7) for _ in range(200)) for _ in range(count // 10))
    return split_blocks("\n\n".join(said)), pages


SHAPES = {
    shape.__name__: shape
    for shape in (
        identical, different, scanned, half_scanned, numbers_only, one_word, half_found, stranger,
        short_strangers, crowded, wide_table, foreign,
    )
}  # fmt: skip


def seconds(shape: Callable[[int], tuple[tuple[Block, ...], list[PageText]]], count: int) -> float:
    """Give the processor time of an alignment, the least of three."""
    blocks, pages = shape(count)
    taken = []
    for _ in range(3):
        begun = time.process_time()
        found = align(blocks, pages)
        taken.append(time.process_time() - begun)
        is_sound(found, blocks, pages)
    return min(taken)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_four_times_the_pages_take_less_than_eight_times_as_long(shape):
    assert seconds(shape, 1200) < 8 * seconds(shape, 300)


@pytest.mark.slow
def test_five_thousand_identical_pages_take_less_than_eight_times_as_long_as_1250():
    assert seconds(identical, 5000) < 8 * seconds(identical, 1250)


def test_identical_pages_are_told_apart_by_order_even_when_many():
    blocks, pages = identical(300)

    assert firsts(align(blocks, pages)) == tuple(n for n in range(1, 301) for _ in range(3))
