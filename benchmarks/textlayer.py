"""What reading a PDF's text and the boxes of stretches of it cost.

CPU milliseconds a page, the least of three rounds, over manuals of ../shared/pdfs. Text is
`read_page_texts` of all pages; boxes is `span_boxes` of 15 stretches of each page that together are
its whole text; PDFium is the part of both that loads pages and their text and nothing more. Growth
is how much more memory is resident, at most, while all pages are read again.

    python benchmarks/textlayer.py [FOLDER]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from zhiyipdf.textlayer import read_page_texts, span_boxes
from zhiyipdf.textlayer.opening import loaded_page, loaded_text
from zhiyipdf.textlayer.turns import in_turns

FILES = [
    "irs_manual_400p.pdf",
    "octave.pdf",
    "debian-reference.ja.pdf",
    "lshort-persian.pdf",
    "us-017.pdf",
]
STRETCHES = 15
ROUNDS = 3


def load_only(document: Any, number: int) -> None:
    with loaded_page(document, number) as page, loaded_text(page):
        pass


def least_ms(call: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(ROUNDS):
        before = time.process_time()
        call()
        least = min(least, time.process_time() - before)
    return 1000 * least


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def row(path: Path) -> str:
    texts = list(read_page_texts(path))
    characters = sum(len(text.codes) for text in texts) // len(texts)
    spans = {}
    for text in texts:
        cuts = [len(text.codes) * i // STRETCHES for i in range(STRETCHES + 1)]
        spans[text.number] = list(pairwise(cuts))
    costs = [
        least_ms(lambda: list(in_turns(path, None, load_only))),
        least_ms(lambda: sum(1 for _ in read_page_texts(path))),
        least_ms(lambda: span_boxes(path, spans)),
    ]
    per_page = " | ".join(f"{cost / len(texts):.2f}" for cost in costs)
    before = resident_mib()
    growth = max(resident_mib() for _ in read_page_texts(path)) - before
    return f"| {path.stem} | {len(texts)} | {characters} | {per_page} | {growth:+.0f} |"


def main() -> int:
    beside = Path(__file__).parents[2] / "shared" / "pdfs"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    print("| PDF | pages | characters a page | PDFium ms | text ms | boxes ms | growth MiB |")
    print("|---|---|---|---|---|---|---|")
    for name in FILES:
        print(row(folder / name), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
