"""Prints tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grounding_bench.methods import OURS
from grounding_bench.running import Sheet
from grounding_bench.scoring import (
    both_pages,
    by_class,
    by_kind,
    calibration_error,
    reliability,
    tally,
)

__all__ = ["percent", "table", "tables"]

SURE = 0.9


def percent(share: float, digits: int = 2) -> str:
    """Write a share as per cent; a dash where there is none."""
    return "–" if share != share else f"{100 * share:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a pipe table and a blank line."""
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def _of(sheets: Sequence[Sheet], perturbation: str) -> list[Sheet]:
    return [sheet for sheet in sheets if sheet.perturbation == perturbation]


def _names(sheets: Iterable[Sheet]) -> list[str]:
    return list(dict.fromkeys(sheet.perturbation for sheet in sheets))


def tables(sheets: Sequence[Sheet]) -> None:
    """Print what came out, method by method, then ours by language, kind and length."""
    by_method: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        by_method.setdefault(sheet.method, []).append(sheet)
    own = by_method.get(OURS, [])
    names = _names(own or sheets)
    print("First page right, % of all blocks (± 1 page)\n")
    rows = []
    for method, answered in by_method.items():
        cells = []
        for name in names:
            count = tally(_of(answered, name))
            cells.append(
                f"{percent(count.exact)} ({percent(count.within_one, 1)})" if count.blocks else "–"
            )
        seconds = sum(sheet.seconds for sheet in answered)
        rows.append((method, *cells, f"{sum(s.pages for s in answered) / max(seconds, 1e-9):.0f}"))
    table(("method", *names, "pages/s"), rows)

    print("By language, ours\n")
    languages = sorted({sheet.language for sheet in own})
    rows = []
    for language in languages:
        spoken = [sheet for sheet in own if sheet.language == language]
        cells = [percent(tally(_of(spoken, name)).exact) for name in names]
        files = {sheet.document: sheet.pages for sheet in spoken}
        rows.append((language, str(len(files)), str(sum(files.values())), *cells))
    table(("language", "documents", "pages", *names), rows)

    print("By kind and by letters, ours\n")
    kinds = {name: by_kind(_of(own, name)) for name in names}
    classes = {name: by_class(_of(own, name)) for name in names}
    rows = []
    for kind in dict.fromkeys(kind for counts in kinds.values() for kind in counts):
        counts = [kinds[name].get(kind) for name in names]
        rows.append(
            (
                kind,
                str(max(c.blocks for c in counts if c)),
                *(percent(c.exact) if c else "–" for c in counts),
            )
        )
    for bounds in next(iter(classes.values()), {}):
        least, most = bounds
        label = f">= {least}" if most >= 10**9 else f"{least}–{most}" if most else "none"
        counts = [classes[name][bounds] for name in names]
        rows.append(
            (label, str(max(c.blocks for c in counts)), *(percent(c.exact) for c in counts))
        )
    table(("kind or letters", "blocks", *names), rows)

    print("Score, ours\n")
    rows = []
    for name in [*names, "all"]:
        some = own if name == "all" else _of(own, name)
        sure = reliability(some, SURE)
        crossing = both_pages(some)
        rows.append(
            (
                name,
                percent(sure.share, 1),
                percent(sure.precision),
                f"{calibration_error(some):.4f}",
                f"{percent(crossing.exact, 1)} of {crossing.blocks}",
            )
        )
    table(("perturbation", "score >= 0.9: share", "right", "ECE", "both pages of crossing"), rows)
