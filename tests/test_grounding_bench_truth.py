"""What people, docling and a table competition wrote, as the benchmark of grounding reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from grounding_bench import people
from grounding_bench.docling_order import in_reading_order
from grounding_bench.extras import bound
from grounding_bench.icdar import tables
from grounding_bench.people import Written, with_named_pictures
from grounding_bench.truth import join
from zhiyipdf.grounding.picture_names import hinted_page


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> list[Written]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "CACHE", tmp_path_factory.mktemp("cache"))
        found = bound()
    if not found:
        pytest.skip("no shared PDFs beside the clone")
    return found


def images_of(written: Written) -> list[tuple[str, int]]:
    truth = join(written.pieces)
    return [
        (image, page)
        for block, page in zip(truth.blocks, truth.first, strict=True)
        for image in block.images
    ]


def test_no_picture_of_the_truth_tells_its_page_by_its_name(volumes: list[Written]) -> None:
    found = [image for written in volumes for image, _ in images_of(written)]
    assert len(found) == 6
    assert not any(hinted_page(image, 9999) for image in found)


def test_pictures_named_by_their_pages_tell_the_page_of_the_bound_volume(
    volumes: list[Written],
) -> None:
    for written in volumes:
        for image, page in images_of(with_named_pictures(written)):
            assert hinted_page(image, 9999) == page


def test_naming_the_pictures_changes_nothing_else(volumes: list[Written]) -> None:
    for written in volumes:
        plain, named = join(written.pieces), join(with_named_pictures(written).pieces)
        assert plain.first == named.first
        assert [b.text for b in plain.blocks if not b.images] == [
            b.text for b in named.blocks if not b.images
        ]


def test_a_picture_stands_where_doclings_own_markdown_has_it() -> None:
    texts = [("t0", "A title"), ("t1", "cell\u00a0text & more"), ("t2", "The end")]
    markdown = "## A title\n\n<!-- image -->\n\n| a |\n|---|\n\ncell text &amp; more\n\nThe end"
    assert in_reading_order(texts, [("b0", "table"), ("p0", "picture")], markdown) == [
        "t0", "p0", "b0", "t1", "t2",
    ]  # fmt: skip


@given(
    st.lists(st.sampled_from("abc"), max_size=5),
    st.lists(st.sampled_from(["picture", "table"]), max_size=4),
    st.lists(st.sampled_from(["<!-- image -->", "| a |", "a", "b"]), max_size=6),
)
def test_ordering_loses_no_element_and_doubles_none(
    texts: list[str], others: list[str], markdown: list[str]
) -> None:
    named = [(f"t{n}", text) for n, text in enumerate(texts)]
    more = [(f"o{n}", label) for n, label in enumerate(others)]
    order = in_reading_order(named, more, "\n\n".join(markdown))
    assert sorted(order) == sorted(name for name, _ in [*named, *more])


def test_a_competition_table_has_its_cells_page_and_region(tmp_path: Path) -> None:
    region = "<document><table id='1'><region id='1' page='3'>{}</region></table></document>"
    box = "<bounding-box x1='4' y1='5' x2='60' y2='70'/>"
    cells = "".join(
        f"<cell start-row='{r}' start-col='{c}'><content>{text}</content></cell>"
        for r, c, text in [(1, 0, "a"), (1, 1, "b|c"), (2, 1, "d")]
    )
    (tmp_path / "x-reg.xml").write_text(region.format(box))
    (tmp_path / "x-str.xml").write_text(region.format(cells))
    assert tables(tmp_path) == [(3, "| a | b\\|c |\n|---|---|\n|  | d |", (4, 5, 60, 70))]
