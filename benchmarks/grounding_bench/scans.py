"""Takes the text layer away from some pages, as if scanned, or garbles it, as bad fonts do."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pypdfium2
from numpy.typing import NDArray

from grounding_bench.corpus import CACHE, sha256
from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer.ink import ink_share

__all__ = ["emptied", "garbled", "ink_of_pages", "scanned"]

SHARE = 0.20
LONGEST_RUN = 6
WIDTH = 200  # pixels: what the package draws of a page without text


def ink_of_pages(path: Path) -> Mapping[int, float]:
    """Measure each page's ink as the package does with scanned ones; kept by file hash."""
    kept = CACHE / "ink" / f"{sha256(path)[:24]}-{WIDTH}.json"
    if not kept.exists():
        ink = {}
        pdf = pypdfium2.PdfDocument(path)
        for number in range(1, len(pdf) + 1):
            page = pdf[number - 1]
            drawn = page.render(scale=WIDTH / page.get_width(), grayscale=True).to_numpy()
            ink[number] = ink_share(drawn.reshape(drawn.shape[0], -1))
            page.close()
        pdf.close()
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(ink))
    return {int(number): ink for number, ink in json.loads(kept.read_text()).items()}


def scanned(pages: Sequence[PageText], ink: Mapping[int, float], seed: str) -> list[PageText]:
    """Empty a fifth of the pages, in runs of one to six, and leave each as one large picture."""
    chosen = _chosen(len(pages), seed)
    return [
        emptied(page, ink[page.number]) if place in chosen else page
        for place, page in enumerate(pages)
    ]


def garbled(pages: Sequence[PageText], seed: str) -> list[PageText]:
    """Put other letters for all letters of the pages that :func:`scanned` empties.

    As fonts do whose map to Unicode is wrong: each letter always becomes the same other one, of
    those of its kind (small, capital, without case) that the document has.
    """
    spoiled = _chosen(len(pages), seed)
    others = _other_letters(pages, Random(f"{seed}/garble"))
    return [
        replace(page, codes=others[page.codes]) if place in spoiled else page
        for place, page in enumerate(pages)
    ]


def _chosen(count: int, seed: str) -> set[int]:
    chance = Random(f"{seed}/scan")
    chosen: set[int] = set()
    while len(chosen) < SHARE * count - 0.5:
        start = chance.randrange(count)
        chosen.update(range(start, min(count, start + chance.randint(1, LONGEST_RUN))))
    return chosen


def _other_letters(pages: Sequence[PageText], chance: Random) -> NDArray[np.uint32]:
    """Give for each code point the one that stands for it: letters in one circle for each kind."""
    others = np.arange(0x110000, dtype=np.uint32)
    present = np.unique(np.concatenate([page.codes for page in pages])).tolist() if pages else []
    for kind in ("Ll", "Lu", "Lo"):
        circle = [code for code in present if unicodedata.category(chr(code)) == kind]
        chance.shuffle(circle)
        others[circle] = circle[1:] + circle[:1]
    return others


def emptied(page: PageText, ink: float) -> PageText:
    """Take a page's text away and leave it as one large picture."""
    return replace(
        page,
        codes=np.zeros(0, np.uint32),
        lines=np.zeros((0, 2), np.int32),
        line_boxes=np.zeros((0, 4), np.float32),
        pictures=np.array([[0.0, 0.0, page.width, page.height]], np.float32),
        ink=ink,
    )
