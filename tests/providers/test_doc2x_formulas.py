"""Formulas between dollars: which are found, and what is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.providers.doc2x_formulas import dollar_edits, with_dollars


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"where \( x^2 \) is", "where $x^2$ is"),
        ("\\[\na = b\n\\]", "$$\na = b\n$$"),
        (r"\[ a \\[2pt] b \\ c \]", r"$$ a \\[2pt] b \\ c $$"),
        (r"\( f(x) \\ g \)", r"$f(x) \\ g$"),
        (r"a line break \\(not a formula)", r"a line break \\(not a formula)"),
        ("`\\(x\\)` is code, \\(x\\) is none", "`\\(x\\)` is code, $x$ is none"),
        ("```\n\\(x\\)\n```\n\\(y\\)", "```\n\\(x\\)\n```\n$y$"),
        ("```\n\\(x\\) of an open fence", "```\n\\(x\\) of an open fence"),
        (r"\( \) is empty", r"\( \) is empty"),
        (r"\(open and \(x\)", r"\(open and $x$"),
        ("\\(not over\n\na paragraph\\)", "\\(not over\n\na paragraph\\)"),
        ("$5 and $6", "$5 and $6"),
    ],
)
def test_formulas_get_dollars_and_nothing_else_changes(text: str, expected: str) -> None:
    assert with_dollars(text) == expected


@given(st.text(alphabet="\\()[]`~$x \n", max_size=200))
def test_changes_are_in_order_and_apart(text: str) -> None:
    at = 0
    for change in dollar_edits(text):
        assert at <= change.start < change.end <= len(text)
        assert text[change.start] == "\\"
        at = change.end


@given(st.text(alphabet="\\()[]`~$x \n", max_size=200))
def test_writing_dollars_twice_changes_no_more(text: str) -> None:
    once = with_dollars(text)
    if "`" not in text and "~" not in text and "$" not in text:
        assert with_dollars(once) == once
