"""Prints everything that was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grounding_bench.boxes import Overlap, summary
from grounding_bench.extras import BESIDE
from grounding_bench.failures import by_failure
from grounding_bench.goals import HEAD
from grounding_bench.methods import OURS
from grounding_bench.notes import notes
from grounding_bench.running import Sheet
from grounding_bench.scoring import (
    Tally,
    both_pages,
    by_class,
    by_kind,
    calibration_error,
    reliability,
    tally,
)
from grounding_bench.targets import METHODS, SURE, Measured, rows
from grounding_bench.wording import percent, table

__all__ = ["report"]

POOLED = "perturbations pooled"


def report(measured: Measured, missed: Sequence[Mapping[str, Any]]) -> None:
    """Print the table of the issue, what is behind it, and what still goes wrong."""
    table(HEAD, (row.cells() for row in rows(measured)))
    for note in notes(measured):
        print(f"- {note}")
    print()
    names = list(dict.fromkeys(sheet.perturbation for sheet in measured.sheets))
    by_method(measured.sheets, names)
    own = [sheet for sheet in measured.sheets if sheet.method == OURS]
    by_language(own, names)
    by_kind_and_length(own, names)
    scores(own, names)
    if measured.overlaps:
        box_table(measured.overlaps)
    examples(missed)


def _of(sheets: Sequence[Sheet], perturbation: str) -> list[Sheet]:
    return [sheet for sheet in sheets if sheet.perturbation == perturbation]


def by_method(sheets: Sequence[Sheet], names: Sequence[str]) -> None:
    """Print each method's share of right first pages, by perturbation."""
    print("First page right, % of all blocks (± 1 page); pages/s of the method alone\n")
    lines = []
    for method in METHODS:
        answered = [sheet for sheet in sheets if sheet.method == method]
        if answered:
            counts = [tally(_of(answered, name)) for name in names]
            cells = [
                f"{percent(c.exact)} ({percent(c.within_one, 1)})" if c.blocks else "–"
                for c in counts
            ]
            seconds = sum(sheet.seconds for sheet in answered)
            pages = sum(sheet.pages for sheet in answered)
            lines.append((method, *cells, f"{pages / max(seconds, 1e-9):.0f}"))
    table(("method", *names, "pages/s"), lines)


def by_language(own: Sequence[Sheet], names: Sequence[str]) -> None:
    """Print our share of right first pages for each language."""
    print("By language, ours\n")
    lines = []
    for language in sorted({sheet.language for sheet in own}):
        spoken = [sheet for sheet in own if sheet.language == language]
        files = {sheet.document: sheet.pages for sheet in spoken}
        cells = [percent(tally(_of(spoken, name)).exact) for name in names]
        lines.append((language, str(len(files)), str(sum(files.values())), *cells))
    table(("language", "documents", "pages", *names), lines)


def by_kind_and_length(own: Sequence[Sheet], names: Sequence[str]) -> None:
    """Print our share of right first pages for each kind and length of block."""
    print("By kind and by letters, ours; blocks of all perturbations\n")
    kinds = {name: by_kind(_of(own, name)) for name in names}
    classes = {name: by_class(_of(own, name)) for name in names}
    none = Tally()
    lines = [_line(kind, [kinds[name].get(kind, none) for name in names]) for kind in by_kind(own)]
    for least, most in by_class(own):
        label = "no letter" if most == 0 else f"{least}–{most} letters"
        if most >= 10**9:
            label = f"{least} letters or more"
        lines.append(_line(label, [classes[name][least, most] for name in names]))
    table(("kind or length", "blocks", *names), lines)


def _line(label: str, counts: Sequence[Tally]) -> tuple[str, ...]:
    blocks = sum(count.blocks for count in counts)
    return label, f"{blocks:,}", *(percent(count.exact) for count in counts)


def scores(own: Sequence[Sheet], names: Sequence[str]) -> None:
    """Print what our scores are worth."""
    print("What the score is worth, ours\n")
    lines = []
    pooled = [sheet for sheet in own if sheet.perturbation not in BESIDE]
    for name in [*names, POOLED]:
        some = pooled if name == POOLED else _of(own, name)
        sure, crossing = reliability(some, SURE), both_pages(some)
        lines.append(
            (
                name,
                percent(sure.share, 1),
                percent(sure.precision),
                f"{calibration_error(some):.4f}",
                f"{percent(crossing.exact, 1)} of {crossing.blocks}",
            )
        )
    head = ("perturbation", f"score >= {SURE}: share", "of these right", "ECE", "both pages")
    table(head, lines)


def box_table(overlaps: Sequence[Overlap]) -> None:
    """Print how well boxes overlap, by whose boxes are the truth and by kind."""
    print(
        "Boxes, of all blocks whose true box is known. `exact text` are those that stand on the "
        "true page once and to the letter: what they miss is the truth's own notion of a block\n"
    )
    lines = [
        (
            author,
            kind,
            method,
            f"{count.blocks:,}",
            percent(count.pages / count.blocks, 1),
            percent(count.given / count.blocks, 1),
            percent(count.of_given, 1),
            percent(count.of_all, 1),
            f"{count.mean:.3f}",
        )
        for (author, kind, method), count in summary(overlaps).items()
    ]
    head = ("truth", "kind", "boxes", "blocks", "page right", "and a box")
    table((*head, "IoU >= 0.5 of those with a box", "of all", "mean IoU"), lines)


def examples(missed: Sequence[Mapping[str, Any]]) -> None:
    """Print one example of each kind of failure, the commonest first."""
    if not missed:
        return
    print("What still goes wrong, with one example each\n")
    lines = []
    for name, group in by_failure(missed).items():
        example = group[len(group) // 2]
        text = " ".join(example["text"].split()).replace("|", "\\|")
        lines.append(
            (
                name,
                f"{len(group):,}",
                f"{example['document']}, {example['engine']}, {example['perturbation']}",
                f"{example['kind']}: {text}",
                f"{_pages(example['truth'])} → {_pages(example['answer'])}",
                f"{example['score']:.2f}",
            )
        )
    table(("failure", "blocks", "for example", "block", "true page → answer", "score"), lines)


def _pages(span: Sequence[int]) -> str:
    first, last = span
    return str(first) if first == last else f"{first}–{last}"
