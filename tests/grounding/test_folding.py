"""Letters and digits that compare equal whatever converters made of them."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding.folding import Folding, codes_of, text_of

ANY = st.text(st.characters(codec=None), max_size=40)


def folded(text: str) -> str:
    return text_of(Folding().fold(codes_of(text))[0])


def has_no_jamo(text: str) -> bool:
    """Whether no letter of Hangul may join another to a syllable."""
    return not any("\u1100" <= letter <= "\u11ff" for letter in folded(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("ﬁne ﬂow", "fine flow"),
        ("naïve", "naive"),
        ("cafe\u0301", "café"),
        ("Ａｂｃ１２３", "abc123"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("in-\u00adter­nal", "internal"),
        ("a b\u00a0c\u2003d", "abcd"),
        ("**bold**, _it_!", "boldit"),
        ("x² + y₁", "x2y1"),
        ("½", "1⁄2"),
        ("Ⅻ", "XII"),
        ("ﬃ", "ffi"),
        ("İstanbul", "istanbul"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ي", "ى"),
        ("ك", "ک"),
        ("كـــتاب", "كتاب"),
        ("ﻻ", "لا"),
        ("⻑", "長"),
        ("⻓⻔⻘⻗⺟⺠", "长门青雨母民"),
        ("⻨⻩⻯", "麦黄竜"),
        ("⼈", "人"),
        ("𝒙", "x"),
        ("한글 가나 각", unicodedata.normalize("NFD", "한글 가나 각")),
        ("①", "1"),
    ],
)
def test_what_looks_alike_folds_alike(one, other):
    assert folded(one) == folded(other) != ""


@pytest.mark.parametrize("text", ["a", "Я", "漢", "7", "๕", "अ", "ß", "𝔘"])
def test_letters_and_digits_stay(text):
    assert folded(text)


@pytest.mark.parametrize(
    "text",
    [" \t\r\n", "-–—‐\u00ad", ".,;:!?", "*_#|>`", "\x00\x02\ufffe\ufffd", "\ud800", "😀"],
)
def test_everything_else_goes(text):
    assert folded(text) == ""


RADICALS = (
    "⻓⻉⻅⻐⻔⻙⻚⻛⻜⻠⻢⻥⻦⻈⻋⻨⻩⻪⻬⻮⻰⻳⻫⻭⻲⻯⺟⺠⻝⻟⻣⻤⻃⻄⺛⻑⻘⻗⺜⺝⻁⻆⻇⻡⻧⻱"
)
STAND_FOR = (
    "长贝见钅门韦页风飞饣马鱼鸟讠车麦黄黾齐齿龙龟斉歯亀竜母民食食骨鬼西西旡長青雨日月虎角角首卤龜"
)


def test_radicals_that_fonts_take_for_characters_fold_as_these():
    assert folded(RADICALS) == STAND_FOR


@given(st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)))
def test_every_syllable_is_what_its_letters_make(text):
    codes = codes_of(unicodedata.normalize("NFD", text))
    result, source = Folding().fold(codes)

    assert text_of(result) == text
    assert all(chr(int(codes[at])) < "\u1113" for at in source)  # each begins with its lead


def test_different_letters_stay_different():
    assert len({folded(c) for c in "abcxyzяжщ漢字かな123"}) == len("abcxyzяжщ漢字かな123")


JAMO = st.text(st.characters(min_codepoint=0x1100, max_codepoint=0x11FF) | st.just("가"))


@given(ANY | JAMO)
def test_folding_twice_changes_nothing(text):
    once = folded(text)

    assert folded(once) == once


@given(ANY)
def test_only_letters_and_digits_are_left(text):
    # Folding case may leave a mark that no letter takes up; it goes when folded again.
    assert all(unicodedata.category(c)[0] in "LN" for c in folded(text))


@given(ANY.filter(has_no_jamo), ANY)
def test_texts_fold_apart_as_they_fold_together(one, other):
    assert folded(one + other) == folded(one) + folded(other)


@given(ANY.filter(has_no_jamo))
def test_each_letter_knows_what_it_comes_from(text):
    codes = codes_of(text)
    result, source = Folding().fold(codes)

    assert len(result) == len(source)
    assert (np.diff(source) >= 0).all()
    for at in set(source.tolist()):
        own = text_of(result[source == at])
        assert own == folded(chr(int(codes[at])))


@given(ANY, ANY)
def test_what_was_met_before_changes_nothing(first, then):
    used = Folding()
    used.fold(codes_of(first))

    assert text_of(used.fold(codes_of(then))[0]) == folded(then)


@given(ANY)
def test_codes_and_text_are_each_others_inverse(text):
    assert text_of(codes_of(text)) == text


def test_numbers_that_are_no_code_points_are_nothing():
    assert len(Folding().fold(np.array([0, 0x110000, 2**32 - 1], np.uint32))[0]) == 0
