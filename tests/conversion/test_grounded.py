"""Pages and boxes of real PDFs, all the way through the embedded server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.chat_endpoint import chat_endpoint
from support.drawings import Drawing, picture, write_drawings
from support.scripts import run_script
from zhiyipdf import Converter, ZhiyiPDFLoader
from zhiyipdf.grounding import align
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import BBox, Block, Conversion
from zhiyipdf.models.page_text import PageText
from zhiyipdf.server.liteparse_engine import LiteparseEngine
from zhiyipdf.textlayer import read_page_texts

LAND = "loc_land_ownership_5p.pdf"
ROTATED = "nics-background-checks-2015-11-rotated.pdf"
SEVERAL = [LAND, "upstage_ai_packs_slides_4p.pdf", "us-017.pdf"]


@pytest.fixture
def converter(shared_store: str):
    with Converter(base_url="local", store=shared_store) as made:
        yield made


def page_by_page(path: Path, folder: Path) -> list[str]:
    """The engine's Markdown before the server joins it: each page's on its own."""
    pages = LiteparseEngine().convert(
        path, folder, table_mode="markdown", ocr=False, on_page=lambda _: None
    )
    return [page.markdown for page in pages]


def letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def lines_of(block: Block, page: PageText) -> list[BBox]:
    """The boxes of the lines of a page that a block says, told without the aligner."""
    said = letters(block.text)
    return [
        page.line_bbox(at)
        for at, (start, end) in enumerate(page.lines.tolist())
        if len(own := letters("".join(map(chr, page.codes[start:end].tolist())))) > 20
        and own in said
    ]


def is_inside(line: BBox, box: BBox) -> bool:
    """Whether a line's middle is in a box."""
    x, y = (line[0] + line[2]) / 2, (line[1] + line[3]) / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def said_on(block: Block, pages: Sequence[str]) -> set[int]:
    """The pages whose own Markdown holds a block's text."""
    return {n for n, page in enumerate(pages, 1) if block.text.strip() in page}


@pytest.mark.parametrize("name", SEVERAL)
def test_every_block_is_on_the_page_that_the_engine_read_it_from(
    converter, pdf_dir, tmp_path, name
):
    pages = page_by_page(pdf_dir / name, tmp_path)

    conversion: Conversion = converter.convert(pdf_dir / name)

    checked = 0
    for block in conversion.blocks:
        own = said_on(block, pages)
        if own and not block.is_silent:
            assert block.provenance[0].page_number in own, block.text
            checked += 1
    assert checked >= 0.9 * sum(not block.is_silent for block in conversion.blocks)


@pytest.mark.parametrize("name", [LAND, "us-017.pdf"])
def test_boxes_are_around_the_lines_of_the_text(converter, pdf_dir, name):
    texts = {page.number: page for page in read_page_texts(pdf_dir / name)}
    checked = 0

    for block in converter.convert(pdf_dir / name).blocks:
        (first, *others) = block.provenance
        lines = lines_of(block, texts[first.page_number])
        if block.kind != "paragraph" or others or not lines:
            continue
        box = first.bbox
        assert all(is_inside(line, box) for line in lines), block.text
        # At most two lines that are too short to be counted stand above and below.
        assert min(line[1] for line in lines) - box[1] < 30
        assert box[3] - max(line[3] for line in lines) < 30
        checked += 1

    assert checked >= 5


@pytest.mark.parametrize("name", [*SEVERAL, ROTATED, "jo.pdf", "ocr_test.pdf"])
def test_no_box_leaves_its_page(converter, pdf_dir, name):
    sizes = {p.number: (p.width, p.height) for p in read_page_texts(pdf_dir / name)}

    for block in converter.convert(pdf_dir / name).blocks:
        for one in block.provenance:
            width, height = sizes[one.page_number]
            if one.bbox is not None:
                x0, y0, x1, y1 = one.bbox
                assert 0 <= x0 < x1 <= width + 0.01
                assert 0 <= y0 < y1 <= height + 0.01


def test_page_mode_yields_one_document_for_each_page(pdf_dir, shared_store):
    loader = ZhiyiPDFLoader(pdf_dir / LAND, base_url="local", store=shared_store, mode="page")

    documents = loader.load()

    assert [document.metadata["page_number"] for document in documents] == [1, 2, 3, 4, 5]
    assert {document.metadata["page_source"] for document in documents} == {"aligned"}
    assert all(document.metadata["page_score"] > 0.9 for document in documents)


def test_block_mode_tells_pages_and_boxes(pdf_dir, shared_store):
    loader = ZhiyiPDFLoader(pdf_dir / LAND, base_url="local", store=shared_store, mode="block")

    for document in loader.load():
        assert document.metadata["page_source"] == "aligned"
        x0, y0, x1, y1 = document.metadata["bbox"]
        assert x0 < x1
        assert y0 < y1


def test_the_table_on_a_rotated_page_has_the_box_of_the_page_as_shown(converter, pdf_dir):
    (page,) = read_page_texts(pdf_dir / ROTATED)
    (table,) = converter.convert(pdf_dir / ROTATED).blocks

    rows = lines_of(table, page)

    assert page.height > page.width
    assert len(rows) > 30
    assert all(is_inside(row, table.provenance[0].bbox) for row in rows)


def test_pages_that_are_pictures_are_told_by_the_pictures_names(converter, tmp_path):
    boxes = [(20, 10, 160, 80), (40, 20, 80, 60), (10, 5, 100, 90)]
    path = write_drawings(tmp_path / "scan.pdf", [Drawing(content=picture(*b)) for b in boxes])

    images = [block for block in converter.convert(path).blocks if block.images]

    assert [block.images[0].split("/")[-1] for block in images] == ["1-1.png", "2-1.png", "3-1.png"]
    assert [block.provenance[0].page_number for block in images] == [1, 2, 3]
    assert {block.provenance[0].source for block in images} == {"estimated"}


def test_a_scanned_pdf_yields_each_page_once(tmp_path, shared_store):
    drawings = [Drawing(content=picture(20, 10, 160, 60 + 5 * n)) for n in range(4)]
    path = write_drawings(tmp_path / "scan.pdf", drawings)

    documents = ZhiyiPDFLoader(path, base_url="local", store=shared_store, mode="page").load()

    assert [document.metadata["page_number"] for document in documents] == [1, 2, 3, 4]
    assert {document.metadata["page_source"] for document in documents} == {"estimated"}


@pytest.mark.parametrize(("read", "given"), [(LAND, "us-017.pdf"), ("us-017.pdf", LAND)])
def test_another_pdfs_markdown_gets_no_page(converter, pdf_dir, read, given):
    text = converter.convert(pdf_dir / read).markdown["original"]

    found = align(split_blocks(text), list(read_page_texts(pdf_dir / given)))

    assert {one.source for one in found} == {"none"}


def test_translations_stand_where_their_originals_do(pdf_dir, tmp_path, monkeypatch):
    script = """
        import json, sys
        from zhiyipdf import Converter, ParseOptions

        path, store = sys.argv[1:]
        variants = ("original", "translated", "bilingual")
        with Converter(base_url="local", store=store) as converter:
            made = converter.convert(path, ParseOptions(translate_to="de", variants=variants))
        print(json.dumps({
            variant: [
                (block.pair, [(one.page_number, one.bbox) for one in block.provenance])
                for block in blocks
            ]
            for variant, blocks in made.blocks_by_variant.items()
        }))
    """
    with chat_endpoint() as endpoint:
        monkeypatch.setenv("ZHIYIPDF_TRANSLATION_URL", endpoint.base_url)
        monkeypatch.setenv("ZHIYIPDF_TRANSLATION_MODEL", "shouting")
        shown = run_script(script, str(pdf_dir / LAND), str(tmp_path)).stdout

    found = json.loads(shown)
    original = found["original"]
    for variant in ("translated", "bilingual"):
        assert len(found[variant]) >= len(original)
        for pair, places in found[variant]:
            assert places == original[pair][1]
    assert [pair for pair, _ in found["translated"]] == list(range(len(original)))
    assert {places[0][0] for _, places in original} == {1, 2, 3, 4, 5}
