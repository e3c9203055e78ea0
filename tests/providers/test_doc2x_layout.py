"""Pages joined to one text, and blocks found in it by their letters."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.providers.doc2x_archive import write_archive
from zhiyipdf.providers.doc2x_layout import join_pages
from zhiyipdf.providers.doc2x_pages import LayoutBlock, StatusPage

BOX = (1.0, 2.0, 30.0, 40.0)


def page(number: int, markdown: str, *texts: str, **sources: str) -> StatusPage:
    """A page whose blocks have boxes of rising edges, in the order given."""
    blocks = [
        LayoutBlock(kind="Text", bbox=(n, n, n + 1.0, n + 1.0), text=t)
        for n, t in enumerate(texts, 1)
    ]
    blocks += [LayoutBlock(kind="Figure", bbox=BOX, src=src) for src in sources.values()]
    return StatusPage(number=number, markdown=markdown, width=100, height=200, blocks=tuple(blocks))


def boxed(*pages: StatusPage) -> list[tuple[str, float]]:
    """The pieces of text that have a box, with its left edge."""
    joined = join_pages(pages)
    return [
        (joined.markdown[span.start : span.end], span.bbox[0])
        for span in joined.layout
        if span.bbox is not None
    ]


def test_pages_are_joined_by_blank_lines_and_empty_ones_left_out() -> None:
    joined = join_pages([page(1, "\n# One\n"), page(2, " \n"), page(3, "Three")])
    assert joined.markdown == "# One\n\nThree\n"
    assert [(s.start, s.end, s.page_number) for s in joined.layout] == [(0, 5, 1), (7, 12, 3)]


def test_a_byte_order_mark_shifts_nothing() -> None:
    joined = join_pages([page(1, "\ufeffOne"), page(2, "\ufeffTwo")])
    assert joined.markdown == "One\n\nTwo\n"


def test_a_block_is_found_whatever_marks_stand_around_its_letters() -> None:
    found = boxed(
        page(
            1,
            "## **The title** of it\n\nA paragraph that\nis wrapped.",
            "The title of it",
            "A paragraph that is wrapped.",
        )
    )
    assert found == [("The title** of it", 1.0), ("A paragraph that\nis wrapped", 2.0)]


def test_a_table_is_found_without_its_tags() -> None:
    markdown = "<table><tr><td>One</td><td>Two</td><td>Three</td></tr></table>"
    assert boxed(page(1, markdown, "One Two Three"))[0][1] == 1.0


def test_blocks_out_of_order_are_found_all_the_same() -> None:
    found = boxed(page(1, "First of all.\n\nSecond of all.", "Second of all.", "First of all."))
    assert found == [("First of all", 2.0), ("Second of all", 1.0)]


def test_a_short_text_is_looked_for_between_its_neighbours_only() -> None:
    markdown = "7 words stand here.\n\n7\n\nThe words after it."
    found = boxed(page(1, markdown, "7 words stand here.", "7", "The words after it."))
    assert [text for text, _ in found] == ["7 words stand here", "7", "The words after it"]


def test_a_figure_is_found_by_its_address() -> None:
    joined = join_pages(
        [page(1, 'Before.\n\n<img src="images/1-1.jpg"/>', src="https://cdn.example/a?x=1")],
        {"https://cdn.example/a?x=1": "images/1-1.jpg"}.__getitem__,
    )
    (span,) = (span for span in joined.layout if span.bbox is not None)
    assert joined.markdown[span.start : span.end] == '<img src="images/1-1.jpg"/>'
    assert (span.bbox, span.page_size) == (BOX, (100, 200))


def test_what_is_not_on_the_page_has_no_box() -> None:
    assert boxed(page(1, "Something.", "Something else altogether")) == []


@given(
    st.lists(st.text(alphabet="ab1 \n<>#-é", max_size=30), max_size=5),
    st.lists(st.text(alphabet="ab1 <>é", max_size=12), max_size=6),
)
def test_spans_are_in_order_apart_and_inside_the_text(texts: list[str], wanted: list[str]) -> None:
    joined = join_pages([page(n, text, *wanted) for n, text in enumerate(texts, 1)])
    at = 0
    for span in joined.layout:
        assert at <= span.start < span.end <= len(joined.markdown)
        at = span.end


def test_equal_results_make_equal_archives(tmp_path: Path) -> None:
    picture = tmp_path / "picture"
    picture.write_bytes(b"\x89PNG")
    joined = join_pages([page(1, "One", "One")])
    for name in ("a.zip", "b.zip"):
        write_archive(tmp_path / name, joined, {"images/1-1.png": picture})
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
