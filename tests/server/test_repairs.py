from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyipdf.server.repairs import (
    HeadingCandidate,
    body_size,
    count_sizes,
    drop_controls,
    drop_empty_fences,
    has_text,
    has_words,
    heading_levels,
    image_tag,
    is_heading_text,
    join_wrapped_cjk,
    promote_headings,
    replace_pictures,
    replace_tables,
)

TABLE = "| a | b |\n|---|---|\n| c | d |"


def test_the_space_of_a_wrapped_chinese_line_is_taken_out() -> None:
    assert (
        join_wrapped_cjk("用户只需专注于文档 的版面设计。 完") == "用户只需专注于文档的版面设计。完"
    )
    assert join_wrapped_cjk("- 第一 项") == "- 第一项"
    assert join_wrapped_cjk("かな とカナ と漢字") == "かなとカナと漢字"


@pytest.mark.parametrize(
    "markdown",
    [
        "# 第一章 概述",
        "| 青 | 空 |\n|---|---|\n| 第一 章 | x |",
        "```\n青 空\n```",
        "한국어 문장 입니다",
        "使用 LaTeX 的 PDF",
        "word by word",
    ],
)
def test_other_spaces_stay(markdown: str) -> None:
    assert join_wrapped_cjk(markdown) == markdown


@given(st.text(alphabet="中文 ab한글|#`\n、。", max_size=40))
def test_joining_only_takes_spaces_and_is_done_after_once(markdown: str) -> None:
    joined = join_wrapped_cjk(markdown)
    assert joined.replace(" ", "") == markdown.replace(" ", "")
    assert join_wrapped_cjk(joined) == joined


def test_large_chinese_paragraphs_become_headings_by_the_rank_of_their_size() -> None:
    candidates = [
        HeadingCandidate("系统白皮书", 20.0),
        HeadingCandidate("第一章 概述", 14.0),
        HeadingCandidate("普通的一行", 10.5),
    ]
    levels = heading_levels(candidates, body=10.0)
    assert levels == {20.0: 1, 14.0: 2}
    page = "系统白皮书\n\n**第一章 概述**\n\n普通的一行\n\n正文。"
    assert promote_headings(page, candidates, levels) == (
        "# 系统白皮书\n\n## **第一章 概述**\n\n普通的一行\n\n正文。"
    )


def test_a_heading_the_engine_found_keeps_its_level() -> None:
    candidates = [HeadingCandidate("概述", 20.0)]
    assert promote_headings("### 概述", candidates, {20.0: 1}) == "### 概述"


def test_equal_headings_are_promoted_in_their_order() -> None:
    candidates = [HeadingCandidate("小结", 14.0), HeadingCandidate("小结", 14.0)]
    assert promote_headings("小结\n\n文\n\n小结", candidates, {14.0: 1}) == "# 小结\n\n文\n\n# 小结"


@pytest.mark.parametrize("text", ["句子。", "列表：", "English heading", "", "字" * 61])
def test_what_is_no_chinese_heading(text: str) -> None:
    assert not is_heading_text(text)


def test_the_body_size_is_that_of_most_characters() -> None:
    sizes = count_sizes([("标题", 20.0), ("正文正文正文", 10.04), ("脚注", 8.0)])
    assert body_size(sizes) == 10.0
    assert body_size({}) == 0.0
    assert heading_levels([HeadingCandidate("标题", 20.0)], body=0.0) == {}


def test_an_empty_fence_is_taken_out_and_others_are_not() -> None:
    assert drop_empty_fences("```text\n\n```") == ""
    assert drop_empty_fences("a\n\n```text\n\n```\n\nb") == "a\n\n\nb"
    for kept in ("```text\nx\n```", "```python\n\n```"):
        assert drop_empty_fences(kept) == kept


def test_controls_and_form_feeds_are_taken_out() -> None:
    assert drop_controls("a\x0cb\x19\ud800\tc\n") == "ab\tc\n"


@pytest.mark.parametrize("text", ["", " \n", "\x19\x12", "\ue001\ufffd", "\u200b"])
def test_text_nobody_can_read_is_none(text: str) -> None:
    assert not has_text(text)
    assert has_text(f"{text}1")


@pytest.mark.parametrize("text", ["", "12", "- xiv -", "VII", "3/40"])
def test_page_numbers_are_no_words(text: str) -> None:
    assert not has_words(text)
    assert has_words(f"{text} Title")
    assert has_words(f"{text}目录")


def test_each_table_gives_way_to_its_picture() -> None:
    page = f"before\n\n{TABLE}\n\nbetween\n\n{TABLE}\n\nafter"
    assert replace_tables(page, ["<1>", None]) == f"before\n\n<1>\n\nbetween\n\n{TABLE}\n\nafter"


def test_tables_stay_when_their_number_does_not_fit() -> None:
    assert replace_tables(TABLE, []) == TABLE
    assert replace_tables(TABLE, ["<1>", "<2>"]) == TABLE


def test_tables_in_code_are_code() -> None:
    page = f"```\n{TABLE}\n```"
    assert replace_tables(page, []) == page
    assert replace_tables(f"{page}\n\n{TABLE}", ["<1>"]) == f"{page}\n\n<1>"


def test_pictures_get_their_tags_in_order() -> None:
    page = "![](img_p1_2.png)\n\ntext ![](img_p1_1.jpg)\n\n![](elsewhere.png)\n\n![](img_p9_9.png)"
    assert replace_pictures(page, ["<2>", "<1>"]) == "<2>\n\ntext <1>\n\n![](elsewhere.png)\n\n"


def test_the_image_tag_is_the_real_services() -> None:
    assert image_tag("1-11.png") == (
        '<img src="images/1-11.png" style="zoom:70%; display: block; margin: 0 auto;" />'
    )
