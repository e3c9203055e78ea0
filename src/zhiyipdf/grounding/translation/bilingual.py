"""Pairs a bilingual text, in which each block of the original stands beside its translation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

from zhiyipdf.grounding.translation.costs import Costs, Weights
from zhiyipdf.grounding.translation.features import compare
from zhiyipdf.grounding.translation.pairing import UNPAIRED, Pair, Pairing, pair_translated
from zhiyipdf.grounding.translation.sequence import align
from zhiyipdf.models import Block

__all__ = ["pair_bilingual"]

# Every other block is a translation, so passing one over is cheap. Lengths say nothing: original
# and translation may stand in one block.
_VERBATIM = Weights(
    left_out=3.0,
    added=0.5,
    joined=3.5,
    unshared=0.5,
    unshared_cap=8.0,
    shared_cap=12.0,
    length_cap=0.0,
)
# A block shows the original if it has this share of its words.
_VERBATIM_SHARE = 0.5
# Shares of right pairs over 17 ciphered documents, 160,000 blocks (benchmarks/translation.py
# --scores): blocks that show their original, translations beside a single one, and at most beside
# several.
_SHOWN = 0.999
_BESIDE = 0.995
_AMONG = 0.97
# How long blocks must be, and how many, to tell how much longer translations are.
_TELLING_LENGTH = 30.0
_TELLING_RATIOS = 5
# A text that ends in a translation counts as much as so many kinds that agree.
_END_VOTES = 2


@dataclass(frozen=True, slots=True)
class _Run:
    """Blocks of the bilingual text, one after the other, that all show the original or all do not.

    Attributes:
        start: First block.
        end: One past the last.
        members: The originals they show; None if they are translations.
    """

    start: int
    end: int
    members: range | None


def pair_bilingual(original: Sequence[Block], bilingual: Sequence[Block]) -> Pairing:
    """Pair a bilingual text with the original.

    A block of the original may be followed or preceded by its translation, hold it in the same
    block, or stand alone, as pictures do. Originals may also come a few at a time, then their
    translations.

    Args:
        original: Blocks of the original.
        bilingual: Blocks of the bilingual text.

    Returns:
        Pairs; an original's block and its translation have the same indices.
    """
    costs = Costs(compare(original, bilingual), _VERBATIM)
    pairs = _verbatim(costs, original, bilingual)
    runs = _runs(pairs)
    forward = _translations_follow(original, bilingual, runs)
    growth = _growth(costs, runs, forward=forward)
    for at, run in enumerate(runs):
        beside = at - 1 if forward else at + 1
        if run.members is None and 0 <= beside < len(runs):
            candidates = _candidates(runs, at, len(original), forward=forward)
            pairs[run.start : run.end] = _translations(
                original,
                bilingual[run.start : run.end],
                candidates,
                runs[beside].members or candidates,
                forward=forward,
                growth=growth,
            )
    return Pairing(pairs=tuple(pairs))


def _verbatim(costs: Costs, original: Sequence[Block], bilingual: Sequence[Block]) -> list[Pair]:
    """Find the blocks that show the original's own words."""
    shown = [
        (step, row, column)
        for step in align(costs)
        for row in range(step.row, step.row + step.rows)
        for column in range(step.column, step.column + step.columns)
    ]
    weights = costs.overlap.of([row for _, row, _ in shown], [column for _, _, column in shown])
    found: list[list[int]] = [[] for _ in bilingual]
    for (step, row, column), shared in zip(shown, weights.tolist(), strict=True):
        # Where one block became two, either holds only a part of its words.
        total = (
            costs.overlap.totals[1][column] if step.columns > 1 else costs.overlap.totals[0][row]
        )
        if (total > 0 and shared >= _VERBATIM_SHARE * total) or (
            original[row].text.split() == bilingual[column].text.split()
        ):
            found[column].append(row)
    return [Pair(originals=tuple(rows), score=_SHOWN) if rows else UNPAIRED for rows in found]


def _runs(pairs: Sequence[Pair]) -> list[_Run]:
    runs: list[_Run] = []
    for shows, group in groupby(range(len(pairs)), key=lambda at: bool(pairs[at].originals)):
        at = list(group)
        rows = [row for index in at for row in pairs[index].originals]
        members = range(min(rows), max(rows) + 1) if shows else None
        runs.append(_Run(at[0], at[-1] + 1, members))
    return runs


def _translations_follow(
    original: Sequence[Block], bilingual: Sequence[Block], runs: Sequence[_Run]
) -> bool:
    """Tell whether translations stand after their originals, by the ends and by kinds."""
    votes = 0
    for at, run in enumerate(runs):
        if run.members is not None:
            continue
        before = runs[at - 1].members if at else None
        after = runs[at + 1].members if at + 1 < len(runs) else None
        votes += before is not None and _alike(original[before[-1]], bilingual[run.end - 1])
        votes -= after is not None and _alike(original[after[0]], bilingual[run.start])
        votes += _END_VOTES * ((after is None) - (before is None))
    return votes >= 0


def _growth(costs: Costs, runs: Sequence[_Run], *, forward: bool) -> float | None:
    """Measure how much longer translations are where one stands beside one original."""
    features = costs.features
    ratios: list[float] = []
    for run, following in pairwise(runs):
        shown, other = (run, following) if forward else (following, run)
        if shown.members is None or len(shown.members) != 1 or other.end - other.start != 1:
            continue
        lengths = features.original.lengths[shown.members[0]], features.other.lengths[other.start]
        if min(lengths) >= _TELLING_LENGTH:
            ratios.append(lengths[1] / lengths[0])
    return median(ratios) if len(ratios) >= _TELLING_RATIOS else None


def _candidates(runs: Sequence[_Run], at: int, total: int, *, forward: bool) -> range:
    """Give the originals that a run of translations may render.

    Besides those shown right beside it these are the ones that are shown nowhere up to the next.
    """
    before = runs[at - 1].members if at else None
    after = runs[at + 1].members if at + 1 < len(runs) else None
    if forward:
        return range(before[0] if before else 0, after[0] if after else total)
    return range(before[-1] + 1 if before else 0, after[-1] + 1 if after else total)


def _translations(
    original: Sequence[Block],
    blocks: Sequence[Block],
    candidates: range,
    beside: range,
    *,
    forward: bool,
    growth: float | None,
) -> list[Pair]:
    """Pair translations that stand together with the originals they may render."""
    alike = sum(_alike(original[row], blocks[0]) for row in beside)
    if len(candidates) <= 1 or (len(blocks) == 1 and alike <= 1):
        nearest = beside[::-1] if forward else beside
        score = _BESIDE if len(nearest) == 1 else _AMONG
        return [
            Pair(
                originals=(
                    next((row for row in nearest if _alike(original[row], block)), nearest[0]),
                ),
                score=score,
            )
            for block in blocks
        ]
    window = original[candidates.start : candidates.stop]
    found = pair_translated(window, blocks, growth=growth).pairs
    return [
        Pair(
            originals=tuple(row + candidates.start for row in pair.originals),
            score=min(pair.score, _AMONG),
        )
        for pair in found
    ]


def _alike(original: Block, other: Block) -> bool:
    return (original.kind, original.level) == (other.kind, other.level)
