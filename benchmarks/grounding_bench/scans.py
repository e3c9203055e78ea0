"""Takes the text layer away from some pages, as if they had been scanned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pypdfium2

from grounding_bench.corpus import CACHE, sha256
from zhiyipdf.models.page_text import PageText
from zhiyipdf.textlayer.ink import ink_share

__all__ = ["ink_of_pages", "scanned"]

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
    chance = Random(f"{seed}/scan")
    emptied: set[int] = set()
    while len(emptied) < SHARE * len(pages) - 0.5:
        start = chance.randrange(len(pages))
        emptied.update(range(start, min(len(pages), start + chance.randint(1, LONGEST_RUN))))
    return [
        _emptied(page, ink[page.number]) if place in emptied else page
        for place, page in enumerate(pages)
    ]


def _emptied(page: PageText, ink: float) -> PageText:
    return replace(
        page,
        codes=np.zeros(0, np.uint32),
        lines=np.zeros((0, 2), np.int32),
        line_boxes=np.zeros((0, 4), np.float32),
        pictures=np.array([[0.0, 0.0, page.width, page.height]], np.float32),
        ink=ink,
    )
