"""How long a long PDF takes and how much memory, each run in a process of its own on one core."""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from grounding_bench.corpus import SHARED, first_pages
from grounding_bench.engines import convert

__all__ = ["Cost", "Growth", "growth"]

LONG = "octave.pdf"
SHORT_PAGES = 100
LONG_PAGES = 1000
MIB = 1024  # kB, as /proc tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds and memory of reading and aligning one PDF.

    Attributes:
        pages: Number of pages.
        blocks: Number of blocks.
        reading_s: CPU seconds of reading the text layer.
        aligning_s: CPU seconds of aligning.
        peak_mib: Peak resident size over that of the process before, which holds the blocks.
    """

    pages: int
    blocks: int
    reading_s: float
    aligning_s: float
    peak_mib: float

    @property
    def seconds(self) -> float:
        """Reading and aligning together."""
        return self.reading_s + self.aligning_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """A long PDF, and the mean of the same pages in ten short ones."""

    short: Cost
    long: Cost

    @property
    def factor(self) -> float:
        """Time of the long one over that of a short one."""
        return self.long.seconds / self.short.seconds


def growth() -> Growth | None:
    """Measure octave.pdf, 1,000 pages at once and 100 at a time; None where it is not there."""
    path = SHARED / LONG
    if not path.exists():
        return None
    long = _measured(first_pages(path, LONG_PAGES))
    short = [
        _measured(first_pages(path, SHORT_PAGES, start))
        for start in range(0, LONG_PAGES, SHORT_PAGES)
    ]
    return Growth(
        long=long,
        short=Cost(
            pages=SHORT_PAGES,
            blocks=sum(cost.blocks for cost in short) // len(short),
            reading_s=sum(cost.reading_s for cost in short) / len(short),
            aligning_s=sum(cost.aligning_s for cost in short) / len(short),
            peak_mib=max(cost.peak_mib for cost in short),
        ),
    )


def _measured(path: Path) -> Cost:
    outputs = convert(path, "liteparse")
    markdown = "\n\n".join(output.markdown for output in outputs if output.markdown)
    spawn = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[Cost] = spawn.Queue()
    process = spawn.Process(target=_measure, args=(path, markdown, answer))
    process.start()
    cost = answer.get(timeout=600)
    process.join()
    return cost


def _measure(path: Path, markdown: str, answer: multiprocessing.Queue[Cost]) -> None:
    from grounding_bench.methods import ours
    from zhiyipdf.markdown import split_blocks
    from zhiyipdf.textlayer import read_page_texts

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with pypdfium2.PdfDocument(path) as pdf:
        count = len(pdf)
    blocks = split_blocks(markdown)
    _warm(path)
    before = _reset_peak()
    start = time.process_time()
    pages = list(read_page_texts(path))
    read = time.process_time()
    ours(blocks, pages)
    aligned = time.process_time()
    answer.put(
        Cost(
            pages=count,
            blocks=len(blocks),
            reading_s=read - start,
            aligning_s=aligned - read,
            peak_mib=(_status("VmHWM") - before) / MIB,
        )
    )


def _warm(path: Path) -> None:
    """Import and start what the first call imports and starts."""
    from grounding_bench.methods import ours
    from zhiyipdf.markdown import split_blocks
    from zhiyipdf.textlayer import read_page_texts

    first = [next(iter(read_page_texts(path)))]
    ours(split_blocks(first[0].text()), first)


def _reset_peak() -> int:
    """Forget the peak so far; give the resident size now, in kB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)
