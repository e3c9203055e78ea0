"""Spoils Markdown in known ways, with fixed seeds; the truth goes along with the text.

Shares are those of the grounding study, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from grounding_bench.truth import Passage, Piece, measure

__all__ = ["PERTURBATIONS", "perturb"]

_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)|<img\b[^>]*>")
_CAPTION = re.compile(
    r"[*_#\s]*(figure|fig\.|table|abbildung|tabelle|figura|tabla|tableau|рис|таблица"
    r"|hình|bảng|شکل|جدول|图|圖|表|図|그림|표)\s*[\d۰-۹]",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"(\]\([^)\n]*\)|<[^<>\n]*>|&\w+;)")
_SENTENCE = re.compile(r"(?<=\w[.!?؟])\s+(?=\S)|(?<=\w[。！？])(?=\w)")
_EMPHASISED = re.compile(r"(\*{1,3})[^*]+\1(?:\s*(\*{1,3})[^*]+\2)?")
_WITHIN = re.compile(r"(?:[^\W\d]|[,،、，-])\s*\Z")  # text that goes on
_NOT_PARAGRAPH = re.compile(r"\s*(?:#|\||<|!\[|```|~~~|>|\$\$|[-*+]\s|\d+[.)]\s|---|\*\*\*|\[\^)")

FLOAT_SHARE = 0.05
FIGURE_SHARE = 0.25
FLOAT_BLOCKS = 12
DROP_SHARE = 0.05
JOIN_SHARE = 0.10  # of neighbours on one page; over a page break all
SPLIT_SHARE = 0.10
LEAST_JOINED = 4  # letters and digits on either side of the break
RUNNING_LINES = 2  # at the top and at the bottom of a page
LONGEST_RUNNING = 80  # letters and digits


def _is_figure(text: str) -> bool:
    return bool(_IMAGE.search(text) or _CAPTION.match(text) or text.lstrip().startswith("|"))


def _is_paragraph(piece: Piece) -> bool:
    text = piece[0].text
    return not _NOT_PARAGRAPH.match(text) and not _IMAGE.search(text)


def _noise(share: float) -> Callable[[list[Piece], Random], list[Piece]]:
    """Substitute, delete or insert ``share`` of the letters and digits, a third each."""

    def spoil(pieces: list[Piece], chance: Random) -> list[Piece]:
        alphabet = [
            char for piece in pieces for passage in piece for char in passage.text if char.isalnum()
        ] or ["x"]

        def spoiled(text: str) -> str:
            out = []
            for place, part in enumerate(_MARKUP.split(text)):
                if place % 2:
                    out.append(part)
                    continue
                for char in part:
                    if not char.isalnum() or chance.random() >= share:
                        out.append(char)
                        continue
                    what = chance.randrange(3)
                    if what == 0:
                        out.append(chance.choice(alphabet))
                    elif what == 1:
                        out.append(char + chance.choice(alphabet))
            return "".join(out)

        return [tuple(Passage(spoiled(p.text), p.page) for p in piece) for piece in pieces]

    return spoil


def _floats(pieces: list[Piece], chance: Random) -> list[Piece]:
    """Move some blocks, and more of the figures, tables and captions.

    What has no letters and is no picture, such as a rule, stays: nobody could say where it was.
    """
    places: list[tuple[float, int, Piece]] = []
    for place, piece in enumerate(pieces):
        text = piece[0].text
        share = FLOAT_SHARE if measure(text) else 0.0
        if _is_figure(text):
            share = FIGURE_SHARE
        to = float(place)
        if chance.random() < share:
            to += chance.choice((-1, 1)) * (chance.randint(1, FLOAT_BLOCKS) + 0.5)
        places.append((to, place, piece))
    return [piece for _, _, piece in sorted(places, key=lambda moved: moved[:2])]


def _join(pieces: list[Piece], chance: Random) -> list[Piece]:
    """Make one paragraph of the two parts of each that crosses a page break, and of some others.

    A paragraph crosses the break if the last of the page ends within a sentence and the first of
    the next goes on with a letter that begins none. Running lines that stand between the two are
    left out, as by whoever joins paragraphs.
    """
    running = _running(pieces)
    result: list[Piece] = []
    between: list[Piece] = []  # running lines since the last piece of the result
    for place, piece in enumerate(pieces):
        if place in running:
            between.append(piece)
            continue
        if result and _is_paragraph(piece) and _is_paragraph(result[-1]):
            before, after = result[-1][-1], piece[0]
            long = min(measure(before.text), measure(after.text)) >= LEAST_JOINED
            crosses = (
                before.page + 1 == after.page
                and len(result[-1]) == 1
                and _WITHIN.search(before.text) is not None
                and after.text.lstrip()[:1].isalpha()
                and not after.text.lstrip()[:1].isupper()
            )
            neighbours = before.page == after.page and not between
            if long and (crosses or (neighbours and chance.random() < JOIN_SHARE)):
                glue = Passage(before.text.rstrip() + " ", before.page)
                result[-1] = (*result[-1][:-1], glue, *piece)
                between.clear()
                continue
        result += [*between, piece]
        between.clear()
    return result + between


def _running(pieces: Sequence[Piece]) -> set[int]:
    """Find short lines at the ends of pages that recur but for their numbers, and bare numbers.

    So are short lines there that are rules, or in italics or bold as a whole.
    """
    by_page: dict[int, list[int]] = {}
    for place, piece in enumerate(pieces):
        by_page.setdefault(piece[0].page, []).append(place)
    at_ends: dict[str, list[int]] = {}
    for places in by_page.values():
        for place in {*places[:RUNNING_LINES], *places[-RUNNING_LINES:]}:
            text = pieces[place][0].text
            if measure(text) <= LONGEST_RUNNING:
                key = "".join(char for char in text.casefold() if char.isalpha())
                if _EMPHASISED.fullmatch(text.strip()) or measure(text) < LEAST_JOINED:
                    key = ""
                at_ends.setdefault(key, []).append(place)
    return {
        place
        for key, places in at_ends.items()
        if not key or len({pieces[place][0].page for place in places}) > 1
        for place in places
    }


def _split(share: float) -> Callable[[list[Piece], Random], list[Piece]]:
    """Make paragraphs of the sentences of ``share`` of the paragraphs."""

    def split(pieces: list[Piece], chance: Random) -> list[Piece]:
        result: list[Piece] = []
        for piece in pieces:
            if len(piece) == 1 and _is_paragraph(piece) and chance.random() < share:
                sentences = _SENTENCE.split(piece[0].text)
                result += [(Passage(text, piece[0].page),) for text in sentences if text.strip()]
            else:
                result.append(piece)
        return result

    return split


def _drop(share: float) -> Callable[[list[Piece], Random], list[Piece]]:
    def drop(pieces: list[Piece], chance: Random) -> list[Piece]:
        return [piece for piece in pieces if chance.random() >= share]

    return drop


def _in_turn(
    *steps: Callable[[list[Piece], Random], list[Piece]],
) -> Callable[[list[Piece], Random], list[Piece]]:
    def run(pieces: list[Piece], chance: Random) -> list[Piece]:
        for step in steps:
            pieces = step(pieces, chance)
        return pieces

    return run


PERTURBATIONS: Mapping[str, Callable[[list[Piece], Random], list[Piece]]] = {
    "clean": _in_turn(),
    "mix": _in_turn(_join, _drop(DROP_SHARE), _floats, _split(SPLIT_SHARE), _noise(0.03)),
    "scan20": _in_turn(),  # it is the pages that are spoiled: grounding_bench.scans
    "garbled20": _in_turn(),  # likewise
    "ocr3": _noise(0.03),
    "ocr5": _noise(0.05),
    "ocr10": _noise(0.10),
    "floats": _floats,
    "join": _join,
    "split": _split(1.0),
    "drop": _drop(DROP_SHARE),
}
"""By name, in the order of the tables."""


def perturb(pieces: Sequence[Piece], name: str, seed: str) -> list[Piece]:
    """Spoil a document.

    Args:
        pieces: Its blocks.
        name: One of :data:`PERTURBATIONS`.
        seed: Any text; the same one spoils in the same way.
    """
    spoiled = PERTURBATIONS[name](list(pieces), Random(f"{seed}/{name}"))
    return [piece for piece in spoiled if any(passage.text.strip() for passage in piece)]
