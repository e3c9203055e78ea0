"""What a block of Markdown says as its page shows it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.grounding.spoken import spoken_text


def said(markdown: str) -> list[str]:
    """Give the words of a block, without punctuation that folding drops anyway."""
    return "".join(c if c.isalnum() else " " for c in spoken_text(markdown)).split()


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("plain text", "plain text"),
        ("## A **bold** _step_", "A bold step"),
        ("one <!-- page 3 --> two", "one two"),
        ("one <!-- never closed", "one"),
        ("<b>bold</b> and <img src='a.png' alt='picture'> so on", "bold and so on"),
        ("a < b and c > d", "a b and c d"),
        ("![caption](images/3-2.png) text", "text"),
        ("![caption][a] text", "text"),
        ("see [the site](https://example.org/page) now", "see the site now"),
        ("see [the site](<https://example.org/a b>) now", "see the site now"),
        ('see [the site](a(b)c "title") now', "see the site now"),
        ("[![caption](a.png)](b.png) text", "text"),
        ("a footnote[^1] here", "a footnote 1 here"),
        ("[not a link] (at all)", "not a link at all"),
        ("```python\nprint(1)\n```", "print 1"),
        ("~~~\ncode\n~~~", "code"),
        ("a &amp; b &eacute; &#233; &#xE9;", "a b é é é"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b 1 2"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
    ],
)
def test_markup_is_left_out(markdown, words):
    assert said(markdown) == words.split()


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (r"$\alpha + \Beta$", "α Β"),
        (r"$$\varepsilon \lambda \Lambda$$", "ε λ Λ"),
        (r"\(\sin \theta\)", "sin θ"),
        (r"\[\frac{a}{b} \log n\]", "a b log n"),
        (r"$\mathrm{kg}$ \alpha", "kg alpha"),
        (r"costs 5\$ and 6\$", "costs 5 and 6"),
        (r"C:\alpha\beta", "C alpha beta"),
    ],
)
def test_commands_say_what_they_print_in_formulas_alone(formula, words):
    assert said(formula) == words.split()


def test_the_text_is_in_composed_form():
    assert spoken_text("e\u0301t&eacute;") == "été"


@pytest.mark.parametrize("entity", ["&#" + "1" * 5000 + ";", "&#x" + "f" * 5000 + ";"])
def test_a_number_too_long_for_a_character_is_text(entity):
    assert spoken_text(f"a {entity} b") == f"a {entity} b"


@given(
    st.lists(
        st.text(max_size=5)
        | st.sampled_from([*"[]()<>!$\\&#;\"'`~\n \ud800", "<!--", "-->", "![", "](", "&#9"]),
        max_size=40,
    ).map("".join)
)
def test_any_text_is_spoken(markdown):
    assert isinstance(spoken_text(markdown), str)


@given(st.text(alphabet="abc éß漢字 .,\n"))
def test_text_without_markup_is_left_as_it_is(text):
    assert spoken_text(text) == text


HOSTILE = [
    "[", "$", r"\(", "<", "![](", "](", "[[]", "<!--", "<a ", "\\", "&", "&#", "```\n", "[a](",
    "[a](b(", "[a](<", '[a](b "', "[a]( ", "![a][", "[a](b)(", "[a]((b)", " ",
]  # fmt: skip


def seconds(text: str) -> float:
    """Give the processor time of a call, the least of seven."""
    taken = []
    for _ in range(7):
        begun = time.process_time()
        spoken_text(text)
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("end", ["", ")>"])
def test_twice_as_much_hostile_markdown_takes_less_than_three_times_as_long(piece, end):
    short, long = (seconds("[<&\\" + piece * count + end) for count in (30_000, 60_000))
    # A quadratic pattern needs minutes here; what ends within a millisecond is not measured.
    assert long < 0.001 or long < 3 * short
