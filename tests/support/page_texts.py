"""Pages as PDFium would read them, and documents whose blocks' pages are known, made by hand."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from zhiyipdf.grounding.alignment import Alignment
from zhiyipdf.grounding.folding import Folding
from zhiyipdf.grounding.spoken import spoken_text
from zhiyipdf.grounding.streams import BlockStream, PageStream, block_stream, page_stream
from zhiyipdf.markdown import split_blocks
from zhiyipdf.models import BBox, Block
from zhiyipdf.models.page_text import PageSpan, PageText

WIDTH, HEIGHT = 595.0, 842.0
LEFT, TOP, BOTTOM = 72.0, 96.0, 760.0
LINE_PT, GLYPH_PT = 14.0, 5.0
HEAD_Y, FOOT_Y = 36.0, 800.0
INKED = 0.05
"""Of a scan: well above the share of ink below which a page counts as blank."""

Line = str | tuple[str, float, float]
"""A text, or a text with the left and top edge of its box."""


def page(
    number: int,
    lines: Iterable[Line] = (),
    *,
    head: str = "",
    foot: str = "",
    pictures: Sequence[BBox] = (),
    drawings: Sequence[BBox] = (),
    ink: float | None = None,
) -> PageText:
    """Make a page of A4.

    Args:
        number: 1-based.
        lines: From top to bottom; those without a place fill the body.
        head: A line at the top margin.
        foot: A line at the bottom margin.
        pictures: Their boxes.
        drawings: The boxes of what is drawn without a picture.
        ink: Share of the page that is not background; None on a page with text.
    """
    body = list(lines)
    step = min(LINE_PT, (BOTTOM - TOP) / max(len(body), 1))
    placed = [
        line if isinstance(line, tuple) else (line, LEFT, TOP + at * step)
        for at, line in enumerate(body)
    ]
    if head:
        placed.insert(0, (head, LEFT, HEAD_Y))
    if foot:
        placed.append((foot, LEFT, FOOT_Y))
    starts = [0, *accumulate(len(text) + 2 for text, _, _ in placed)]
    high = min(step, LINE_PT) * 0.9
    return PageText(
        number=number,
        width=WIDTH,
        height=HEIGHT,
        codes=_codes("\r\n".join(text for text, _, _ in placed)),
        lines=np.array(
            [(a, a + len(line[0])) for a, line in zip(starts, placed, strict=False)], np.int32
        ).reshape(-1, 2),
        line_boxes=np.array(
            [
                (x, y, min(x + max(len(text), 1) * GLYPH_PT, WIDTH), y + high)
                for text, x, y in placed
            ],
            np.float32,
        ).reshape(-1, 4),
        pictures=np.array(pictures, np.float32).reshape(-1, 4),
        drawings=np.array(drawings, np.float32).reshape(-1, 4),
        ink=ink,
    )


def scan(number: int, *, ink: float = INKED, pictures: Sequence[BBox] = ()) -> PageText:
    """Make a page whose text cannot be read."""
    return page(number, pictures=pictures, ink=ink)


def line_text(page: PageText, index: int) -> str:
    """Give the characters of one line."""
    start, end = page.lines[index].tolist()
    return "".join(map(chr, page.codes[start:end].tolist()))


def text_at(pages: Sequence[PageText], span: PageSpan) -> str:
    """Give the characters of a span, line breaks as blanks."""
    own = next(page for page in pages if page.number == span.page_number)
    return " ".join("".join(map(chr, own.codes[span.start : span.end].tolist())).split())


def boxes_at(pages: Sequence[PageText], span: PageSpan) -> tuple[BBox, ...]:
    """Give the boxes of the lines that a span touches, as PDFium would."""
    own = next(page for page in pages if page.number == span.page_number)
    return tuple(
        own.line_bbox(index)
        for index, (start, end) in enumerate(own.lines.tolist())
        if start < span.end and span.start < end
    )


def wrapped(text: str, width: int = 78) -> list[str]:
    """Set a text in lines, as a page shows it."""
    return textwrap.wrap(text, width, break_long_words=True) or [""]


def shown(markdown: str) -> list[str]:
    """Give the lines that a page shows of a piece of Markdown, one paragraph of it a line run."""
    said = spoken_text(markdown).replace("|", " ").replace("**", "")
    lines = (line.lstrip("#> ").strip() for line in said.splitlines())
    return [piece for line in lines if line for piece in wrapped(line)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document with its truth.

    Attributes:
        text: Markdown, of all pages.
        blocks: Of it.
        pages: What the PDF shows.
        truth: For each block the page it begins on.
    """

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[PageText, ...]
    truth: tuple[int, ...]


def document(
    said: Sequence[Sequence[str]], pages: Sequence[PageText] | None = None, *, glue: str = "\n\n"
) -> Made:
    """Join Markdown that is known page by page, from page 1.

    Args:
        said: Pieces of Markdown by page.
        pages: What the PDF shows; None: just what the pieces say.
        glue: Between the pieces.
    """
    pieces = [(number, piece) for number, own in enumerate(said, 1) for piece in own]
    text = glue.join(piece for _, piece in pieces)
    starts = [0, *accumulate(len(piece) + len(glue) for _, piece in pieces)]
    if pages is None:
        pages = [
            page(number, [line for piece in own for line in shown(piece)])
            for number, own in enumerate(said, 1)
        ]
    blocks = split_blocks(text)
    return Made(text=text, blocks=blocks, pages=tuple(pages), truth=_truth(blocks, pieces, starts))


def streams(said: Sequence[str], pages: Sequence[PageText]) -> tuple[BlockStream, PageStream]:
    """Fold pieces of Markdown, each a block, and pages alike."""
    folding = Folding()
    blocks = split_blocks("\n\n".join(said))
    return block_stream(blocks, folding), page_stream(pages, folding)


def firsts(found: Iterable[Alignment]) -> tuple[int | None, ...]:
    """Give the first page of each block, None where there is none."""
    return tuple(one.pages[0] if one.pages else None for one in found)


_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "er", "on", "is")]
_ALPHABETS = {
    "russian": "абвгдежзиклмнопрстуфхцчшщыьэюя",
    "greek": "αβγδεζηθικλμνξοπρστυφχψω",
    "arabic": "ابتثجحخدرزسشصضطظعغفقلمنهوي",
    "korean": "가나다라마바사아자차카타파하고노도로모보소오조초코토포호",
    "vietnamese": "aăâbcdđeêghiklmnoôơpqrstuưvxy",
}
_HAN = "".join(map(chr, range(0x4E00, 0x5200)))


class Author:
    """Writes made-up prose, the same for the same seed.

    Args:
        seed: Of the choices.
        script: ``latin``, ``chinese`` or one of the alphabets above.
    """

    def __init__(self, seed: int, script: str = "latin") -> None:
        self._random = random.Random(f"{seed} {script}")
        self._script = script

    def word(self) -> str:
        """Give a word."""
        choose = self._random.choice
        if self._script == "latin":
            return "".join(choose(_SYLLABLES) for _ in range(self._random.randint(1, 4)))
        letters = _ALPHABETS[self._script]
        return "".join(choose(letters) for _ in range(self._random.randint(2, 9)))

    def sentence(self, words: int = 12) -> str:
        """Give a sentence, as long as so many words."""
        if self._script == "chinese":
            return "".join(self._random.choice(_HAN) for _ in range(2 * words)) + "。"
        return " ".join(self.word() for _ in range(words)).capitalize() + "."

    def paragraph(self, words: int = 40) -> str:
        """Give a paragraph of several sentences."""
        glue = "" if self._script == "chinese" else " "
        return glue.join(self.sentence(10) for _ in range(max(words // 10, 1)))

    def pages(self, count: int, *, paragraphs: int = 4) -> list[list[str]]:
        """Give a heading and some paragraphs for each page."""
        return [
            [f"## {self.sentence(3)}", *(self.paragraph() for _ in range(paragraphs))]
            for _ in range(count)
        ]


def _codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _truth(
    blocks: Sequence[Block], pieces: Sequence[tuple[int, str]], starts: Sequence[int]
) -> tuple[int, ...]:
    truth = []
    for block in blocks:
        first = block.start + len(block.text) - len(block.text.lstrip())
        at = sum(start <= min(first, block.end - 1) for start in starts[: len(pieces)]) - 1
        truth.append(pieces[at][0])
    return tuple(truth)
