"""Many short texts found in a long one."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyipdf.grounding import searching
from zhiyipdf.grounding.searching import TextSearch


class Read(str):
    """A text that counts how many of its characters are read."""

    __slots__ = ("read",)

    def find(self, sought: str, low: int, high: int) -> int:  # type: ignore[override]  # as it is used
        at = super().find(sought, low, high)
        self.read = getattr(self, "read", 0) + (at if at >= 0 else high) - low
        return at

    def rfind(self, sought: str, low: int, high: int) -> int:  # type: ignore[override]  # the same
        at = super().rfind(sought, low, high)
        self.read = getattr(self, "read", 0) + high - max(at, low)
        return at


def indexed(text: str, wanted: list[str]) -> TextSearch:
    """A search that has read enough."""
    search = TextSearch(text, lambda: wanted)
    for _ in range(searching._SCANS + 1):
        search.first("\0", 0, len(text))
    return search


FEW_LETTERS = st.text("ab漢", max_size=90)


@settings(deadline=None)
@given(st.data(), FEW_LETTERS)
@pytest.mark.parametrize(("slab", "few"), [(7, 1000), (1 << 18, 1000), (7, 2)])
def test_what_is_indexed_is_found_where_str_finds_it(slab, few, data, text):
    pieces = st.builds(
        lambda a, size: text[a : a + size], st.integers(0, len(text)), st.integers(1, 60)
    )
    wanted = data.draw(st.lists(pieces | FEW_LETTERS, max_size=12))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(searching, "_SLAB", slab)
        patch.setattr(searching, "_FEW", few)
        search = indexed(text, wanted)
        edge = st.integers(0, len(text))
        for sought in filter(None, wanted):
            low, high = data.draw(edge), data.draw(edge)
            assert search.first(sought, low, high) == text.find(sought, low, high)
            assert search.last(sought, low, high) == text.rfind(sought, low, high)


def test_long_texts_that_begin_alike_are_told_apart():
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(40_000))
    there = [text[17 : 17 + size] for size in (300, 12_000, 12_001)]
    nowhere = [f"{said[:-1]}c" for said in there] + [f"{said[:150]}c{said[151:]}" for said in there]

    search = indexed(text, there + nowhere)

    for sought in there:
        assert search.first(sought, 0, len(text)) == search.last(sought, 0, len(text)) == 17
    for sought in nowhere:
        assert search.first(sought, 0, len(text)) == search.last(sought, 0, len(text)) == -1


def test_a_text_too_long_to_be_indexed_is_found():
    chance = random.Random(1)
    text = "".join(chance.choice("ab") for _ in range(searching._LONGEST + 50))

    assert indexed(text, [text[9:]]).first(text[9:], 0, len(text)) == 9


def test_what_stands_everywhere_is_not_kept_in_memory():
    text = "ab" * 100_000
    wanted = [text[:size] for size in range(1, 65)]
    tracemalloc.start()
    search = indexed(text, [*wanted, "ba" * 9 + "c"])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert search.first("ababab", 77, len(text)) == 78
    assert search.last("ababab", 0, 100) == 94
    assert most < 100 * len(text)


def test_a_text_that_was_not_wanted_is_still_found():
    search = indexed("one two three two", ["one"])

    assert search.first("two", 0, 17) == 4
    assert search.last("two", 0, 17) == 14


def test_few_texts_are_never_indexed():
    def wanted() -> list[str]:
        raise AssertionError("not so soon")

    search = TextSearch("one two three", wanted)

    assert [search.first(word, 0, 13) for word in ("one", "two", "four")] == [0, 4, -1]


@pytest.mark.parametrize("count", [1_000, 4_000])
def test_however_many_texts_are_sought_the_long_one_is_read_so_often_at_most(count):
    chance = random.Random(count)
    words = ["".join(chance.choice("abcdefgh") for _ in range(9)) for _ in range(2 * count)]
    there, nowhere = words[:count], words[count:]
    text = Read("".join(there))
    search = TextSearch(text, lambda: words)

    for word in nowhere:
        assert search.first(word, 0, len(text)) == str.find(text, word)
        assert search.last(word, 0, len(text)) == str.rfind(text, word)
    assert all(search.first(word, 0, len(text)) >= 0 for word in there)

    assert text.read <= (searching._SCANS + 1) * len(text)
