"""Pieces that blocks and pages share, and how they lie together."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from support.page_texts import Author, page, streams, wrapped
from zhiyipdf.grounding import seeds
from zhiyipdf.grounding.seeds import (
    GRAM,
    MOST_CLUSTERS,
    MOST_PLACES,
    WIDE_GRAM,
    find_hits,
    gather,
    grams_of,
)


def hit(said: list[str], lines: list[str]):
    blocks, pages = streams(said, [page(1, lines)])
    hits = find_hits(blocks, grams_of(pages))
    return blocks, pages, hits, gather(hits, blocks, pages)


def test_every_hit_says_the_same_on_both_sides():
    text = Author(1).paragraph(30)
    blocks, pages, hits, _ = hit([text, text[40:90]], wrapped(text))

    assert len(hits.block)
    for said, place, size in zip(hits.said, hits.place, hits.size, strict=True):
        assert blocks.text[said : said + size] == pages.text[place : place + size]


def test_a_piece_shorter_than_a_gram_hits_nothing():
    _, _, hits, clusters = hit(["abcdefghijk"], ["abcdefghijk lmnop"])

    assert GRAM == 12
    assert len(hits.block) == len(clusters.block) == 0


def test_six_wide_characters_are_enough():
    _, _, hits, _ = hit(["漢字仮名交り"], ["前文漢字仮名交り後文"])

    assert hits.size.tolist() == [WIDE_GRAM]
    assert hits.place.tolist() == [2]


def test_no_hit_reaches_from_one_block_into_the_next():
    _, _, hits, _ = hit(["abcdef", "ghijkl"], ["abcdefghijkl"])

    assert len(hits.block) == 0


def test_a_gram_in_too_many_places_tells_nothing_but_is_remembered():
    line = "the same words"
    blocks, pages, hits, clusters = hit([line], [line] * (MOST_PLACES + 1))

    assert len(hits.block) == len(clusters.block) == 0
    low, high, offset = hits.repeated[0].tolist()
    places = grams_of(pages).places[low:high] - offset
    assert [pages.text[at : at + len(blocks.text)] for at in places] == [blocks.text] * 4


def test_a_gram_in_a_few_places_hits_each_of_them():
    line = "the same words"
    between = [Author(n).sentence() for n in range(MOST_PLACES)]
    _, _, hits, clusters = hit([line], [f"{line} {other}" for other in between])

    assert len(clusters.block) == MOST_PLACES
    assert hits.repeated.tolist() == [[-1, -1, -1]]


def test_hits_that_follow_each_other_are_one_cluster():
    text = Author(2).paragraph(40)
    blocks, pages, hits, clusters = hit([text], wrapped(text))

    assert clusters.block.tolist() == [0]
    assert clusters.covered.tolist() == [len(blocks.text)]
    assert (clusters.start[0], clusters.end[0]) == (0, len(pages.text))
    assert clusters.end_hit[0] - clusters.first_hit[0] == len(hits.block)


def test_hits_far_apart_are_clusters_of_their_own():
    author = Author(3)
    one, two = author.sentence(), author.sentence()
    _, pages, _, clusters = hit([f"{one} {two}"], [one, *wrapped(author.paragraph(200)), two])

    assert len(clusters.block) == 2
    assert clusters.start[0] == 0
    assert clusters.end[1] == len(pages.text)


def test_overlapping_grams_cover_each_letter_once():
    text = "abcdefghijklmnopqrst"
    _, _, _, clusters = hit([f"{text} {text}"], [text, "0123456789" * 6])

    assert clusters.covered.tolist() == [40]


def test_a_block_keeps_its_best_clusters():
    author = Author(4)
    parts = [author.sentence(4 + n) for n in range(MOST_CLUSTERS + 3)]
    gaps = [wrapped(Author(50 + n).paragraph(200)) for n in range(len(parts))]
    lines = [line for part, gap in zip(parts, gaps, strict=True) for line in (part, *gap)]
    _, _, _, clusters = hit([" ".join(parts)], lines)

    assert len(clusters.block) == MOST_CLUSTERS
    assert sorted(clusters.start.tolist()) == clusters.start.tolist()
    assert clusters.covered.min() >= len(parts[3]) - 8  # the three shortest are gone


def test_slabs_of_any_size_find_the_same(monkeypatch):
    author = Author(5)
    said = [author.sentence() for _ in range(30)]
    blocks, pages = streams(said, [page(1, random.Random(1).sample(said, 30))])
    grams = grams_of(pages)
    whole = find_hits(blocks, grams)

    monkeypatch.setattr(seeds, "_SLAB", 50)
    parts = find_hits(blocks, grams)

    for name in ("block", "said", "place", "size", "repeated"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


@given(
    st.lists(st.text(alphabet="ab漢", max_size=30), max_size=4),
    st.lists(st.text(alphabet="ab漢", max_size=30), max_size=4),
)
def test_clusters_stay_within_their_block_and_the_pages(said, lines):
    blocks, pages, hits, clusters = hit(said, lines)

    assert sorted(clusters.block.tolist()) == clusters.block.tolist()
    for at, block in enumerate(clusters.block.tolist()):
        assert blocks.starts[block] <= clusters.said_start[at] < clusters.said_end[at]
        assert clusters.said_end[at] <= blocks.starts[block + 1]
        assert 0 <= clusters.start[at] < clusters.end[at] <= len(pages.text)
        own = range(int(clusters.first_hit[at]), int(clusters.end_hit[at]))
        said_there = {
            letter
            for h in own
            for letter in range(int(hits.said[h]), int(hits.said[h] + hits.size[h]))
        }
        assert clusters.covered[at] == len(said_there)
