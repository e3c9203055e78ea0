from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from support.conversions import asset, blocks, conversion, on
from zhiyipdf.documents import ImageMode, MetadataStyle, Record, make_records, page_index
from zhiyipdf.documents.fingerprint import write_fingerprint
from zhiyipdf.models import Conversion, DocumentProperties, ParseOptions, TaskRef

THREE_PAGES = blocks(
    ("heading", "# One\n\n", on(1), {"level": 1}),
    ("paragraph", "First.\n\n", on(1)),
    ("page_break", "<!-- page 2 -->\n\n"),
    ("paragraph", "Second.\n\n", on(2), {"section": ("One",)}),
    ("image", "![A chart](images/2-1.png)\n\n", on(2), {"section": ("One",)}),
    ("paragraph", "Third.\n", on(3), {"section": ("One",)}),
)
PICTURES = [asset("images/2-1.png")]
URIS = {"images/2-1.png": "file:///store/x.png"}


def texts(made: Conversion, **options: object) -> list[str]:
    return [record.text for record in make_records(made, **options)]  # type: ignore[arg-type]


def test_single_mode_keeps_the_text_to_the_letter() -> None:
    made = conversion(THREE_PAGES)
    assert texts(made, mode="single") == [made.markdown["original"]]


def test_page_mode_makes_one_record_for_each_page_without_page_marks() -> None:
    assert texts(conversion(THREE_PAGES), mode="page") == [
        "# One\n\nFirst.",
        "Second.\n\n![A chart](images/2-1.png)",
        "Third.",
    ]


def test_block_mode_makes_one_record_for_each_block_without_page_marks() -> None:
    assert texts(conversion(THREE_PAGES), mode="block") == [
        "# One",
        "First.",
        "Second.",
        "![A chart](images/2-1.png)",
        "Third.",
    ]


def test_a_page_has_the_keys_of_the_contract_and_no_others() -> None:
    made = conversion(
        THREE_PAGES,
        labels=["i", "ii", "1"],
        assets=PICTURES,
        properties=DocumentProperties(title="A Paper", creationdate="2020-01-02T03:04:05+00:00"),
    )
    second = list(make_records(made, uris=URIS))[1]
    assert second.metadata == {
        "source": "papers/paper.pdf",
        "file_name": "paper.pdf",
        "total_pages": 3,
        "content_sha256": "ab" * 32,
        "page_number": 2,
        "page_label": "ii",
        "page_source": "exact",
        "images": ["file:///store/x.png"],
        "image_count": 1,
        "title": "A Paper",
        "creationdate": "2020-01-02T03:04:05+00:00",
    }


def test_a_block_also_has_its_kind_section_and_box() -> None:
    table = ("table", "|a|\n|-|\n", on(2, bbox=(1.0, 2.005, 3.0, 4.0)), {"section": ("A", "B")})
    (record,) = make_records(conversion(blocks(table)), mode="block")
    assert record.metadata["kind"] == "table"
    assert record.metadata["section"] == "A > B"
    assert record.metadata["bbox"] == [1.0, 2.0, 3.0, 4.0]


def test_a_block_that_runs_over_a_page_end_names_its_last_page() -> None:
    (record,) = make_records(conversion(blocks(("paragraph", "Long.", on(1, 2)))), mode="block")
    assert (record.metadata["page_number"], record.metadata["page_number_end"]) == (1, 2)


def test_a_page_whose_last_block_runs_on_names_the_last_page() -> None:
    made = conversion(blocks(("paragraph", "Long.\n\n", on(1, 2)), ("paragraph", "Next.", on(2))))
    first, second = make_records(made)
    assert (first.metadata["page_number"], first.metadata["page_number_end"]) == (1, 2)
    assert "page_number_end" not in second.metadata


def test_a_page_is_as_sure_as_the_least_sure_of_its_blocks() -> None:
    made = conversion(
        blocks(
            ("paragraph", "a\n\n", on(1)),
            ("paragraph", "b\n\n", on(1, source="aligned", score=0.8)),
            ("paragraph", "c\n\n", on(1, source="aligned", score=0.61234567)),
            ("paragraph", "d\n\n", on(2, source="estimated", score=0.5)),
        )
    )
    first, second = make_records(made)
    assert (first.metadata["page_source"], first.metadata["page_score"]) == ("aligned", 0.6123)
    assert (second.metadata["page_source"], second.metadata["page_score"]) == ("estimated", 0.5)


def test_an_exact_page_has_no_score() -> None:
    assert all("page_score" not in r.metadata for r in make_records(conversion(THREE_PAGES)))


def test_without_any_page_page_mode_makes_one_record_for_the_file() -> None:
    made = conversion(blocks(("paragraph", "a\n\n"), ("paragraph", "b\n")))
    (record,) = make_records(made, mode="page")
    assert record.text == "a\n\nb\n"
    assert record.metadata["page_source"] == "none"
    assert not {"page_number", "page_label", "page_score"} & record.metadata.keys()


def test_a_whole_file_of_several_pages_claims_no_page() -> None:
    (record,) = make_records(conversion(THREE_PAGES), mode="single")
    assert record.metadata["page_source"] == "none"
    assert "page_number" not in record.metadata


def test_a_whole_file_of_one_page_has_that_page() -> None:
    made = conversion(blocks(("paragraph", "a", on(1))), pages=1)
    (record,) = make_records(made, mode="single")
    assert (record.metadata["page_number"], record.metadata["page_source"]) == (1, "exact")


def test_a_file_without_any_text_still_has_one_record() -> None:
    assert texts(conversion(()), mode="page") == [""]
    assert texts(conversion(()), mode="single") == [""]


def test_the_0_based_page_is_one_less_and_absent_without_a_page() -> None:
    assert page_index({"page_number": 3}) == 2
    assert page_index({}) is None


def test_a_page_names_the_page_from_which_text_runs_on_to_it() -> None:
    made = conversion(blocks(("table", "|t|\n\n", on(1, 2, 3)), ("paragraph", "Next.", on(3))))
    first, third = make_records(made)
    assert "continues_from" not in first.metadata
    assert (third.text, third.metadata["continues_from"]) == ("Next.", 1)


def test_each_page_has_a_record_if_empty_ones_are_asked_for() -> None:
    made = conversion(blocks(("table", "|t|\n\n", on(1, 2)), ("paragraph", "End.", on(4))), pages=5)
    records = list(make_records(made, include_empty_pages=True))
    assert [record.metadata["page_number"] for record in records] == [1, 2, 3, 4, 5]
    assert [record.text for record in records] == ["|t|", "", "", "End.", ""]
    assert [record.metadata.get("continues_from") for record in records] == [None, 1, *[None] * 3]
    assert len({record.id for record in records}) == 5
    assert [r.id for r in records if r.text] == [r.id for r in make_records(made)]


def test_pages_that_were_not_converted_are_not_empty_but_absent() -> None:
    made = conversion(
        blocks(("paragraph", "a", on(2))), pages=9, options=ParseOptions(pages="2,4-5")
    )
    records = make_records(made, include_empty_pages=True)
    assert [record.metadata["page_number"] for record in records] == [2, 4, 5]


def test_each_variant_has_each_page() -> None:
    options = ParseOptions(translate_to="en", variants=("original", "translated"))
    made = conversion(CHINESE, translated=ENGLISH, options=options)
    records = make_records(made, include_empty_pages=True)
    shown = [(record.metadata["variant"], record.metadata["page_number"]) for record in records]
    assert shown == [(v, n) for v in ("original", "translated") for n in (1, 2, 3)]


def test_a_page_whose_only_picture_is_dropped_is_empty() -> None:
    made = conversion(
        blocks(("paragraph", "a\n\n", on(1)), ("image", "![](a.png)", on(2))),
        pages=2,
        assets=[asset("a.png")],
    )
    assert texts(made, images="drop") == ["a"]
    assert texts(made, images="drop", include_empty_pages=True) == ["a", ""]


SCAN = conversion(
    blocks(
        ("image", "![](a.png)\n\n", on(1)),
        ("comment", "<!-- This page has no text; it is shown as a picture. -->", on(1)),
    ),
    pages=1,
    assets=[asset("a.png")],
)


def test_a_page_of_which_only_a_comment_is_left_is_empty() -> None:
    assert texts(SCAN, images="drop") == []
    assert texts(SCAN, images="drop", include_empty_pages=True) == [""]
    assert texts(SCAN, images="drop", mode="block") == []
    assert texts(SCAN, images="reference") == ["".join(block.text for block in SCAN.blocks)]


def test_a_page_that_is_nothing_but_a_comment_is_empty_and_a_whole_file_is_kept() -> None:
    made = conversion(
        blocks(("paragraph", "a\n\n", on(1)), ("comment", "<!-- b -->", on(2))), pages=2
    )
    assert texts(made) == ["a"]
    assert texts(made, include_empty_pages=True) == ["a", ""]
    assert texts(made, mode="single") == ["a\n\n<!-- b -->"]


def test_equal_blocks_are_told_apart_by_their_number() -> None:
    made = conversion(blocks(("paragraph", "See above.\n\n", on(1)), ("comment", "<!-- -->\n\n"),
                             ("paragraph", "See above.", on(1))))  # fmt: skip
    first, second = make_records(made, mode="block")
    assert (first.metadata["block_number"], second.metadata["block_number"]) == (1, 2)
    assert {**first.metadata, "block_number": 2} == second.metadata
    assert all("block_number" not in record.metadata for record in make_records(made))


# --- where pages begin --------------------------------------------------------------------------


def page_starts(record: Record) -> list[list[Any]]:
    return json.loads(str(record.metadata["page_starts"]))  # type: ignore[no-any-return]


@pytest.mark.parametrize("style", ["rich", "flat"])
def test_a_whole_file_tells_where_its_pages_begin(style: MetadataStyle) -> None:
    (record,) = make_records(conversion(THREE_PAGES), mode="single", metadata_style=style)
    starts = page_starts(record)
    assert [page for _, page in starts] == [1, 2, 3]
    assert [record.text[start : start + 5] for start, _ in starts] == ["# One", "Secon", "Third"]


@pytest.mark.parametrize("images", ["reference", "inline", "drop"])
def test_page_starts_fit_the_text_whatever_becomes_of_its_pictures(images: ImageMode) -> None:
    made = conversion(
        blocks(
            ("image", "![](a.png) ![](b.png)\n\n", on(1)),
            ("paragraph", "One.\n\n", on(1)),
            ("image", "![](a.png)\n\n", on(2)),
            ("paragraph", "Two ![](b.png) more.\n\n", on(2)),
            ("image", "![](b.png)\n\n", on(3)),
            ("paragraph", "Four.", on(4)),
        ),
        pages=4,
        assets=[asset("a.png", b"1"), asset("b.png", b"2")],
    )
    uris = {"a.png": "s3://bucket/" + "a" * 40, "b.png": "s3://bucket/b"}
    (record,) = make_records(made, mode="single", images=images, uris=uris, inline=uris)
    found = {page: record.text[start:].split()[0] for start, page in page_starts(record)}
    assert found[4] == "Four."
    if images == "drop":
        assert (found[1], found[2]) == ("One.", "Two")
        assert 3 not in found  # nothing is left of it
    else:
        assert [found[page][:4] for page in (1, 2, 3)] == ["![](", "![](", "![]("]


def test_a_rule_or_a_picture_does_not_decide_how_pages_were_found() -> None:
    guess = on(1, source="estimated", score=0.4)
    made = conversion(
        blocks(
            ("paragraph", "One.\n\n", on(1, source="aligned", score=0.99)),
            ("rule", "---\n\n", guess),
            ("image", "![Figure 1](a.png)\n\n", guess),
            ("formula", "$$x$$\n\n", guess),
            ("comment", "<!-- Here. -->\n\n", guess),
            ("paragraph", "Two.\n\n", on(2, source="aligned", score=0.98)),
            ("table", "| 3 |", on(2, source="estimated", score=0.6)),
        )
    )
    (record,) = make_records(made, mode="single")
    (_, *first), (_, *second) = page_starts(record)
    assert first == [1, 1, 0.99]
    assert second == [2, 2, 0.6, "estimated"]


@pytest.mark.parametrize("images", ["reference", "inline", "drop"])
def test_a_file_of_several_pages_carries_the_fingerprint_of_its_text(images: ImageMode) -> None:
    made = conversion(
        blocks(("image", "![](a.png)\n\n", on(1)), ("paragraph", "One.\n", on(2))),
        assets=[asset("a.png")],
    )
    uris = {"a.png": "s3://bucket/a"}
    (record,) = make_records(made, mode="single", images=images, uris=uris, inline=uris)
    assert record.metadata["text_fingerprint"] == write_fingerprint(record.text)
    assert all("text_fingerprint" not in page.metadata for page in make_records(made))


def test_text_that_has_no_page_is_named_as_such() -> None:
    made = conversion(
        blocks(
            ("paragraph", "a\n\n", on(1, source="aligned", score=0.98765)),
            ("paragraph", "b\n\n"),
            ("paragraph", "c\n\n", on(2, 3, source="estimated", score=0.5)),
            ("paragraph", "d", on(3)),
        )
    )
    (record,) = make_records(made, mode="single")
    assert page_starts(record) == [[0, 1, 1, 0.988], [3], [6, 2, 3, 0.5, "estimated"], [9, 3]]


def test_a_file_without_pages_or_of_one_page_has_no_page_starts() -> None:
    unplaced = conversion(blocks(("paragraph", "a\n\n"), ("paragraph", "b")))
    one = conversion(blocks(("paragraph", "a", on(1))), pages=1)
    for made in (unplaced, one):
        (record,) = make_records(made, mode="single")
        assert "page_starts" not in record.metadata


def test_a_page_tells_where_what_runs_over_its_end_begins() -> None:
    made = conversion(
        blocks(
            ("page_break", "<!-- page 1 -->\n\n", on(1)),
            ("paragraph", "\nFirst.\n", on(1)),
            ("page_break", "<!-- x -->\n"),
            ("paragraph", "Long.\n\n", on(1, 2)),
            ("paragraph", "Next.", on(2)),
        )
    )
    first, second = make_records(made)
    assert first.text == "First.\n\nLong."
    assert page_starts(first) == [[0, 1], [8, 1, 2]]
    assert "page_starts" not in second.metadata


def test_labels_are_told_for_records_of_several_pages() -> None:
    made = conversion(
        blocks(("paragraph", "a\n\n", on(1)), ("paragraph", "b", on(2, 3))),
        pages=4,
        labels=["i", "ii", "1", "2"],
    )
    (whole,) = make_records(made, mode="single")
    assert whole.metadata["page_labels"] == '[[1,"i"],[2,"ii"],[3,"1"]]'
    first, second = make_records(made, mode="block")
    assert "page_labels" not in first.metadata
    assert second.metadata["page_labels"] == '[[2,"ii"],[3,"1"]]'


def test_a_file_of_which_one_page_was_converted_has_that_page() -> None:
    made = conversion(blocks(("paragraph", "a", on(7))), pages=9, options=ParseOptions(pages="7"))
    (record,) = make_records(made, mode="single")
    assert record.metadata["page_number"] == 7


# --- identity -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["single", "page", "block"])
def test_ids_are_uuids_and_differ_from_record_to_record(mode: str) -> None:
    made = conversion(THREE_PAGES, assets=PICTURES)
    records = list(make_records(made, mode=mode, images="documents", uris=URIS))  # type: ignore[arg-type]
    assert len({UUID(record.id) for record in records}) == len(records)


def test_nothing_that_changes_from_run_to_run_changes_a_record() -> None:
    made = conversion(THREE_PAGES, assets=PICTURES)
    again = replace(
        made,
        tasks=(TaskRef(provider="zhiyipdf", id="other", key_fingerprint="f" * 8),),
        points=0,
        from_store=True,
        seconds=99.0,
        source=replace(made.source, path="/tmp/another-copy.pdf"),
    )
    assert list(make_records(made, uris=URIS)) == list(make_records(again, uris=URIS))


def test_ids_do_not_depend_on_where_the_file_is_or_how_metadata_is_written() -> None:
    made = conversion(THREE_PAGES)
    moved = conversion(THREE_PAGES, name="b.pdf", uri="s3://bucket/b.pdf")
    expected = [record.id for record in make_records(made)]
    assert [record.id for record in make_records(moved)] == expected
    assert [record.id for record in make_records(made, metadata_style="flat")] == expected


@pytest.mark.parametrize(
    "other",
    [
        {"sha256": "cd" * 32},
        {"options": ParseOptions(table_mode="image")},
        {"options": ParseOptions(translate_to="en", variants=("original",))},
    ],
)
def test_ids_depend_on_the_content_and_on_what_was_asked_for(other: dict[str, object]) -> None:
    ids = {record.id for record in make_records(conversion(THREE_PAGES))}
    changed = {r.id for r in make_records(conversion(THREE_PAGES, **other))}  # type: ignore[arg-type]
    assert not ids & changed


def test_ids_differ_between_modes_of_pages_and_of_pictures() -> None:
    made = conversion(THREE_PAGES, pages=1)
    ids = [
        {record.id for record in make_records(made, mode=mode, images=images)}  # type: ignore[arg-type]
        for mode in ("single", "page", "block")
        for images in ("reference", "drop")
    ]
    assert sum(len(some) for some in ids) == len(set().union(*ids))


def test_ids_are_the_same_for_ever() -> None:
    # These stand in users' vector stores: a change here embeds everything again.
    (record,) = make_records(conversion(blocks(("paragraph", "a"))), mode="single")
    assert record.id == "25d29a2e-aac1-5a27-9588-f8f2e3d0ac9c"


# --- translation --------------------------------------------------------------------------------

ALL_VARIANTS = ParseOptions(translate_to="en", variants=("original", "translated", "bilingual"))
CHINESE = blocks(
    ("heading", "# 标题\n\n", on(1), {"level": 1}),
    ("paragraph", "第一。\n\n", on(1)),
    ("paragraph", "第二。\n", on(2)),
)
ENGLISH = blocks(
    ("heading", "# Title\n\n", on(1), {"level": 1}),
    ("paragraph", "First.\n\n", on(1)),
    ("paragraph", "Second.\n", on(2)),
)
BOTH = blocks(
    ("heading", "# 标题\n\n", on(1), {"level": 1}),
    ("heading", "# Title\n\n", on(1), {"level": 1}),
    ("paragraph", "第一。\n\n", on(1)),
    ("paragraph", "First.\n\n", on(1)),
    ("paragraph", "第二。\n\n", on(2)),
    ("paragraph", "Second.\n", on(2)),
)


def test_without_translation_no_variant_is_named() -> None:
    for record in make_records(conversion(THREE_PAGES)):
        assert not {"variant", "language", "pair_id"} & record.metadata.keys()


def test_only_the_variants_asked_for_are_handed_out() -> None:
    made = conversion(CHINESE, translated=ENGLISH, options=ParseOptions(translate_to="en"))
    assert texts(made) == ["# Title\n\nFirst.", "Second."]


def test_variants_carry_the_language_they_are_known_to_be_in() -> None:
    made = conversion(CHINESE, translated=ENGLISH, bilingual=BOTH, options=ALL_VARIANTS)
    languages = {r.metadata["variant"]: r.metadata.get("language") for r in make_records(made)}
    assert languages == {"original": None, "translated": "en", "bilingual": "en"}


@pytest.mark.parametrize("mode", ["single", "page"])
def test_variants_of_a_page_or_file_share_a_pair_id(mode: str) -> None:
    made = conversion(CHINESE, translated=ENGLISH, bilingual=BOTH, options=ALL_VARIANTS)
    pairs: dict[object, list[object]] = {}
    for record in make_records(made, mode=mode):  # type: ignore[arg-type]
        pairs.setdefault(record.metadata["pair_id"], []).append(record.metadata["variant"])
    assert all(v == ["original", "translated", "bilingual"] for v in pairs.values())
    assert len(pairs) == (1 if mode == "single" else 2)


def test_variants_of_a_block_share_a_pair_id() -> None:
    made = conversion(CHINESE, translated=ENGLISH, bilingual=BOTH, options=ALL_VARIANTS)
    pairs: dict[object, list[str]] = {}
    for record in make_records(made, mode="block"):
        pairs.setdefault(record.metadata["pair_id"], []).append(record.text)
    assert list(pairs.values()) == [
        ["# 标题", "# Title", "# 标题", "# Title"],
        ["第一。", "First.", "第一。", "First."],
        ["第二。", "Second.", "第二。", "Second."],
    ]


def test_a_block_that_only_one_variant_has_is_paired_with_nothing() -> None:
    more = blocks(
        *[(b.kind, b.text, b.provenance, {"level": b.level}) for b in ENGLISH[:2]],
        ("table", "|new|\n\n", on(1)),
        ("paragraph", "Second.\n", on(2)),
    )
    options = ParseOptions(translate_to="en", variants=("original", "translated"))
    made = conversion(CHINESE, translated=more, options=options)
    pairs: dict[object, list[str]] = {}
    for record in make_records(made, mode="block"):
        pairs.setdefault(record.metadata["pair_id"], []).append(record.text)
    assert list(pairs.values()) == [
        ["# 标题", "# Title"],
        ["第一。", "First."],
        ["第二。", "Second."],
        ["|new|"],
    ]


# --- pictures -----------------------------------------------------------------------------------


def test_links_lead_to_the_uris_given() -> None:
    made = conversion(THREE_PAGES, assets=PICTURES)
    second = list(make_records(made, uris=URIS))[1]
    assert second.text == "Second.\n\n![A chart](file:///store/x.png)"
    assert [image.uri for image in second.images] == ["file:///store/x.png"]
    assert second.images[0].media_type == "image/png"


@pytest.mark.parametrize(
    "link",
    [
        "![](<images/a b.png>)",
        '<img style="zoom:70%" src="images/a b.png" />',
        "![alt](<images/a b.png> 'title')",
    ],
)
def test_a_picture_is_found_however_its_link_is_written(link: str) -> None:
    made = conversion(blocks(("image", link, on(1))), assets=[asset("images/a b.png")])
    (record,) = make_records(made, uris={"images/a b.png": "s3://b/x.png"})
    assert record.metadata["images"] == ["s3://b/x.png"]
    assert "s3://b/x.png" in record.text


def test_a_picture_shown_twice_counts_once() -> None:
    twice = blocks(("paragraph", "![](a.png) ![](b.png) ![](a.png)", on(1)))
    made = conversion(twice, assets=[asset("a.png", b"1"), asset("b.png", b"2")])
    (record,) = make_records(made, uris={"a.png": "file:///a", "b.png": "file:///b"})
    assert record.metadata["images"] == ["file:///a", "file:///b"]
    assert record.metadata["image_count"] == 2


def test_links_that_no_picture_answers_to_stay_and_are_not_counted() -> None:
    text = "![](gone.png) ![](https://example.org/x.png) `![](a.png)`"
    made = conversion(blocks(("paragraph", text, on(1))), assets=[asset("a.png")])
    (record,) = make_records(made, uris={"a.png": "file:///a"})
    assert record.text == text
    assert record.metadata["image_count"] == 0
    assert "images" not in record.metadata


def test_pictures_nobody_kept_are_counted_but_not_linked() -> None:
    second = list(make_records(conversion(THREE_PAGES, assets=PICTURES), uris={}))[1]
    assert second.text == "Second.\n\n![A chart](images/2-1.png)"
    assert second.metadata["image_count"] == 1
    assert "images" not in second.metadata


def test_inline_pictures_stand_in_the_markdown_only() -> None:
    made = conversion(THREE_PAGES, assets=PICTURES)
    inline = {"images/2-1.png": "data:image/png;base64,AAAA"}
    second = list(make_records(made, images="inline", uris=URIS, inline=inline))[1]
    assert second.text == "Second.\n\n![A chart](data:image/png;base64,AAAA)"
    assert second.metadata["image_count"] == 1
    assert "AAAA" not in json.dumps(second.metadata)
    assert "images" not in second.metadata


def test_dropped_pictures_leave_no_trace_but_their_number() -> None:
    made = conversion(THREE_PAGES, assets=PICTURES)
    second = list(make_records(made, images="drop", uris=URIS))[1]
    assert second.text.strip() == "Second."
    assert second.metadata["image_count"] == 1
    assert "images" not in second.metadata


def test_a_picture_gets_its_own_record_where_it_appears_first() -> None:
    again = blocks(
        ("paragraph", "Before.\n\n", on(1)),
        ("image", "![A chart](a.png)\n\n", on(1)),
        ("image", "![Again](a.png)\n\n", on(2)),
    )
    made = conversion(again, assets=[asset("a.png")])
    records = list(make_records(made, images="documents", uris={"a.png": "file:///a.png"}))
    assert [record.kind for record in records] == ["text", "image", "text"]
    picture = records[1]
    assert picture.text == "A chart"
    assert picture.metadata["kind"] == "image"
    assert picture.metadata["images"] == ["file:///a.png"]
    assert picture.metadata["image_count"] == 1
    assert picture.metadata["page_number"] == 1


@pytest.mark.parametrize("mode", ["single", "page", "block"])
def test_a_pictures_record_has_the_caption_and_the_heading(mode: str) -> None:
    made = conversion(
        blocks(
            ("heading", "# Results\n\n", on(1), {"level": 1}),
            ("image", "![](a.png)\n\n", on(1), {"section": ("Results",)}),
            ("paragraph", "Figure 3: Speed over\ntime.\n\n", on(1), {"section": ("Results",)}),
        ),
        assets=[asset("a.png")],
    )
    records = make_records(made, mode=mode, images="documents", uris={"a.png": "file:///a"})  # type: ignore[arg-type]
    (picture,) = [record for record in records if record.kind == "image"]
    assert picture.text == "Figure 3: Speed over time.\nResults"


def test_a_picture_without_any_words_says_where_it_comes_from() -> None:
    made = conversion(blocks(("image", "![](a.png)", on(2))), assets=[asset("a.png")])
    _, picture = make_records(made, images="documents", uris={"a.png": "file:///a"})
    assert picture.text == "Image from page 2 of paper.pdf"
    unplaced = conversion(blocks(("image", "![](a.png)")), assets=[asset("a.png")])
    _, picture = make_records(unplaced, images="documents", uris={"a.png": "file:///a"})
    assert picture.text == "Image from paper.pdf"


def test_flat_metadata_holds_scalars_only() -> None:
    made = conversion(
        blocks(("image", "![](图.png)", on(1, bbox=(1.0, 2.0, 3.0, 4.0)))), assets=[asset("图.png")]
    )
    options = {"mode": "block", "images": "documents", "uris": {"图.png": "file:///图"}}
    for record in make_records(made, metadata_style="flat", **options):  # type: ignore[arg-type]
        assert all(type(value) in {str, int, float, bool} for value in record.metadata.values())
        assert json.loads(str(record.metadata["images"])) == ["file:///图"]
    (rich, _) = make_records(made, **options)  # type: ignore[arg-type]
    assert rich.metadata["bbox"] == [1.0, 2.0, 3.0, 4.0]
