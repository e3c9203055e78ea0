"""How often each block of Markdown gets the page and the box it has in the PDF.

The documents are the multi-page PDFs of ../shared/pdfs and manuals from Debian packages (136 MB,
fetched once with apt-get download, unpacked into benchmarks/.cache, never installed). Two engines
write their Markdown page by page; it is joined without marks, spoiled in known ways, and aligned
with the PDF's text layer. One half of the documents, by hash of name, is for development (`tune`);
the table is about the other (`held`).

    python benchmarks/grounding.py                     # the table, for README
    python benchmarks/grounding.py --quick             # less of everything
    python benchmarks/grounding.py --half tune --only clean,mix,scan20 --dump errors.jsonl
    python benchmarks/grounding.py --half tune --fit   # weights of the scores
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from grounding_bench.boxes import LEAST_IOU, Overlap
from grounding_bench.corpus import Document, documents
from grounding_bench.extras import boxes, rough_sheets, written_sheets
from grounding_bench.fitting import print_weights
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
BASELINE_PERTURBATIONS = ("clean", "mix", "scan20", "garbled20", "ocr10", "floats")
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
    parser.add_argument("--fit", action="store_true", help="print weights of the scores instead")
    parser.add_argument("--dump", type=Path, metavar="FILE", help="our misses, as JSON lines")
    parser.add_argument("--dump-boxes", type=Path, metavar="FILE", help="boxes that are off")
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
    """Run ours and the baselines, the slow one on the first pages of some documents."""
    yield from run(plan)
    if plan.baselines:
        yield from run(
            replace(
                plan,
                documents=one_of_each_language(plan.documents),
                methods={},
                baselines=SLOW,
                baseline_perturbations=SLOW_PERTURBATIONS,
                most_pages=SLOW_PAGES // 2 if chosen.quick else SLOW_PAGES,
            )
        )
    if not chosen.only:
        every = {**plan.methods, **plan.baselines}
        yield from rough_sheets(replace(plan, methods=every))
        if chosen.half != "tune":  # never looked at in development
            yield from written_sheets(every)


def main(given: Sequence[str] | None = None) -> int:
    chosen = arguments(given)
    plan = Plan(
        documents=choose(documents(), chosen),
        perturbations=chosen.perturbations,
        methods={OURS: ours},
        baselines={} if chosen.no_baselines else BASELINES,
        baseline_perturbations=BASELINE_PERTURBATIONS,
        most_pages=QUICK_PAGES if chosen.quick else ALL_PAGES,
    )
    if chosen.fit:
        print_weights(plan)
        return 0
    sheets = list(collect(sheets_of(plan, chosen)))
    missed = [miss for sheet in sheets if sheet.method == OURS for miss in misses(sheet)]
    if chosen.dump:
        lines = (json.dumps(miss, ensure_ascii=False) + "\n" for miss in missed)
        chosen.dump.write_text("".join(lines), encoding="utf-8")
    overlaps: list[Overlap] = []
    beside = set() if chosen.only else set(BESIDE) - set(chosen.skip.split(","))
    if "boxes" in beside:
        overlaps += boxes(plan)
    if chosen.dump_boxes:
        off = (o for o in overlaps if o.method == OURS and (o.iou or 0.0) < LEAST_IOU)
        lines = (json.dumps(asdict(overlap), ensure_ascii=False) + "\n" for overlap in off)
        chosen.dump_boxes.write_text("".join(lines), encoding="utf-8")
    report(
        Measured(
            sheets=sheets,
            overlaps=overlaps,
            translation=translations(plan) if "translation" in beside else None,
            growth=growth() if "growth" in beside else None,
        ),
        missed,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
