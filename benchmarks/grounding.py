"""How often each block of Markdown gets the page and the box it has in the PDF.

The documents are the multi-page PDFs of ../shared/pdfs and manuals from Debian packages (136 MB,
fetched once with apt-get download, unpacked into benchmarks/.cache, never installed). Two engines
write their Markdown page by page; it is joined without marks, spoiled in known ways, and aligned
with the PDF's text layer. One half of the documents, by hash of name, is for development (`tune`);
the table is about the other (`held`).

    python benchmarks/grounding.py                     # the table, for README
    python benchmarks/grounding.py --quick             # less of everything
    python benchmarks/grounding.py --half tune --only clean,mix,scan20 --dump errors.jsonl
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np

from grounding_bench.corpus import Document, documents
from grounding_bench.extras import boxes, rough_sheets, written_sheets
from grounding_bench.methods import BASELINES, OURS, SLOW, ours
from grounding_bench.perturbations import PERTURBATIONS
from grounding_bench.report import report
from grounding_bench.running import Plan, Sheet, misses, run
from grounding_bench.speed import growth
from grounding_bench.targets import Measured
from grounding_bench.translations import translations

QUICK_PAGES = 40
ALL_PAGES = 10_000
SLOW_PAGES = 30
BASELINE_PERTURBATIONS = ("clean", "mix", "scan20", "ocr10", "floats")
SLOW_PERTURBATIONS = ("clean", "mix")
BESIDE = ("boxes", "translation", "growth")


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--half", choices=("tune", "held", "all"), default="held")
    parser.add_argument("--quick", action="store_true", help="one document a language, 40 pages")
    parser.add_argument("--only", metavar="NAMES", help="some of " + ",".join(PERTURBATIONS))
    parser.add_argument("--documents", metavar="WORDS", help="documents with one of these in them")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--skip", default="", metavar="NAMES", help="some of " + ",".join(BESIDE))
    parser.add_argument(
        "--features", type=Path, metavar="FILE", help="every block, for calibration"
    )
    parser.add_argument("--dump", type=Path, metavar="FILE", help="our misses, as JSON lines")
    chosen = parser.parse_args(given)
    chosen.perturbations = chosen.only.split(",") if chosen.only else list(PERTURBATIONS)
    if unknown := set(chosen.perturbations) - set(PERTURBATIONS):
        parser.error(f"no such perturbation: {', '.join(sorted(unknown))}")
    return chosen


def choose(found: Sequence[Document], chosen: argparse.Namespace) -> list[Document]:
    """Pick the documents of the half, and of a quick run one for each language."""
    picked = [d for d in found if chosen.half in {d.half, "all"}]
    if chosen.documents:
        words = chosen.documents.split(",")
        picked = [d for d in picked if any(word in d.name for word in words)]
    return one_of_each_language(picked) if chosen.quick else picked


def one_of_each_language(found: Sequence[Document]) -> list[Document]:
    """Pick the longest document of each language."""
    longest = {d.language: d for d in sorted(found, key=lambda d: (d.pages, d.name))}
    return [longest[language] for language in sorted(longest)]


def collect(sheets: Iterable[Sheet]) -> Iterator[Sheet]:
    """Pass sheets on, telling what is done on stderr."""
    start = time.monotonic()
    for sheet in sheets:
        right = sheet.right.mean() if len(sheet.first) else 1.0
        print(
            f"{time.monotonic() - start:6.0f} s  {sheet.method:18} {sheet.document:32} "
            f"{sheet.engine:9} {sheet.perturbation:9} {100 * right:6.2f} %",
            file=sys.stderr,
        )
        yield sheet


def sheets_of(plan: Plan, chosen: argparse.Namespace) -> Iterator[Sheet]:
    """Run ours, then the baselines on some of it."""
    yield from run(plan)
    every = {**plan.methods}
    if not chosen.no_baselines:
        every |= BASELINES
        yield from run(
            replace(
                plan,
                perturbations=[p for p in BASELINE_PERTURBATIONS if p in plan.perturbations],
                methods=BASELINES,
                both_engines=False,
            )
        )
        yield from run(
            replace(
                plan,
                documents=one_of_each_language(plan.documents),
                perturbations=[p for p in SLOW_PERTURBATIONS if p in plan.perturbations],
                methods=SLOW,
                most_pages=SLOW_PAGES,
                both_engines=False,
            )
        )
    if not chosen.only:
        yield from rough_sheets(replace(plan, methods=every))
        if chosen.half != "tune":  # never looked at in development
            yield from written_sheets(every)


def write_features(sheets: Sequence[Sheet], path: Path) -> None:
    """Write our answers as arrays of one row for each block: what a score can be fitted on."""
    own = [sheet for sheet in sheets if sheet.method == OURS]

    def of_blocks(name: str) -> list[str]:
        return [getattr(sheet, name) for sheet in own for _ in sheet.how]

    np.savez_compressed(
        path,
        document=of_blocks("document"),
        language=of_blocks("language"),
        engine=of_blocks("engine"),
        perturbation=of_blocks("perturbation"),
        method=[how for sheet in own for how in sheet.how],
        kind=np.concatenate([sheet.kind for sheet in own]),
        length=np.concatenate([sheet.length for sheet in own]),
        score=np.concatenate([sheet.score for sheet in own]),
        right=np.concatenate([sheet.right for sheet in own]),
    )


def main(given: Sequence[str] | None = None) -> int:
    chosen = arguments(given)
    plan = Plan(
        documents=choose(documents(), chosen),
        perturbations=chosen.perturbations,
        methods={OURS: ours},
        most_pages=QUICK_PAGES if chosen.quick else ALL_PAGES,
    )
    sheets = list(collect(sheets_of(plan, chosen)))
    missed = [miss for sheet in sheets if sheet.method == OURS for miss in misses(sheet)]
    if chosen.dump:
        lines = (json.dumps(miss, ensure_ascii=False) + "\n" for miss in missed)
        chosen.dump.write_text("".join(lines), encoding="utf-8")
    if chosen.features:
        write_features(sheets, chosen.features)
    beside = set() if chosen.only else set(BESIDE) - set(chosen.skip.split(","))
    report(
        Measured(
            sheets=sheets,
            overlaps=list(boxes(plan)) if "boxes" in beside else (),
            translation=translations(plan) if "translation" in beside else None,
            growth=growth() if "growth" in beside else None,
        ),
        missed,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
