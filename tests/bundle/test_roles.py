"""Which Markdown file is which variant."""

from __future__ import annotations

import pytest

from zhiyipdf.bundle.roles import assign_roles, common_folder, is_ignored, is_markdown
from zhiyipdf.models import VARIANTS, Variant

ALL = VARIANTS
TWO: tuple[Variant, ...] = ("original", "translated")

CASES = [
    # One file has the role that was asked for, whatever it is called.
    (("translated",), "paper", ["paper.md"], {"translated": "paper.md"}),
    (("bilingual",), "paper", ["0f3a-output.markdown"], {"bilingual": "0f3a-output.markdown"}),
    (("original",), "paper", ["outline.md"], {"original": "outline.md"}),
    (("original",), "paper", ["paper_translated.md"], {"original": "paper_translated.md"}),
    # English words, in any case and spelling.
    (
        ALL,
        "paper",
        ["paper.md", "paper_translated.md", "paper_bilingual.md"],
        {
            "original": "paper.md",
            "translated": "paper_translated.md",
            "bilingual": "paper_bilingual.md",
        },
    ),
    (
        ALL,
        "paper",
        ["PaperOriginal.md", "PaperTrans.md", "PaperDual.md"],
        {
            "original": "PaperOriginal.md",
            "translated": "PaperTrans.md",
            "bilingual": "PaperDual.md",
        },
    ),
    (
        ALL,
        "paper",
        ["a.ORIGINAL.MD", "a.TRANSLATION.MD", "a.BILINGUAL.MD"],
        {
            "original": "a.ORIGINAL.MD",
            "translated": "a.TRANSLATION.MD",
            "bilingual": "a.BILINGUAL.MD",
        },
    ),
    # Chinese words.
    (
        ALL,
        "论文",
        ["论文-原文.md", "论文-译文.md", "论文-双语对照.md"],
        {"original": "论文-原文.md", "translated": "论文-译文.md", "bilingual": "论文-双语对照.md"},
    ),
    (TWO, "论文", ["论文.md", "论文翻译.md"], {"original": "论文.md", "translated": "论文翻译.md"}),
    (("bilingual",), "x", ["原文译文.md", "x.md"], {"bilingual": "原文译文.md"}),
    # Words in folders; the file's own name counts more.
    (
        TWO,
        "paper",
        ["original/paper.md", "translated/paper.md"],
        {"original": "original/paper.md", "translated": "translated/paper.md"},
    ),
    (
        TWO,
        "paper",
        ["translation/original.md", "translation/paper_zh.md"],
        {"original": "translation/original.md", "translated": "translation/paper_zh.md"},
    ),
    # Words that belong to the upload's own name say nothing.
    (
        TWO,
        "bilingual-education",
        ["bilingual-education.md", "bilingual-education_translated.md"],
        {"original": "bilingual-education.md", "translated": "bilingual-education_translated.md"},
    ),
    (
        TWO,
        "Bilingual Education (final)",
        ["bilingual_education_final.md", "bilingual_education_final-trans.md"],
        {
            "original": "bilingual_education_final.md",
            "translated": "bilingual_education_final-trans.md",
        },
    ),
    (
        ALL,
        "翻译理论",
        ["翻译理论.md", "翻译理论译文.md", "翻译理论双语.md"],
        {
            "original": "翻译理论.md",
            "translated": "翻译理论译文.md",
            "bilingual": "翻译理论双语.md",
        },
    ),
    (
        TWO,
        "trans",
        ["trans.md", "translated.md"],
        {"original": "trans.md", "translated": "translated.md"},
    ),
    (TWO, "t", ["t.md", "translated.md"], {"original": "t.md", "translated": "translated.md"}),
    (
        TWO,
        "translated",
        ["translated.md", "original.md"],
        {"original": "original.md", "translated": "translated.md"},
    ),
    (
        TWO,
        "translated",
        ["translated.md", "translated_translated.md"],
        {"original": "translated.md", "translated": "translated_translated.md"},
    ),
    # Words within words are none.
    (("original",), "x", ["individual.md", "transformer.md"], {"original": "individual.md"}),
    # The main file: own name, usual names, the largest.
    (("original",), "paper", ["notes_longest.md", "paper.md"], {"original": "paper.md"}),
    (("original",), "paper", ["notes_longest.md", "full.md"], {"original": "full.md"}),
    (("original",), "paper", ["output.md", "full.md"], {"original": "full.md"}),
    (("original",), "paper", ["result.md", "abc_longest.md"], {"original": "result.md"}),
    (("original",), "paper", ["b.md", "a_longest.md"], {"original": "a_longest.md"}),
    (("translated",), "paper", ["paper.md", "outline.md"], {"translated": "paper.md"}),
    # Side files are never the text.
    (
        ("original",),
        "paper",
        [
            "paper_longest_outline.md",
            "summary.md",
            "Verification.md",
            "enrichment.md",
            "tables_1.md",
            "README.md",
            "摘要.md",
            "p.md",
        ],
        {"original": "p.md"},
    ),
    (("original",), "summary", ["summary.md", "outline.md"], {"original": "summary.md"}),
    (("original",), "paper", ["outline.md", "summary.md"], {}),
    # By elimination, but no guessing between two.
    (
        TWO,
        "paper",
        ["paper.md", "paper_zh.md"],
        {"original": "paper.md", "translated": "paper_zh.md"},
    ),
    (TWO, "paper", ["paper.md", "b.md", "c.md"], {"original": "paper.md"}),
    (ALL, "paper", ["paper.md", "b.md"], {"original": "paper.md"}),
    # What was not asked for is not the text.
    (("original",), "paper", ["paper.md", "paper_translated_longest.md"], {"original": "paper.md"}),
]


@pytest.mark.parametrize(("requested", "stem", "names", "expected"), CASES)
def test_each_file_gets_the_role_its_name_tells(
    requested: tuple[Variant, ...], stem: str, names: list[str], expected: dict[Variant, str]
) -> None:
    sizes = {name: 1000 if "longest" in name else 10 for name in names}
    roles = assign_roles(sizes, requested=requested, stem=stem)
    assert roles.markdown == expected
    assert set(roles.sidecars) == set(names) - set(expected.values())


@pytest.mark.parametrize(("requested", "stem", "names", "expected"), CASES)
def test_the_order_of_the_files_does_not_matter(
    requested: tuple[Variant, ...], stem: str, names: list[str], expected: dict[Variant, str]
) -> None:
    sizes = {name: 1000 if "longest" in name else 10 for name in reversed(names)}
    assert assign_roles(sizes, requested=requested, stem=stem).markdown == expected


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["a.md", "images/1.png"], ""),
        (["out/a.md", "out/images/1.png"], "out/"),
        (["out/a.md", "outer/1.png"], ""),
        (["x/y/a.md", "x/y/b.md"], "x/y/"),
        ([], ""),
    ],
)
def test_a_wrapper_is_the_folder_that_holds_everything(names: list[str], folder: str) -> None:
    assert common_folder(names) == folder


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        ("__MACOSX/._paper.md", True),
        (".DS_Store", True),
        ("images/.hidden/1.png", True),
        ("images/1.png", False),
    ],
)
def test_what_operating_systems_leave_behind_is_ignored(name: str, *, ignored: bool) -> None:
    assert is_ignored(name) is ignored


@pytest.mark.parametrize(
    ("name", "markdown"), [("a.MD", True), ("a.markdown", True), ("a.mdx", False), ("md", False)]
)
def test_markdown_is_told_by_its_suffix(name: str, *, markdown: bool) -> None:
    assert is_markdown(name) is markdown
