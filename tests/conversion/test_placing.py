"""Blocks of one result placed on the pages of a real PDF, and kept in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.drawings import Drawing, picture, text, write_drawings
from support.pdfs import write_pdf
from zhiyipdf import Converter, ParseOptions
from zhiyipdf.conversion import path as conversion_path
from zhiyipdf.conversion.placing import VERSION, place_blocks
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import (
    Asset,
    Block,
    Bundle,
    Conversion,
    DocumentProperties,
    LayoutSpan,
    Page,
    Source,
)

STORIES = [
    "The mill at the river grinds corn for the whole valley.",
    "In winter the wheel stands still and the miller mends sacks.",
    "Nobody remembers who built the weir above the old bridge.",
    "A flood took the bridge away in the spring of that year.",
]


def source(path: Path, pages: int) -> Source:
    return Source(
        uri=str(path),
        name=path.name,
        path=str(path),
        size_bytes=path.stat().st_size,
        sha256="ab" * 32,
        pages=tuple(Page(number=n, label=str(n)) for n in range(1, pages + 1)),
        properties=DocumentProperties(),
    )


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    return write_pdf(tmp_path / "mill.pdf", pages=4, text=STORIES)


def places(blocks: tuple[Block, ...]) -> list[list[tuple[int, str]]]:
    return [[(one.page_number, one.source) for one in block.provenance] for block in blocks]


def test_blocks_get_pages_and_boxes_from_the_pdfs_own_text(pdf):
    bundle = Bundle(markdown={"original": "\n\n".join(STORIES)})

    blocks = place_blocks(bundle, source(pdf, 4), range(1, 5))["original"]

    assert places(blocks) == [[(number, "aligned")] for number in range(1, 5)]
    for block in blocks:
        x0, y0, x1, y1 = block.provenance[0].bbox
        assert 0 < x0 < x1 < 595
        assert 0 < y0 < y1 < 842
        assert y1 - y0 < 30


def test_a_part_counts_its_own_pages(pdf):
    bundle = Bundle(markdown={"original": f"{STORIES[1]}\n\n{STORIES[3]}"})

    blocks = place_blocks(bundle, source(pdf, 4), (2, 4))["original"]

    assert places(blocks) == [[(1, "aligned")], [(2, "aligned")]]


def test_a_damaged_page_keeps_its_number(tmp_path):
    path = write_pdf(tmp_path / "a.pdf", pages=4, text=STORIES, broken=[2])
    bundle = Bundle(markdown={"original": "\n\n".join([STORIES[0], *STORIES[2:]])})

    blocks = place_blocks(bundle, source(path, 4), range(1, 5))["original"]

    assert places(blocks) == [[(1, "aligned")], [(3, "aligned")], [(4, "aligned")]]


def test_boxes_are_of_the_page_as_it_is_shown(tmp_path):
    drawing = Drawing(
        content=text(30, 60, STORIES[0], size=3),
        media=(-10, -10, 210, 110),
        crop=(10, 20, 190, 90),
        rotate=90,
    )
    path = write_drawings(tmp_path / "a.pdf", [drawing])

    (block,) = place_blocks(
        Bundle(markdown={"original": STORIES[0]}), source(path, 1), (1,)
    )["original"]  # fmt: skip

    x0, y0, x1, y1 = block.provenance[0].bbox
    # The base line at 60 is 40 above the crop box's bottom: after a quarter turn, 40 from the left.
    assert x0 < 41 < x1 < 46
    assert y0 == pytest.approx(20, abs=1)
    assert y1 - y0 > 60


def test_an_image_gets_its_picture_by_its_pixels(tmp_path):
    drawing = Drawing(
        content=text(20, 90, STORIES[0], size=3)
        + picture(20, 60, 100, 20)
        + picture(20, 10, 40, 40),
    )
    path = write_drawings(tmp_path / "a.pdf", [drawing])
    asset = Asset(
        name="a.png", sha256="", size_bytes=1, media_type="image/png", uri="", pixels=(500, 500)
    )
    bundle = Bundle(markdown={"original": f"{STORIES[0]}\n\n![](a.png)"}, assets=(asset,))

    _, image = place_blocks(bundle, source(path, 1), (1,))["original"]

    assert image.provenance[0].bbox == pytest.approx((20, 50, 60, 90), abs=0.1)


def test_what_the_service_says_itself_comes_before_the_text(pdf):
    said = "\n\n".join(STORIES)
    span = LayoutSpan(start=0, end=len(said), page_number=3, bbox=(1.0, 2.0, 3.0, 4.0))
    bundle = Bundle(markdown={"original": said}, layout={"original": (span,)})

    blocks = place_blocks(bundle, source(pdf, 4), range(1, 5))["original"]

    assert places(blocks) == [[(3, "exact")]] * 4
    assert blocks[0].provenance[0].bbox == (1, 2, 3, 4)


def test_a_pdf_that_cannot_be_read_costs_the_boxes_alone(tmp_path, caplog):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.7 and no more")
    said = "A\n\n![](images/2-1.png)\n\nB"

    blocks = place_blocks(Bundle(markdown={"original": said}), source(path, 2), (1, 2))["original"]

    assert "".join(block.text for block in blocks) == said
    assert blocks[1].provenance[0].page_number == 2
    assert "cannot be read" in caplog.text


def layout(said: str, **more: object) -> dict[str, tuple[LayoutSpan, ...]]:
    """Each paragraph on a page of its own, in a box."""
    at = [said.index(piece) for piece in said.split("\n\n")]
    return {
        "original": tuple(
            LayoutSpan(start=start, end=end, page_number=n, bbox=(10.0, 10.0, 90.0, 40.0), **more)
            for n, (start, end) in enumerate(zip(at, [*at[1:], len(said)], strict=True), 1)
        )
    }


PIXELS = {"page_size": (100.0, 100.0)}


@pytest.mark.parametrize("how", ["broken", "gone", "shorter"])
@pytest.mark.parametrize("said_where", [False, True], ids=["by its text", "by the service"])
def test_a_pdf_that_changed_since_it_was_sent_costs_the_boxes_alone(
    tmp_path, caplog, how, said_where
):
    said = "\n\n".join(STORIES[:2])
    path = write_pdf(tmp_path / "a.pdf", pages=2, text=STORIES)
    sent = source(path, 2)
    if how == "broken":
        path.write_bytes(b"%PDF-1.7 and no more")
    elif how == "gone":
        path.unlink()
    else:
        write_pdf(path, pages=1, text=STORIES)
    bundle = Bundle(
        markdown={"original": said}, layout=layout(said, **PIXELS) if said_where else {}
    )

    blocks = place_blocks(bundle, sent, (1, 2))["original"]

    assert "".join(block.text for block in blocks) == said
    assert all(one.bbox is None for block in blocks for one in block.provenance)
    if said_where:
        assert places(blocks) == [[(1, "exact")], [(2, "exact")]]
    assert "a.pdf" in caplog.text
    assert "cannot be" in caplog.text


def test_a_service_s_boxes_in_pixels_are_measured_on_the_page(pdf):
    said = "\n\n".join(STORIES)
    bundle = Bundle(markdown={"original": said}, layout=layout(said, **PIXELS))

    blocks = place_blocks(bundle, source(pdf, 4), range(1, 5))["original"]

    assert [b.provenance[0].bbox for b in blocks] == [
        pytest.approx((59.5, 84.2, 535.5, 336.8), abs=0.5)
    ] * 4


def test_a_service_s_boxes_never_reach_beyond_the_page(pdf):
    said = STORIES[0]
    span = LayoutSpan(start=0, end=len(said), page_number=1, bbox=(-10.0, 20.0, 1e9, 60.0))
    bundle = Bundle(markdown={"original": said}, layout={"original": (span,)})

    (block,) = place_blocks(bundle, source(pdf, 4), range(1, 5))["original"]

    assert block.provenance[0].bbox == pytest.approx((0, 20, 595, 60), abs=0.5)


def test_a_translation_stands_where_its_original_does(pdf):
    translated = "\n\n".join(f"Satz {n}: {story[::-1]}" for n, story in enumerate(STORIES))
    bundle = Bundle(markdown={"original": "\n\n".join(STORIES), "translated": translated})

    blocks = place_blocks(bundle, source(pdf, 4), range(1, 5))

    assert [p[0][0] for p in places(blocks["translated"])] == [1, 2, 3, 4]
    assert [block.provenance[0].bbox for block in blocks["translated"]] == [
        block.provenance[0].bbox for block in blocks["original"]
    ]
    assert [block.pair for block in blocks["translated"]] == [0, 1, 2, 3]


@pytest.mark.parametrize("said", ["", "\n\n", "# \n", "\x00\x0c\ufffe", "![](", "\ud800"])
def test_any_markdown_is_placed_and_kept_to_the_letter(pdf, said):
    blocks = place_blocks(Bundle(markdown={"original": said}), source(pdf, 4), range(1, 5))

    assert "".join(block.text for block in blocks["original"]) == said
    assert len(blocks["original"]) >= len(split_blocks(said))


# In the store


class Placing:
    """Counts how often blocks are placed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, bundle, source, numbers):
        self.calls += 1
        return place_blocks(bundle, source, numbers)


@pytest.fixture
def placing(monkeypatch: pytest.MonkeyPatch) -> Placing:
    spy = Placing()
    monkeypatch.setattr(conversion_path, "place_blocks", spy)
    return spy


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def converter(store: Path) -> Iterator[Converter]:
    with Converter(base_url="local", store=str(store)) as made:
        yield made


def kept(store: Path) -> Path:
    (found,) = store.rglob("blocks.json")
    return found


def test_the_second_run_places_nothing_anew(converter, pdf, placing):
    first, second = (converter.convert(pdf) for _ in range(2))

    assert placing.calls == 1
    assert second.blocks == first.blocks
    assert (first.points, second.points) == (8, 0)


def test_a_newer_version_places_anew_without_paying(converter, pdf, placing, store, monkeypatch):
    first = converter.convert(pdf)
    monkeypatch.setattr(conversion_path, "VERSION", VERSION + 1)

    second = converter.convert(pdf)
    third = converter.convert(pdf)

    assert placing.calls == 2
    assert (second.points, third.points) == (0, 0)
    assert second.tasks == first.tasks
    assert second.blocks == third.blocks == first.blocks
    assert json.loads(kept(store).read_bytes())["version"] == VERSION + 1


@pytest.mark.parametrize("damage", [b"", b"{}", b"\x00" * 50])
def test_damaged_blocks_are_placed_anew_without_paying(converter, pdf, placing, store, damage):
    first = converter.convert(pdf)
    whole = kept(store).read_bytes()
    kept(store).write_bytes(damage)

    second = converter.convert(pdf)

    assert (placing.calls, second.points) == (2, 0)
    assert second.blocks == first.blocks
    assert kept(store).read_bytes() == whole


def test_blocks_that_are_gone_are_placed_anew_without_paying(converter, pdf, placing, store):
    first = converter.convert(pdf)
    kept(store).unlink()

    second = converter.convert(pdf)

    assert (placing.calls, second.points) == (2, 0)
    assert second.blocks == first.blocks


def test_without_a_store_each_converter_places_for_itself(pdf, placing):
    found: list[Conversion] = []
    for _ in range(2):
        with Converter(base_url="local", store=False) as converter:
            found.append(converter.convert(pdf))

    assert placing.calls == 2
    assert found[1].blocks == found[0].blocks


def test_a_selection_of_pages_is_placed_on_the_pdfs_own_pages(converter, pdf):
    conversion = converter.convert(pdf, ParseOptions(pages="2,4"))

    assert [
        (block.text.strip(), block.provenance[0].page_number)
        for block in conversion.blocks
        if not block.is_silent
    ] == [(STORIES[1], 2), (STORIES[3], 4)]
