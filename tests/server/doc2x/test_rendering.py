from __future__ import annotations

import re
from pathlib import Path

import docx
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.doc2x.latex import latex_of
from zhiyipdf.server.doc2x.prose import (
    Code,
    Heading,
    Item,
    Paragraph,
    Picture,
    Span,
    Table,
    read,
)
from zhiyipdf.server.doc2x.word import write_word
from zhiyipdf.server.png import encode_png

DOCUMENT = """# Title *one*

A **bold** and `code` line
that goes on.

- first
  1. inner
- second

| a | b |
|---|---|
| 1<br>2 | |

```text
x_1
```

<!-- This page is blank. -->

<img src="images/1-2.png" style="zoom:70%; display: block; margin: 0 auto;" />
"""


def test_markdown_is_read_into_blocks() -> None:
    assert read(DOCUMENT) == [
        Heading(1, (Span("Title "), Span("one", italic=True))),
        Paragraph(
            (
                Span("A "),
                Span("bold", bold=True),
                Span(" and "),
                Span("code", code=True),
                Span(" line"),
                Span(" "),
                Span("that goes on."),
            )
        ),
        Item((Span("first"),), 1, ordered=False, number=1),
        Item((Span("inner"),), 2, ordered=True, number=1),
        Item((Span("second"),), 1, ordered=False, number=2),
        Table(
            (
                ((Span("a"),), (Span("b"),)),
                ((Span("1"), Span("\n"), Span("2")), ()),
            )
        ),
        Code("x_1"),
        Picture("1-2.png"),
    ]


@given(st.lists(st.text(alphabet="ab c", min_size=1).map(str.strip).filter(bool)))
def test_no_word_is_lost(paragraphs: list[str]) -> None:
    blocks = read("\n\n".join(paragraphs))
    texts = [b.spans for b in blocks if isinstance(b, Paragraph)]
    words = [word for spans in texts for span in spans for word in span.text.split()]
    assert words == " ".join(paragraphs).split()


def test_latex_has_every_part_and_its_lists_close() -> None:
    text = latex_of(DOCUMENT, picture=lambda name: f"images/{name}")
    assert r"\section*{Title \emph{one}}" in text
    assert r"\textbf{bold} and \texttt{code}" in text
    assert r"1\newline 2 &  \\ \hline" in text
    assert "\\begin{verbatim}\nx_1\n\\end{verbatim}" in text
    assert r"{images/1-2.png}" in text
    assert "ctex" not in text
    assert re.findall(r"\\(begin|end)\{(itemize|enumerate)\}", text) == [
        ("begin", "itemize"),
        ("begin", "enumerate"),
        ("end", "enumerate"),
        ("end", "itemize"),
    ]


def test_latex_of_chinese_asks_for_its_fonts() -> None:
    assert r"\usepackage{ctex}" in latex_of("中文", picture=str)


def test_everything_that_means_something_to_latex_is_escaped() -> None:
    text = latex_of(r"50% of \\argh & #2_a", picture=str)
    assert r"50\% of \textbackslash{}argh \& \#2\_a" in text


def test_a_list_that_begins_with_a_list_has_an_item_first() -> None:
    text = latex_of("- - inner", picture=str)
    assert "\\begin{itemize}\n\\item[]\n\\begin{itemize}\n\\item inner" in text


@given(st.text(alphabet='\\{}$&#%_~^<>|"ab \n-1.', max_size=60))
def test_latex_is_balanced_whatever_the_text(markdown: str) -> None:
    text = latex_of(markdown, picture=str)
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []


def test_word_has_every_part(tmp_path: Path) -> None:
    pictures = tmp_path / "images"
    pictures.mkdir()
    png = encode_png(bytes(3 * 4000 * 10), width=4000, height=10, stride=12000, channels=3)
    (pictures / "1-2.png").write_bytes(png)
    write_word(DOCUMENT + "\n\nbad\x00\ud800char", pictures, tmp_path / "a.docx")
    document = docx.Document(str(tmp_path / "a.docx"))
    styles = [(p.style.name, p.text) for p in document.paragraphs if p.text]
    assert styles == [
        ("Heading 1", "Title one"),
        ("Normal", "A bold and code line that goes on."),
        ("List Bullet", "first"),
        ("List Number 2", "inner"),
        ("List Bullet", "second"),
        ("Normal", "x_1"),
        ("Normal", "bad\ufffdchar"),
    ]
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["a", "b"],
        ["1\n2", ""],
    ]
    section = document.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    assert abs(document.inline_shapes[0].width - room) < 10
