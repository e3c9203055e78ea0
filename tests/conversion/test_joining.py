from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.conversions import asset
from zhiyipdf.conversion.joining import Joined, PartResult, join
from zhiyipdf.images import image_references
from zhiyipdf.models import Bundle


def part(
    numbers: Sequence[int],
    text: str,
    files: Sequence[str] = (),
    missing: Sequence[str] = (),
    **more: object,
) -> PartResult:
    assets = tuple(asset(name, f"{numbers[0]} {name}".encode()) for name in files)
    bundle = Bundle(
        markdown={"original": text},
        assets=assets,
        missing=tuple(missing),
        **more,  # type: ignore[arg-type]  # for brevity
    )
    return PartResult(numbers=tuple(numbers), bundle=bundle)


def text_of(joined: Joined) -> str:
    text = joined.markdown["original"]
    blocks = joined.blocks["original"]
    assert "".join(block.text for block in blocks) == text
    assert all(text[block.start : block.end] == block.text for block in blocks)
    return text


def pages_of(joined: Joined) -> list[list[int]]:
    return [[p.page_number for p in block.provenance] for block in joined.blocks["original"]]


def test_texts_are_parted_by_one_blank_line() -> None:
    for one in ("One", "One\n", "One\n\n"):
        assert text_of(join([part([1], one), part([2], "Two\n")])) == "One\n\nTwo\n"


def test_an_empty_part_leaves_no_trace() -> None:
    joined = join([part([1], ""), part([2], "Two"), part([3], ""), part([4], "Four\n")])
    assert text_of(joined) == "Two\n\nFour\n"
    assert pages_of(joined) == [[2], [4]]


def test_nothing_but_empty_parts_is_an_empty_text() -> None:
    joined = join([part([1], ""), part([2], "")])
    assert (text_of(joined), joined.blocks["original"]) == ("", ())


def test_pages_and_names_of_pictures_are_those_of_the_pdf() -> None:
    text = "![](images/1-1.png)\n\nText\n\n![](images/2-3.png)\n"
    files = ["images/1-1.png", "images/2-3.png"]
    joined = join([part([1, 2], text, files), part([7, 9], text, files)])
    assert [r.target for r in image_references(text_of(joined))] == [
        "images/1-1.png",
        "images/2-3.png",
        "images/7-1.png",
        "images/9-3.png",
    ]
    assert [a.name for a in joined.assets] == [
        r.target for r in image_references(joined.markdown["original"])
    ]
    shown = [b for b in joined.blocks["original"] if b.images]
    assert [b.provenance[0].page_number for b in shown] == [1, 2, 7, 9]
    assert [b.images for b in shown] == [(a.name,) for a in joined.assets]


def test_a_single_part_of_some_pages_has_true_pages_too() -> None:
    joined = join([part([35], "![](images/1-1.png) text", ["images/1-1.png"])])
    assert text_of(joined) == "![](images/35-1.png) text"
    assert pages_of(joined) == [[35]]


def test_the_whole_pdf_stays_as_the_service_wrote_it() -> None:
    text = "![a][l] ![](images/03-1.png) ![](logo.png)\n\n[l]: images/x.png\n"
    files = ["images/03-1.png", "logo.png", "images/x.png"]
    joined = join([part([1, 2, 3], text, files, sidecars={"outline.md": "x"})], whole=True)
    assert text_of(joined) == text
    assert [a.name for a in joined.assets] == files
    assert joined.sidecars == {"outline.md": "x"}


def test_names_without_a_page_get_the_part_in_front() -> None:
    parts = [part([n], "![](logo.png)", ["logo.png"], sidecars={"s/o.md": f"{n}"}) for n in (1, 5)]
    joined = join(parts)
    assert text_of(joined) == "![](p1-logo.png)\n\n![](p5-logo.png)"
    assert joined.sidecars == {"s/p1-o.md": "1", "s/p5-o.md": "5"}


def test_a_target_without_a_file_does_not_come_to_show_another_parts_picture() -> None:
    first = part([1, 2], "![](images/2-1.png)", ["images/2-1.png"])
    second = part(
        [3, 4], "![](images/2-1.png) ![](pics/x.png)", (), ["images/2-1.png", "pics/x.png"]
    )
    joined = join([first, second])
    assert joined.missing == ("images/4-1.png", "pics/x.png")
    assert text_of(joined).endswith("![](images/4-1.png) ![](pics/x.png)")


def test_names_that_differ_in_case_only_are_kept_apart() -> None:
    joined = join([part([1], "", ["images/1-1.PNG", "images/1-1.png"])])
    assert [a.name for a in joined.assets] == ["images/1-1.PNG", "images/p1-1-1.png"]


def test_headings_stay_open_over_the_seam() -> None:
    first = part([1], "# Book\n\n## *First* chapter\n\n### Deep\n")
    second = part([2], "Still deep.\n\n## Second\n\nText.\n\n#### Deeper\n")
    third = part([3], "Below.\n\n# Other\n\nEnd.\n")
    joined = join([first, second, third])
    sections = {block.text.strip(): block.section for block in joined.blocks["original"]}
    assert sections["Still deep."] == ("Book", "First chapter", "Deep")
    assert sections["## Second"] == ("Book",)
    assert sections["Text."] == ("Book", "Second")
    assert sections["Below."] == ("Book", "Second", "Deeper")
    assert sections["# Other"] == ()
    assert sections["End."] == ("Other",)


@pytest.mark.parametrize(
    "opened",
    ["```\ncode", "~~~~ text\ncode\n", "> ```\n> code\n", "<!-- a comment", "text `code", "<pre>"],
)
def test_what_one_part_leaves_open_does_not_swallow_the_next(opened: str) -> None:
    second = part([2], "![](a.png)\n\n--> and ``` more\n", ["a.png"])
    joined = join([part([1], opened), second])
    assert [r.target for r in image_references(text_of(joined))] == ["p2-a.png"]
    assert text_of(joined).startswith(opened)


def test_labels_of_two_parts_do_not_get_mixed_up() -> None:
    parts = [part([n], f"![Fig *{n}*][1]\n\n[1]: x.png\n", ["x.png"]) for n in (1, 2)]
    joined = join(parts)
    shown = [(r.target, r.alt) for r in image_references(text_of(joined))]
    assert shown == [("p1-x.png", "Fig *1*"), ("p2-x.png", "Fig *2*")]


def test_every_variant_is_joined() -> None:
    parts = [
        PartResult(
            numbers=(n,),
            bundle=Bundle(markdown={"original": f"o{n}\n", "translated": f"t{n}\n"}),
        )
        for n in (1, 2)
    ]
    assert join(parts).markdown == {"original": "o1\n\no2\n", "translated": "t1\n\nt2\n"}


NAMES = ["images/1-1.png", "images/2-1.png", "images/01-1.png", "IMAGES/1-1.png", "images/9-1.png"]
NAMES += ["a.png", "A.png", "p1-a.png", "p2-a.png", "a b.png", "images/fig(1).png", "x]y.png"]
LINES = [
    "# Heading",
    "text",
    "- item",
    "- item\n  more",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "",
    "---",
]
LINES += ["```", "<!-- page 1 -->", "<!-- page 2 -->", "`code", "[see](a.png)"]
PICTURES = ["![alt]({})", "![alt](<{}> 't')", '<img src="{}">', "text ![a]({}) text", "| ![]({}) |"]
PICTURES += ["![a][1]\n\n[1]: <{}>", "![x]\n\n[x]: <{}>"]


@st.composite
def part_results(draw: st.DrawFn) -> list[PartResult]:
    found: list[PartResult] = []
    at = 1
    for _ in range(draw(st.integers(1, 4))):
        numbers = draw(st.sets(st.integers(at, at + 12), min_size=1, max_size=5).map(sorted))
        at = numbers[-1] + 1
        files = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
        lines = draw(
            st.lists(
                st.sampled_from(LINES)
                | st.builds(str.format, st.sampled_from(PICTURES), st.sampled_from(NAMES)),
                max_size=8,
            )
        )
        text = "\n\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n", "\r\n"]))
        targets = [r.target for r in image_references(text)]
        missing = dict.fromkeys(t for t in targets if t not in files)
        found.append(part(numbers, text, files, tuple(missing)))
    return found


@given(part_results())
def test_nothing_is_lost_and_nothing_clashes(parts: list[PartResult]) -> None:
    joined = join(parts)
    text = text_of(joined)
    names = [a.name for a in joined.assets]
    assert len({name.casefold() for name in names}) == len(names)
    assert [a.sha256 for a in joined.assets] == [
        a.sha256 for result in parts for a in result.bundle.assets
    ]
    by_name = {a.name: a.sha256 for a in joined.assets}
    shown = [by_name.get(r.target) for r in image_references(text)]
    expected = []
    for result in parts:
        own = {a.name: a.sha256 for a in result.bundle.assets}
        references = image_references(result.bundle.markdown["original"])
        expected += [own.get(r.target) for r in references]
    assert shown == expected
    allowed = {number for result in parts for number in result.numbers}
    assert {page for pages in pages_of(joined) for page in pages} <= allowed
    assert {r.target for r in image_references(text)} <= {*names, *joined.missing}
