"""How often the page of a translated block is that of the block it renders.

Truth: ciphered translations of the PDFs in ../shared/pdfs (see translation_truth.py), and Debian's
manuals in several languages, fetched with apt-get unless a folder with them is given. Needs the
extra `local`; the engine's Markdown is kept in the folder, so that a second run starts at once.

    python benchmarks/translation.py [--folder FOLDER] [--scores]
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from translation_truth import (
    HARD,
    MILD,
    WITHOUT_NUMBERS,
    Ciphered,
    Disorder,
    ManualBlocks,
    cipher,
    interleave,
    joined_pages,
    read_manual,
)
from zhiyipdf.grounding.translation import Pairing, inherit, pair_bilingual, pair_translated
from zhiyipdf.models import Block, Provenance
from zhiyipdf.server.liteparse_engine import LiteparseEngine

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "pdfs"
LEAST_PAGES = 4
PACKAGES = ["debmake-doc", "developers-reference"] + [
    f"developers-reference-{language}" for language in ("de", "fr", "ja", "ru")
]
DEBMAKE = ["pr01", *(f"ch0{n}" for n in range(1, 9)), "apa"]
REFERENCE = [
    "scope",
    "new-maintainer",
    "developer-duties",
    "resources",
    "pkgs",
    "best-pkging-practices",
    "beyond-pkging",
    "l10n",
    "tools",
]
PAIRS = {
    "debmake": ["en-de", "en-ja", "en-ru", "en-zh-cn", "en-zh-tw", "zh-cn-en", "zh-cn-ja", "ja-de"],
    "developers-reference": ["en-de", "en-fr", "en-ja", "en-ru", "de-ja", "fr-de", "ru-ja"],
}
REQUIRED = 0.98  # issue 4: page as the original's


def documents(folder: Path) -> Iterator[tuple[str, tuple[Block, ...], tuple[int, ...]]]:
    """Convert what the manifest says converts and has text on several pages."""
    kept = folder / "markdown"
    kept.mkdir(parents=True, exist_ok=True)
    for entry in json.loads((CORPUS / "manifest.json").read_text("utf-8"))["files"]:
        if entry["expected"]["outcome"] != "converts" or (entry["pages"] or 0) < LEAST_PAGES:
            continue
        file = kept / f"{entry['sha256']}.json"
        if not file.exists():
            with tempfile.TemporaryDirectory() as pictures:
                pages = LiteparseEngine().convert(
                    CORPUS / entry["file"],
                    Path(pictures),
                    table_mode="markdown",
                    on_page=lambda _: None,
                )
            file.write_text(json.dumps([(page.number, page.markdown) for page in pages]))
        blocks, numbers = joined_pages(json.loads(file.read_text()))
        if len(blocks) >= 5 * LEAST_PAGES and len(set(numbers)) >= LEAST_PAGES:
            yield entry["file"], blocks, numbers


def placed(made: Ciphered, pairing: Pairing) -> list[tuple[bool, bool, float]]:
    """For each block whose truth is known: block right, page right, score."""
    original = [_on(block, page) for block, page in zip(made.original, made.pages, strict=True)]
    inherited = inherit(original, made.translated, pairing)
    return [
        (
            block.pair in truth,
            bool(block.provenance) and block.provenance[0].page_number == made.pages[min(truth)],
            block.provenance[0].score if block.provenance else 0.0,
        )
        for block, truth in zip(inherited, made.truth, strict=True)
        if truth
    ]


def _on(block: Block, page: int) -> Block:
    # As aligned by text, so that the pairing's doubt shows in the score.
    found = (Provenance(page_number=page, source="aligned", score=1.0),)
    return Block(
        kind=block.kind,
        start=block.start,
        end=block.end,
        text=block.text,
        level=block.level,
        images=block.images,
        provenance=found,
    )


def ciphered_table(folder: Path) -> float:
    """Print the table of ciphered documents; gives the least page share of the mild columns."""
    cases: list[tuple[str, Disorder, dict[str, bool] | None]] = [
        ("translated, mild", MILD, None),
        ("translated, hard", HARD, None),
        ("translated, no numbers", WITHOUT_NUMBERS, None),
        ("bilingual, below", MILD, {}),
        ("bilingual, above", MILD, {"first": False}),
        ("bilingual, in one block", MILD, {"within": True}),
    ]
    results: dict[str, list[tuple[bool, bool, float]]] = {name: [] for name, _, _ in cases}
    worst: dict[str, tuple[float, str]] = {name: (1.0, "") for name, _, _ in cases}
    seconds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for file, blocks, pages in documents(folder):
        for name, disorder, mixing in cases:
            made = cipher(blocks, pages, disorder, seed=7)
            if mixing is not None:
                made = interleave(made, **mixing)
            begun = time.perf_counter()
            pair = pair_translated if mixing is None else pair_bilingual
            pairing = pair(made.original, made.translated)
            seconds[name] += time.perf_counter() - begun
            sizes[name] += len(made.translated)
            found = placed(made, pairing)
            results[name] += found
            share = sum(page for _, page, _ in found) / len(found)
            worst[name] = min(worst[name], (share, file[:30]))
    print(
        "| ciphered | blocks | block right % | page right % | worst document | ms a block | ECE |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, found in results.items():
        block, page = (100 * sum(row[at] for row in found) / len(found) for at in (0, 1))
        print(
            f"| {name} | {len(found)} | {block:.2f} | {page:.2f} | {100 * worst[name][0]:.1f} "
            f"({worst[name][1]}) | {1000 * seconds[name] / sizes[name]:.3f} "
            f"| {calibration_error(found):.4f} |"
        )
    return min(
        sum(page for _, page, _ in found) / len(found)
        for name, found in results.items()
        if "hard" not in name and "numbers" not in name
    )


def calibration_error(found: Sequence[tuple[bool, bool, float]], bins: int = 20) -> float:
    """Compare scores with the share of right pages (expected calibration error)."""
    members: dict[int, list[tuple[float, bool]]] = {}
    for _, page, score in found:
        members.setdefault(min(int(score * bins), bins - 1), []).append((score, page))
    gaps = [abs(sum(score - page for score, page in rows)) for rows in members.values()]
    return sum(gaps) / len(found)


def manuals(folder: Path) -> dict[str, dict[str, ManualBlocks]]:
    """Fetch the manuals and read them; empty where there is no apt-get or no network."""
    root = folder / "manuals"
    if not root.exists():
        if shutil.which("apt-get") is None:
            return {}
        debs = folder / "debs"
        debs.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["apt-get", "download", *PACKAGES], cwd=debs, check=False)
        if done.returncode:
            return {}
        for deb in debs.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    share = root / "usr" / "share"
    read: dict[str, dict[str, ManualBlocks]] = {}
    for name, pairs in PAIRS.items():
        languages = {language for pair in pairs for language in _languages(pair)}
        read[name] = {}
        for language in sorted(languages):
            if name == "debmake":
                files = [share / f"doc/debmake-doc/html/{c}.{language}.html" for c in DEBMAKE]
            else:
                inside = share / name / ("." if language == "en" else language)
                files = [inside / f"{chapter}.html" for chapter in REFERENCE]
            read[name][language] = read_manual(files)
    return read


def _languages(pair: str) -> tuple[str, str]:
    left, right = next(
        (pair[: len(code)], pair[len(code) + 1 :])
        for code in ("zh-cn", "zh-tw", *pair.split("-"))
        if pair.startswith(f"{code}-")
    )
    return left, right


def manuals_table(folder: Path) -> None:
    read = manuals(folder)
    if not read:
        print("\nThe manuals could not be fetched.")
        return
    print("\n| manual | blocks | same section % | same block % of | s |\n|---|---|---|---|---|")
    for name, pairs in PAIRS.items():
        for pair in pairs:
            left, right = (read[name][language] for language in _languages(pair))
            begun = time.perf_counter()
            firsts = pair_translated(left.blocks, right.blocks).first()
            took = time.perf_counter() - begun
            common = set(left.sections) & set(right.sections)
            judged = [at for at, section in enumerate(right.sections) if section in common]
            same = sum(
                firsts[at] is not None and left.sections[firsts[at]] == right.sections[at]
                for at in judged
            )
            truth = left.same_places(right)
            exact = sum(firsts[at] == row for at, row in truth.items())
            print(
                f"| {name} {pair} | {len(right.blocks)} | {100 * same / len(judged):.2f} "
                f"| {100 * exact / len(truth):.2f} of {len(truth)} | {took:.2f} |"
            )


def scores_table(folder: Path) -> None:
    """Print what the constants of pairing.py and inheritance.py were read from."""
    pairs: dict[tuple[str, float], list[bool]] = {}
    lost: dict[bool, list[bool]] = {}
    for _, blocks, pages in documents(folder):
        for disorder, seed in itertools.product((MILD, HARD, WITHOUT_NUMBERS), (1, 2)):
            made = cipher(blocks, pages, disorder, seed=seed)
            for mixed in (False, True):
                case = interleave(made) if mixed else made
                pair = pair_bilingual if mixed else pair_translated
                pairing = pair(case.original, case.translated)
                firsts = pairing.first()
                for at, (found, truth) in enumerate(zip(pairing.pairs, case.truth, strict=True)):
                    if truth and found.originals:
                        key = ("bilingual" if mixed else "translated", found.score)
                        right = min(truth) in found.originals
                        pairs.setdefault(key, []).append(right)
                    elif truth and not mixed:
                        before = next((row for row in firsts[at::-1] if row is not None), None)
                        after = next((row for row in firsts[at:] if row is not None), None)
                        if before is not None and after is not None:
                            right = pages[before] == pages[min(truth)]
                            lost.setdefault(pages[before] == pages[after], []).append(right)
    print("\n| pairs | score | blocks | right |\n|---|---|---|---|")
    for (name, score), rights in sorted(pairs.items()):
        print(f"| {name} | {score} | {len(rights)} | {sum(rights) / len(rights):.4f} |")
    for same, rights in sorted(lost.items()):
        name = "on the same page" if same else "on two pages"
        print(f"| none, between two {name} | | {len(rights)} | {sum(rights) / len(rights):.4f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="keeps Markdown and manuals between runs")
    parser.add_argument("--scores", action="store_true", help="print the shares behind the scores")
    arguments = parser.parse_args()
    if not (CORPUS / "manifest.json").exists():
        print("needs ../shared/pdfs beside the clone", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        least = ciphered_table(folder)
        manuals_table(folder)
        if arguments.scores:
            scores_table(folder)
    return 0 if least >= REQUIRED else 1


if __name__ == "__main__":
    sys.exit(main())
