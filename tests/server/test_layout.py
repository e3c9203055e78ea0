from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from zhiyipdf.server.engine import PageBlock
from zhiyipdf.server.layout import layout_of, readable_share


def _box(x: float, y: float, width: float = 100, height: float = 10) -> SimpleNamespace:
    return SimpleNamespace(x=x, y=y, width=width, height=height)


def _block(kind: str, y: float, text: str = "", **more: Any) -> SimpleNamespace:
    fields = {"kind": kind, "bbox": _box(50, y), "text": text, "header": None, "rows": None}
    return SimpleNamespace(**{**fields, **more})


def _item(text: str, x: float, y: float) -> SimpleNamespace:
    return SimpleNamespace(text=text, x=x, y=y, width=20.0, height=8.0)


def _page(markdown: str, blocks: list[Any], items: list[Any]) -> SimpleNamespace:
    return SimpleNamespace(markdown=markdown, blocks=blocks, text_items=items)


def test_blocks_keep_their_order_kind_and_box() -> None:
    cell = SimpleNamespace(text="a")
    blocks = [
        _block("heading", 100, "Head"),
        _block("rule", 115),
        _block("list_item", 120, "one"),
        _block("table", 140, rows=[[cell, cell]], header=[cell, cell]),
        _block("figure", 160),
        _block("paragraph", 180, "nowhere", bbox=None),
    ]
    assert layout_of(_page("Head one", blocks, []), {5: "1-5.png"}) == (
        PageBlock(kind="title", box=(50, 100, 150, 110), text="Head"),
        PageBlock(kind="text", box=(50, 120, 150, 130), text="one"),
        PageBlock(kind="table", box=(50, 140, 150, 150), text="a\ta\na\ta"),
        PageBlock(kind="figure", box=(50, 160, 150, 170), picture="1-5.png"),
    )


def test_lines_that_the_markdown_left_out_above_and_below_are_running_lines() -> None:
    items = [
        _item("Report", 50, 20),
        _item("2026", 200, 20),
        _item("words", 50, 102),
        _item("7", 300, 700),
    ]
    head, body, foot = layout_of(_page("words", [_block("paragraph", 100, "words")], items), {})
    assert (head.kind, head.text, head.box) == ("margin", "Report 2026", (50, 20, 220, 28))
    assert body.kind == "text"
    assert (foot.kind, foot.text) == ("margin", "7")


def test_a_line_that_the_markdown_has_is_no_running_line() -> None:
    items = [_item("In thousands", 50, 20)]
    page = _page("In thousands\n\nwords", [_block("paragraph", 100, "words")], items)
    assert [block.kind for block in layout_of(page, {})] == ["text"]


@pytest.mark.parametrize(
    ("text", "share"), [("", 100), ("abc d", 100), ("ab\ufffd\ue000", 50), ("\ue000 \ue001", 0)]
)
def test_what_means_nothing_lowers_the_share_of_readable_characters(text: str, share: int) -> None:
    assert readable_share(text) == share
