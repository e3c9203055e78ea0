"""A real PDF with a page whose font has a wrong map to Unicode."""

from __future__ import annotations

import textwrap
from pathlib import Path
from string import ascii_letters

from support.drawings import Drawing, text, write_drawings
from support.page_texts import Author
from zhiyipdf.conversion.placing import place_blocks
from zhiyipdf.models import Bundle, DocumentProperties, Page, Source

SHIFTED = {
    letter: ascii_letters[(at + 7) % 26 + 26 * (at >= 26)]
    for at, letter in enumerate(ascii_letters)
}


def drawn(said: list[str], font: str) -> Drawing:
    lines = [line for piece in said for line in textwrap.wrap(piece, 80)]
    content = "".join(text(72, 780 - 14 * at, line, font=font) for at, line in enumerate(lines))
    return Drawing(content=content, media=(0, 0, 595, 842))


def test_blocks_of_a_page_with_a_bad_font_are_estimated_to_stand_there(tmp_path: Path):
    said = [[Author(10 * n + k).paragraph(60) for k in range(4)] for n in range(5)]
    path = write_drawings(
        tmp_path / "bad.pdf",
        [drawn(own, "F2" if n == 2 else "F1") for n, own in enumerate(said)],
        letters=SHIFTED,
    )
    source = Source(
        uri=str(path), name=path.name, path=str(path), size_bytes=path.stat().st_size,
        sha256="ab" * 32, pages=tuple(Page(number=n, label=str(n)) for n in range(1, 6)),
        properties=DocumentProperties(),
    )  # fmt: skip
    bundle = Bundle(markdown={"original": "\n\n".join(piece for own in said for piece in own)})

    blocks = place_blocks(bundle, source, range(1, 6))["original"]

    told = [(block.provenance[0].page_number, block.provenance[0].source) for block in blocks]
    assert told == [(n, "estimated" if n == 3 else "aligned") for n in range(1, 6) for _ in "1234"]
