"""The version of the stored places: it must grow whenever the answers change."""

from __future__ import annotations

import hashlib
import random

from support.page_texts import Author, document, page, scan, shown
from zhiyipdf.conversion.placing import VERSION
from zhiyipdf.grounding.locating import locate

ANSWERS = (2, "cf877c8330bfd809")


def answers() -> str:
    """Pages and scores of a book with everything: heads, tables, scans, pictures, noise."""
    chance = random.Random(7)
    author = Author(7)
    said, pages = [], []
    for number in range(1, 25):
        rows = "\n".join(f"| {author.word()} | {number * row} |" for row in range(1, 6))
        table = f"| {author.word()} | value |\n|---|---|\n{rows}"
        own = [f"# Chapter {number}", *(author.paragraph(50) for _ in range(3)), table, "---"]
        lines = [line for piece in own for line in shown(piece)]
        foot = f"Page {number}"
        pages.append(
            scan(number)
            if number % 7 == 0
            else page(number, lines, head="The History of the Mill", foot=foot)
        )
        noisy = "".join(c for c in own[2] if not c.isalpha() or chance.random() > 0.05)
        said.append([*own[:2], noisy, *own[3:], foot, f"![](images/{number}-1.png)"])
    made = document(said, pages)
    located = locate(made.text, made.blocks, len(pages), made.pages)
    told = [
        [(one.page_number, one.source, round(one.score, 2)) for one in block.provenance]
        for block in located.blocks
    ]
    return hashlib.sha256(repr((told, located.spans)).encode()).hexdigest()[:16]


def test_the_version_grows_when_the_answers_change():
    """Stored places of an older version are made again: raise VERSION, and write both here."""
    assert (VERSION, answers()) == ANSWERS
